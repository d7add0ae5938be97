/* SPDX-License-Identifier: MIT */
/*
 * The address generator: a convolution's implicit im2col matrix as shifted views
 * of staged input planes.
 *
 * A tile is a box of the result, rows × columns × batch elements. For it, each
 * input channel is staged as one plane per phase of the stride, in which tap
 * (ky, kx) is the plane's phase at a constant shift; so row k of X is
 * the plane at an offset, whatever the position. Where a dilation makes shifts
 * longer than copies, each tap has a plane of its own.
 */
#ifndef SIM_WINDOW_H
#define SIM_WINDOW_H

#include <sim/execution.h>

/**
 * struct window_axis - one dimension of the window
 * @taps: kernel size
 * @stride: of the convolution
 * @dilation: of the taps
 * @pad: before the first element
 * @input: size of the input
 * @planes: staged for each channel along this axis
 * @size: result elements of a full tile
 * @extent: staged elements of a plane: @size and the largest shift
 * @separate: each tap has its plane, with no shift
 */
struct window_axis {
	uint32_t taps;
	uint32_t stride;
	uint32_t dilation;
	int64_t pad;
	uint32_t input;
	uint32_t planes;
	uint32_t size;
	uint32_t extent;
	bool separate;
};

/**
 * struct window - the address generator of one command
 * @y: vertical axis
 * @x: horizontal axis
 * @input: X
 * @batch: B
 * @batch_size: of a tile
 * @pitch: bytes of a staged row
 * @plane_bytes: of a staged plane
 * @stage_bytes: of a staged tile; KERNEL_SLACK more may be read
 * @merged: the rows of a tile are computed as one run, with what lies between
 *	them; else each by itself
 * @result_pitch: columns from one computed row to the next
 */
struct window {
	struct window_axis y;
	struct window_axis x;
	const struct spmm_tensor *input;
	uint32_t batch;
	uint32_t batch_size;
	uint64_t pitch;
	uint64_t plane_bytes;
	uint64_t stage_bytes;
	bool merged;
	uint64_t result_pitch;
};

/* A box of the result. */
struct window_tile {
	uint32_t y, x, b; /* its first element */
	uint32_t height, width, depth; /* depth: of the batch */
};

/* Chooses the size of the tiles; never fails. */
void window_setup(struct window *window, const struct spmm_descriptor *d);

/* Offset of row k of X in a staged tile. */
uint64_t window_offset(const struct window *window, uint32_t k);

/* Columns of a full tile's result, and what the kernel may write past them. */
uint64_t window_columns(const struct window *window);

/* Reads a tile's input; fails the execution. */
int window_stage(struct sim_execution *execution, const struct window *window,
		 const struct window_tile *tile, uint8_t *stage);

#endif
