/* SPDX-License-Identifier: MIT */
/* Weights that are rounded so that the layer's result loses least. */
#include "unit.h"

#include "two_layers.h"

#include <compress/adaround.h>
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

static void round_graph(struct graph *graph, enum rounding_method method,
			struct prune_mask *mask, const char *format,
			int workers)
{
	struct weight_format *formats = formats_of(graph, format);
	struct calibration_data data;

	make_alike(&data);
	CHECK(rounding_by_data(graph, method, mask, formats, &data, workers,
			       NULL));
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

static const enum rounding_method by_data[] = { ROUNDING_GPTQ,
						ROUNDING_ADAROUND };

static void check_format(enum rounding_method method, const char *format,
			 int top)
{
	struct graph *graph = two_layers();
	struct prune_mask *mask = half_of(graph);
	struct prune_mask *same = half_of(graph);
	int64_t total, kept = prune_count(graph, mask, &total);

	round_graph(graph, method, mask, format, 1);
	check_codes(graph, same, top);
	assert_int_equal(prune_count(graph, mask, &total), kept);
	CHECK(graph_validate(graph));
	prune_mask_destroy(mask);
	prune_mask_destroy(same);
	graph_destroy(graph);
}

static void test_codes_and_zeros(void **state)
{
	static const char *const formats[] = { "int4", "int8", "int4:tensor",
					       "int3:mse" };
	static const int tops[] = { 7, 127, 7, 3 };

	(void)state;
	for (int i = 0; i < 8; i++)
		check_format(by_data[i / 4], formats[i % 4], tops[i % 4]);
}

static struct graph *rounded(enum rounding_method method, int workers)
{
	struct graph *graph = two_layers();
	struct prune_mask *mask = half_of(graph);

	round_graph(graph, method, mask, "int4", workers);
	prune_mask_destroy(mask);
	return graph;
}

static void check_threads(enum rounding_method method)
{
	struct graph *graphs[] = { rounded(method, 1), rounded(method, 3) };

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

static void test_threads_do_not_matter(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		check_threads(by_data[i]);
}

/* ---- up and down ---- */

enum { UNKNOWNS = 5, OUTPUTS = 70 };

/** struct system - of OUTPUTS rows, the last unknown being the bias */
struct system {
	double h[UNKNOWNS * UNKNOWNS];
	double b[OUTPUTS * UNKNOWNS];
	float weights[OUTPUTS * UNKNOWNS];
	uint8_t keep[OUTPUTS * UNKNOWNS];
	float scales[OUTPUTS];
};

/* Inputs that are much alike and not centered; targets that the weights meet. */
static void make_system(struct system *system)
{
	uint64_t seed = 5;

	memset(system, 0, sizeof(*system));
	for (int n = 0; n < 64; n++) {
		double x[UNKNOWNS], common = random_unit(&seed);

		for (int i = 0; i < UNKNOWNS; i++)
			x[i] = i == UNKNOWNS - 1 ?
				       1 :
				       common + 0.4 * random_unit(&seed);
		for (int i = 0; i < UNKNOWNS * UNKNOWNS; i++)
			system->h[i] += x[i / UNKNOWNS] * x[i % UNKNOWNS];
	}
	for (int i = 0; i < OUTPUTS * UNKNOWNS; i++) {
		system->weights[i] = (float)(6 * random_unit(&seed) - 3);
		system->keep[i] = i % 7 != 3 || i % UNKNOWNS == UNKNOWNS - 1;
		system->weights[i] *= (float)system->keep[i];
		system->scales[i / UNKNOWNS] = 1;
	}
	for (int i = 0; i < OUTPUTS * UNKNOWNS; i++)
		for (int j = 0; j < UNKNOWNS; j++)
			system->b[i] +=
				system->h[i % UNKNOWNS * UNKNOWNS + j] *
				(double)system
					->weights[i / UNKNOWNS * UNKNOWNS + j];
}

/* x·H·xᵀ − 2·b·x, the bias being the best one for the weights. */
static double loss_of_row(const struct system *system, int row, const float *x)
{
	const double *h = system->h, *b = system->b + (ptrdiff_t)row * UNKNOWNS;
	int last = UNKNOWNS - 1;
	double values[UNKNOWNS], bias = b[last], loss = 0;

	for (int i = 0; i < last; i++) {
		values[i] = (double)x[i];
		bias -= h[last * UNKNOWNS + i] * values[i];
	}
	values[last] = bias / h[last * UNKNOWNS + last];
	for (int i = 0; i < UNKNOWNS; i++) {
		loss -= 2 * b[i] * values[i];
		for (int j = 0; j < UNKNOWNS; j++)
			loss += values[i] * h[i * UNKNOWNS + j] * values[j];
	}
	return loss;
}

static double loss_as_nearest(const struct system *system, int row)
{
	float nearest[UNKNOWNS];

	for (int i = 0; i < UNKNOWNS; i++)
		nearest[i] = rintf(system->weights[row * UNKNOWNS + i]);
	return loss_of_row(system, row, nearest);
}

/* Of all ways to go up or down. */
static double loss_of_best(const struct system *system, int row)
{
	double best = INFINITY;

	for (unsigned int ups = 0; ups < 1U << (UNKNOWNS - 1); ups++) {
		float x[UNKNOWNS] = { 0 };

		for (int i = 0; i < UNKNOWNS - 1; i++)
			if (system->keep[row * UNKNOWNS + i])
				x[i] = floorf(system->weights[row * UNKNOWNS +
							      i]) +
				       (float)(ups >> i & 1);
		best = fmin(best, loss_of_row(system, row, x));
	}
	return best;
}

/* Nearly what trying everything finds, in no row worse than the nearest codes. */
static void test_up_or_down(void **state)
{
	struct system system, before;
	const struct adaround adaround = {
		.h = system.h,
		.b = system.b,
		.rows = OUTPUTS,
		.columns = UNKNOWNS,
		.constant = true,
		.weights = system.weights,
		.keep = system.keep,
		.row_scales = system.scales,
		.code_max = 7,
		.workers = 2,
	};
	double found = 0, nearest = 0, best = 0;

	(void)state;
	make_system(&system);
	before = system;
	CHECK(adaround_solve(&adaround));
	for (int row = 0; row < OUTPUTS; row++) {
		const float *x = system.weights + (ptrdiff_t)row * UNKNOWNS;
		double loss = loss_of_row(&before, row, x);
		double exact =
			loss_of_row(&before, row,
				    before.weights + (ptrdiff_t)row * UNKNOWNS);

		assert_true(loss <= loss_as_nearest(&before, row) + 1e-3);
		found += loss - exact;
		nearest += loss_as_nearest(&before, row) - exact;
		best += loss_of_best(&before, row) - exact;
		for (int i = 0; i < UNKNOWNS - 1; i++)
			assert_true(before.keep[row * UNKNOWNS + i] ?
					    x[i] == rintf(x[i]) :
					    x[i] == 0);
	}
	print_message("nearest %g, found %g, best %g\n", nearest, found, best);
	assert_true(found < best + 0.3 * (nearest - best));
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
	for (int i = 0; i < 2; i++)
		assert_true(loss_of(by_data[i], &data) <
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
	round_graph(graph, ROUNDING_GPTQ, mask, "codebook:16", 1);
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
	CHECK(rounding_parse("adaround", &method));
	assert_int_equal(method, ROUNDING_ADAROUND);
	assert_string_equal(rounding_name(method), "adaround");
	CHECK(rounding_parse("nearest", &method));
	assert_int_equal(method, ROUNDING_NEAREST);
	assert_int_equal(rounding_parse("up", &method), -EINVAL);
	assert_non_null(
		strstr(accel_last_error(), "nearest, gptq or adaround"));
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
		cmocka_unit_test(test_up_or_down),
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
