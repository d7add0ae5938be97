/* SPDX-License-Identifier: MIT */
/*
 * Bands: a layer and its only reader take turns, some rows of the image each, where
 * the whole of what lies between them would not find room in the SRAM.
 */
#ifndef PLAN_BAND_H
#define PLAN_BAND_H

#include "pack/geometry.h"
#include "plan/memory.h"

/* Bands of one pair of layers, at most. */
#define PLAN_BANDS_MAX 16

/**
 * struct plan_rows - rows of an SPMM's result, before its store
 * @first: first row
 * @end: behind the last; beyond the result: all that are left
 */
struct plan_rows {
	uint32_t first;
	uint32_t end;
};

#define PLAN_ROWS_ALL ((struct plan_rows){ 0, UINT32_MAX })

/**
 * struct plan_band_context - what the choice depends on
 * @model: of the plan
 * @shape: of the plan
 * @memory: of the plan
 * @sram_bytes: of the device
 */
struct plan_band_context {
	const struct model *model;
	const struct plan_shape *shape;
	const struct plan_memory *memory;
	uint64_t sram_bytes;
};

/* In how many bands a layer and the next should be executed; 1: one after the other. */
uint32_t plan_band_count(const struct plan_band_context *context,
			 uint32_t layer);

/*
 * The rows of a band that the layer makes, and those of the next layer that can be
 * made then and not before. The latter may be none.
 */
void plan_band_rows(const struct plan_band_context *context, uint32_t layer,
		    uint32_t count, uint32_t band, struct plan_rows *writer,
		    struct plan_rows *reader);

#endif
