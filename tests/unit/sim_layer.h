/* SPDX-License-Identifier: MIT */
/*
 * Random layers for tests of the simulated device, and naive references that
 * share no code with it: dense loops in the order of the specification's
 * formulas. Packing alone is the product's.
 */
#ifndef SIM_LAYER_H
#define SIM_LAYER_H

#include "sim_host.h"

#include <pack/geometry.h>

/* Deterministic on every machine. */
uint32_t layer_random(uint64_t *state);
uint32_t layer_between(uint64_t *state, uint32_t low, uint32_t high);

/* A bump allocator of device memory, of offsets for host_device(). */
struct layer_memory {
	struct test_host *host;
	uint64_t used;
};

uint64_t layer_allocate(struct layer_memory *memory, uint64_t bytes);

/**
 * struct layer - a random SPMM, in device memory and as plain arrays
 * @d: complete descriptor
 * @dense: M × K weights
 * @kept: M × K, whether the position is kept
 * @output_offset: of the output in device memory
 * @output_bytes: as far as any byte of it may be written
 */
struct layer {
	struct spmm_descriptor d;
	uint64_t descriptor_offset;
	int8_t *dense;
	uint64_t nonzeros;
	uint64_t output_offset;
	uint64_t output_bytes;
};

/* What varies; fill it at random or by hand. */
struct layer_shape {
	uint32_t rows, channels, batch;
	uint32_t kernel_height, kernel_width;
	uint32_t stride_height, stride_width;
	uint32_t dilation_height, dilation_width;
	int32_t pad_top, pad_left;
	uint32_t height, width; /* of the input */
	uint32_t result_height, result_width;
	uint32_t shuffle_height, shuffle_width;
	uint32_t replicate_height, replicate_width;
	uint32_t crop; /* rows and columns cut off the output */
	uint32_t gap; /* bytes between rows and between planes */
	uint32_t percent; /* kept weights */
	uint8_t output_type;
	uint16_t flags;
};

/* A plain 3 × 3 convolution of one image, of such a size before and after it. */
struct layer_shape layer_shape_plain(uint32_t rows, uint32_t channels,
				     uint32_t height, uint32_t width,
				     uint32_t percent);
void layer_shape_random(uint64_t *state, struct layer_shape *shape);
void layer_create(struct layer_memory *memory, uint64_t *state,
		  const struct layer_shape *shape, struct layer *out);
void layer_free(struct layer *layer);
void layer_geometry(struct test_host *host, struct geometry *out);

/* The entry that runs it, with statistics at offset 0 of device memory. */
struct spmm_sqe layer_entry(const struct layer *layer);

/* Packs a matrix of which 0 means "not kept"; the offset of the stream. */
uint64_t layer_pack(struct layer_memory *memory, const int8_t *dense,
		    uint32_t rows, uint32_t columns, uint64_t result_columns,
		    uint32_t kernel_width, __le64 *length);

/* Writes to @image, output_bytes long, what the device must. */
void layer_reference(struct test_host *host, const struct layer *layer,
		     uint8_t *image);

/* Round half to even and saturate, by libm in the default rounding mode. */
int8_t reference_saturate(float value, int32_t zero);

#endif
