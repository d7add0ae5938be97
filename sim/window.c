/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/kernel.h>
#include <sim/window.h>

#define TILE_BATCH 512
#define TILE_COLUMNS 512
#define TILE_TARGET 1024
#define STAGE_BYTES_TARGET (1ul << 20)
#define RESULT_BYTES_TARGET (1ul << 20)

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Phases that the taps of an axis fall into. */
static uint32_t axis_phases(const struct window_axis *axis)
{
	uint32_t a = axis->dilation % axis->stride, b = axis->stride, rest;

	/* Multiples of the dilation modulo the stride repeat after this. */
	while (a) {
		rest = b % a;
		b = a;
		a = rest;
	}
	return min_u32(axis->taps, axis->stride / b);
}

/* The shift of tap i within the plane of its phase. */
static uint64_t axis_shift(const struct window_axis *axis, uint32_t tap)
{
	if (axis->separate)
		return 0;
	return (uint64_t)tap * axis->dilation / axis->stride;
}

/* The plane of tap i: that of the first tap with the same phase. */
static uint32_t axis_plane(const struct window_axis *axis, uint32_t tap)
{
	return axis->separate ? tap : tap % axis->planes;
}

/* Input position of staged element i of a plane, for a tile at start. */
static int64_t axis_position(const struct window_axis *axis, uint32_t plane,
			     uint32_t start, uint32_t i)
{
	uint64_t tap = (uint64_t)plane * axis->dilation;

	if (!axis->separate)
		tap %= axis->stride;
	return ((int64_t)start + i) * axis->stride + (int64_t)tap - axis->pad;
}

static void axis_setup(struct window_axis *axis, uint32_t size)
{
	uint32_t phases = axis_phases(axis);
	uint64_t shift =
		(uint64_t)(axis->taps - 1) * axis->dilation / axis->stride;

	axis->size = size;
	axis->separate = phases * (size + shift) > (uint64_t)axis->taps * size;
	axis->planes = axis->separate ? axis->taps : phases;
	axis->extent = axis->separate ? size : (uint32_t)(size + shift);
}

static void sizes_setup(struct window *window, uint32_t height, uint32_t width)
{
	uint64_t used;

	axis_setup(&window->y, height);
	axis_setup(&window->x, width);
	window->pitch = (uint64_t)window->x.extent * window->batch_size;
	window->plane_bytes = window->pitch * window->y.extent;
	window->stage_bytes = window->plane_bytes * window->input->channels *
			      window->y.planes * window->x.planes;
	used = (uint64_t)width * window->batch_size;
	window->merged = window->pitch <= 2 * used;
	window->result_pitch =
		window->merged ?
			window->pitch :
			(used + KERNEL_SLACK - 1) / KERNEL_SLACK * KERNEL_SLACK;
}

/*
 * Tiles are as large as keeps the staged input in the processor's L2 cache and the
 * results in its L3, however large K and M are; and never so small that a block of
 * the kernel is mostly empty, unless the layer is.
 */
void window_setup(struct window *window, const struct spmm_descriptor *d)
{
	uint32_t result_target = RESULT_BYTES_TARGET / d->rows;
	uint32_t target = min_u32(TILE_TARGET, result_target);
	uint32_t width, height;

	if (target < KERNEL_SLACK)
		target = KERNEL_SLACK;
	window->y = (struct window_axis){ .taps = d->kernel_height,
					  .stride = d->stride_height,
					  .dilation = d->dilation_height,
					  .pad = (int32_t)d->pad_top,
					  .input = d->input.height };
	window->x = (struct window_axis){ .taps = d->kernel_width,
					  .stride = d->stride_width,
					  .dilation = d->dilation_width,
					  .pad = (int32_t)d->pad_left,
					  .input = d->input.width };
	window->input = &d->input;
	window->batch = d->batch;
	window->batch_size = min_u32(d->batch, min_u32(target, TILE_BATCH));
	width = min_u32(TILE_COLUMNS, target) / window->batch_size;
	width = min_u32(d->width, width ? width : 1);
	height = target / (width * window->batch_size);
	height = min_u32(d->height, height ? height : 1);
	sizes_setup(window, height, width);
	while ((window->stage_bytes > STAGE_BYTES_TARGET ||
		window->result_pitch * height > 2ul * target) &&
	       height * width * window->batch_size > KERNEL_SLACK) {
		if (height > 1)
			height = (height + 1) / 2;
		else if (width > 1)
			width = (width + 1) / 2;
		else
			window->batch_size = (window->batch_size + 1) / 2;
		sizes_setup(window, height, width);
	}
	/* Rows computed one by one take a whole block each. */
	if (!window->merged && window->result_pitch * height > 2ul * target)
		sizes_setup(window, 1, width);
}

uint64_t window_offset(const struct window *window, uint32_t k)
{
	uint32_t kx = k % window->x.taps;
	uint32_t ky = k / window->x.taps % window->y.taps;
	uint64_t channel = k / window->x.taps / window->y.taps;
	uint64_t plane =
		(channel * window->y.planes + axis_plane(&window->y, ky)) *
			window->x.planes +
		axis_plane(&window->x, kx);

	return plane * window->plane_bytes +
	       axis_shift(&window->y, ky) * window->pitch +
	       axis_shift(&window->x, kx) * window->batch_size;
}

uint64_t window_columns(const struct window *window)
{
	return window->result_pitch * window->y.size + KERNEL_SLACK;
}

/* Elements that follow one another in the input as they do in the plane. */
static int run_read(struct sim_execution *execution,
		    const struct window *window, const struct window_tile *tile,
		    uint64_t row_address, int64_t x, uint64_t count,
		    uint8_t *out)
{
	uint64_t at = row_address + (uint64_t)x * window->batch + tile->b;

	if (tile->depth == window->batch)
		return execution_read(execution, at, out,
				      count * window->batch);
	for (uint64_t i = 0; i < count; i++) {
		if (execution_read(execution, at, out, tile->depth))
			return execution->status;
		at += window->batch;
		out += window->batch_size;
	}
	return 0;
}

/* One staged row of one plane: padding, the input's part, padding. */
static int row_stage(struct sim_execution *execution,
		     const struct window *window,
		     const struct window_tile *tile, uint64_t row_address,
		     uint32_t plane, uint8_t *out)
{
	const struct window_axis *axis = &window->x;
	uint32_t size = window->batch_size;
	int64_t first = axis_position(axis, plane, tile->x, 0);
	int64_t stride = axis->stride;
	int64_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
	int64_t end = ((int64_t)axis->input - first + stride - 1) / stride;
	int64_t extent = axis->extent;

	if ((int64_t)axis->input <= first)
		end = 0;
	if (end > extent)
		end = extent;
	if (begin >= end)
		return 0;
	if (stride == 1 || end - begin == 1)
		return run_read(execution, window, tile, row_address,
				first + begin * stride, (uint64_t)(end - begin),
				out + begin * size);
	for (int64_t i = begin; i < end; i++)
		if (run_read(execution, window, tile, row_address,
			     first + i * stride, 1, out + i * size))
			return execution->status;
	return 0;
}

static int plane_stage(struct sim_execution *execution,
		       const struct window *window,
		       const struct window_tile *tile, uint64_t channel_address,
		       uint32_t plane_y, uint32_t plane_x, uint8_t *out)
{
	for (uint32_t i = 0; i < window->y.extent; i++) {
		int64_t y = axis_position(&window->y, plane_y, tile->y, i);
		uint64_t row = channel_address +
			       (uint64_t)y * window->input->row_stride;

		if (y >= 0 && y < window->input->height &&
		    row_stage(execution, window, tile, row, plane_x, out))
			return execution->status;
		out += window->pitch;
	}
	return 0;
}

int window_stage(struct sim_execution *execution, const struct window *window,
		 const struct window_tile *tile, uint8_t *stage)
{
	uint64_t address = window->input->address;

	/* Padding reads the zero point. */
	memset(stage, window->input->zero, window->stage_bytes);
	for (uint32_t c = 0; c < window->input->channels; c++) {
		for (uint32_t y = 0; y < window->y.planes; y++) {
			for (uint32_t x = 0; x < window->x.planes; x++) {
				if (plane_stage(execution, window, tile,
						address, y, x, stage))
					return execution->status;
				stage += window->plane_bytes;
			}
		}
		address += window->input->channel_stride;
	}
	return 0;
}
