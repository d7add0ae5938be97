/* SPDX-License-Identifier: MIT */
/*
 * Arrays of real numbers from .npy, IDX and PNG files, brought into the shape and order
 * that a network's input takes.
 */
#ifndef COMPRESS_ARRAY_H
#define COMPRESS_ARRAY_H

#include <stdbool.h>

#include <compress/graph.h>
#include <compress/quantize.h>

/* Order of an image array's axes. */
enum array_layout {
	ARRAY_LAYOUT_AUTO, /* by the number of channels; NCHW when both fit */
	ARRAY_LAYOUT_NCHW,
	ARRAY_LAYOUT_NHWC,
	ARRAY_LAYOUT_NCL, /* signals, taken as images that are one pixel wide */
};

/**
 * struct array_port - what an input takes
 * @name: for messages
 * @shape: [N, F], [N, C, H, W] or [T, N, F]; a negative dimension is free
 * @range: of a picture, black and white; low = high if unknown
 */
struct array_port {
	const char *name;
	struct graph_shape shape;
	struct quantize_range range;
};

/**
 * struct array - numbers in row-major order
 * @shape: as the port's, with every dimension known
 * @values: finite
 * @layout: what an image's file had: NCHW, NHWC or NCL; @values are NCHW in any case
 */
struct array {
	struct graph_shape shape;
	float *values;
	enum array_layout layout;
};

/*
 * Read a .npy file (any number type), a picture if the path ends in .png, or IDX if it
 * is called as MNIST's files are (…-idx3-ubyte, perhaps .gz). An
 * axis that says "one only" may be absent: the batch, the channel of gray images.
 * Images may be flat where features are wanted. Return 0; -EINVAL, with a text that
 * names both shapes, for what does not fit, or is not finite; what the file system
 * says; -ENOMEM. The array goes back with array_release().
 */
int array_read(struct array *array, const struct array_port *port,
	       const char *path, enum array_layout layout);

void array_release(struct array *array);

/* Is it a PNG by its name? */
bool array_path_is_png(const char *path);

/* [N,H,W,C] to [N,C,H,W]: @shape is of the result. */
void array_to_nchw(const float *nhwc, const struct graph_shape *shape,
		   float *nchw);

#endif
