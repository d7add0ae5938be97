/* SPDX-License-Identifier: MIT */
/* Where calibration data comes from, and which ranges follow from it. */
#include "unit.h"
#include "folder.h"

#include <accel/error.h>
#include <compress/calibrate.h>
#include <formats/image.h>
#include <formats/npy.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct calibration_options nothing_known;

static struct graph_shape shape_of(int rank, int64_t a, int64_t b, int64_t c,
				   int64_t d)
{
	return (struct graph_shape){ .rank = rank, .dims = { a, b, c, d } };
}

/* A graph with one input, on which nodes are chained by add(). */
static struct graph *graph_with_input(struct graph_shape shape)
{
	struct graph *graph = graph_create("test");
	int input = graph_add_tensor(graph, "x", &shape);

	assert_int_equal(graph_add_input(graph, input), 0);
	return graph;
}

static int add(struct graph *graph, enum graph_op op, const char *name,
	       int input)
{
	int output =
		graph_add_tensor(graph, name, &graph->tensors[input].shape);

	assert_true(graph_add_node(graph, op, name, &input, 1, &output, 1) >=
		    0);
	return output;
}

static const char *write_npy(void **state, const char *name, float *values,
			     unsigned int rank, const size_t *shape)
{
	struct npy_array array = { .type = NPY_FLOAT32,
				   .rank = rank,
				   .data = values };
	const char *path = folder_path(*state, name);

	memcpy(array.shape, shape, rank * sizeof(*shape));
	assert_int_equal(npy_write(path, &array), 0);
	return path;
}

static int read_data(struct calibration_data *data, struct graph *graph,
		     const char *path, enum array_layout layout)
{
	struct calibration_source source = { .layout = layout,
					     .range = { 0, 255 } };

	return calibration_data_read(data, graph, path, &source);
}

static void ranges_are_the_extremes_and_zero(void **state)
{
	float values[6] = { 3, -2, 1, 4, 5, 0.5f };
	const char *path =
		write_npy(state, "x.npy", values, 2, (size_t[]){ 2, 3 });
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 3, 0, 0));
	int relu = add(graph, GRAPH_RELU, "relu", 0);
	int exponential = add(graph, GRAPH_EXP, "exp", relu);
	struct calibration_data data;
	struct quantize_range ranges[3];

	graph_add_output(graph, exponential);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(
		calibration_run(graph, &data, &nothing_known, ranges, NULL), 0);
	assert_true(ranges[0].low == -2 && ranges[0].high == 5);
	assert_true(ranges[relu].low == 0 && ranges[relu].high == 5);
	assert_true(ranges[exponential].low == 0);
	assert_int_equal(quantize_activation(ranges[relu]).zero, -128);
	calibration_data_release(&data);
	graph_destroy(graph);
}

static void flat_ends_of_activations_cost_no_codes(void **state)
{
	float values[2] = { -20, 30 };
	const char *path =
		write_npy(state, "x.npy", values, 2, (size_t[]){ 1, 2 });
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 2, 0, 0));
	/* The absolute value is read by both, −x through a view by tanh only. */
	int absolute = add(graph, GRAPH_ABS, "abs", 0);
	int view = add(graph, GRAPH_TRANSPOSE, "view", 0);
	int sigmoid = add(graph, GRAPH_SIGMOID, "sigmoid", absolute);
	int other = add(graph, GRAPH_TANH, "other", absolute);
	int tanh_view = add(graph, GRAPH_TANH, "tanh", view);
	struct calibration_data data;
	struct quantize_range ranges[6];

	graph->nodes[graph->tensors[view].producer].transpose.perm[1] = 1;
	graph_add_output(graph, sigmoid);
	graph_add_output(graph, other);
	graph_add_output(graph, tanh_view);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(
		calibration_run(graph, &data, &nothing_known, ranges, NULL), 0);
	assert_true(ranges[0].low == -20 && ranges[0].high == 30);
	assert_true(ranges[absolute].low == 0 && ranges[absolute].high == 8);
	assert_true(ranges[view].low == -4 && ranges[view].high == 4);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* Bytes are pictures: 0 is black, 255 white. */
static void idx_of_bytes_is_scaled_to_the_range(void **state)
{
	const uint8_t bytes[] = { 0, 0, 8, 3, 0, 0, 0, 1,  0,	0,
				  0, 2, 0, 0, 0, 2, 0, 51, 255, 102 };
	char *path = strdup(folder_path(*state, "t-images-idx3-ubyte"));
	FILE *file = fopen(path, "wb");
	const struct array_port port = {
		.name = "x",
		.shape = { .rank = 4, .dims = { GRAPH_DIM_DYNAMIC, 1, 2, 2 } },
		.range = { -1, 1 },
	};
	const struct array_port unknown = { .name = "x", .shape = port.shape };
	struct array array;

	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	fclose(file);
	assert_int_equal(array_read(&array, &port, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(array.shape.dims[0], 1);
	assert_true(array.values[0] == -1 && array.values[2] == 1);
	assert_true(fabsf(array.values[1] + 0.6f) < 1e-6f);
	array_release(&array);
	assert_int_equal(array_read(&array, &unknown, path, ARRAY_LAYOUT_AUTO),
			 -EINVAL);
	free(path);
}

static void known_ranges_of_images_are_used(void **state)
{
	float values[4] = { 3, 200, 1, 4 };
	const char *path =
		write_npy(state, "x.npy", values, 4, (size_t[]){ 1, 1, 2, 2 });
	struct graph *graph =
		graph_with_input(shape_of(4, GRAPH_DIM_DYNAMIC, 1, 2, 2));
	int result = add(graph, GRAPH_ELU, "elu", 0);
	struct calibration_options known = { .input_range = { 0, 255 },
					     .output_range = { 0, 100 } };
	struct calibration_data data;
	struct quantize_range ranges[2];
	struct golden_quantization q;

	graph_add_output(graph, result);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(calibration_run(graph, &data, &known, ranges, NULL),
			 0);
	q = quantize_activation(ranges[0]);
	assert_true(q.scale == 1 && q.zero == -128);
	assert_true(ranges[result].low == 0 && ranges[result].high == 100);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* Codes of 8-bit pixels are exact, and other pictures than these find room. */
static void pixels_are_told_by_their_values(void **state)
{
	float values[2][4] = { { 3, 200, 1, 4 }, { 3, 199.5f, 1, 4 } };

	for (int i = 0; i < 2; i++) {
		const char *path = write_npy(state, "x.npy", values[i], 4,
					     (size_t[]){ 1, 1, 2, 2 });
		struct graph *graph = graph_with_input(
			shape_of(4, GRAPH_DIM_DYNAMIC, 1, 2, 2));
		int result = add(graph, GRAPH_RELU, "relu", 0);
		struct calibration_data data;
		struct quantize_range ranges[2];

		graph_add_output(graph, result);
		assert_int_equal(
			read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
		assert_int_equal(calibration_run(graph, &data, &nothing_known,
						 ranges, NULL),
				 0);
		assert_true(ranges[0].low == 0);
		assert_true(ranges[0].high == (i ? 199.5f : 255));
		assert_true(ranges[result].low == 0);
		assert_true(ranges[result].high > 1.11f * values[i][1]);
		assert_true(ranges[result].high < 1.14f * values[i][1]);
		calibration_data_release(&data);
		graph_destroy(graph);
	}
}

static void infinite_activations_are_named(void **state)
{
	float values[1] = { 100 };
	const char *path =
		write_npy(state, "x.npy", values, 2, (size_t[]){ 1, 1 });
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 1, 0, 0));
	struct calibration_data data;
	struct quantize_range ranges[2];

	graph_add_output(graph, add(graph, GRAPH_EXP, "burst", 0));
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(calibration_run(graph, &data, &nothing_known, ranges,
					 NULL),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "burst"));
	calibration_data_release(&data);
	graph_destroy(graph);
}

static struct graph *image_graph(void)
{
	struct graph *graph = graph_with_input(shape_of(
		4, GRAPH_DIM_DYNAMIC, 3, GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC));

	graph_add_output(graph, add(graph, GRAPH_RELU, "relu", 0));
	return graph;
}

/* [1, 2, 2, 3]: only NHWC fits three channels. */
static void layout_follows_the_channel_count(void **state)
{
	float values[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	const float nchw[12] = { 0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11 };
	const char *path =
		write_npy(state, "x.npy", values, 4, (size_t[]){ 1, 2, 2, 3 });
	struct graph *graph = image_graph();
	struct calibration_data data;

	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_memory_equal(data.samples[0][0].values, nchw, sizeof(nchw));
	assert_int_equal(data.samples[0][0].shape.dims[1], 3);
	calibration_data_release(&data);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_NCHW),
			 -EINVAL);
	graph_destroy(graph);
}

/* [1, 3, 2, 3] fits both: NCHW, unless the user says otherwise. */
static void nchw_wins_when_both_fit(void **state)
{
	float values[18] = { 0 };
	const char *path =
		write_npy(state, "x.npy", values, 4, (size_t[]){ 1, 3, 2, 3 });
	struct graph *graph = image_graph();
	struct calibration_data data;

	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(data.samples[0][0].shape.dims[2], 2);
	calibration_data_release(&data);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_NHWC), 0);
	assert_int_equal(data.samples[0][0].shape.dims[2], 3);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* A network of signals, [N, 2, L], takes them in a model as images of width 1. */
static void signals_are_narrow_images(void **state)
{
	float values[6] = { 0, 1, 2, 3, 4, 5 };
	const char *path =
		write_npy(state, "x.npy", values, 3, (size_t[]){ 1, 2, 3 });
	struct array_port port = {
		.name = "x",
		.shape =
			shape_of(4, GRAPH_DIM_DYNAMIC, 2, GRAPH_DIM_DYNAMIC, 1),
	};
	struct array array;

	assert_int_equal(array_read(&array, &port, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(array.layout, ARRAY_LAYOUT_NCL);
	assert_int_equal(array.shape.rank, 4);
	assert_int_equal(array.shape.dims[2], 3);
	assert_memory_equal(array.values, values, sizeof(values));
	array_release(&array);
	/* three channels are not two */
	port.shape.dims[1] = 3;
	assert_int_equal(array_read(&array, &port, path, ARRAY_LAYOUT_AUTO),
			 -EINVAL);
	array_release(&array);
}

static void large_batches_run_in_parts(void **state)
{
	static float values[100 * 3];
	const char *path =
		write_npy(state, "x.npy", values, 2, (size_t[]){ 100, 3 });
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 3, 0, 0));
	struct calibration_data data;
	int64_t total = 0;

	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_true(data.sample_count > 1);
	for (int i = 0; i < data.sample_count; i++)
		total += data.samples[i][0].shape.dims[0];
	assert_int_equal(total, 100);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* Elements of the second input stay beside those of the first, run by run. */
static void inputs_with_files_share_the_batch(void **state)
{
	static float z[100 * 3], label[100 * 2];
	/* paths share one buffer */
	char *z_path =
		strdup(write_npy(state, "z.npy", z, 2, (size_t[]){ 100, 3 }));
	const char *others[2] = { NULL, NULL };
	const struct calibration_source source = { .others = others };
	struct graph_shape shape = shape_of(2, GRAPH_DIM_DYNAMIC, 2, 0, 0);
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 3, 0, 0));
	struct calibration_data data;
	int64_t first = 0;

	graph_add_input(graph, graph_add_tensor(graph, "label", &shape));
	for (int i = 0; i < 200; i++)
		label[i] = (float)i;
	assert_int_equal(calibration_data_read(&data, graph, z_path, &source),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "label=FILE"));
	others[1] = write_npy(state, "l.npy", label, 2, (size_t[]){ 100, 2 });
	assert_int_equal(calibration_data_read(&data, graph, z_path, &source),
			 0);
	for (int i = 0; i < data.sample_count; i++) {
		const struct array *sample = data.samples[i];

		assert_int_equal(sample[1].shape.dims[0],
				 sample[0].shape.dims[0]);
		assert_true(sample[1].values[1] == (float)(2 * first + 1));
		first += sample[1].shape.dims[0];
	}
	assert_int_equal(first, 100);
	calibration_data_release(&data);
	others[1] = write_npy(state, "l.npy", label, 2, (size_t[]){ 99, 2 });
	assert_int_equal(calibration_data_read(&data, graph, z_path, &source),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "99"));
	free(z_path);
	graph_destroy(graph);
}

/* Pictures and arrays of several sizes, in the order of their names. */
static void folders_are_read_by_name(void **state)
{
	float values[12] = { 7 };
	struct graph *graph = image_graph();
	struct calibration_data data;
	struct image image;

	assert_int_equal(image_create(&image, 5, 4, 1), 0);
	image.pixels[0] = 1;
	assert_int_equal(image_write_png(folder_path(*state, "a.png"), &image),
			 0);
	image_release(&image);
	write_npy(state, "b.npy", values, 4, (size_t[]){ 1, 3, 2, 2 });
	assert_int_equal(read_data(&data, graph, *state, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(data.sample_count, 2);
	assert_int_equal(data.samples[0][0].shape.dims[2], 4);
	assert_int_equal(data.samples[0][0].shape.dims[3], 5);
	assert_true(data.samples[0][0].values[0] == 255);
	assert_true(data.samples[0][0].values[20] == 255);
	assert_true(data.samples[0][0].values[1] == 0);
	assert_true(data.samples[1][0].values[0] == 7);
	calibration_data_release(&data);
	graph_destroy(graph);
}

static void what_does_not_fit_is_told(void **state)
{
	float values[4] = { 1, 2, 3, 4 };
	struct graph *graph = image_graph();
	struct calibration_data data;
	const char *path;

	path = write_npy(state, "x.npy", values, 4, (size_t[]){ 1, 1, 2, 2 });
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "[1, 1, 2, 2]"));
	assert_non_null(strstr(accel_last_error(), "[?, 3, ?, ?]"));
	values[2] = NAN;
	path = write_npy(state, "x.npy", values, 3, (size_t[]){ 3, 1, 1 });
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "finite"));
	assert_int_equal(read_data(&data, graph,
				   folder_path(*state, "none.npy"),
				   ARRAY_LAYOUT_AUTO),
			 -ENOENT);
	assert_int_equal(calibration_data_sample(&data, graph, 8, 1), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "--calibrate"));
	graph_destroy(graph);
}

static void latents_depend_on_the_seed_alone(void **state)
{
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 3, 0, 0));
	struct calibration_data a, b, c;
	int64_t total = 0;

	(void)state;
	assert_int_equal(calibration_data_sample(&a, graph, 70, 5), 0);
	assert_int_equal(calibration_data_sample(&b, graph, 70, 5), 0);
	assert_int_equal(calibration_data_sample(&c, graph, 70, 6), 0);
	for (int i = 0; i < a.sample_count; i++) {
		int64_t count = a.samples[i][0].shape.dims[0];

		total += count;
		assert_memory_equal(a.samples[i][0].values,
				    b.samples[i][0].values,
				    (size_t)count * 3 * sizeof(float));
	}
	assert_int_equal(total, 70);
	assert_true(a.samples[0][0].values[0] != c.samples[0][0].values[0]);
	calibration_data_release(&a);
	calibration_data_release(&b);
	calibration_data_release(&c);
	graph_destroy(graph);
}

/* x [T, N, F] and h0 [1, N, H] of a GRU, N by its name. */
static void recurrent_states_start_as_zero(void **state)
{
	struct graph_shape weight = shape_of(3, 1, 6, 3, 0);
	struct graph_shape recurrence = shape_of(3, 1, 6, 2, 0);
	struct graph_shape result =
		shape_of(3, GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC, 2, 0);
	struct graph_shape initial = shape_of(3, 1, GRAPH_DIM_DYNAMIC, 2, 0);
	float values[5 * 4 * 3] = { 1 };
	const char *path =
		write_npy(state, "x.npy", values, 3, (size_t[]){ 5, 4, 3 });
	struct graph *graph = graph_with_input(
		shape_of(3, GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC, 3, 0));
	int h0 = graph_add_tensor(graph, "h0", &initial);
	int w = graph_add_constant(graph, "w", &weight, NULL);
	int r = graph_add_constant(graph, "r", &recurrence, NULL);
	int y = graph_add_tensor(graph, "y", &result);
	struct calibration_data data;
	struct quantize_range ranges[5];
	int node;

	graph_add_input(graph, h0);
	node = graph_add_node(graph, GRAPH_GRU, "gru",
			      (int[]){ 0, w, r, GRAPH_NO_TENSOR, h0 }, 5, &y,
			      1);
	graph->nodes[node].recurrent.hidden = 2;
	graph_add_output(graph, y);
	assert_int_equal(read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
	assert_int_equal(data.samples[0][1].shape.dims[1], 4);
	assert_true(data.samples[0][1].values[0] == 0);
	assert_int_equal(
		calibration_run(graph, &data, &nothing_known, ranges, NULL), 0);
	assert_true(ranges[y].low == -1 && ranges[y].high == 1);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* Sums that differ in their last bits give the same model. */
static void ranges_hide_the_last_bits(void **state)
{
	struct graph *graph =
		graph_with_input(shape_of(2, GRAPH_DIM_DYNAMIC, 2, 0, 0));
	int result = add(graph, GRAPH_LEAKY_RELU, "leaky", 0);
	struct quantize_range ranges[2][2];

	graph_add_output(graph, result);
	graph->nodes[0].unary.alpha = 0.5f;
	for (int i = 0; i < 2; i++) {
		float values[2] = { i ? 3.0003f : 3.0001f, -2.0003f };
		const char *path = write_npy(state, "x.npy", values, 2,
					     (size_t[]){ 1, 2 });
		struct calibration_data data;

		assert_int_equal(
			read_data(&data, graph, path, ARRAY_LAYOUT_AUTO), 0);
		assert_int_equal(calibration_run(graph, &data, &nothing_known,
						 ranges[i], NULL),
				 0);
		calibration_data_release(&data);
	}
	assert_true(ranges[0][result].high == ranges[1][result].high);
	assert_true(ranges[0][result].high >= 3.0003f);
	assert_true(ranges[0][result].high < 3.02f);
	assert_true(ranges[0][result].low <= -1.00015f);
	assert_true(ranges[0][0].high < ranges[1][0].high);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(ranges_are_the_extremes_and_zero),
		folder_test(flat_ends_of_activations_cost_no_codes),
		folder_test(idx_of_bytes_is_scaled_to_the_range),
		folder_test(known_ranges_of_images_are_used),
		folder_test(pixels_are_told_by_their_values),
		folder_test(infinite_activations_are_named),
		folder_test(layout_follows_the_channel_count),
		folder_test(nchw_wins_when_both_fit),
		folder_test(signals_are_narrow_images),
		folder_test(large_batches_run_in_parts),
		folder_test(inputs_with_files_share_the_batch),
		folder_test(folders_are_read_by_name),
		folder_test(what_does_not_fit_is_told),
		folder_test(latents_depend_on_the_seed_alone),
		folder_test(recurrent_states_start_as_zero),
		folder_test(ranges_hide_the_last_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
