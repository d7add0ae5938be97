// SPDX-License-Identifier: MIT
/*
 * Convolutions and matrices as least squares. An observation is an output pixel (of
 * a matrix: a row of the input), its inputs are what the taps see there. A transposed
 * convolution is one convolution for each phase of its stride, whose taps do not
 * meet; only the bias is common to them.
 */
#include <compress/reconstruct_layer.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

/* Pixels of a network's last layers are many, and alike: every n-th will do. */
#define OBSERVATIONS_MAX (1 << 17)

enum { X, WEIGHT, BIAS };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/**
 * struct linear - the rows of one group
 * @layer: of the node
 * @node: in the pruned graph
 * @problem: of these rows
 * @group: which
 * @rows: output channels of the group
 * @inputs: input channels of the group
 * @taps: of the kernel, height · width; 1 of a matrix
 * @bias: tensor that may be changed, or negative
 * @fixed: a bias that others read as well, and stays; NULL: there is none
 */
struct linear {
	const struct reconstruct_layer *layer;
	const struct graph_node *node;
	struct layer_problem problem;
	int64_t group;
	int64_t rows;
	int64_t inputs;
	int64_t taps;
	int bias;
	const float *fixed;
};

static size_t unknowns_of(const struct linear *linear)
{
	return (size_t)(linear->inputs * linear->taps);
}

/* ---- weights ---- */

/* Where the weight of a row's unknown lies in its tensor. */
static size_t weight_index(const struct linear *linear, int64_t row,
			   int64_t unknown)
{
	int64_t channel = unknown / linear->taps;

	if (linear->node->op != GRAPH_CONV_TRANSPOSE)
		return (size_t)((linear->group * linear->rows + row) *
					linear->inputs * linear->taps +
				unknown);
	return (size_t)(((linear->group * linear->inputs + channel) *
				 linear->rows +
			 row) * linear->taps +
			unknown % linear->taps);
}

static void load_weights(const void *context,
			 const struct reconstruct_variant *variant,
			 struct layer_problem *problem)
{
	const struct linear *linear = context;
	const struct graph *graph = variant->pruned;
	int tensor = linear->node->inputs[WEIGHT];
	const uint8_t *keep = variant->mask->keep[tensor];

	for (int64_t row = 0; row < linear->rows; row++) {
		size_t at = (size_t)row * problem->columns;

		for (size_t i = 0; i < unknowns_of(linear); i++) {
			size_t from = weight_index(linear, row, (int64_t)i);

			problem->keep[at + i] = keep[from];
			problem->values[at + i] =
				graph->tensors[tensor].data[from];
		}
		if (linear->bias < 0)
			continue;
		at += unknowns_of(linear);
		problem->keep[at] = 1;
		problem->values[at] =
			graph->tensors[linear->bias]
				.data[linear->group * linear->rows + row];
	}
}

static void store_weights(const void *context,
			  const struct reconstruct_variant *variant,
			  const struct layer_problem *problem)
{
	const struct linear *linear = context;
	struct graph *graph = variant->pruned;
	int tensor = linear->node->inputs[WEIGHT];
	uint8_t *keep = variant->mask->keep[tensor];

	for (int64_t row = 0; row < linear->rows; row++) {
		size_t at = (size_t)row * problem->columns;

		for (size_t i = 0; i < unknowns_of(linear); i++) {
			size_t to = weight_index(linear, row, (int64_t)i);

			keep[to] = problem->keep[at + i];
			graph->tensors[tensor].data[to] =
				keep[to] ? problem->values[at + i] : 0;
		}
		if (linear->bias >= 0)
			graph->tensors[linear->bias]
				.data[linear->group * linear->rows + row] =
				problem->values[at + unknowns_of(linear)];
	}
}

static int solve(struct linear *linear)
{
	const struct reconstruct_rows rows = { linear, load_weights,
					       store_weights };

	return reconstruct_layer_solve(linear->layer, &linear->problem, &rows);
}

/* What a bias that stays will add to a row anyway. */
static float fixed_of(const struct linear *linear, int64_t row)
{
	return linear->fixed ?
		       linear->fixed[linear->group * linear->rows + row] :
		       0;
}

/* ---- observations of a matrix ---- */

static int matrix_fill(void *context, int sample, int64_t first, int64_t count,
		       float *inputs, float *targets)
{
	const struct linear *linear = context;
	const struct reconstruct_layer *layer = linear->layer;
	const float *x =
		graph_walk_value(layer->inputs, sample, linear->node->inputs[X])
			.values;
	const float *y = graph_walk_value(layer->targets, sample,
					  linear->node->outputs[0])
				 .values;

	for (int64_t j = 0; j < count; j++) {
		for (int64_t i = 0; i < linear->inputs; i++)
			inputs[i * count + j] =
				x[(first + j) * linear->inputs + i];
		for (int64_t i = 0; i < linear->rows; i++)
			targets[i * count + j] =
				y[(first + j) * linear->rows + i] -
				fixed_of(linear, i);
	}
	return 0;
}

static int matrix_observe(struct linear *linear)
{
	const struct reconstruct_layer *layer = linear->layer;
	struct least_squares_source source = {
		.parts = layer->samples,
		.fill = matrix_fill,
		.context = linear,
	};
	int64_t *counts = calloc((size_t)layer->samples, sizeof(*counts));
	int ret;

	if (!counts)
		return accel_error(-ENOMEM, "%s: no memory for its inputs",
				   linear->node->name);
	for (int s = 0; s < layer->samples; s++)
		counts[s] =
			operator_count(graph_walk_value(layer->inputs, s,
							linear->node->inputs[X])
					       .shape) /
			linear->inputs;
	source.counts = counts;
	ret = least_squares_add(linear->problem.system, &source);
	free(counts);
	return ret;
}

/* ---- observations of a convolution ---- */

/**
 * struct axis - how taps and outputs lie on one axis of an image
 * @taps: how many
 * @tap: [@taps], index in the kernel
 * @offset: [@taps], image pixel that it sees, from that of the observation
 * @stride: image pixels from one observation to the next
 * @first: output pixel of the first observation
 * @step: output pixels from one observation to the next
 * @count: observations
 */
struct axis {
	int64_t taps;
	int64_t *tap;
	int64_t *offset;
	int64_t stride;
	int64_t first;
	int64_t step;
	int64_t count;
};

/** struct view - what one sample shows of a group, or of one phase of it */
struct view {
	const struct linear *linear;
	struct operator_value x;
	struct operator_value y;
	struct axis axis[2];
	int64_t skip;
};

/** struct position - of an observation: image and output pixel, and batch element */
struct position {
	int64_t image;
	int64_t y, x;
	int64_t output;
};

static struct position find_position(const struct view *view, int64_t index)
{
	const struct axis *vertical = &view->axis[0];
	const struct axis *horizontal = &view->axis[1];
	const int64_t *out = view->y.shape->dims;
	int64_t x = index % horizontal->count;
	int64_t y = index / horizontal->count % vertical->count;
	int64_t image = index / horizontal->count / vertical->count;

	return (struct position){
		.image = image,
		.y = y * vertical->stride,
		.x = x * horizontal->stride,
		.output = (image * out[CHANNELS] * out[HEIGHT] +
			   vertical->first + y * vertical->step) *
				  out[WIDTH] +
			  horizontal->first + x * horizontal->step,
	};
}

/* What one tap of one channel sees. */
static void fill_tap(const struct view *view, const struct position *positions,
		     int64_t count, int64_t channel, const int64_t offset[2],
		     float *result)
{
	const int64_t *dims = view->x.shape->dims;
	const float *plane =
		view->x.values + channel * dims[HEIGHT] * dims[WIDTH];
	int64_t image = dims[CHANNELS] * dims[HEIGHT] * dims[WIDTH];

	for (int64_t j = 0; j < count; j++) {
		int64_t y = positions[j].y + offset[0];
		int64_t x = positions[j].x + offset[1];
		bool inside = y >= 0 && y < dims[HEIGHT] && x >= 0 &&
			      x < dims[WIDTH];

		result[j] = inside ? plane[positions[j].image * image +
					   y * dims[WIDTH] + x] :
				     0;
	}
}

static void fill_inputs(const struct view *view,
			const struct position *positions, int64_t count,
			float *inputs)
{
	const struct linear *linear = view->linear;

	for (int64_t c = 0; c < linear->inputs; c++)
		for (int64_t ty = 0; ty < view->axis[0].taps; ty++)
			for (int64_t tx = 0; tx < view->axis[1].taps; tx++) {
				const int64_t offset[2] = {
					view->axis[0].offset[ty],
					view->axis[1].offset[tx],
				};

				fill_tap(view, positions, count,
					 linear->group * linear->inputs + c,
					 offset, inputs);
				inputs += count;
			}
}

static int conv_fill(void *context, int part, int64_t first, int64_t count,
		     float *inputs, float *targets)
{
	const struct view *view = context;
	const struct linear *linear = view->linear;
	const int64_t *out = view->y.shape->dims;
	struct position *positions =
		malloc((size_t)(count + 1) * sizeof(*positions));

	(void)part;
	if (!positions)
		return -ENOMEM;
	for (int64_t j = 0; j < count; j++)
		positions[j] = find_position(view, (first + j) * view->skip);
	fill_inputs(view, positions, count, inputs);
	for (int64_t row = 0; row < linear->rows; row++) {
		const float *y =
			view->y.values + (linear->group * linear->rows + row) *
						 out[HEIGHT] * out[WIDTH];

		for (int64_t j = 0; j < count; j++)
			targets[row * count + j] =
				y[positions[j].output] - fixed_of(linear, row);
	}
	free(positions);
	return 0;
}

/* Outputs of a convolution: each sees all taps. */
static void conv_axis(const struct graph_conv *conv, int i, int64_t pad,
		      int64_t outputs, struct axis *axis)
{
	axis->taps = conv->kernel[i];
	for (int64_t k = 0; k < axis->taps; k++) {
		axis->tap[k] = k;
		axis->offset[k] = k * conv->dilation[i] - pad;
	}
	axis->stride = conv->stride[i];
	axis->first = 0;
	axis->step = 1;
	axis->count = outputs;
}

/*
 * Outputs phase, phase + stride … of a transposed convolution: input i meets output
 * i·stride + tap·dilation − pad.
 */
static void phase_axis(const struct graph_conv *conv, int i, int64_t pad,
		       int64_t outputs, int64_t phase, struct axis *axis)
{
	axis->taps = 0;
	for (int64_t k = 0; k < conv->kernel[i]; k++) {
		int64_t distance = phase + pad - k * conv->dilation[i];

		if (distance % conv->stride[i])
			continue;
		axis->tap[axis->taps] = k;
		axis->offset[axis->taps++] = distance / conv->stride[i];
	}
	axis->stride = 1;
	axis->first = phase;
	axis->step = conv->stride[i];
	axis->count = outputs > phase ?
			      (outputs - phase - 1) / conv->stride[i] + 1 :
			      0;
}

/* The kernel's taps that a view has, as unknowns of every channel; the bias last. */
static int *view_unknowns(const struct view *view, int *count)
{
	const struct linear *linear = view->linear;
	size_t size = unknowns_of(linear) + 1;
	int *unknowns = malloc(size * sizeof(*unknowns));

	*count = 0;
	if (!unknowns)
		return NULL;
	for (int64_t c = 0; c < linear->inputs; c++)
		for (int64_t ty = 0; ty < view->axis[0].taps; ty++)
			for (int64_t tx = 0; tx < view->axis[1].taps; tx++)
				unknowns[(*count)++] =
					(int)(c * linear->taps +
					      view->axis[0].tap[ty] *
						      linear->node->conv
							      .kernel[1] +
					      view->axis[1].tap[tx]);
	if (linear->bias >= 0)
		unknowns[(*count)++] = (int)unknowns_of(linear);
	return unknowns;
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* As few of all samples' observations as are enough, not all of one column. */
static int64_t choose_skip(const struct view *view, int64_t count)
{
	int64_t all = count * view->linear->layer->samples;
	int64_t skip = (all + OBSERVATIONS_MAX - 1) / OBSERVATIONS_MAX;

	while (skip > 1 && greatest_divisor(skip, view->axis[1].count) > 1)
		skip++;
	return skip < 1 ? 1 : skip;
}

static int view_observe(struct view *view)
{
	int64_t count = view->x.shape->dims[BATCH] * view->axis[0].count *
			view->axis[1].count;
	struct least_squares_source source = {
		.parts = 1,
		.counts = &count,
		.fill = conv_fill,
		.context = view,
	};
	int *unknowns = view_unknowns(view, &source.unknown_count);
	int ret;

	if (!unknowns)
		return accel_error(-ENOMEM, "%s: no memory for its taps",
				   view->linear->node->name);
	view->skip = choose_skip(view, count);
	count = (count + view->skip - 1) / view->skip;
	source.unknowns = unknowns;
	ret = source.unknown_count ?
		      least_squares_add(view->linear->problem.system, &source) :
		      0;
	free(unknowns);
	return ret;
}

/* One sample; of a transposed convolution phase by phase. */
static int view_run(struct view *view)
{
	const struct graph_node *node = view->linear->node;
	const struct graph_conv *conv = &node->conv;
	const int64_t *x = view->x.shape->dims, *y = view->y.shape->dims;
	int64_t pads[4];
	int ret = 0;

	graph_conv_pads(node, x[HEIGHT], x[WIDTH], pads);
	if (node->op == GRAPH_CONV) {
		for (int i = 0; i < 2; i++)
			conv_axis(conv, i, pads[i], y[HEIGHT + i],
				  &view->axis[i]);
		return view_observe(view);
	}
	for (int64_t p = 0; p < conv->stride[0] && !ret; p++)
		for (int64_t q = 0; q < conv->stride[1] && !ret; q++) {
			phase_axis(conv, 0, pads[0], y[HEIGHT], p,
				   &view->axis[0]);
			phase_axis(conv, 1, pads[1], y[WIDTH], q,
				   &view->axis[1]);
			ret = view_observe(view);
		}
	return ret;
}

static int conv_observe(struct linear *linear)
{
	const struct reconstruct_layer *layer = linear->layer;
	const struct graph_conv *conv = &linear->node->conv;
	struct view view = { .linear = linear };
	int ret = 0;

	for (int i = 0; i < 2; i++) {
		view.axis[i].tap =
			calloc((size_t)conv->kernel[i], sizeof(int64_t));
		view.axis[i].offset =
			calloc((size_t)conv->kernel[i], sizeof(int64_t));
		if (!view.axis[i].tap || !view.axis[i].offset)
			ret = accel_error(-ENOMEM, "%s: no memory for its taps",
					  linear->node->name);
	}
	for (int s = 0; s < layer->samples && !ret; s++) {
		view.x = graph_walk_value(layer->inputs, s,
					  linear->node->inputs[X]);
		view.y = graph_walk_value(layer->targets, s,
					  linear->node->outputs[0]);
		ret = view_run(&view);
	}
	for (int i = 0; i < 2; i++) {
		free(view.axis[i].tap);
		free(view.axis[i].offset);
	}
	return ret;
}

/* ---- a layer ---- */

static int group_run(struct linear *linear)
{
	const struct least_squares_options options = {
		.unknowns = (int)unknowns_of(linear) + (linear->bias >= 0),
		.rows = (int)linear->rows,
		.constant = linear->bias >= 0,
		.workers = linear->layer->workers,
	};
	int ret = layer_problem_create(&linear->problem, linear->node->name,
				       &options);

	if (ret)
		return ret;
	linear->problem.parts[linear->problem.part_count++] =
		(struct layer_part){
			.tensor = linear->node->inputs[WEIGHT],
			.first_row = (size_t)(linear->group * linear->rows),
			.end = (size_t)unknowns_of(linear),
		};
	ret = linear->node->op == GRAPH_GEMM ? matrix_observe(linear) :
					       conv_observe(linear);
	if (!ret)
		ret = solve(linear);
	layer_problem_release(&linear->problem);
	return ret;
}

int reconstruct_linear(const struct reconstruct_layer *layer)
{
	const struct graph_node *node = reconstruct_layer_node(layer);
	const struct graph *graph = layer->variants[0].pruned;
	const int64_t *dims = graph->tensors[node->inputs[WEIGHT]].shape.dims;
	int64_t groups = node->op == GRAPH_GEMM ? 1 : node->conv.group;
	struct linear linear = {
		.layer = layer,
		.node = node,
		.rows = dims[0] / groups,
		.inputs = dims[1],
		.taps = 1,
		.bias = node->input_count > BIAS ? node->inputs[BIAS] :
						   GRAPH_NO_TENSOR,
	};
	int ret = 0;

	if (node->op == GRAPH_CONV_TRANSPOSE) {
		linear.rows = dims[1];
		linear.inputs = dims[0] / groups;
	}
	if (node->op != GRAPH_GEMM)
		linear.taps = node->conv.kernel[0] * node->conv.kernel[1];
	if (linear.bias >= 0 && !reconstruct_layer_owns(layer, linear.bias)) {
		linear.fixed = graph->tensors[linear.bias].data;
		linear.bias = GRAPH_NO_TENSOR;
	}
	for (linear.group = 0; linear.group < groups && !ret; linear.group++)
		ret = group_run(&linear);
	return ret;
}
