/* SPDX-License-Identifier: MIT */
/* Training data: a function of seed, stream and number, whatever came before. */
#include "unit.h"
#include "folder.h"

#include <accel/error.h>
#include <formats/npy.h>
#include <train/distill_data.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct graph *graph_with_input(int rank, int64_t a, int64_t b, int64_t c,
				      int64_t d)
{
	const struct graph_shape shape = { rank, { a, b, c, d } };
	struct graph *graph = graph_create("test");
	int input = graph_add_tensor(graph, "x", &shape);

	assert_int_equal(graph_add_input(graph, input), 0);
	assert_int_equal(graph_add_output(graph, input), 0);
	return graph;
}

static void create(struct distill_data *data, const struct graph *graph,
		   const struct calibration_data *files, int64_t latents)
{
	const struct distill_source source = {
		.files = files, .latents = latents, .patch = 4, .seed = 3
	};

	assert_int_equal(distill_data_create(data, graph, &source), 0);
}

/* Numbers 0 … count − 1 in a file of this shape. */
static void count_up(struct calibration_data *files, const struct graph *graph,
		     const char *path, unsigned int rank, const size_t *shape)
{
	const struct calibration_source source = { .layout =
							   ARRAY_LAYOUT_NCHW };
	struct npy_array array = { .type = NPY_FLOAT32, .rank = rank };
	size_t count = 1;
	float *values;

	for (unsigned int i = 0; i < rank; i++)
		count *= array.shape[i] = shape[i];
	values = malloc(count * sizeof(*values));
	for (size_t i = 0; i < count; i++)
		values[i] = (float)i;
	array.data = values;
	assert_int_equal(npy_write(path, &array), 0);
	assert_int_equal(calibration_data_read(files, graph, path, &source), 0);
	free(values);
}

static void latents_depend_on_their_number_only(void **state)
{
	struct graph *graph = graph_with_input(2, -1, 5, 0, 0);
	struct distill_data data;
	float all[40], part[15];
	float *whole = all, *some = part;

	(void)state;
	create(&data, graph, NULL, 0);
	distill_data_fill(&data, DISTILL_TRAINING, 0, 8, &whole);
	distill_data_fill(&data, DISTILL_TRAINING, 5, 3, &some);
	assert_memory_equal(all + 25, part, sizeof(part));
	distill_data_fill(&data, DISTILL_VALIDATION, 0, 3, &some);
	for (int i = 0; i < 40; i++)
		for (int k = 0; k < 15; k++)
			assert_true(all[i] != part[k]);
	distill_data_release(&data);
	graph_destroy(graph);
}

static void a_number_of_latents_comes_again(void **state)
{
	struct graph *graph = graph_with_input(2, -1, 5, 0, 0);
	struct distill_data data;
	float all[40];
	float *whole = all;

	(void)state;
	create(&data, graph, NULL, 4);
	distill_data_fill(&data, DISTILL_TRAINING, 0, 8, &whole);
	assert_memory_equal(all, all + 20, 20 * sizeof(float));
	assert_memory_not_equal(all, all + 5, 5 * sizeof(float));
	distill_data_release(&data);
	graph_destroy(graph);
}

static void photos_are_cut_into_patches(void **state)
{
	static const size_t shape[] = { 1, 2, 10, 9 };
	struct graph *graph = graph_with_input(4, -1, 2, -1, -1);
	struct calibration_data files;
	struct distill_data data;
	float values[50 * 32], first;
	float *patches = values;
	bool moved = false;

	count_up(&files, graph, folder_path(*state, "x.npy"), 4, shape);
	create(&data, graph, &files, 0);
	assert_int_equal(distill_data_shape(&data, 0, 50).dims[2], 4);
	distill_data_fill(&data, DISTILL_TRAINING, 0, 50, &patches);
	first = values[0];
	for (int n = 0; n < 50; n++)
		for (int i = 0; i < 32; i++) {
			float corner = values[n * 32];
			int channel = i / 16, row = i / 4 % 4, column = i % 4;

			assert_true(values[n * 32 + i] ==
				    corner + (float)(channel * 90 + row * 9 +
						     column));
			moved = moved || corner != first;
		}
	assert_true(moved);
	distill_data_release(&data);
	calibration_data_release(&files);
	graph_destroy(graph);
}

static void validation_has_rows_of_its_own(void **state)
{
	static const size_t shape[] = { 40, 3 };
	struct graph *graph = graph_with_input(2, -1, 3, 0, 0);
	struct calibration_data files;
	struct distill_data data;
	float values[300];
	float *rows = values;

	count_up(&files, graph, folder_path(*state, "x.npy"), 2, shape);
	create(&data, graph, &files, 0);
	distill_data_fill(&data, DISTILL_TRAINING, 0, 100, &rows);
	for (int i = 0; i < 100; i++)
		assert_true(values[3 * i] < 36 * 3 &&
			    values[3 * i + 2] == values[3 * i] + 2);
	distill_data_fill(&data, DISTILL_VALIDATION, 0, 100, &rows);
	for (int i = 0; i < 100; i++)
		assert_true(values[3 * i] >= 36 * 3);
	distill_data_release(&data);
	calibration_data_release(&files);
	graph_destroy(graph);
}

static void small_pictures_are_refused(void **state)
{
	static const size_t shape[] = { 1, 2, 3, 9 };
	const struct distill_source source = { .patch = 4 };
	struct graph *graph = graph_with_input(4, -1, 2, -1, -1);
	struct calibration_data files;
	struct distill_source with_files = source;
	struct distill_data data;

	count_up(&files, graph, folder_path(*state, "x.npy"), 4, shape);
	with_files.files = &files;
	assert_int_equal(distill_data_create(&data, graph, &with_files),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "patch"));
	/* and images cannot be sampled */
	assert_int_equal(distill_data_create(&data, graph, &source), -EINVAL);
	calibration_data_release(&files);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latents_depend_on_their_number_only),
		cmocka_unit_test(a_number_of_latents_comes_again),
		folder_test(photos_are_cut_into_patches),
		folder_test(validation_has_rows_of_its_own),
		folder_test(small_pictures_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
