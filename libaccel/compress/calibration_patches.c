// SPDX-License-Identifier: MIT
#include <compress/calibration_patches.h>
#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Patches of one sample: what several threads take in turn. */
#define BATCH_PATCHES 4
#define COUNT_DEFAULT 64
#define SIZE_DEFAULT 24
#define SIZE_MAX_PATCH 128

enum { BATCH, CHANNELS, HEIGHT, WIDTH, RANK };

static int patch_count(const struct calibration_patches *options)
{
	return options->count > 0 ? options->count : COUNT_DEFAULT;
}

static struct graph_shape patch_shape(const struct graph *graph, int64_t batch,
				      int64_t size)
{
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;

	shape.dims[BATCH] = batch;
	shape.dims[HEIGHT] = size;
	shape.dims[WIDTH] = size;
	return shape;
}

static bool takes_size(const struct graph *graph, int64_t size)
{
	struct graph_shape input = patch_shape(graph, 1, size);
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count + 1, sizeof(*shapes));
	bool fits = shapes && !graph_infer_shapes(graph, &input, shapes);

	free(shapes);
	return fits;
}

/* U-shaped networks take multiples of a power of two only. 0: none fits. */
static int64_t patch_size(const struct graph *graph,
			  const struct calibration_patches *options)
{
	int64_t size = options->size > 0 ? options->size : SIZE_DEFAULT;

	if (takes_size(graph, size))
		return size;
	for (int64_t power = 1; power <= SIZE_MAX_PATCH; power *= 2)
		if (power > size && takes_size(graph, power))
			return power;
	return 0;
}

bool calibration_patches_apply(const struct graph *graph,
			       const struct calibration_data *data,
			       const struct calibration_patches *options)
{
	const struct graph_shape *shape =
		&graph->tensors[graph->inputs[0]].shape;
	int64_t size, pixels = 0;

	if (graph->input_count != 1 || shape->rank != RANK ||
	    shape->dims[BATCH] >= 0 || shape->dims[CHANNELS] < 0 ||
	    shape->dims[HEIGHT] >= 0 || shape->dims[WIDTH] >= 0)
		return false;
	size = patch_size(graph, options);
	if (!size)
		return false;
	for (int s = 0; s < data->sample_count; s++) {
		const int64_t *dims = data->samples[s][0].shape.dims;

		if (dims[HEIGHT] < size || dims[WIDTH] < size)
			return false;
		pixels += dims[BATCH] * dims[HEIGHT] * dims[WIDTH];
	}
	return pixels > 0;
}

/* A square of one picture, all channels. */
static void cut(const struct array *pictures, int64_t size,
		struct sample_generator *generator, float *patch)
{
	const int64_t *dims = pictures->shape.dims;
	int64_t picture =
		(int64_t)sample_below(generator, (uint64_t)dims[BATCH]);
	int64_t top = (int64_t)sample_below(
		generator, (uint64_t)(dims[HEIGHT] - size + 1));
	int64_t left = (int64_t)sample_below(
		generator, (uint64_t)(dims[WIDTH] - size + 1));

	for (int64_t c = 0; c < dims[CHANNELS]; c++)
		for (int64_t y = 0; y < size; y++)
			memcpy(patch + (c * size + y) * size,
			       pictures->values +
				       ((picture * dims[CHANNELS] + c) *
						dims[HEIGHT] +
					top + y) *
					       dims[WIDTH] +
				       left,
			       (size_t)size * sizeof(*patch));
}

/* Every sample of the data lends as many patches as any other. */
static int fill_sample(const struct calibration_data *data, int first,
		       struct sample_generator *generator, struct array *sample)
{
	int64_t count = graph_shape_count(&sample->shape);
	int64_t batch = sample->shape.dims[BATCH];

	if (count >= 0)
		sample->values = malloc(((size_t)count + 1) * sizeof(float));
	if (!sample->values)
		return -ENOMEM;
	for (int64_t i = 0; i < batch; i++)
		cut(&data->samples[(first + i) % data->sample_count][0],
		    sample->shape.dims[HEIGHT], generator,
		    sample->values + i * (count / batch));
	return 0;
}

static int cut_samples(struct calibration_data *patches,
		       const struct graph *graph,
		       const struct calibration_data *data,
		       const struct calibration_patches *options)
{
	int64_t size = patch_size(graph, options);
	struct sample_generator generator;
	int ret = 0;

	sample_seed(&generator, options->seed);
	for (int first = 0; first < patch_count(options) && !ret;
	     first += BATCH_PATCHES) {
		int left = patch_count(options) - first;
		struct array *sample = calloc(1, sizeof(*sample));

		if (!sample)
			return -ENOMEM;
		patches->samples[patches->sample_count++] = sample;
		sample->layout = data->samples[0][0].layout;
		sample->shape = patch_shape(
			graph, left < BATCH_PATCHES ? left : BATCH_PATCHES,
			size);
		ret = fill_sample(data, first, &generator, sample);
	}
	return ret;
}

int calibration_patches_cut(struct calibration_data *patches,
			    const struct graph *graph,
			    const struct calibration_data *data,
			    const struct calibration_patches *options)
{
	size_t samples = (size_t)patch_count(options) / BATCH_PATCHES + 1;
	int ret = -ENOMEM;

	*patches = (struct calibration_data){ .input_count = 1 };
	patches->samples = calloc(samples, sizeof(*patches->samples));
	patches->is_state = calloc(1, sizeof(*patches->is_state));
	if (patches->samples && patches->is_state)
		ret = cut_samples(patches, graph, data, options);
	if (ret) {
		calibration_data_release(patches);
		return accel_error(ret, "no memory for patches of pictures");
	}
	return 0;
}
