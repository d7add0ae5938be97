/* SPDX-License-Identifier: MIT */
#include <compress/sample.h>
#include <core/error.h>
#include <train/distill_data.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_RANK = 3, IMAGE_RANK = 4 };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* One element in so many is for the validation, if there are as many at all. */
#define HOLD_OUT 10

/* Odd numbers without pattern: streams and elements get seeds far apart. */
#define STREAM_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define ELEMENT_FACTOR UINT64_C(0xd1b54a32d192ed03)

static int no_memory(void)
{
	return accel_error(-ENOMEM, "no memory for the training data");
}

/* Sequences and states, [T, N, F] and [D, N, H], have the batch second. */
static int batch_axis(const struct graph *graph, int rank)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph_op_is_recurrent(graph->nodes[n].op))
			return rank == SEQUENCE_RANK ? 1 : BATCH;
	return BATCH;
}

static int64_t batch_of(const struct distill_data *data,
			const struct array *sample)
{
	return sample[0].shape.dims[data->axis[0]];
}

static bool is_free(const struct graph *graph, int input)
{
	const struct graph_shape *shape =
		&graph->tensors[graph->inputs[input]].shape;

	return shape->rank == IMAGE_RANK && shape->dims[HEIGHT] < 0 &&
	       shape->dims[WIDTH] < 0;
}

/* ---- shapes ---- */

static void set_shapes(struct distill_data *data, const struct graph *graph,
		       const struct calibration_data *like)
{
	for (int i = 0; i < data->input_count; i++) {
		struct graph_shape *shape = &data->shapes[i];

		*shape = like->samples[0][i].shape;
		data->axis[i] = batch_axis(graph, shape->rank);
		shape->dims[data->axis[i]] = 1;
		data->is_state[i] = like->is_state[i];
		if (data->source.files && is_free(graph, i))
			shape->dims[HEIGHT] = shape->dims[WIDTH] =
				data->source.patch;
	}
}

/* Latents are shaped, and refused, as calibration does it. */
static int shape_latents(struct distill_data *data, const struct graph *graph)
{
	struct calibration_data like;
	int ret = calibration_data_sample(&like, graph, 1, 0);

	if (ret)
		return ret;
	set_shapes(data, graph, &like);
	calibration_data_release(&like);
	return 0;
}

/* The element may be larger than the shape where it is cut; else they are equal. */
static int check_array(const struct distill_data *data,
		       const struct graph *graph, int input,
		       const struct array *array)
{
	const char *name = graph->tensors[graph->inputs[input]].name;
	const struct graph_shape *shape = &data->shapes[input];
	bool cut = is_free(graph, input);

	for (int i = 0; i < shape->rank; i++) {
		if (i == data->axis[input])
			continue;
		if (cut && i >= HEIGHT && array->shape.dims[i] < shape->dims[i])
			return accel_error(
				-EINVAL,
				"%s: a picture of %lld × %lld is smaller than the patches of %lld that are cut from it; give a recipe with a smaller \"patch\"",
				name, (long long)array->shape.dims[WIDTH],
				(long long)array->shape.dims[HEIGHT],
				(long long)shape->dims[i]);
		if (!(cut && i >= HEIGHT) &&
		    array->shape.dims[i] != shape->dims[i])
			return accel_error(
				-EINVAL,
				"%s: the data have elements of %lld and of %lld along axis %d; training wants one size",
				name, (long long)shape->dims[i],
				(long long)array->shape.dims[i], i);
	}
	return 0;
}

static int check_files(const struct distill_data *data,
		       const struct graph *graph)
{
	const struct calibration_data *files = data->source.files;
	int ret = 0;

	for (int s = 0; s < files->sample_count && !ret; s++)
		for (int i = 0; i < data->input_count && !ret; i++)
			if (!data->is_state[i])
				ret = check_array(data, graph, i,
						  &files->samples[s][i]);
	return ret;
}

static int list_items(struct distill_data *data)
{
	const struct calibration_data *files = data->source.files;
	int64_t count = 0;

	for (int s = 0; s < files->sample_count; s++)
		count += batch_of(data, files->samples[s]);
	data->items = malloc(((size_t)count + 1) * sizeof(*data->items));
	if (!data->items)
		return no_memory();
	for (int s = 0; s < files->sample_count; s++)
		for (int64_t i = 0; i < batch_of(data, files->samples[s]); i++)
			data->items[data->item_count++] =
				(struct distill_item){ s, i };
	data->held_out = count / HOLD_OUT;
	return 0;
}

static int open_files(struct distill_data *data, const struct graph *graph)
{
	const struct calibration_data *files = data->source.files;
	int ret;

	if (!files->sample_count)
		return accel_error(-EINVAL, "no data to train with");
	set_shapes(data, graph, files);
	ret = check_files(data, graph);
	return ret ? ret : list_items(data);
}

int distill_data_create(struct distill_data *data, const struct graph *graph,
			const struct distill_source *source)
{
	size_t count = (size_t)graph->input_count + 1;
	int ret;

	*data = (struct distill_data){
		.source = *source,
		.input_count = graph->input_count,
		.shapes = calloc(count, sizeof(*data->shapes)),
		.axis = calloc(count, sizeof(*data->axis)),
		.is_state = calloc(count, sizeof(*data->is_state)),
	};
	if (!data->shapes || !data->axis || !data->is_state)
		ret = no_memory();
	else
		ret = source->files ? open_files(data, graph) :
				      shape_latents(data, graph);
	if (ret)
		distill_data_release(data);
	return ret;
}

struct graph_shape distill_data_shape(const struct distill_data *data,
				      int input, int64_t count)
{
	struct graph_shape shape = data->shapes[input];

	shape.dims[data->axis[input]] = count;
	return shape;
}

/* ---- values ---- */

static struct sample_generator
element_generator(const struct distill_data *data, enum distill_stream stream,
		  uint64_t element)
{
	struct sample_generator generator;

	sample_seed(&generator, data->source.seed +
					STREAM_FACTOR * ((uint64_t)stream + 1) +
					ELEMENT_FACTOR * (element + 1));
	return generator;
}

/**
 * struct place - where an element lies in an array with a batch
 * @outer: blocks of which every element has one: the axes before the batch
 * @inner: values of a block
 * @stride: from block to block
 * @at: of the first block
 */
struct place {
	size_t outer;
	size_t inner;
	size_t stride;
	size_t at;
};

static struct place place_of(const struct graph_shape *shape, int axis,
			     int64_t index)
{
	struct place place = { .outer = 1, .inner = 1 };

	for (int i = 0; i < axis; i++)
		place.outer *= (size_t)shape->dims[i];
	for (int i = axis + 1; i < shape->rank; i++)
		place.inner *= (size_t)shape->dims[i];
	place.stride = place.inner * (size_t)shape->dims[axis];
	place.at = place.inner * (size_t)index;
	return place;
}

static void fill_latents(const struct distill_data *data,
			 enum distill_stream stream, uint64_t element,
			 int64_t index, int64_t count, float *const *inputs)
{
	uint64_t number = stream == DISTILL_TRAINING && data->source.latents ?
				  element % (uint64_t)data->source.latents :
				  element;
	struct sample_generator generator =
		element_generator(data, stream, number);

	for (int i = 0; i < data->input_count; i++) {
		struct graph_shape shape = distill_data_shape(data, i, count);
		struct place to = place_of(&shape, data->axis[i], index);

		for (size_t b = 0; b < to.outer; b++) {
			float *block = inputs[i] + to.at + b * to.stride;

			if (data->is_state[i])
				memset(block, 0, to.inner * sizeof(*block));
			else
				sample_normals(&generator, block, to.inner);
		}
	}
}

static void copy_whole(const struct array *array, struct place to, int axis,
		       int64_t index, float *values)
{
	struct place from = place_of(&array->shape, axis, index);

	for (size_t b = 0; b < to.outer; b++)
		memcpy(values + to.at + b * to.stride,
		       array->values + from.at + b * from.stride,
		       to.inner * sizeof(float));
}

static void copy_patch(const struct array *array,
		       const struct graph_shape *shape, int64_t index,
		       struct sample_generator *generator, float *values)
{
	const int64_t *from = array->shape.dims, *to = shape->dims;
	int64_t y = (int64_t)sample_below(
		generator, (uint64_t)(from[HEIGHT] - to[HEIGHT] + 1));
	int64_t x = (int64_t)sample_below(
		generator, (uint64_t)(from[WIDTH] - to[WIDTH] + 1));

	for (int64_t c = 0; c < to[CHANNELS]; c++)
		for (int64_t row = 0; row < to[HEIGHT]; row++) {
			int64_t line =
				(index * from[CHANNELS] + c) * from[HEIGHT] +
				y + row;

			memcpy(values + (c * to[HEIGHT] + row) * to[WIDTH],
			       array->values + line * from[WIDTH] + x,
			       (size_t)to[WIDTH] * sizeof(float));
		}
}

/* The validation's own elements, or those that are left for training. */
static struct distill_item pick_item(const struct distill_data *data,
				     enum distill_stream stream,
				     struct sample_generator *generator)
{
	int64_t training = data->item_count - data->held_out;
	bool held = stream == DISTILL_VALIDATION && data->held_out;
	uint64_t pick = sample_below(
		generator, (uint64_t)(held ? data->held_out : training));

	return data->items[pick + (uint64_t)(held ? training : 0)];
}

static void fill_item(const struct distill_data *data,
		      enum distill_stream stream, uint64_t element,
		      int64_t index, int64_t count, float *const *inputs)
{
	struct sample_generator generator =
		element_generator(data, stream, element);
	struct distill_item item = pick_item(data, stream, &generator);

	for (int i = 0; i < data->input_count; i++) {
		const struct array *array =
			&data->source.files->samples[item.sample][i];
		struct graph_shape shape = distill_data_shape(data, i, count);
		struct place to = place_of(&shape, data->axis[i], index);
		bool whole = array->shape.rank != IMAGE_RANK ||
			     (array->shape.dims[HEIGHT] == shape.dims[HEIGHT] &&
			      array->shape.dims[WIDTH] == shape.dims[WIDTH]);

		if (whole)
			copy_whole(array, to, data->axis[i], item.index,
				   inputs[i]);
		else
			copy_patch(array, &shape, item.index, &generator,
				   inputs[i] + to.at);
	}
}

void distill_data_fill(const struct distill_data *data,
		       enum distill_stream stream, uint64_t first,
		       int64_t count, float *const *inputs)
{
	for (int64_t i = 0; i < count; i++) {
		if (data->source.files)
			fill_item(data, stream, first + (uint64_t)i, i, count,
				  inputs);
		else
			fill_latents(data, stream, first + (uint64_t)i, i,
				     count, inputs);
	}
}

void distill_data_release(struct distill_data *data)
{
	free(data->shapes);
	free(data->axis);
	free(data->is_state);
	free(data->items);
	*data = (struct distill_data){ 0 };
}
