/* SPDX-License-Identifier: MIT */
#include "original.h"

#include <core/error.h>
#include <metrics/pixel_error.h>

#include <errno.h>

double original_compare(const struct original *original, const float *values)
{
	const struct graph_shape *shape = &original->pictures.shape;
	const struct metrics_planes planes = {
		.planes = (size_t)(shape->dims[0] * shape->dims[1]),
		.height = (size_t)shape->dims[2],
		.width = (size_t)shape->dims[3],
	};

	/* networks whose edges are worse show it: no border is left out */
	return metrics_psnr_luminance(original->pictures.values, values,
				      &planes, (size_t)shape->dims[1], 0,
				      original->range);
}

int original_read(struct original *original, const char *path,
		  enum array_layout layout, const struct reference *reference,
		  struct quantize_range range)
{
	const struct graph_shape *shape = &reference->shape;
	const struct array_port port = {
		.name = "the result",
		.shape = *shape,
		.range = range,
	};
	int ret;

	*original = (struct original){ .range = range };
	if (shape->rank != 4 || (shape->dims[1] != 1 && shape->dims[1] != 3))
		return accel_error(
			-EINVAL,
			"%s: an original is of pictures, and this network's result is none",
			path);
	ret = array_read(&original->pictures, &port, path, layout);
	if (!ret)
		original->dense = original_compare(original, reference->values);
	return ret;
}

void original_release(struct original *original)
{
	array_release(&original->pictures);
}
