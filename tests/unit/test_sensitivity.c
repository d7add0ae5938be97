/* SPDX-License-Identifier: MIT */
/* What layers lose on their own, as measured. */
#include "unit.h"

#include "two_layers.h"

#include <compress/executor.h>
#include <compress/reconstruct.h>
#include <compress/rounding.h>
#include <compress/saliency.h>
#include <compress/sensitivity.h>

#include <errno.h>
#include <string.h>

enum { KEPT = 3 };

static const double kept[KEPT] = { 0.75, 0.5, 0.25 };

/** struct telling - what an observer saw */
struct telling {
	int calls;
	int total;
	volatile sig_atomic_t stop;
};

static void observe(void *context, int done, int total)
{
	struct telling *telling = context;

	assert_int_equal(done, ++telling->calls);
	telling->total = total;
}

/* By magnitude, and by what is no measure at all. */
static int measure(struct sensitivity *sensitivity, const struct graph *graph,
		   int workers, struct telling *telling)
{
	float **zeros = saliency_create(graph);
	const float **magnitudes =
		calloc((size_t)graph->tensor_count, sizeof(*magnitudes));
	const struct sensitivity_scores scores[] = {
		{ "magnitude", magnitudes },
		{ "none", (const float *const *)zeros },
	};
	const struct sensitivity_options options = {
		.scores = scores,
		.methods = 2,
		.kept = kept,
		.kept_count = KEPT,
		.workers = workers,
		.stop = &telling->stop,
		.observer = observe,
		.observer_context = telling,
	};
	struct calibration_data data;
	int ret;

	for (int t = 0; t < graph->tensor_count; t++)
		magnitudes[t] = graph->tensors[t].data;
	make_data(&data);
	CHECK(sensitivity_create(sensitivity, graph, 2, KEPT, 0));
	ret = sensitivity_measure(sensitivity, graph, &data, &data, &options);
	calibration_data_release(&data);
	saliency_destroy(zeros, graph);
	free(magnitudes);
	return ret;
}

static void test_fewer_weights_lose_more(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling = { .calls = 0 };
	struct sensitivity all;

	(void)state;
	CHECK(measure(&all, graph, 1, &telling));
	assert_int_equal(all.count, 2);
	assert_int_equal(telling.calls, telling.total);
	assert_int_equal(telling.total, 2 * 2 * KEPT);
	for (int l = 0; l < all.count; l++) {
		const double *losses = all.layers[l].losses;

		assert_true(losses[0] > 0);
		assert_true(losses[0] < losses[1] && losses[1] < losses[2]);
		/* the first weights, whatever they are */
		assert_true(losses[1] < losses[KEPT + 1]);
	}
	sensitivity_release(&all);
	graph_destroy(graph);
}

static void test_threads_do_not_matter(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling[2] = { { .calls = 0 } };
	struct sensitivity one, three;

	(void)state;
	CHECK(measure(&one, graph, 1, &telling[0]));
	CHECK(measure(&three, graph, 3, &telling[1]));
	for (int l = 0; l < one.count; l++)
		assert_memory_equal(one.layers[l].losses,
				    three.layers[l].losses,
				    2 * KEPT * sizeof(double));
	sensitivity_release(&one);
	sensitivity_release(&three);
	graph_destroy(graph);
}

static double losses_of(const struct graph *dense, const struct graph *other,
			const struct calibration_data *data)
{
	double squares = 0, count = 0;

	for (int s = 0; s < data->sample_count; s++) {
		const struct array *sample = data->samples[s];
		const float *input = sample->values;
		struct executor *a, *b;

		CHECK(executor_create(&a, dense, &sample->shape, NULL));
		CHECK(executor_create(&b, other, &sample->shape, NULL));
		CHECK(executor_run(a, &input));
		CHECK(executor_run(b, &input));
		for (int o = 0; o < dense->output_count; o++) {
			int tensor = dense->outputs[o];
			int64_t values =
				graph_shape_count(executor_shape(a, tensor));

			for (int64_t i = 0; i < values; i++) {
				double error =
					(double)executor_values(b, tensor)[i] -
					(double)executor_values(a, tensor)[i];

				squares += error * error;
			}
			count += (double)values;
		}
		executor_destroy(a);
		executor_destroy(b);
	}
	return squares / count;
}

/* Only this layer is changed, in a network that is run as a whole. */
static double loss_alone(const struct graph *dense, int tensor, double part,
			 const struct weight_format *format,
			 const struct calibration_data *data)
{
	const struct reconstruct_options how = { .workers = 1 };
	struct weight_format *formats =
		calloc((size_t)dense->tensor_count, sizeof(*formats));
	struct prune_mask *mask = prune_mask_create(dense);
	struct graph *graph = graph_clone(dense);
	int64_t weights = graph_shape_count(&dense->tensors[tensor].shape);
	double loss;

	for (int t = 0; t < dense->tensor_count; t++)
		if (t != tensor) {
			free(mask->keep[t]);
			mask->keep[t] = NULL;
		}
	if (format) {
		formats[tensor] = *format;
		CHECK(rounding_by_data(graph, ROUNDING_GPTQ, mask, formats,
				       data, 1, NULL));
	} else {
		CHECK(prune_select(dense->tensors[tensor].data, (size_t)weights,
				   (size_t)sensitivity_keep_count(weights,
								  part),
				   mask->keep[tensor]));
		prune_apply(graph, mask);
		CHECK(reconstruct_least_squares(dense, graph, mask, data,
						&how));
	}
	loss = losses_of(dense, graph, data);
	prune_mask_destroy(mask);
	graph_destroy(graph);
	free(formats);
	return loss;
}

/* What is shared among candidates and layers changes no bit, with an output on the way. */
static void test_the_same_as_one_by_one(void **state)
{
	static const struct weight_format formats[] = { { .bits = 6 },
							{ .bits = 3 } };
	struct graph *graph = two_layers();
	const float **values =
		calloc((size_t)graph->tensor_count, sizeof(*values));
	const struct sensitivity_scores scores = { "value", values };
	const struct sensitivity_options options = {
		.scores = &scores,
		.methods = 1,
		.kept = kept,
		.kept_count = KEPT,
		.formats = formats,
		.format_count = 2,
		.workers = 2,
	};
	struct calibration_data data;
	struct sensitivity all;

	(void)state;
	graph_add_output(graph, graph_find_tensor(graph, "h"));
	for (int t = 0; t < graph->tensor_count; t++)
		values[t] = graph->tensors[t].data;
	make_data(&data);
	CHECK(sensitivity_create(&all, graph, 1, KEPT, 2));
	CHECK(sensitivity_measure(&all, graph, &data, &data, &options));
	assert_int_equal(all.count, 2);
	for (int l = 0; l < all.count; l++) {
		const struct sensitivity_layer *layer = &all.layers[l];

		for (int k = 0; k < KEPT; k++)
			assert_true(layer->losses[k] ==
				    loss_alone(graph, layer->tensor, kept[k],
					       NULL, &data));
		for (int f = 0; f < 2; f++)
			assert_true(layer->format_losses[f] ==
				    loss_alone(graph, layer->tensor, 1,
					       &formats[f], &data));
	}
	sensitivity_release(&all);
	calibration_data_release(&data);
	graph_destroy(graph);
	free(values);
}

static void test_stops_when_told(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling = { .stop = 1 };
	struct sensitivity all;

	(void)state;
	assert_int_equal(measure(&all, graph, 2, &telling), -EINTR);
	sensitivity_release(&all);
	graph_destroy(graph);
}

static void test_one_weight_stays(void **state)
{
	(void)state;
	assert_int_equal(sensitivity_keep_count(10, 0.001), 1);
	assert_int_equal(sensitivity_keep_count(10, 0.25), 3);
	assert_int_equal(sensitivity_keep_count(10, 1), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewer_weights_lose_more),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_the_same_as_one_by_one),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_one_weight_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
