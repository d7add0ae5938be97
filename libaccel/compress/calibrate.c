/* SPDX-License-Identifier: MIT */
#include <compress/calibrate.h>
#include <compress/compress_progress.h>
#include <compress/executor.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SIGMOID_LIMIT 8.0f
#define TANH_LIMIT 4.0f

/*
 * Significant bits of a computed tensor's range. Another processor has another
 * OpenBLAS kernel and other last bits; the model that is written should not.
 */
#define RANGE_BITS 9

/*
 * Room above and below what was seen, as a part of it. Half of it would be worth 0.4 dB
 * where the pictures resemble those that calibrated, and where they do not, channels of
 * like size (equalize.h) clip, which costs super-resolution networks 1.3 to 2 dB.
 */
#define HEADROOM (1.0f / 8)

#define PIXEL_MAX 255

enum { IMAGE_RANK = 4 };

/* The first outputs of LSTM and GRU: all hidden states, and the last one. */
enum { STATES = 2 };

/* struct watch - what the observer needs */
struct watch {
	const struct graph *graph;
	struct quantize_range *ranges;
	struct channel_means *means; /* or NULL */
};

/* Runs for each tensor of each sample. */
static int observe(void *context, int tensor, const struct graph_shape *shape,
		   const float *values)
{
	struct watch *watch = context;
	struct quantize_range *range = &watch->ranges[tensor];
	int64_t count = graph_shape_count(shape);
	float low = range->low;
	float high = range->high;
	/* Stays 0 unless a value is not finite: x − x is then NaN. */
	float poison = 0;

	for (int64_t i = 0; i < count; i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
		poison += values[i] - values[i];
	}
	if (poison != 0)
		return accel_error(
			-EINVAL,
			"%s: takes values that are not finite on the calibration data",
			watch->graph->tensors[tensor].name);
	range->low = low;
	range->high = high;
	return watch->means ?
		       channel_means_add(watch->means, tensor, shape, values) :
		       0;
}

static int run_sample(const struct graph *graph, const struct array *sample,
		      executor_observer observer, void *context)
{
	struct executor_options options = { .observer = observer,
					    .observer_context = context };
	size_t count = (size_t)graph->input_count;
	struct graph_shape *shapes = calloc(count, sizeof(*shapes));
	const float **values = calloc(count, sizeof(*values));
	struct executor *executor = NULL;
	int ret = -ENOMEM;

	if (shapes && values) {
		for (size_t i = 0; i < count; i++) {
			shapes[i] = sample[i].shape;
			values[i] = sample[i].values;
		}
		ret = executor_create(&executor, graph, shapes, &options);
	} else {
		accel_error(ret, "no memory for %zu inputs", count);
	}
	if (!ret)
		ret = executor_run(executor, values);
	executor_destroy(executor);
	free(shapes);
	free(values);
	return ret;
}

static const struct quantize_range nothing = { INFINITY, -INFINITY };
static const struct quantize_range everything = { -INFINITY, INFINITY };

static void unite(struct quantize_range *range, struct quantize_range other)
{
	range->low = fminf(range->low, other.low);
	range->high = fmaxf(range->high, other.high);
}

/* Operators whose result has no other values than their first input. */
static bool only_moves(enum graph_op op)
{
	switch (op) {
	case GRAPH_SLICE:
	case GRAPH_RESHAPE:
	case GRAPH_TRANSPOSE:
	case GRAPH_CONCAT:
	case GRAPH_DEPTH_TO_SPACE:
	case GRAPH_RESIZE_NEAREST:
	case GRAPH_MAX_POOL:
		return true;
	default:
		return false;
	}
}

/* What a node wants to know of its inputs, given what is wanted of its output. */
static struct quantize_range wanted_by(const struct graph_node *node,
				       const struct quantize_range *wanted)
{
	if (node->op == GRAPH_SIGMOID)
		return (struct quantize_range){ -SIGMOID_LIMIT, SIGMOID_LIMIT };
	if (node->op == GRAPH_TANH)
		return (struct quantize_range){ -TANH_LIMIT, TANH_LIMIT };
	if (only_moves(node->op) && node->output_count == 1)
		return wanted[node->outputs[0]];
	return everything;
}

/* From the outputs back: the values that somebody can tell apart. */
static void find_wanted(const struct graph *graph, struct quantize_range output,
			struct quantize_range *wanted)
{
	bool known = output.low < output.high;

	for (int t = 0; t < graph->tensor_count; t++)
		wanted[t] = nothing;
	for (int i = 0; i < graph->output_count; i++) {
		int tensor = graph->outputs[i];
		bool image = graph->tensors[tensor].shape.rank == IMAGE_RANK;

		unite(&wanted[tensor], known && image ? output : everything);
	}
	for (int n = graph->node_count - 1; n >= 0; n--) {
		const struct graph_node *node = &graph->nodes[n];
		struct quantize_range range = wanted_by(node, wanted);

		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] >= 0)
				unite(&wanted[node->inputs[i]], range);
	}
}

static void clip(struct quantize_range *range, struct quantize_range wanted)
{
	/* nothing wanted at all: a tensor that nobody reads */
	if (wanted.low > wanted.high)
		return;
	range->low = fminf(fmaxf(range->low, wanted.low), 0);
	range->high = fmaxf(fminf(range->high, wanted.high), 0);
}

static int clip_to_wanted(const struct graph *graph,
			  struct quantize_range output,
			  struct quantize_range *ranges)
{
	struct quantize_range *wanted =
		calloc((size_t)graph->tensor_count + 1, sizeof(*wanted));

	if (!wanted)
		return accel_error(-ENOMEM, "no memory for %d ranges",
				   graph->tensor_count);
	find_wanted(graph, output, wanted);
	for (int t = 0; t < graph->tensor_count; t++)
		clip(&ranges[t], wanted[t]);
	free(wanted);
	return 0;
}

/*
 * What a recurrent cell gives lies between −1 and 1 for any input. A range that one
 * sequence showed would clip the next, and the error would feed back.
 */
static void widen_states(const struct graph *graph,
			 struct quantize_range *ranges)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		if (!graph_op_is_recurrent(node->op))
			continue;
		for (int i = 0; i < node->output_count && i < STATES; i++)
			if (node->outputs[i] >= 0)
				unite(&ranges[node->outputs[i]],
				      (struct quantize_range){ -1, 1 });
	}
}

/* Away from zero, to a number of few significant bits. */
static float round_outward(float value)
{
	int exponent;
	double fraction = frexp((double)value, &exponent);
	double scaled = ldexp(fraction, RANGE_BITS);

	return (float)ldexp(scaled < 0 ? floor(scaled) : ceil(scaled),
			    exponent - RANGE_BITS);
}

static void round_ranges(const struct graph *graph,
			 struct quantize_range *ranges)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		if (graph->tensors[t].producer < 0)
			continue;
		ranges[t].low = round_outward(ranges[t].low);
		ranges[t].high = round_outward(ranges[t].high);
	}
}

static bool is_image(const struct graph *graph, int input)
{
	return graph->tensors[graph->inputs[input]].shape.rank == IMAGE_RANK;
}

/* A few pictures do not show the largest values that others will reach. */
static void add_headroom(const struct graph *graph,
			 struct quantize_range *ranges)
{
	bool images = false;

	for (int i = 0; i < graph->input_count; i++)
		images = images || is_image(graph, i);
	for (int t = 0; images && t < graph->tensor_count; t++) {
		if (graph->tensors[t].producer < 0)
			continue;
		ranges[t].low *= 1 + HEADROOM;
		ranges[t].high *= 1 + HEADROOM;
	}
}

static bool are_pixels(const struct array *array)
{
	int64_t count = graph_shape_count(&array->shape);

	for (int64_t i = 0; i < count; i++)
		if (!(array->values[i] >= 0 && array->values[i] <= PIXEL_MAX &&
		      array->values[i] == rintf(array->values[i])))
			return false;
	return true;
}

/* What is known of an input: what the user says, or that it holds 8-bit pixels. */
static void set_input(const struct calibration_data *data, int input,
		      struct quantize_range known, struct quantize_range *range)
{
	if (known.low < known.high) {
		*range = known;
		return;
	}
	/* Black and white alone may be 0 and 1. */
	if (range->high <= 1)
		return;
	for (int i = 0; i < data->sample_count; i++)
		if (!are_pixels(&data->samples[i][input]))
			return;
	*range = (struct quantize_range){ 0, PIXEL_MAX };
}

/* Files hold but some of the values that pictures may have. */
static void set_inputs(const struct graph *graph,
		       const struct calibration_data *data,
		       struct quantize_range known,
		       struct quantize_range *ranges)
{
	for (int i = 0; i < graph->input_count; i++)
		if (is_image(graph, i))
			set_input(data, i, known, &ranges[graph->inputs[i]]);
}

static void free_histograms(const struct graph *graph,
			    struct calibration_histogram **all)
{
	for (int t = 0; t < graph->tensor_count; t++)
		free(all[t]);
	free(all);
}

/* Of each tensor that a node computes; of the others there is none. */
static struct calibration_histogram **
make_histograms(const struct graph *graph, const struct quantize_range *ranges)
{
	struct calibration_histogram **all =
		calloc((size_t)graph->tensor_count + 1, sizeof(*all));

	for (int t = 0; all && t < graph->tensor_count; t++) {
		if (graph->tensors[t].producer < 0)
			continue;
		all[t] = calloc(1, sizeof(**all));
		if (!all[t]) {
			free_histograms(graph, all);
			return NULL;
		}
		all[t]->range = ranges[t];
	}
	return all;
}

static int count_values(void *context, int tensor,
			const struct graph_shape *shape, const float *values)
{
	struct calibration_histogram **all = context;

	if (all[tensor])
		calibration_histogram_add(all[tensor], values,
					  (size_t)graph_shape_count(shape));
	return 0;
}

/* Once more over all data, now that the extremes are known. */
static int clip_by_histograms(const struct graph *graph,
			      const struct calibration_data *data,
			      const struct calibration_options *options,
			      struct quantize_range *ranges)
{
	const struct calibration_method *method = &options->method;
	struct calibration_histogram **all;
	int ret = 0;

	if (method->kind == CALIBRATION_EXTREMES)
		return 0;
	all = make_histograms(graph, ranges);
	if (!all)
		return accel_error(-ENOMEM, "no memory for histograms");
	for (int i = 0; i < data->sample_count && !ret; i++) {
		ret = run_sample(graph, data->samples[i], count_values, all);
		compress_report(options->progress, "histograms", i + 1,
				data->sample_count);
	}
	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (all[t])
			ranges[t] = calibration_histogram_range(all[t], method);
	free_histograms(graph, all);
	return ret;
}

int calibration_run(const struct graph *graph,
		    const struct calibration_data *data,
		    const struct calibration_options *options,
		    struct quantize_range *ranges, struct channel_means *means)
{
	struct watch watch = { .graph = graph,
			       .ranges = ranges,
			       .means = means };
	int ret;

	if (!data->sample_count)
		return accel_error(-EINVAL, "no data to calibrate with");
	for (int t = 0; t < graph->tensor_count; t++)
		ranges[t] = (struct quantize_range){ 0, 0 };
	for (int i = 0; i < data->sample_count; i++) {
		ret = run_sample(graph, data->samples[i], observe, &watch);
		if (ret)
			return ret;
		compress_report(options->progress, "calibrating", i + 1,
				data->sample_count);
	}
	if (means)
		channel_means_finish(means);
	ret = clip_by_histograms(graph, data, options, ranges);
	if (ret)
		return ret;
	/* who clips what was seen wants no room for what was not */
	if (options->method.kind == CALIBRATION_EXTREMES)
		add_headroom(graph, ranges);
	widen_states(graph, ranges);
	round_ranges(graph, ranges);
	ret = clip_to_wanted(graph, options->output_range, ranges);
	if (ret)
		return ret;
	set_inputs(graph, data, options->input_range, ranges);
	return 0;
}
