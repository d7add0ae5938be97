/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_TYPES_H
#define ACCEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Structures whose first member is @size grow with the library. The caller sets
 * @size to sizeof the structure and everything else that it does not mean to
 * zero; the library reads and writes no more than @size bytes.
 */

struct accel_device;
struct accel_model;
struct accel_plan;
struct accel_queue;
struct accel_buffer;
struct accel_pool;

/* Durations are in nanoseconds; a negative one is an error, 0 only polls. */
#define ACCEL_MILLISECOND ((int64_t)1000000)
#define ACCEL_SECOND (1000 * ACCEL_MILLISECOND)

/* A dimension that is chosen when a plan is made. */
#define ACCEL_DYNAMIC (-1)

#define ACCEL_DIMENSIONS_MAX 4

/**
 * enum accel_layout - the order of the dimensions of a caller's array
 * @ACCEL_LAYOUT_DEFAULT: as the model says (struct accel_port_info)
 * @ACCEL_LAYOUT_NF: [batch, features]
 * @ACCEL_LAYOUT_NCHW: [batch, channels, height, width]
 * @ACCEL_LAYOUT_NHWC: [batch, height, width, channels]; accepted wherever the
 *	model says NCHW
 * @ACCEL_LAYOUT_TNF: [steps, batch, features]
 * @ACCEL_LAYOUT_DNF: [1, batch, features], a recurrent state
 * @ACCEL_LAYOUT_NTF: [batch, steps, features]
 */
enum accel_layout {
	ACCEL_LAYOUT_DEFAULT = 0,
	ACCEL_LAYOUT_NF = 1,
	ACCEL_LAYOUT_NCHW = 2,
	ACCEL_LAYOUT_NHWC = 3,
	ACCEL_LAYOUT_TNF = 4,
	ACCEL_LAYOUT_DNF = 5,
	ACCEL_LAYOUT_NTF = 6,
};

/**
 * struct accel_port_info - an input or output of a model or of a plan
 * @size: sizeof(struct accel_port_info)
 * @name: from the imported graph; belongs to the model
 * @layout: of the caller's float array
 * @dimension_count: how many @dimensions count
 * @dimensions: in the order of @layout; of a model, ACCEL_DYNAMIC where the
 *	plan decides
 * @elements: their product; 0 for a model with dynamic dimensions
 * @channels: channels or features
 * @range_low: the value of black in a picture; equal to @range_high if unknown
 * @range_high: the value of white
 * @scale: of the int8 codes, 0 if the device computes this port in float32
 * @zero: zero point of the int8 codes
 */
struct accel_port_info {
	size_t size;
	const char *name;
	enum accel_layout layout;
	uint32_t dimension_count;
	int64_t dimensions[ACCEL_DIMENSIONS_MAX];
	uint64_t elements;
	uint32_t channels;
	float range_low;
	float range_high;
	float scale;
	int32_t zero;
};

#ifdef __cplusplus
}
#endif

#endif
