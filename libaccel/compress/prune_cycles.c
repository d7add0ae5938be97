// SPDX-License-Identifier: MIT
#include <accel/accel.h>
#include <compress/calibrate.h>
#include <compress/lower.h>
#include <compress/prune.h>
#include <compress/prune_cycles.h>
#include <core/error.h>
#include <formats/temporary_file.h>
#include <model/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (600 * ACCEL_SECOND)

/* Of the mean: a weight that costs nothing would be worth more than any other. */
#define COST_LEAST 0.01

enum { WEIGHT = 1, RECURRENCE };
enum { MATRIX_RANK = 2, SEQUENCE_RANK, IMAGE_RANK };

/**
 * struct layer_cost - of a node with weights, in one run
 * @cycles: its own
 * @weights: that are kept
 */
struct layer_cost {
	double cycles;
	double weights;
};

/* ---- a model to run ---- */

/* Cycles hang on where weights are, not on their values. */
static int prune(const struct graph *graph, double sparsity,
		 struct prune_mask **mask, struct graph **pruned)
{
	int ret;

	*pruned = graph_clone(graph);
	*mask = *pruned ? prune_mask_create(*pruned) : NULL;
	if (!*mask)
		return accel_error(-ENOMEM, "out of memory while pruning");
	ret = prune_magnitude(*pruned, sparsity, PRUNE_PER_LAYER, *mask);
	if (!ret)
		prune_apply(*pruned, *mask);
	return ret;
}

static int lower(const struct graph *graph, const struct prune_mask *mask,
		 const struct calibration_data *data, struct model **model)
{
	const struct calibration_options nothing = { .input_range = { 0, 0 } };
	struct calibration_data first = *data;
	struct quantize_range *ranges =
		calloc((size_t)graph->tensor_count + 1, sizeof(*ranges));
	const struct lower_options options = { .ranges = ranges, .mask = mask };
	int ret = -ENOMEM;

	first.sample_count = 1;
	if (ranges)
		ret = calibration_run(graph, &first, &nothing, ranges, NULL);
	else
		accel_error(ret, "out of memory while pruning");
	if (!ret)
		ret = graph_lower(graph, &options, model);
	free(ranges);
	return ret;
}

/* The runtime takes models as files only. */
static int load(const struct model *model, struct accel_model **loaded)
{
	char *path;
	int ret = temporary_file_create(&path);

	if (!ret)
		ret = model_file_write(model, path);
	if (!ret)
		ret = accel_model_load(path, loaded);
	temporary_file_remove(path);
	return ret;
}

static int make_model(const struct graph *graph,
		      const struct calibration_data *data, double sparsity,
		      struct accel_model **loaded)
{
	struct prune_mask *mask = NULL;
	struct graph *pruned = NULL;
	struct model *model = NULL;
	int ret = prune(graph, sparsity, &mask, &pruned);

	if (!ret)
		ret = lower(pruned, mask, data, &model);
	if (!ret)
		ret = load(model, loaded);
	model_destroy(model);
	prune_mask_destroy(mask);
	graph_destroy(pruned);
	return ret;
}

/* ---- a run ---- */

static struct accel_plan_options sizes_of(const struct calibration_data *data)
{
	const struct graph_shape *shape = &data->samples[0][0].shape;
	struct accel_plan_options sizes = { .size = sizeof(sizes) };

	sizes.batch = (uint32_t)shape->dims[0];
	if (shape->rank == SEQUENCE_RANK) {
		sizes.steps = (uint32_t)shape->dims[0];
		sizes.batch = (uint32_t)shape->dims[1];
	}
	if (shape->rank == IMAGE_RANK) {
		sizes.height = (uint32_t)shape->dims[2];
		sizes.width = (uint32_t)shape->dims[3];
	}
	return sizes;
}

static int find_node(const struct graph *graph, const char *name)
{
	for (int n = 0; n < graph->node_count; n++)
		if ((graph_op_is_linear(graph->nodes[n].op) ||
		     graph_op_is_recurrent(graph->nodes[n].op)) &&
		    !strcmp(graph->nodes[n].name, name))
			return n;
	return -1;
}

/* Layers keep the names of the network's nodes. */
static int read_layers(const struct accel_plan *plan, const struct graph *graph,
		       struct layer_cost *costs)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	int ret = accel_plan_get_info(plan, &info);

	for (uint32_t i = 0; i < info.layer_count && !ret; i++) {
		struct accel_layer_info layer = { .size = sizeof(layer) };
		int node;

		ret = accel_plan_get_layer(plan, i, &layer);
		if (ret)
			break;
		node = find_node(graph, layer.name);
		if (node < 0)
			continue;
		costs[node].cycles += (double)layer.cycles;
		costs[node].weights += (double)layer.nnz;
	}
	return ret;
}

static int run(const struct graph *graph, const struct calibration_data *data,
	       const char *uri, double sparsity, struct layer_cost *costs)
{
	const struct accel_plan_options sizes = sizes_of(data);
	struct accel_device *device = NULL;
	struct accel_model *model = NULL;
	struct accel_plan *plan = NULL;
	int ret = make_model(graph, data, sparsity, &model);

	if (!ret)
		ret = accel_device_open(uri, NULL, &device);
	if (!ret)
		ret = accel_plan_create(device, model, &sizes, &plan);
	if (!ret)
		ret = accel_run(plan, NULL, 0, NULL, 0, TIMEOUT);
	if (!ret)
		ret = read_layers(plan, graph, costs);
	accel_plan_destroy(plan);
	accel_device_close(device);
	accel_model_free(model);
	return ret;
}

/* ---- costs ---- */

static double slope_of(const struct layer_cost *more,
		       const struct layer_cost *less)
{
	double weights = more->weights - less->weights;

	return weights > 0 ? (more->cycles - less->cycles) / weights : 0;
}

/* Over all weights that make a difference. */
static double mean_slope(const struct graph *graph,
			 const struct layer_cost *more,
			 const struct layer_cost *less)
{
	double cycles = 0, weights = 0;

	for (int n = 0; n < graph->node_count; n++) {
		cycles += more[n].cycles - less[n].cycles;
		weights += more[n].weights - less[n].weights;
	}
	return weights > 0 ? cycles / weights : 0;
}

/* A weight that several nodes share costs what it costs each of them. */
static void add_costs(const struct graph *graph, const struct layer_cost *more,
		      const struct layer_cost *less, double mean, double *costs)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool recurrent = graph_op_is_recurrent(node->op);
		double slope = slope_of(&more[n], &less[n]);

		/* a layer of another name: it is like the others */
		if (more[n].weights == 0)
			slope = mean;
		if (slope < COST_LEAST * mean)
			slope = COST_LEAST * mean;
		if (!recurrent && !graph_op_is_linear(node->op))
			continue;
		for (int i = WEIGHT; i <= (recurrent ? RECURRENCE : WEIGHT);
		     i++)
			costs[node->inputs[i]] += slope;
	}
}

static int find_costs(const struct graph *graph, const char *device,
		      const struct layer_cost *more,
		      const struct layer_cost *less, double *costs)
{
	double mean = mean_slope(graph, more, less);

	if (!(mean > 0))
		return accel_error(
			-EINVAL,
			"%s: %s counts no cycles that a weight would cost",
			graph->name, device);
	for (int t = 0; t < graph->tensor_count; t++)
		costs[t] = 0;
	add_costs(graph, more, less, mean, costs);
	for (int t = 0; t < graph->tensor_count; t++)
		costs[t] = costs[t] > 0 ? costs[t] : 1;
	return 0;
}

int prune_cost_cycles(const struct graph *graph,
		      const struct calibration_data *data, const char *device,
		      double sparsity, double *costs)
{
	size_t nodes = (size_t)graph->node_count + 1;
	struct layer_cost *more = calloc(nodes, sizeof(*more));
	struct layer_cost *less = calloc(nodes, sizeof(*less));
	const char *uri = device ? device : "sim:";
	int ret = more && less ?
			  0 :
			  accel_error(-ENOMEM, "out of memory while pruning");

	if (!ret)
		ret = run(graph, data, uri, sparsity, more);
	if (!ret)
		ret = run(graph, data, uri, (1 + sparsity) / 2, less);
	if (!ret)
		ret = find_costs(graph, uri, more, less, costs);
	free(more);
	free(less);
	return ret;
}
