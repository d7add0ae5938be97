/* SPDX-License-Identifier: MIT */
#include <compress/conv_direct.h>
#include <compress/convolution.h>
#include <compress/operator.h>

enum { X, WEIGHT, BIAS };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

static void fill_bias(const struct operator_call *call)
{
	const struct operator_value *y = &call->outputs[0];
	const float *bias = call->node->input_count > BIAS ?
				    call->inputs[BIAS].values :
				    NULL;
	int64_t channels = y->shape->dims[CHANNELS];
	int64_t planes = y->shape->dims[BATCH] * channels;
	int64_t pixels = operator_extent(y->shape, HEIGHT, y->shape->rank);

	for (int64_t plane = 0; plane < planes; plane++) {
		float value = bias ? bias[plane % channels] : 0;

		for (int64_t i = 0; i < pixels; i++)
			y->values[plane * pixels + i] = value;
	}
}

/*
 * Columns of x are gathered, those of y are scattered, which costs twice as much
 * for each; the side with the fewer channels has the fewer.
 */
static bool image_is_x(const struct operator_call *call)
{
	int64_t in = call->inputs[X].shape->dims[CHANNELS];
	int64_t out = call->outputs[0].shape->dims[CHANNELS];

	if (!convolution_may_flip(call->node))
		return call->node->op == GRAPH_CONV;
	return in <= 2 * out;
}

static struct convolution convolution_of(const struct operator_call *call)
{
	return convolution_create(call->node, call->inputs[X].shape,
				  call->outputs[0].shape, image_is_x(call));
}

/* y += a group of the convolution */
static int add_group(const struct operator_call *call,
		     const struct convolution *c, int64_t group)
{
	int64_t size = convolution_weight_size(c);
	int64_t tiles = convolution_tile_count(c);
	int64_t image = group * c->image_size;
	int64_t grid = group * c->channels * c->pixels;
	const float *weight = call->inputs[WEIGHT].values + group * size;
	const float *x = call->inputs[X].values;
	float *y = call->outputs[0].values;
	float *flipped = call->workspace + convolution_tile_floats(c);
	bool gathers = image_is_x(call);
	int ret = 0;

	if (c->flipped) {
		convolution_flip(c, weight, flipped);
		weight = flipped;
	}
	for (int64_t i = 0; i < tiles && !ret; i++) {
		struct convolution_tile tile =
			convolution_tile(c, i, call->workspace);

		if (!gathers) {
			ret = convolution_into_image(c, &tile, weight, x + grid,
						     y + image);
			continue;
		}
		convolution_columns(c, &tile, x + image);
		ret = convolution_into_grid(c, &tile, weight, y + grid);
	}
	return ret;
}

static bool is_direct(const struct operator_call *call,
		      struct conv_direct *direct)
{
	return conv_direct_create(direct, call->node, call->inputs[X].shape,
				  call->outputs[0].shape, false);
}

static int convolution(const struct operator_call *call)
{
	struct convolution c = convolution_of(call);
	struct conv_direct direct;
	int ret = 0;

	fill_bias(call);
	if (is_direct(call, &direct)) {
		conv_direct_run(&direct, call->inputs[X].values,
				call->inputs[WEIGHT].values,
				call->outputs[0].values, call->workspace);
		return 0;
	}
	for (int64_t group = 0; group < c.group && !ret; group++)
		ret = add_group(call, &c, group);
	return ret;
}

int operator_conv(const struct operator_call *call)
{
	return convolution(call);
}

int operator_conv_transpose(const struct operator_call *call)
{
	return convolution(call);
}

int64_t operator_conv_workspace(const struct operator_call *call)
{
	struct convolution c = convolution_of(call);
	struct conv_direct direct;

	if (is_direct(call, &direct))
		return conv_direct_workspace(&direct);
	return convolution_tile_floats(&c) +
	       (c.flipped ? convolution_weight_size(&c) : 0);
}

int64_t operator_conv_transpose_workspace(const struct operator_call *call)
{
	return operator_conv_workspace(call);
}
