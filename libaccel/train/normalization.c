/* SPDX-License-Identifier: MIT */
#include <train/normalization.h>

#include <compress/batch_statistics.h>
#include <compress/executor.h>
#include <core/error.h>
#include <train/feed.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/** struct measurement - sums over batches, for each tensor that is normalized */
struct measurement {
	struct batch_statistics **sums;
	int count;
};

bool normalization_is_in(const struct graph *graph)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].op == GRAPH_BATCH_NORM)
			return true;
	return false;
}

static void measurement_release(struct measurement *measurement)
{
	for (int t = 0; measurement->sums && t < measurement->count; t++)
		free(measurement->sums[t]);
	free(measurement->sums);
}

static int measurement_create(struct measurement *measurement,
			      const struct graph *graph)
{
	measurement->count = graph->tensor_count;
	measurement->sums =
		calloc((size_t)graph->tensor_count, sizeof(*measurement->sums));
	for (int n = 0; measurement->sums && n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		int tensor = node->op == GRAPH_BATCH_NORM ? node->inputs[0] :
							    -1;

		if (tensor < 0 || measurement->sums[tensor])
			continue;
		measurement->sums[tensor] =
			calloc((size_t)graph->tensors[tensor].shape.dims[1],
			       sizeof(**measurement->sums));
		if (!measurement->sums[tensor])
			return accel_error(-ENOMEM, "no memory");
	}
	return measurement->sums ? 0 : accel_error(-ENOMEM, "no memory");
}

static int observe(void *context, int tensor, const struct graph_shape *shape,
		   const float *values)
{
	struct measurement *measurement = context;
	struct batch_statistics *sums = measurement->sums[tensor];

	for (int64_t c = 0; sums && c < shape->dims[1]; c++) {
		struct batch_statistics of = batch_statistics(values, shape, c);

		sums[c].mean += of.mean;
		sums[c].variance += of.variance;
	}
	return 0;
}

static int measure(struct measurement *measurement, const struct graph *graph,
		   int64_t samples, int batches, normalization_fill fill,
		   void *context)
{
	const struct executor_options options = {
		.observer = observe,
		.observer_context = measurement,
	};
	struct graph_shape shapes[GRAPH_MAX_RANK];
	struct executor *executor = NULL;
	struct feed feed;
	int ret;

	feed_shapes(graph, samples, shapes);
	ret = feed_create(&feed, shapes, graph->input_count, 1);
	if (!ret)
		ret = executor_create(&executor, graph, shapes, &options);
	for (int b = 0; b < batches && !ret; b++) {
		fill(context, b, feed_shard(&feed, 0));
		ret = executor_run(executor,
				   (const float *const *)feed.pointers);
	}
	executor_destroy(executor);
	feed_release(&feed);
	return ret;
}

/* y = x·scale + shift; what rearranges no weights is no weight to prune either. */
static int settle_node(struct graph *graph, int index,
		       const struct batch_statistics *sums, int batches)
{
	struct graph_node *node = &graph->nodes[index];
	double epsilon = (double)node->unary.alpha;
	const struct graph_shape shape = {
		.rank = 1,
		.dims = { graph->tensors[node->inputs[0]].shape.dims[1] },
	};
	int inputs[3] = { node->inputs[0] };
	int *moved;

	inputs[1] = graph_add_constant(graph, "deviation", &shape, NULL);
	inputs[2] = inputs[1] < 0 ?
			    inputs[1] :
			    graph_add_constant(graph, "mean", &shape, NULL);
	moved = realloc(node->inputs, sizeof(inputs));
	if (inputs[2] < 0 || !moved)
		return accel_error(-ENOMEM, "no memory");
	for (int64_t c = 0; c < shape.dims[0]; c++) {
		double scale = 1 / sqrt(sums[c].variance / batches + epsilon);

		graph->tensors[inputs[1]].data[c] = (float)scale;
		graph->tensors[inputs[2]].data[c] =
			(float)(-sums[c].mean / batches * scale);
	}
	for (int i = 0; i < 3; i++)
		moved[i] = inputs[i];
	node->inputs = moved;
	node->input_count = 3;
	node->op = GRAPH_AFFINE;
	node->axis = 1;
	node->structural = true;
	return 0;
}

int normalization_settle(const struct graph *graph, int64_t samples,
			 int batches, normalization_fill fill, void *context,
			 struct graph **settled)
{
	struct measurement measurement = { .sums = NULL };
	struct graph *clone = graph_clone(graph);
	int ret = clone ? measurement_create(&measurement, graph) :
			  accel_error(-ENOMEM, "no memory");

	if (!ret)
		ret = measure(&measurement, graph, samples, batches, fill,
			      context);
	for (int n = 0; n < graph->node_count && !ret; n++)
		if (graph->nodes[n].op == GRAPH_BATCH_NORM)
			ret = settle_node(
				clone, n,
				measurement.sums[graph->nodes[n].inputs[0]],
				batches);
	measurement_release(&measurement);
	if (ret)
		graph_destroy(clone);
	else
		*settled = clone;
	return ret;
}
