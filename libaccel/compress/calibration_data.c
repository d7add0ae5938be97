/* SPDX-License-Identifier: MIT */
#include <compress/calibration_data.h>
#include <compress/sample.h>
#include <core/checked.h>
#include <core/error.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Pictures of one run: memory is for a run, not for all data at once. */
#define RUN_BATCH 32
#define SAMPLES_MAX (1 << 20)

enum { LATENT_RANK = 2, SEQUENCE_RANK = 3, IMAGE_RANK = 4 };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Inputs of LSTM and GRU from here on are states. */
enum { FIRST_STATE = 4 };

/* A new sample whose arrays are empty; NULL without memory. */
static struct array *add_sample(struct calibration_data *data)
{
	int count = data->sample_count;
	struct array **samples = data->samples;

	/* grown whenever the count is a power of two */
	if (!(count & (count - 1)) && count < SAMPLES_MAX)
		samples = realloc(samples, (count ? 2 * (size_t)count : 1) *
						   sizeof(*samples));
	if (!samples || count >= SAMPLES_MAX)
		return NULL;
	data->samples = samples;
	samples[count] = calloc((size_t)data->input_count, sizeof(**samples));
	if (samples[count])
		data->sample_count++;
	return samples[count];
}

static int no_memory(void)
{
	return accel_error(-ENOMEM, "no memory for the calibration data");
}

/* Exporters turn a state around before the cell reads it. */
static bool moves_state(enum graph_op op)
{
	return op == GRAPH_RESHAPE || op == GRAPH_TRANSPOSE ||
	       op == GRAPH_SLICE;
}

enum use { UNUSED, STATE, OTHER };

/* One use of another kind is enough: the tensor is no mere state. */
static void note_use(enum use *use, bool as_state)
{
	if (!as_state)
		*use = OTHER;
	else if (*use == UNUSED)
		*use = STATE;
}

/* From the last node back, so that every result's uses are known. */
static void find_uses(const struct graph *graph, enum use *uses)
{
	for (int i = 0; i < graph->output_count; i++)
		uses[graph->outputs[i]] = OTHER;
	for (int n = graph->node_count - 1; n >= 0; n--) {
		const struct graph_node *node = &graph->nodes[n];
		bool recurrent = graph_op_is_recurrent(node->op);
		bool moves = node->output_count == 1 && moves_state(node->op) &&
			     uses[node->outputs[0]] == STATE;

		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] >= 0)
				note_use(&uses[node->inputs[i]],
					 moves || (recurrent &&
						   i >= FIRST_STATE));
	}
}

/* Which inputs are read by recurrent layers alone, as states? */
static int find_states(struct calibration_data *data, const struct graph *graph)
{
	enum use *uses = calloc((size_t)graph->tensor_count, sizeof(*uses));

	data->is_state = calloc((size_t)graph->input_count, sizeof(bool));
	if (uses && data->is_state) {
		find_uses(graph, uses);
		for (int i = 1; i < graph->input_count; i++)
			data->is_state[i] = uses[graph->inputs[i]] == STATE;
	}
	free(uses);
	return uses && data->is_state ? 0 : no_memory();
}

/* The number that a dimension's name stands for in the sample's first input. */
static int64_t bound_dimension(const struct graph *graph,
			       const struct graph_shape *first, int tensor,
			       int axis)
{
	const struct graph_tensor *state = &graph->tensors[tensor];
	const struct graph_tensor *input = &graph->tensors[graph->inputs[0]];

	if (state->shape.dims[axis] >= 0)
		return state->shape.dims[axis];
	for (int i = 0; i < first->rank; i++)
		if (state->symbols[axis] && input->symbols[i] &&
		    !strcmp(state->symbols[axis], input->symbols[i]))
			return first->dims[i];
	/* [D, N, H] beside [T, N, F] */
	return axis == 1 && first->rank == SEQUENCE_RANK ? first->dims[1] : 1;
}

/* Zeros in the sizes of the sample. */
static int add_state(const struct graph *graph, struct array *sample, int input)
{
	int tensor = graph->inputs[input];
	struct graph_shape *shape = &sample[input].shape;
	int64_t count;

	shape->rank = graph->tensors[tensor].shape.rank;
	for (int axis = 0; axis < shape->rank; axis++)
		shape->dims[axis] =
			bound_dimension(graph, &sample[0].shape, tensor, axis);
	count = graph_shape_count(shape);
	if (count >= 0)
		sample[input].values = calloc((size_t)count + 1, sizeof(float));
	return sample[input].values ? 0 : no_memory();
}

static int add_states(const struct graph *graph, struct array *sample)
{
	int ret = 0;

	for (int i = 1; i < graph->input_count && !ret; i++)
		if (!sample[i].values)
			ret = add_state(graph, sample, i);
	return ret;
}

/* ---- files ---- */

/* The batch is the first axis, and elements do not meet: [N, F], [N, C, H, W]. */
static bool can_split(const struct graph_shape *shape)
{
	return shape->rank == LATENT_RANK || shape->rank == IMAGE_RANK;
}

/* Images of one run: as many as the network fixes, or fit. */
static int64_t run_batch(const struct graph *graph,
			 const struct graph_shape *shape)
{
	int64_t fixed = graph->tensors[graph->inputs[0]].shape.dims[BATCH];

	if (!can_split(shape))
		return shape->dims[BATCH];
	if (fixed >= 0)
		return fixed;
	return shape->dims[BATCH] < RUN_BATCH ? shape->dims[BATCH] : RUN_BATCH;
}

/* Some images of a file as a sample of their own. */
static int add_part(struct calibration_data *data, const struct graph *graph,
		    const struct array *array, int64_t first, int64_t count)
{
	struct array *sample = add_sample(data);
	int64_t size =
		graph_shape_count(&array->shape) / array->shape.dims[BATCH];

	if (!sample)
		return no_memory();
	sample[0].shape = array->shape;
	sample[0].layout = array->layout;
	sample[0].shape.dims[BATCH] = count;
	sample[0].values = malloc((size_t)(count * size) * sizeof(float));
	if (!sample[0].values)
		return no_memory();
	memcpy(sample[0].values, array->values + first * size,
	       (size_t)(count * size) * sizeof(float));
	return add_states(graph, sample);
}

static int add_array(struct calibration_data *data, const struct graph *graph,
		     const struct array *array, const char *path)
{
	int64_t total = array->shape.dims[BATCH];
	int64_t batch = run_batch(graph, &array->shape);
	int64_t fixed = graph->tensors[graph->inputs[0]].shape.dims[BATCH];
	int ret = 0;

	if (fixed > 0 && total % fixed)
		return accel_error(
			-EINVAL,
			"%s: holds %lld, but the network takes %lld at a time",
			path, (long long)total, (long long)fixed);
	for (int64_t i = 0; i < total && !ret; i += batch)
		ret = add_part(data, graph, array, i,
			       total - i < batch ? total - i : batch);
	return ret;
}

static int read_file(struct calibration_data *data, const struct graph *graph,
		     const char *path, const struct calibration_source *source)
{
	const struct graph_tensor *input = &graph->tensors[graph->inputs[0]];
	struct array_port port = {
		.name = input->name,
		.shape = input->shape,
		.range = source->range,
	};
	struct array array;
	int ret;

	/* A file may hold several of the batches that a network fixes. */
	if (can_split(&port.shape))
		port.shape.dims[BATCH] = GRAPH_DIM_DYNAMIC;
	ret = array_read(&array, &port, path, source->layout);
	if (!ret)
		ret = add_array(data, graph, &array, path);
	array_release(&array);
	return ret;
}

static int is_data_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (!strcasecmp(dot, ".npy") || !strcasecmp(dot, ".png"));
}

/* strcmp, not strcoll: the order must not depend on the user's language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_entry(struct calibration_data *data, const struct graph *graph,
		      const char *folder, const char *name,
		      const struct calibration_source *source)
{
	char *path;
	int ret;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return no_memory();
	ret = read_file(data, graph, path, source);
	free(path);
	return ret;
}

static int read_folder(struct calibration_data *data, const struct graph *graph,
		       const char *folder,
		       const struct calibration_source *source)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_data_file, by_name);
	int ret = 0;

	if (count < 0)
		return accel_error(-errno, "%s: %s", folder, strerror(errno));
	if (!count)
		ret = accel_error(-ENOENT, "%s: holds no .npy and no .png file",
				  folder);
	for (int i = 0; i < count; i++) {
		if (!ret)
			ret = read_entry(data, graph, folder,
					 entries[i]->d_name, source);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int start(struct calibration_data *data, const struct graph *graph)
{
	*data = (struct calibration_data){ .input_count = graph->input_count };
	if (graph->input_count)
		return find_states(data, graph);
	return accel_error(-EINVAL, "%s: a network without inputs",
			   graph->name);
}

/* ---- files of other inputs ---- */

static const char *other_file(const struct calibration_source *source,
			      int input)
{
	return source->others ? source->others[input] : NULL;
}

static int check_other_inputs(const struct calibration_data *data,
			      const struct graph *graph,
			      const struct calibration_source *source)
{
	for (int i = 1; i < graph->input_count; i++)
		if (!data->is_state[i] && !other_file(source, i)) {
			const char *name =
				graph->tensors[graph->inputs[i]].name;

			return accel_error(
				-EINVAL,
				"%s: another input; give also --calibrate %s=FILE.npy",
				name, name);
		}
	return 0;
}

/* The batch's axis: sequences and states, [T, N, F] and [D, N, H], have it second. */
static int batch_axis(const struct graph *graph,
		      const struct graph_shape *shape)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph_op_is_recurrent(graph->nodes[n].op))
			return shape->rank == SEQUENCE_RANK ? 1 : BATCH;
	return BATCH;
}

static int64_t batch_of(const struct graph *graph, const struct array *array)
{
	return array->shape.dims[batch_axis(graph, &array->shape)];
}

/* Give one sample its elements of an array. */
static int set_part(struct array *part, const struct array *array, int axis,
		    int64_t first, int64_t count)
{
	int64_t size =
		graph_shape_count(&array->shape) / array->shape.dims[axis];
	float *values = malloc((size_t)(count * size) * sizeof(float));

	if (!values)
		return no_memory();
	memcpy(values, array->values + first * size,
	       (size_t)(count * size) * sizeof(float));
	free(part->values);
	*part = (struct array){ .shape = array->shape,
				.values = values,
				.layout = array->layout };
	part->shape.dims[axis] = count;
	return 0;
}

/* Share out an input's array over the samples that the first input makes. */
static int share_out(struct calibration_data *data, const struct graph *graph,
		     int input, const struct array *array, const char *path)
{
	int axis = batch_axis(graph, &array->shape);
	int64_t total = 0, first = 0;
	int ret = 0;

	for (int s = 0; s < data->sample_count; s++)
		total += batch_of(graph, &data->samples[s][0]);
	/* elements of an array lie apart unless the batch is its first axis */
	if (batch_of(graph, array) != total ||
	    (data->sample_count > 1 && axis != BATCH))
		return accel_error(
			-EINVAL,
			"%s: a batch of %lld, but the first input's is %lld",
			path, (long long)batch_of(graph, array),
			(long long)total);
	for (int s = 0; s < data->sample_count && !ret; s++) {
		int64_t count = batch_of(graph, &data->samples[s][0]);

		ret = set_part(&data->samples[s][input], array, axis, first,
			       count);
		first += count;
	}
	return ret;
}

static int read_other(struct calibration_data *data, const struct graph *graph,
		      int input, const struct calibration_source *source)
{
	const struct graph_tensor *tensor =
		&graph->tensors[graph->inputs[input]];
	const char *path = other_file(source, input);
	struct array_port port = {
		.name = tensor->name,
		.shape = tensor->shape,
		.range = source->range,
	};
	struct array array;
	int ret;

	port.shape.dims[batch_axis(graph, &port.shape)] = GRAPH_DIM_DYNAMIC;
	ret = array_read(&array, &port, path, source->layout);
	if (!ret)
		ret = share_out(data, graph, input, &array, path);
	array_release(&array);
	return ret;
}

static int read_others(struct calibration_data *data, const struct graph *graph,
		       const struct calibration_source *source)
{
	int ret = 0;

	for (int i = 1; i < graph->input_count && !ret; i++)
		if (other_file(source, i))
			ret = read_other(data, graph, i, source);
	return ret;
}

int calibration_data_read(struct calibration_data *data,
			  const struct graph *graph, const char *path,
			  const struct calibration_source *source)
{
	struct stat status;
	int ret = start(data, graph);

	if (!ret)
		ret = check_other_inputs(data, graph, source);
	if (!ret && stat(path, &status))
		ret = accel_error(-errno, "%s: %s", path, strerror(errno));
	if (!ret)
		ret = S_ISDIR(status.st_mode) ?
			      read_folder(data, graph, path, source) :
			      read_file(data, graph, path, source);
	if (!ret)
		ret = read_others(data, graph, source);
	if (ret)
		calibration_data_release(data);
	return ret;
}

/* ---- latents ---- */

/* [N, F], or [N, F, 1, 1] as PyTorch's examples have it. */
static bool is_latent(const struct graph_shape *shape)
{
	if (shape->rank == IMAGE_RANK &&
	    (shape->dims[HEIGHT] != 1 || shape->dims[WIDTH] != 1))
		return false;
	return (shape->rank == LATENT_RANK || shape->rank == IMAGE_RANK) &&
	       shape->dims[CHANNELS] > 0;
}

/* Numbers from N(0, 1) say nothing about a network that takes something else. */
static int check_latents(const struct calibration_data *data,
			 const struct graph *graph)
{
	for (int i = 0; i < graph->input_count; i++) {
		const struct graph_tensor *input =
			&graph->tensors[graph->inputs[i]];

		if (!is_latent(&input->shape) && !data->is_state[i])
			return accel_error(
				-EINVAL,
				"%s: takes images or sequences, not latents; give --calibrate FILE.npy, a PNG or a folder",
				input->name);
	}
	return 0;
}

static int add_latents(struct calibration_data *data, const struct graph *graph,
		       int64_t count, struct sample_generator *generator)
{
	struct array *sample = add_sample(data);

	if (!sample)
		return no_memory();
	for (int i = 0; i < graph->input_count; i++) {
		int tensor = graph->inputs[i];
		size_t size;

		if (data->is_state[i])
			continue;
		sample[i].shape = graph->tensors[tensor].shape;
		sample[i].shape.dims[BATCH] = count;
		size = (size_t)graph_shape_count(&sample[i].shape);
		sample[i].values = malloc(size * sizeof(float));
		if (!sample[i].values)
			return no_memory();
		sample_normals(generator, sample[i].values, size);
	}
	return add_states(graph, sample);
}

int calibration_data_sample(struct calibration_data *data,
			    const struct graph *graph, int64_t count,
			    uint64_t seed)
{
	struct sample_generator generator;
	int64_t fixed, batch;
	int ret = start(data, graph);

	if (!ret)
		ret = check_latents(data, graph);
	fixed = ret ? 0 : graph->tensors[graph->inputs[0]].shape.dims[BATCH];
	batch = fixed > 0 ? fixed : RUN_BATCH;
	sample_seed(&generator, seed);
	for (int64_t i = 0; i < count && !ret; i += batch) {
		int64_t left = count - i < batch ? count - i : batch;

		ret = add_latents(data, graph, fixed > 0 ? fixed : left,
				  &generator);
	}
	if (ret)
		calibration_data_release(data);
	return ret;
}

void calibration_data_release(struct calibration_data *data)
{
	for (int s = 0; s < data->sample_count; s++) {
		for (int i = 0; i < data->input_count; i++)
			array_release(&data->samples[s][i]);
		free(data->samples[s]);
	}
	free(data->samples);
	free(data->is_state);
	*data = (struct calibration_data){ .sample_count = 0 };
}
