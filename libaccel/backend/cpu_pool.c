/* SPDX-License-Identifier: MIT */
#include <backend/cpu_layer.h>

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A pool at work; a global one is the window over the whole image. */
struct pool_run {
	const struct cpu_run *run;
	const struct model_layer *layer;
	struct model_window window;
	struct model_extent in, out;
	struct model_grid grid;
	struct golden_quantization qx, qy;
	int32_t *sums; /* of one row of the result */
};

/* Taps [begin, end) at result position that lie inside an axis of the input. */
static void tap_range(uint32_t position, uint32_t stride, uint32_t dilation,
		      uint32_t kernel, int32_t pad, uint32_t size,
		      uint32_t *begin, uint32_t *end)
{
	int64_t first = (int64_t)position * stride - pad;
	int64_t low = first < 0 ? (-first + dilation - 1) / dilation : 0;
	int64_t high = first < size ? (size - first + dilation - 1) / dilation :
				      0;

	if (high > kernel)
		high = kernel;
	if (low > high)
		low = high;
	*begin = (uint32_t)low;
	*end = (uint32_t)high;
}

static void taps_of_row(const struct pool_run *pool, uint32_t y,
			uint32_t *begin, uint32_t *end)
{
	tap_range(y, pool->window.stride_height, pool->window.dilation_height,
		  pool->window.kernel_height, pool->grid.pad_top,
		  pool->in.height, begin, end);
}

static void taps_of_column(const struct pool_run *pool, uint32_t x,
			   uint32_t *begin, uint32_t *end)
{
	tap_range(x, pool->window.stride_width, pool->window.dilation_width,
		  pool->window.kernel_width, pool->grid.pad_left,
		  pool->in.width, begin, end);
}

/* The batch of input elements that tap (i, j) of position (y, x) sees. */
static const int8_t *tap_values(const struct pool_run *pool,
				const int8_t *channel, uint32_t y, uint32_t x,
				uint32_t i, uint32_t j)
{
	int64_t row = (int64_t)y * pool->window.stride_height +
		      (int64_t)i * pool->window.dilation_height -
		      pool->grid.pad_top;
	int64_t column = (int64_t)x * pool->window.stride_width +
			 (int64_t)j * pool->window.dilation_width -
			 pool->grid.pad_left;

	return channel + ((size_t)row * pool->in.width + (size_t)column) *
				 pool->run->batch;
}

/* −128 is what no element is less than, so padding never wins. */
static void maximum_at(const struct pool_run *pool, const int8_t *channel,
		       uint32_t y, uint32_t x, int8_t *out)
{
	uint32_t top, bottom, left, right;

	taps_of_row(pool, y, &top, &bottom);
	taps_of_column(pool, x, &left, &right);
	memset(out, -128, pool->run->batch);
	for (uint32_t i = top; i < bottom; i++) {
		for (uint32_t j = left; j < right; j++) {
			const int8_t *in =
				tap_values(pool, channel, y, x, i, j);

			for (uint32_t b = 0; b < pool->run->batch; b++)
				out[b] = in[b] > out[b] ? in[b] : out[b];
		}
	}
}

/* Padding adds x_zero − x_zero = 0, so only the count can see it. */
static void average_at(const struct pool_run *pool, const int8_t *channel,
		       uint32_t y, uint32_t x, int8_t *out)
{
	uint32_t top, bottom, left, right, count;
	int32_t *sums = pool->sums;

	taps_of_row(pool, y, &top, &bottom);
	taps_of_column(pool, x, &left, &right);
	memset(sums, 0, pool->run->batch * sizeof(*sums));
	for (uint32_t i = top; i < bottom; i++) {
		for (uint32_t j = left; j < right; j++) {
			const int8_t *in =
				tap_values(pool, channel, y, x, i, j);

			for (uint32_t b = 0; b < pool->run->batch; b++)
				sums[b] += in[b] - pool->qx.zero;
		}
	}
	count = (bottom - top) * (right - left);
	if (pool->layer->pool.count_padding)
		count = pool->window.kernel_height * pool->window.kernel_width;
	for (uint32_t b = 0; b < pool->run->batch; b++)
		out[b] = golden_average(sums[b], count ? count : 1, pool->qx,
					pool->qy);
}

static int run_channels(const struct pool_run *pool)
{
	size_t channel =
		cpu_channel_elements(pool->run, pool->layer->inputs[0]);
	const int8_t *in = pool->run->values[pool->layer->inputs[0]];
	int8_t *out = pool->run->values[pool->layer->outputs[0]];
	int ret = 0;

	for (uint32_t c = 0; c < pool->in.channels; c++, in += channel) {
		for (uint32_t y = 0; !ret && y < pool->grid.height; y++) {
			for (uint32_t x = 0; x < pool->grid.width; x++) {
				if (pool->layer->op == MODEL_POOL_MAX)
					maximum_at(pool, in, y, x, out);
				else
					average_at(pool, in, y, x, out);
				out += pool->run->batch;
			}
			ret = cpu_run_cancelled(pool->run);
		}
	}
	return ret;
}

int cpu_pool_run(const struct cpu_run *run, const struct model_layer *layer)
{
	struct pool_run pool = {
		.run = run,
		.layer = layer,
		.window = layer->pool.window,
		.in = run->extents[layer->inputs[0]],
		.out = run->extents[layer->outputs[0]],
		.qx = cpu_quantization(run, layer->inputs[0]),
		.qy = cpu_quantization(run, layer->outputs[0]),
	};
	int ret = model_pool_grid(&layer->pool, &pool.in, &pool.grid);

	if (ret)
		return ret;
	if (pool.window.kernel_height == 0) {
		memset(&pool.window, 0, sizeof(pool.window));
		pool.window.kernel_height = pool.in.height;
		pool.window.kernel_width = pool.in.width;
		pool.window.stride_height = pool.window.stride_width = 1;
		pool.window.dilation_height = pool.window.dilation_width = 1;
	}
	pool.sums = calloc(run->batch, sizeof(*pool.sums));
	if (!pool.sums)
		return accel_error(-ENOMEM, "no memory for layer '%s'",
				   layer->name);
	ret = run_channels(&pool);
	free(pool.sums);
	return ret;
}
