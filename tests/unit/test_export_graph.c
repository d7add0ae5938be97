/* SPDX-License-Identifier: MIT */
/* A float graph that is written as ONNX and read again computes the same. */
#include "unit.h"

#include "folder.h"
#include "random_node.h"

#include <compress/export_graph.h>
#include <compress/onnx_import.h>

#include <errno.h>
#include <string.h>

#define ROUNDS 40

static void check(int ret)
{
	if (ret)
		fail_msg("%s", accel_last_error());
}

static struct graph *read_back(const struct graph *graph, const char *folder)
{
	const char *path = folder_path(folder, "graph.onnx");
	struct graph *result = NULL;

	check(export_graph(graph, path));
	check(onnx_import(path, &result));
	return result;
}

static struct executor *run(const struct graph *graph,
			    const struct graph_shape *shapes,
			    const float *const *values)
{
	struct executor *executor = NULL;

	check(executor_create(&executor, graph, shapes, NULL));
	check(executor_run(executor, values));
	return executor;
}

static double largest_of(const float *values, int64_t count)
{
	double largest = 0;

	for (int64_t i = 0; i < count; i++)
		largest = fmax(largest, fabs((double)values[i]));
	return largest;
}

/* exact: the same bits, but for the sign of a zero */
static void assert_same_values(const float *a, const float *b, int64_t count,
			       bool exact)
{
	double tolerance = exact ? 0 : 1e-6 * (1 + largest_of(a, count));

	for (int64_t i = 0; i < count; i++)
		if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
			fail_msg("element %lld: %.9g became %.9g", (long long)i,
				 (double)a[i], (double)b[i]);
}

static void assert_same_results(const struct graph *before,
				const struct graph *after,
				const struct graph_shape *shapes,
				const float *const *values, bool exact)
{
	struct executor *a = run(before, shapes, values);
	struct executor *b = run(after, shapes, values);

	assert_int_equal(before->output_count, after->output_count);
	for (int i = 0; i < before->output_count; i++) {
		const struct graph_shape *shape =
			executor_shape(a, before->outputs[i]);
		const struct graph_shape *other =
			executor_shape(b, after->outputs[i]);

		assert_string_equal(before->tensors[before->outputs[i]].name,
				    after->tensors[after->outputs[i]].name);
		assert_int_equal(shape->rank, other->rank);
		assert_memory_equal(shape->dims, other->dims,
				    (size_t)shape->rank * sizeof(int64_t));
		assert_same_values(executor_values(a, before->outputs[i]),
				   executor_values(b, after->outputs[i]),
				   graph_shape_count(shape), exact);
	}
	executor_destroy(a);
	executor_destroy(b);
}

/* Random values for the inputs of a graph, for free_inputs(). */
static void make_inputs(const struct graph *graph,
			const struct graph_shape *shapes, float **values)
{
	assert_in_range(graph->input_count, 0, ONE_NODE_TENSORS);
	for (int i = 0; i < graph->input_count; i++)
		values[i] = random_values(&shapes[i]);
}

static void free_inputs(const struct graph *graph, float **values)
{
	for (int i = 0; i < graph->input_count; i++)
		free(values[i]);
}

static void assert_survives(const struct graph *graph,
			    const struct graph_shape *shapes,
			    const char *folder, bool exact)
{
	struct graph *after = read_back(graph, folder);
	float *values[ONE_NODE_TENSORS];

	make_inputs(graph, shapes, values);
	assert_int_equal(graph->input_count, after->input_count);
	assert_same_results(graph, after, shapes, (const float *const *)values,
			    exact);
	free_inputs(graph, values);
	graph_destroy(after);
}

static void operator_survives(struct one_node *one, const char *folder)
{
	const struct graph *graph = one->graph;
	struct graph_shape shapes[ONE_NODE_TENSORS];
	struct graph *after = read_back(graph, folder);
	bool same = after->node_count == 1 &&
		    after->nodes[0].op == one->node->op;

	graph_destroy(after);
	for (int i = 0; i < graph->input_count; i++)
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
	assert_survives(graph, shapes, folder, same);
}

static void every_operator_survives(void **state)
{
	for (int op = 0; op < GRAPH_OP_COUNT; op++) {
		if (!random_node[op])
			fail_msg("%s has no test", graph_op_name(op));
		if (op == GRAPH_BATCH_NORM) /* is settled before */
			continue;
		for (int i = 0; i < ROUNDS; i++) {
			struct one_node one =
				random_node[op]((enum graph_op)op);

			operator_survives(&one, *state);
			one_node_destroy(&one);
		}
	}
}

/* ---- dimensions that only the run decides ---- */

static int add_image(struct graph *graph)
{
	static const char *const symbols[4] = { "batch", NULL, "high", "wide" };
	const struct graph_shape shape = SHAPE(-1, 4, -1, -1);
	int x = graph_add_tensor(graph, "image", &shape);

	for (int i = 0; i < 4; i++)
		if (symbols[i])
			graph->tensors[x].symbols[i] = strdup(symbols[i]);
	assert_int_equal(graph_add_input(graph, x), 0);
	return x;
}

static struct graph_node *add_result(struct graph *graph, enum graph_op op,
				     int x, const char *name, int rank)
{
	struct graph_shape shape = { .rank = rank };
	int y, node;

	for (int i = 0; i < rank; i++)
		shape.dims[i] = GRAPH_DIM_DYNAMIC;
	y = graph_add_tensor(graph, name, &shape);
	node = graph_add_node(graph, op, name, &x, 1, &y, 1);
	assert_true(node >= 0);
	assert_int_equal(graph_add_output(graph, y), 0);
	return &graph->nodes[node];
}

/* Several dimensions of a view follow from the input's: ONNX has to compute them. */
static struct graph *dynamic_graph(void)
{
	struct graph *graph = graph_create("dynamic");
	int x = add_image(graph);

	add_result(graph, GRAPH_RESHAPE, x, "halves", 5)->reshape =
		(struct graph_reshape){ 5,
					{ { 0, 1, 1 },
					  { GRAPH_RESHAPE_NUMBER, 4, 1 },
					  { 2, 1, 2 },
					  { GRAPH_RESHAPE_NUMBER, 2, 1 },
					  { 3, 1, 1 } } };
	add_result(graph, GRAPH_RESHAPE, x, "moved", 4)->reshape =
		(struct graph_reshape){ 4,
					{ { GRAPH_RESHAPE_NUMBER, 2, 1 },
					  { 0, 2, 1 },
					  { 3, 1, 2 },
					  { 2, 2, 1 } } };
	add_result(graph, GRAPH_RESHAPE, x, "flat", 2)->reshape =
		(struct graph_reshape){
			2, { { 0, 1, 1 }, { GRAPH_RESHAPE_REST, 1, 1 } }
		};
	add_result(graph, GRAPH_MAX_POOL, x, "pooled", 4)->pool =
		(struct graph_pool){ .kernel = { 3, 3 },
				     .stride = { 2, 2 },
				     .dilation = { 1, 1 },
				     .auto_pad = GRAPH_PAD_SAME_LOWER };
	add_result(graph, GRAPH_RESIZE_NEAREST, x, "double", 4)->resize =
		(struct graph_resize){ { 2, 1 } };
	return graph;
}

static void dimensions_stay_dynamic(void **state)
{
	struct graph *graph = dynamic_graph();
	struct graph *after = read_back(graph, *state);
	const struct graph_tensor *input = &after->tensors[after->inputs[0]];
	const struct graph_shape sizes[2] = { SHAPE(1, 4, 6, 8),
					      SHAPE(3, 4, 2, 4) };

	assert_string_equal(input->name, "image");
	assert_string_equal(input->symbols[0], "batch");
	assert_string_equal(input->symbols[2], "high");
	assert_string_equal(input->symbols[3], "wide");
	assert_int_equal(input->shape.dims[1], 4);
	for (int i = 0; i < 2; i++)
		assert_survives(graph, &sizes[i], *state, true);
	graph_destroy(after);
	graph_destroy(graph);
}

/* ---- names, weights, files ---- */

static void layers_and_weights_keep_their_names(void **state)
{
	struct graph_shape shapes[2] = { SHAPE(1, 2, 5, 5), SHAPE(3, 2, 3, 3) };
	struct one_node one = one_node_create(GRAPH_CONV, 2, shapes, 1, 2, 1);
	struct graph *after;
	int weight;

	one.node->conv = (struct graph_conv){
		.kernel = { 3, 3 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.group = 1,
	};
	memset(one.graph->tensors[one.node->inputs[1]].data, 0,
	       27 * sizeof(float));
	after = read_back(one.graph, *state);
	weight = after->nodes[0].inputs[1];
	assert_string_equal(after->name, "one node");
	assert_string_equal(after->nodes[0].name, "node");
	assert_string_equal(after->tensors[weight].name, "in1");
	assert_memory_equal(after->tensors[weight].data,
			    one.graph->tensors[one.node->inputs[1]].data,
			    (size_t)graph_shape_count(&shapes[1]) *
				    sizeof(float));
	graph_destroy(after);
	one_node_destroy(&one);
}

/* Pixels that become channels: never pruned, also after an export. */
static void what_only_moves_stays_so(void **state)
{
	struct graph_shape shapes[2] = { SHAPE(1, 2, 6, 6), SHAPE(8, 2, 2, 2) };

	for (int moves = 0; moves < 2; moves++) {
		struct one_node one =
			one_node_create(GRAPH_CONV, 2, shapes, 1, 2, 1);
		float *weight = one.graph->tensors[one.node->inputs[1]].data;
		struct graph *after;

		one.node->conv = (struct graph_conv){
			.kernel = { 2, 2 },
			.stride = { 2, 2 },
			.dilation = { 1, 1 },
			.group = 1,
		};
		for (int i = 0; i < 64; i++)
			weight[i] = i / 8 == (i + 3) % 8;
		weight[7] += moves ? 0 : 0.5f;
		after = read_back(one.graph, *state);
		assert_int_equal(after->nodes[0].structural, moves);
		graph_destroy(after);
		one_node_destroy(&one);
	}
}

static void failure_leaves_no_file(void **state)
{
	struct graph_shape shape = SHAPE(2);
	struct one_node one = one_node_create(GRAPH_RELU, 1, &shape, 1, 1, 1);
	const char *folder = *state;

	assert_int_equal(export_graph(one.graph,
				      folder_path(folder, "none/graph.onnx")),
			 -ENOENT);
	assert_int_equal(folder_count(folder), 0);
	one_node_destroy(&one);
}

/* ---- whole networks ---- */

static const char *const models[] = {
	"esrgan_medium_x4", "esrgan_slim_x2", "esrgan_slim_x4",
	"fashion_dcgan",    "fashion_mlp",    "fashion_vae_dec",
	"fashion_vae_enc",  "sketchrnn_bird",
};

static int count_structural(const struct graph *graph)
{
	int count = 0;

	for (int i = 0; i < graph->node_count; i++)
		count += graph->nodes[i].structural;
	return count;
}

/* Small sizes for what is open: 2 images of 6 × 8 pixels, 5 steps. */
static void choose_shapes(const struct graph *graph, struct graph_shape *shapes)
{
	static const int64_t sizes[3][4] = { { 2, 7 },
					     { 5, 2, 4 },
					     { 2, 3, 6, 8 } };

	for (int i = 0; i < graph->input_count; i++) {
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
		for (int j = 0; j < shapes[i].rank; j++)
			if (shapes[i].dims[j] == GRAPH_DIM_DYNAMIC)
				shapes[i].dims[j] =
					sizes[shapes[i].rank - 2][j];
	}
}

static void public_models_survive(void **state)
{
	char path[FOLDER_PATH];

	snprintf(path, sizeof(path), "%s/models", getenv("ACCEL_SHARED_DIR"));
	if (access(path, R_OK)) {
		print_message("skipped: no models in %s\n", path);
		skip();
	}
	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		struct graph_shape shapes[ONE_NODE_TENSORS];
		struct graph *graph, *after;

		snprintf(path, sizeof(path), "%s/models/%s.onnx",
			 getenv("ACCEL_SHARED_DIR"), models[i]);
		check(onnx_import(path, &graph));
		after = read_back(graph, *state);
		assert_int_equal(graph->node_count, after->node_count);
		assert_int_equal(count_structural(graph),
				 count_structural(after));
		choose_shapes(graph, shapes);
		assert_survives(graph, shapes, *state, true);
		graph_destroy(after);
		graph_destroy(graph);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_operator_survives),
		folder_test(dimensions_stay_dynamic),
		folder_test(layers_and_weights_keep_their_names),
		folder_test(what_only_moves_stays_so),
		folder_test(failure_leaves_no_file),
		folder_test(public_models_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
