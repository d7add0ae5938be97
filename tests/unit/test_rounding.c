/* SPDX-License-Identifier: MIT */
/* Weights that are rounded so that the layer's result loses least. */
#include "unit.h"

#include "two_layers.h"

#include <compress/compress.h>
#include <compress/rounding.h>

#include <errno.h>

/* Inputs that go together: what one weight adds, others can take back. */
static void make_alike(struct calibration_data *data)
{
	make_data(data);
	for (int s = 0; s < SAMPLES; s++)
		for (int i = 0; i < BATCH * COLUMNS; i++)
			data->samples[s]->values[i] =
				0.3F * data->samples[s]->values[i] +
				data->samples[s]->values[i / COLUMNS * COLUMNS];
}

static struct prune_mask *half_of(struct graph *graph)
{
	struct prune_mask *mask = prune_mask_create(graph);

	CHECK(prune_magnitude(graph, 0.5, PRUNE_PER_LAYER, mask));
	prune_apply(graph, mask);
	return mask;
}

static struct weight_format *formats_of(const struct graph *graph,
					const char *text)
{
	struct weight_format *formats =
		calloc((size_t)graph->tensor_count, sizeof(*formats));

	for (int t = 0; t < graph->tensor_count; t++)
		CHECK(weight_format_parse(text, &formats[t]));
	return formats;
}

static void round_graph(struct graph *graph, struct prune_mask *mask,
			const char *format, int workers)
{
	struct weight_format *formats = formats_of(graph, format);
	struct calibration_data data;

	make_alike(&data);
	CHECK(rounding_gptq(graph, mask, formats, &data, workers, NULL));
	calibration_data_release(&data);
	free(formats);
}

/* Codes of four bits in the row's scale, and zeros where there were zeros. */
static void check_codes(const struct graph *graph,
			const struct prune_mask *mask, int top)
{
	for (int n = 0; n < graph->node_count; n++) {
		int tensor = graph->nodes[n].inputs[1];
		const struct graph_tensor *weight = &graph->tensors[tensor];
		int64_t columns = weight->shape.dims[1];

		assert_non_null(weight->quantization);
		for (int64_t i = 0; i < ROWS * columns; i++) {
			float scale = weight->quantization->scale[i / columns];
			float code = weight->data[i] / scale;

			assert_float_equal(code, rintf(code), 1e-4F);
			assert_true(fabsf(rintf(code)) <= (float)top);
			if (!mask->keep[tensor][i])
				assert_true(weight->data[i] == 0);
		}
	}
}

static void test_codes_and_zeros(void **state)
{
	static const char *const formats[] = { "int4", "int8", "int4:tensor",
					       "int3:mse" };
	static const int tops[] = { 7, 127, 7, 3 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct graph *graph = two_layers();
		struct prune_mask *mask = half_of(graph);
		struct prune_mask *same = half_of(graph);
		int64_t total, kept = prune_count(graph, mask, &total);

		round_graph(graph, mask, formats[i], 1);
		check_codes(graph, same, tops[i]);
		assert_int_equal(prune_count(graph, mask, &total), kept);
		CHECK(graph_validate(graph));
		prune_mask_destroy(mask);
		prune_mask_destroy(same);
		graph_destroy(graph);
	}
}

static void test_threads_do_not_matter(void **state)
{
	struct graph *graphs[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct prune_mask *mask;

		graphs[i] = two_layers();
		mask = half_of(graphs[i]);
		round_graph(graphs[i], mask, "int4", 1 + 2 * i);
		prune_mask_destroy(mask);
	}
	for (int n = 0; n < 2; n++) {
		int tensor = graphs[0]->nodes[n].inputs[1];

		assert_memory_equal(graphs[0]->tensors[tensor].data,
				    graphs[1]->tensors[tensor].data,
				    (size_t)graph_shape_count(
					    &graphs[0]->tensors[tensor].shape) *
					    sizeof(float));
	}
	graph_destroy(graphs[0]);
	graph_destroy(graphs[1]);
}

/* Squared error of the int8 model's results against the network's. */
static double loss_of(enum rounding_method rounding,
		      const struct calibration_data *data)
{
	struct graph *graph = two_layers();
	struct prune_mask *mask = half_of(graph);
	struct compress_options options = { .rounding = rounding,
					    .workers = 1 };
	const float *input = data->samples[0]->values;
	struct graph_shape shape = data->samples[0]->shape;
	struct executor *executor;
	struct model *model;
	float *results;
	double sum = 0;

	CHECK(weight_format_parse("int3", &options.format));
	CHECK(compress_quantize(graph, &options, data, mask, &model));
	CHECK(executor_create(&executor, graph, &shape, NULL));
	CHECK(executor_run(executor, &input));
	graph->tensors[graph->inputs[0]].shape = shape;
	assert_true(settle_shapes(graph));
	run_model(model, graph, &input, &results);
	for (int i = 0; i < BATCH * ROWS; i++) {
		double d =
			(double)results[i] -
			(double)executor_values(executor, graph->outputs[0])[i];

		sum += d * d;
	}
	free(results);
	executor_destroy(executor);
	model_destroy(model);
	prune_mask_destroy(mask);
	graph_destroy(graph);
	return sum;
}

/* All the way down to the codes that run. */
static void test_less_is_lost(void **state)
{
	struct calibration_data data;

	(void)state;
	make_alike(&data);
	assert_true(loss_of(ROUNDING_GPTQ, &data) <
		    0.5 * loss_of(ROUNDING_NEAREST, &data));
	calibration_data_release(&data);
}

/* What has no whole codes of a row is left to the others. */
static void test_other_formats_are_left(void **state)
{
	struct graph *graph = two_layers(), *same = two_layers();
	struct prune_mask *mask = prune_mask_create(graph);
	int tensor = graph->nodes[0].inputs[1];

	(void)state;
	round_graph(graph, mask, "codebook:16", 1);
	assert_null(graph->tensors[tensor].quantization);
	assert_memory_equal(graph->tensors[tensor].data,
			    same->tensors[tensor].data,
			    ROWS * COLUMNS * sizeof(float));
	prune_mask_destroy(mask);
	graph_destroy(graph);
	graph_destroy(same);
}

static void test_names(void **state)
{
	enum rounding_method method;

	(void)state;
	CHECK(rounding_parse("gptq", &method));
	assert_int_equal(method, ROUNDING_GPTQ);
	CHECK(rounding_parse("nearest", &method));
	assert_int_equal(method, ROUNDING_NEAREST);
	assert_int_equal(rounding_parse("up", &method), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "nearest or gptq"));
}

/* ---- before and while weights go ---- */

static struct compress_options ordered(enum compress_order order,
				       const char *method, const char *format)
{
	struct compress_options options = {
		.sparsity = 0.5,
		.selection = prune_method_find(method),
		.order = order,
		.rounding = ROUNDING_GPTQ,
		.workers = 1,
	};

	CHECK(weight_format_parse(format, &options.format));
	return options;
}

static void test_order_leaves_codes(void **state)
{
	static const char *const methods[] = { "sparsegpt", "wanda", "gn",
					       "magnitude" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct compress_options options =
			ordered(i ? COMPRESS_QUANTIZE_FIRST : COMPRESS_JOINT,
				methods[i], i % 2 ? "int4:tensor" : "int4");
		struct graph *graph = two_layers();
		struct prune_mask *mask = prune_mask_create(graph);
		struct calibration_data data;
		int64_t total, kept;

		make_alike(&data);
		CHECK(compress_prune(graph, &options, &data, mask));
		check_codes(graph, mask, 7);
		kept = prune_count(graph, mask, &total);
		assert_int_equal(2 * kept, total);
		calibration_data_release(&data);
		prune_mask_destroy(mask);
		graph_destroy(graph);
	}
}

static struct graph *joint_graph(int workers)
{
	struct compress_options options =
		ordered(COMPRESS_JOINT, "sparsegpt", "int4");
	struct graph *graph = two_layers();
	struct prune_mask *mask = prune_mask_create(graph);
	struct calibration_data data;

	options.workers = workers;
	make_alike(&data);
	CHECK(compress_prune(graph, &options, &data, mask));
	calibration_data_release(&data);
	prune_mask_destroy(mask);
	return graph;
}

static void test_joint_does_not_ask_for_threads(void **state)
{
	struct graph *graphs[] = { joint_graph(1), joint_graph(3) };

	(void)state;
	for (int n = 0; n < 2; n++) {
		int tensor = graphs[0]->nodes[n].inputs[1];
		const struct graph_tensor *weight = &graphs[0]->tensors[tensor];

		assert_memory_equal(weight->data,
				    graphs[1]->tensors[tensor].data,
				    (size_t)graph_shape_count(&weight->shape) *
					    sizeof(float));
	}
	graph_destroy(graphs[0]);
	graph_destroy(graphs[1]);
}

static double loss_between(const struct graph *dense, const struct graph *graph,
			   const struct calibration_data *data)
{
	const float *input = data->samples[0]->values;
	const struct graph *graphs[] = { dense, graph };
	struct executor *executors[2];
	double sum = 0;

	for (int i = 0; i < 2; i++) {
		CHECK(executor_create(&executors[i], graphs[i],
				      &data->samples[0]->shape, NULL));
		CHECK(executor_run(executors[i], &input));
	}
	for (int i = 0; i < BATCH * ROWS; i++) {
		double d = 0;

		for (int k = 0; k < 2; k++)
			d += (k ? -1 : 1) *
			     (double)executor_values(executors[k],
						     graphs[k]->outputs[0])[i];
		sum += d * d;
	}
	executor_destroy(executors[0]);
	executor_destroy(executors[1]);
	return sum;
}

/* Squared error of the pruned graph's results, all weights of which are codes. */
static double loss_of_order(enum compress_order order)
{
	struct compress_options options = ordered(order, "sparsegpt", "int3");
	struct graph *dense = two_layers(), *graph = two_layers();
	struct prune_mask *mask = prune_mask_create(graph);
	struct calibration_data data;
	double loss;

	make_alike(&data);
	options.rounding = ROUNDING_NEAREST;
	CHECK(compress_prune(graph, &options, &data, mask));
	if (order == COMPRESS_PRUNE_FIRST) {
		struct weight_format *formats = formats_of(graph, "int3");

		CHECK(rounding_nearest(graph, mask, formats));
		free(formats);
	}
	loss = loss_between(dense, graph, &data);
	calibration_data_release(&data);
	prune_mask_destroy(mask);
	graph_destroy(graph);
	graph_destroy(dense);
	return loss;
}

static void test_joint_loses_less(void **state)
{
	(void)state;
	assert_true(loss_of_order(COMPRESS_JOINT) <
		    0.7 * loss_of_order(COMPRESS_PRUNE_FIRST));
}

static void refuse_order(enum compress_order order, const char *method,
			 const char *format, bool reconstruct, const char *why)
{
	struct compress_options options = ordered(order, method, format);

	options.reconstruct = reconstruct;
	assert_int_equal(compress_order_check(&options), -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), why));
}

static void test_orders_that_cannot_be(void **state)
{
	enum compress_order order;

	(void)state;
	refuse_order(COMPRESS_JOINT, "obs", "int8", false, "sparsegpt");
	refuse_order(COMPRESS_JOINT, "sparsegpt", "int8", true,
		     "least squares");
	refuse_order(COMPRESS_JOINT, "sparsegpt", "fp8", false, "integers");
	refuse_order(COMPRESS_JOINT, "sparsegpt", "int4:group:8", false,
		     "integers");
	refuse_order(COMPRESS_QUANTIZE_FIRST, "sparsegpt", "int8", false,
		     "only choose");
	refuse_order(COMPRESS_QUANTIZE_FIRST, "structured", "int8", false,
		     "only choose");
	assert_int_equal(compress_order_parse("qpq", &order), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "pq, qp or joint"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_and_zeros),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_less_is_lost),
		cmocka_unit_test(test_other_formats_are_left),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_order_leaves_codes),
		cmocka_unit_test(test_joint_does_not_ask_for_threads),
		cmocka_unit_test(test_joint_loses_less),
		cmocka_unit_test(test_orders_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
