/* SPDX-License-Identifier: MIT */
#ifndef TOOL_PICTURE_H
#define TOOL_PICTURE_H

#include <accel/types.h>
#include <compress/quantize.h>

/*
 * Write a batch of images, [N,C,H,W] or [N,H,W,C] with C of 1 or 3, as one PNG: a
 * grid if there are several. Return 0; −EINVAL if it is no image; −EIO and others.
 */
int picture_write(const char *path, const float *values,
		  const struct accel_port_info *port, enum accel_layout layout,
		  struct quantize_range range);

#endif
