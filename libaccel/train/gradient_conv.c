/* SPDX-License-Identifier: MIT */
#include <compress/conv_direct.h>
#include <compress/convolution.h>
#include <train/gradient.h>

#include <string.h>

enum { X, WEIGHT, BIAS };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Sums of a row in so many lanes can be taken side by side. */
#define LANES 16

static double sum(const float *values, int64_t count)
{
	float lanes[LANES] = { 0 };
	double total = 0;
	int64_t i;

	for (i = 0; i + LANES <= count; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			lanes[lane] += values[i + lane];
	for (int lane = 0; lane < LANES; lane++)
		total += (double)lanes[lane];
	for (; i < count; i++)
		total += (double)values[i];
	return total;
}

/* db += sums of the channels' planes */
static void by_bias(const struct gradient_call *call)
{
	const struct graph_shape *y = call->outputs[0].shape;
	const float *dy = call->output_gradients[0];
	int64_t channels = y->dims[CHANNELS];
	int64_t pixels = y->dims[HEIGHT] * y->dims[WIDTH];

	for (int64_t channel = 0; channel < channels; channel++) {
		double total = 0;

		for (int64_t n = 0; n < y->dims[BATCH]; n++)
			total += sum(dy + (n * channels + channel) * pixels,
				     pixels);
		call->input_gradients[BIAS][channel] += (float)total;
	}
}

static bool wants_both(const struct gradient_call *call)
{
	return call->input_gradients[X] && call->input_gradients[WEIGHT];
}

/*
 * Columns of dy serve both gradients; with those of x, the gradient by x has to be
 * scattered from others. So they may be more. A gradient by weights alone needs the
 * fewer.
 */
static bool image_is_x(const struct gradient_call *call)
{
	int64_t in = call->inputs[X].shape->dims[CHANNELS];
	int64_t out = call->outputs[0].shape->dims[CHANNELS];

	if (!convolution_may_flip(call->node))
		return call->node->op == GRAPH_CONV;
	if (wants_both(call))
		return 3 * in < out;
	return call->input_gradients[X] ? 2 * in < out : in <= out;
}

static struct convolution convolution_of(const struct gradient_call *call)
{
	return convolution_create(call->node, call->inputs[X].shape,
				  call->outputs[0].shape, image_is_x(call));
}

/**
 * struct part - one group
 * @image_is_x: else it is y
 * @x: values
 * @dy: gradient by y
 * @dx: gradient by x, or NULL
 * @weight: as the products want it
 * @dw: gradient by that, or NULL
 */
struct part {
	bool image_is_x;
	const float *x, *dy;
	float *dx;
	const float *weight;
	float *dw;
};

/* Columns of x for the gradient by the weight; then others, of dx. */
static int tile_over_x(const struct convolution *c,
		       struct convolution_tile *tile, const struct part *p)
{
	int ret = 0;

	if (p->dw) {
		convolution_columns(c, tile, p->x);
		ret = convolution_into_weight(c, tile, p->dy, p->dw);
	}
	if (ret || !p->dx)
		return ret;
	return convolution_into_image(c, tile, p->weight, p->dy, p->dx);
}

/* Columns of dy for both. */
static int tile_over_y(const struct convolution *c,
		       struct convolution_tile *tile, const struct part *p)
{
	int ret = 0;

	convolution_columns(c, tile, p->dy);
	if (p->dw)
		ret = convolution_into_weight(c, tile, p->x, p->dw);
	if (ret || !p->dx)
		return ret;
	return convolution_into_grid(c, tile, p->weight, p->dx);
}

static int for_each_tile(const struct convolution *c, const struct part *p,
			 float *workspace)
{
	int64_t tiles = convolution_tile_count(c);
	int ret = 0;

	for (int64_t i = 0; i < tiles && !ret; i++) {
		struct convolution_tile tile =
			convolution_tile(c, i, workspace);

		ret = p->image_is_x ? tile_over_x(c, &tile, p) :
				      tile_over_y(c, &tile, p);
	}
	return ret;
}

static struct part part_of(const struct gradient_call *call,
			   const struct convolution *c, int64_t group)
{
	bool over_x = image_is_x(call);
	int64_t image = group * c->image_size;
	int64_t grid = group * c->channels * c->pixels;
	int64_t x = over_x ? image : grid, y = over_x ? grid : image;
	int64_t weight = group * convolution_weight_size(c);
	float *dx = call->input_gradients[X];
	float *dw = call->input_gradients[WEIGHT];

	return (struct part){
		.image_is_x = over_x,
		.x = call->inputs[X].values + x,
		.dy = call->output_gradients[0] + y,
		.dx = dx ? dx + x : NULL,
		.weight = call->inputs[WEIGHT].values + weight,
		.dw = dw ? dw + weight : NULL,
	};
}

/* With the weight and its gradient as they are, or flipped for the time being. */
static int group_back(const struct gradient_call *call,
		      const struct convolution *c, int64_t group)
{
	struct part p = part_of(call, c, group);
	int64_t size = convolution_weight_size(c);
	float *flipped = call->workspace + convolution_tile_floats(c);
	float *dw = p.dw;
	int ret;

	if (!c->flipped)
		return for_each_tile(c, &p, call->workspace);
	convolution_flip(c, p.weight, flipped);
	p.weight = flipped;
	if (dw)
		p.dw = memset(flipped + size, 0, (size_t)size * sizeof(*dw));
	ret = for_each_tile(c, &p, call->workspace);
	if (!ret && dw)
		convolution_add_flipped(c, p.dw, dw);
	return ret;
}

static bool is_direct(const struct gradient_call *call,
		      struct conv_direct *direct)
{
	return conv_direct_create(direct, call->node, call->inputs[X].shape,
				  call->outputs[0].shape, true);
}

static int convolution_back(const struct gradient_call *call)
{
	struct convolution c = convolution_of(call);
	struct conv_direct direct;
	int ret = 0;

	if (!call->output_gradients[0])
		return 0;
	if (call->node->input_count > BIAS && call->input_gradients[BIAS])
		by_bias(call);
	if (!call->input_gradients[X] && !call->input_gradients[WEIGHT])
		return 0;
	if (is_direct(call, &direct)) {
		conv_direct_back(&direct, call->inputs[X].values,
				 call->inputs[WEIGHT].values,
				 call->output_gradients[0],
				 call->input_gradients[X],
				 call->input_gradients[WEIGHT],
				 call->workspace);
		return 0;
	}
	for (int64_t group = 0; group < c.group && !ret; group++)
		ret = group_back(call, &c, group);
	return ret;
}

int gradient_conv(const struct gradient_call *call)
{
	return convolution_back(call);
}

int gradient_conv_transpose(const struct gradient_call *call)
{
	return convolution_back(call);
}

int64_t gradient_conv_workspace(const struct gradient_call *call)
{
	struct convolution c = convolution_of(call);
	struct conv_direct direct;

	if (is_direct(call, &direct))
		return conv_direct_workspace(&direct);
	return convolution_tile_floats(&c) +
	       (c.flipped ? 2 * convolution_weight_size(&c) : 0);
}

int64_t gradient_conv_transpose_workspace(const struct gradient_call *call)
{
	return gradient_conv_workspace(call);
}
