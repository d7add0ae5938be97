/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <core/error.h>
#include <formats/image.h>

#include <errno.h>
#include <stdlib.h>

/* As many columns as make the grid about square. */
static size_t grid_columns(size_t count)
{
	size_t columns = 1;

	while (columns * columns < count)
		columns++;
	return columns;
}

/* A single image stays without a grid's border. */
static int write_cells(const char *path, const struct image *cells,
		       size_t count)
{
	struct image grid;
	int ret;

	if (count == 1)
		return image_write_png(path, cells);
	ret = image_grid(&grid, cells, count, grid_columns(count));
	if (ret)
		return ret;
	ret = image_write_png(path, &grid);
	image_release(&grid);
	return ret;
}

int picture_write(const char *path, const float *values,
		  const struct accel_port_info *port, enum accel_layout layout,
		  struct quantize_range range)
{
	const int64_t *dims = port->dimensions;
	size_t count = (size_t)dims[0], made = 0;
	size_t size = count ? port->elements / count : 0;
	struct image *cells;
	int ret = 0;

	if (port->layout != ACCEL_LAYOUT_NCHW || (dims[1] != 1 && dims[1] != 3))
		return accel_error(
			-EINVAL,
			"%s: the output %s is no image of one or three channels",
			path, port->name);
	cells = calloc(count + 1, sizeof(*cells));
	if (!cells)
		return accel_error(-ENOMEM, "no memory for %zu images", count);
	for (; made < count && !ret; made += !ret)
		ret = image_from_tensor(
			&cells[made], values + made * size,
			layout == ACCEL_LAYOUT_NHWC ? IMAGE_HWC : IMAGE_CHW,
			(size_t)dims[1], (size_t)dims[2], (size_t)dims[3],
			range.low, range.high);
	if (!ret)
		ret = write_cells(path, cells, count);
	while (made)
		image_release(&cells[--made]);
	free(cells);
	return ret;
}
