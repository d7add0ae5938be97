/* SPDX-License-Identifier: MIT */
#include <metrics/classifier_features.h>

#include <compress/executor.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pictures that are run at once. */
#define BATCH 256

/**
 * struct pass - a classifier at work
 * @graph: of it
 * @tensor: that its last linear layer reads
 * @executor: for a batch
 * @batch: pictures in it
 * @pixels: of the batch, from 0 to 1
 */
struct pass {
	const struct graph *graph;
	int tensor;
	struct executor *executor;
	size_t batch;
	float *pixels;
};

static int last_linear_input(const struct graph *graph)
{
	for (int n = graph->node_count - 1; n >= 0; n--)
		if (graph_op_is_linear(graph->nodes[n].op) &&
		    !graph->nodes[n].structural)
			return graph->nodes[n].inputs[0];
	return -1;
}

/* The input's shape for so many pictures; −EINVAL if they have not its size. */
static int fit(const struct graph *graph,
	       const struct classifier_pictures *pictures, size_t batch,
	       struct graph_shape *shape)
{
	*shape = graph->tensors[graph->inputs[0]].shape;
	shape->dims[0] = 1;
	if (graph_shape_count(shape) != (int64_t)pictures->size)
		return accel_error(
			-EINVAL,
			"%s: takes pictures of %lld values, and these have %zu",
			graph->name, (long long)graph_shape_count(shape),
			pictures->size);
	shape->dims[0] = (int64_t)batch;
	return 0;
}

static void pass_end(struct pass *pass)
{
	executor_destroy(pass->executor);
	free(pass->pixels);
}

static int pass_begin(struct pass *pass,
		      const struct classifier_pictures *pictures, size_t batch)
{
	const struct executor_options options = { .keep = true };
	struct graph_shape shape;
	int ret = fit(pass->graph, pictures, batch, &shape);

	if (ret)
		return ret;
	pass->batch = batch;
	pass->pixels = calloc(batch * pictures->size, sizeof(float));
	if (!pass->pixels)
		return accel_error(-ENOMEM, "no memory for %zu pictures",
				   batch);
	return executor_create(&pass->executor, pass->graph, &shape, &options);
}

static size_t feature_count(const struct pass *pass)
{
	const struct graph_shape *shape =
		executor_shape(pass->executor, pass->tensor);

	return (size_t)graph_shape_count(shape) / pass->batch;
}

/* What is behind the last picture in its batch is computed, and not looked at. */
static int run_batch(struct pass *pass,
		     const struct classifier_pictures *pictures, size_t first,
		     float *features)
{
	float width = pictures->range.high - pictures->range.low;
	size_t left = pictures->count - first;
	size_t count = left < pass->batch ? left : pass->batch;
	const float *inputs[1] = { pass->pixels };
	size_t size = feature_count(pass);
	int ret;

	for (size_t i = 0; i < count * pictures->size; i++)
		pass->pixels[i] =
			(pictures->values[first * pictures->size + i] -
			 pictures->range.low) /
			width;
	ret = executor_run(pass->executor, inputs);
	if (!ret)
		memcpy(features + first * size,
		       executor_values(pass->executor, pass->tensor),
		       count * size * sizeof(*features));
	return ret;
}

static int run_all(struct pass *pass,
		   const struct classifier_pictures *pictures, float **features,
		   size_t *size)
{
	int ret = 0;

	*size = feature_count(pass);
	*features = calloc(pictures->count * *size + 1, sizeof(**features));
	if (!*features)
		return accel_error(-ENOMEM, "no memory for %zu features",
				   pictures->count * *size);
	for (size_t first = 0; first < pictures->count && !ret;
	     first += pass->batch)
		ret = run_batch(pass, pictures, first, *features);
	if (ret) {
		free(*features);
		*features = NULL;
	}
	return ret;
}

int classifier_features(const struct graph *classifier,
			const struct classifier_pictures *pictures,
			float **features, size_t *size)
{
	struct pass pass = {
		.graph = classifier,
		.tensor = last_linear_input(classifier),
	};
	size_t batch = pictures->count < BATCH ? pictures->count : BATCH;
	int ret;

	*features = NULL;
	if (pass.tensor < 0 || classifier->input_count != 1)
		return accel_error(
			-EINVAL,
			"%s: is no classifier: one input and a last linear layer are needed",
			classifier->name);
	if (!batch || !(pictures->range.low < pictures->range.high))
		return accel_error(
			-EINVAL,
			"%s: nothing to look at: give pictures, and their black and white",
			classifier->name);
	ret = pass_begin(&pass, pictures, batch);
	if (!ret)
		ret = run_all(&pass, pictures, features, size);
	pass_end(&pass);
	return ret;
}
