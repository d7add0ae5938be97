/* SPDX-License-Identifier: MIT */
/* A compressed network's results beside the dense one's, as others ask for them. */
#include "unit.h"

#include "float_graph.h"

#include <compress/sample.h>
#include <metrics/quality.h>

#include <errno.h>
#include <math.h>

enum { ROWS = 64, PIXELS = 16, FEATURES = 6, CLASSES = 3 };

/* Pictures of 1 × 4 × 4, noise around gray. */
static void make_pictures(float *values, uint64_t seed)
{
	struct sample_generator generator;

	sample_seed(&generator, seed);
	for (int i = 0; i < ROWS * PIXELS; i++)
		values[i] = 0.5f + 0.1f * (float)sample_normal(&generator);
}

/* Two linear layers: what the second reads are features. */
static struct graph *make_classifier(void)
{
	const int64_t first[] = { FEATURES, PIXELS };
	const int64_t second[] = { CLASSES, FEATURES };
	struct graph_shape shape = { .rank = 2, .dims = { -1, PIXELS } };
	struct graph *graph = graph_create("classifier");
	float weights[FEATURES * PIXELS];
	int inputs[2];

	assert_non_null(graph);
	for (int i = 0; i < FEATURES * PIXELS; i++)
		weights[i] = (float)(i * 7 % 11) / 11 - 0.5f;
	inputs[0] = graph_add_tensor(graph, "pictures", &shape);
	CHECK(graph_add_input(graph, inputs[0]));
	inputs[1] = add_constant(graph, 2, first, weights);
	inputs[0] = add_node(graph, GRAPH_GEMM, inputs, 2);
	inputs[1] = add_constant(graph, 2, second, weights);
	CHECK(graph_add_output(graph, add_node(graph, GRAPH_GEMM, inputs, 2)));
	return graph;
}

static struct quality_dense dense_of(const float *values, const float *others)
{
	return (struct quality_dense){
		.values = values,
		.others = others,
		.shape = { 4, { ROWS, 1, 4, 4 } },
		.range = { 0, 1 },
	};
}

static void test_names_become_metrics(void **state)
{
	unsigned int metrics;

	(void)state;
	CHECK(quality_parse("fid,psnr", &metrics));
	assert_int_equal(metrics, QUALITY_PSNR | QUALITY_FID);
	CHECK(quality_parse("all", &metrics));
	assert_int_equal(metrics & QUALITY_FEATURES, QUALITY_FEATURES);
	assert_true(metrics & QUALITY_ROBUSTNESS);
	assert_int_equal(quality_parse("psnr,lpips", &metrics), -EINVAL);
	assert_int_equal(quality_parse("", &metrics), -EINVAL);
	assert_int_equal(quality_parse("psnr,", &metrics), -EINVAL);
}

static void test_only_what_is_asked_for_is_measured(void **state)
{
	static float values[ROWS * PIXELS];
	const struct quality_options options = { .metrics = QUALITY_PSNR };
	const struct quality_dense dense = dense_of(values, NULL);
	struct quality_figures figures;
	struct quality quality;

	(void)state;
	make_pictures(values, 1);
	CHECK(quality_open(&quality, &dense, &options));
	CHECK(quality_measure(&quality, values, &figures));
	assert_true(isinf(figures.psnr) && figures.max_error == 0);
	assert_true(isnan(figures.ssim) && isnan(figures.ms_ssim));
	assert_true(isnan(figures.distribution.frechet));
	assert_true(isnan(figures.classes.f1));
	quality_close(&quality);
}

static void test_the_same_pictures_are_below_the_floor(void **state)
{
	static float values[ROWS * PIXELS], others[ROWS * PIXELS];
	static float gray[ROWS * PIXELS];
	struct graph *classifier = make_classifier();
	const struct quality_options options = { .metrics = QUALITY_FEATURES,
						 .classifier = classifier };
	const struct quality_dense dense = dense_of(values, others);
	struct quality_figures figures;
	struct quality quality;

	(void)state;
	make_pictures(values, 1);
	make_pictures(others, 2);
	CHECK(quality_open(&quality, &dense, &options));
	CHECK(quality_measure(&quality, values, &figures));
	assert_true(figures.distribution.frechet <
		    quality.floor.distribution.frechet);
	assert_true(figures.distribution.neighbourhood.recall == 1);
	assert_true(isnan(figures.psnr));
	for (int i = 0; i < ROWS * PIXELS; i++)
		gray[i] = 0.5f;
	CHECK(quality_measure(&quality, gray, &figures));
	assert_true(figures.distribution.frechet >
		    quality.floor.distribution.frechet);
	assert_true(figures.distribution.neighbourhood.recall == 0);
	quality_close(&quality);
	graph_destroy(classifier);
}

static void test_classes_need_labels_that_are_theirs(void **state)
{
	const float scores[] = { 1, 2, 0, 5, 4, 3 };
	int64_t labels[] = { 1, 1 };
	const struct quality_options options = { .labels = labels };
	const struct quality_dense dense = {
		.values = scores,
		.shape = { 2, { 2, CLASSES } },
		.range = { 0, 5 },
	};
	struct quality_figures figures;
	struct quality quality;

	(void)state;
	CHECK(quality_open(&quality, &dense, &options));
	CHECK(quality_measure(&quality, scores, &figures));
	assert_true(figures.classes.accuracy == 0.5);
	assert_true(quality.classes.accuracy == 0.5);
	quality_close(&quality);
	labels[1] = CLASSES;
	assert_int_equal(quality_open(&quality, &dense, &options), -EINVAL);
	quality_close(&quality);
}

static void test_what_cannot_be_measured_shows_at_once(void **state)
{
	static float values[ROWS * PIXELS];
	struct graph *classifier = make_classifier();
	const struct quality_options options = { .metrics = QUALITY_FID,
						 .classifier = classifier };
	struct quality_dense dense = dense_of(values, NULL);
	struct quality quality;

	(void)state;
	make_pictures(values, 1);
	dense.shape = (struct graph_shape){ 4, { 2 * ROWS, 1, 2, 4 } };
	assert_int_equal(quality_open(&quality, &dense, &options), -EINVAL);
	quality_close(&quality);
	dense.shape = (struct graph_shape){ 4, { 5, 1, 4, 4 } };
	assert_int_equal(quality_open(&quality, &dense, &options), -EINVAL);
	quality_close(&quality);
	dense = dense_of(values, NULL);
	dense.range.low = 1;
	assert_int_equal(quality_open(&quality, &dense, &options), -EINVAL);
	quality_close(&quality);
	dense = dense_of(values, NULL);
	values[3] = NAN;
	assert_int_equal(quality_open(&quality, &dense, &options), -EINVAL);
	quality_close(&quality);
	graph_destroy(classifier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_become_metrics),
		cmocka_unit_test(test_only_what_is_asked_for_is_measured),
		cmocka_unit_test(test_the_same_pictures_are_below_the_floor),
		cmocka_unit_test(test_classes_need_labels_that_are_theirs),
		cmocka_unit_test(test_what_cannot_be_measured_shows_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
