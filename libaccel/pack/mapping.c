/* SPDX-License-Identifier: MIT */
#include "pack/mapping.h"

#include "core/integer.h"
#include "pack/schedule.h"

/* Sixteenths of a byte that a weight takes in a stream: 12 bits and a little. */
#define WEIGHT_BYTES_16 25

/* Cycles that a cluster's port needs to read what one vector takes. */
static uint64_t port_cycles(const struct geometry *geometry,
			    const struct mapping_layer *layer,
			    const struct mapping *mapping, uint64_t weights)
{
	uint64_t lines = layer->inner / max_u64(layer->kernel_width, 1);
	uint64_t width = mapping->vector_width;
	uint64_t bytes;

	if (layer->columns < width)
		width = layer->columns;
	bytes = lines * width + divide_up(weights * WEIGHT_BYTES_16, 16);
	return divide_up(bytes, max_u64(geometry->sram_port_bytes, 1));
}

uint64_t mapping_cycles(const struct geometry *geometry,
			const struct mapping_layer *layer,
			const struct mapping *mapping)
{
	uint64_t split = geometry->vector_width / mapping->vector_width;
	uint64_t vectors =
		divide_up(divide_up(layer->columns, mapping->vector_width),
			  mapping->column_groups);
	uint64_t weights = divide_up(layer->nonzeros, mapping->row_groups);
	uint64_t rows = divide_up(layer->rows, mapping->row_groups);
	uint64_t rate = geometry->lanes * split;
	uint64_t cycles;

	if (rate > geometry->decoder_rate)
		rate = geometry->decoder_rate;
	cycles = divide_up(weights, max_u64(rate, 1));
	cycles = max_u64(cycles,
			 divide_up(rows, max_u64(geometry->epilogue_rate, 1)));
	cycles =
		max_u64(cycles, port_cycles(geometry, layer, mapping, weights));
	return vectors * cycles;
}

struct mapping mapping_choose(const struct geometry *geometry,
			      const struct mapping_layer *layer)
{
	struct mapping best = { 0 };
	uint64_t best_cycles = UINT64_MAX;

	for (uint32_t split = 1; split <= 2; split++) {
		if (geometry->vector_width % split ||
		    geometry->banks > SCHEDULE_BANKS_MAX / split)
			break;
		for (uint32_t r = 1; r <= geometry->clusters; r++) {
			struct mapping mapping = {
				.row_groups = r,
				.column_groups = geometry->clusters / r,
				.vector_width = geometry->vector_width / split,
			};
			uint64_t cycles =
				mapping_cycles(geometry, layer, &mapping);

			if (cycles < best_cycles) {
				best = mapping;
				best_cycles = cycles;
			}
		}
	}
	return best;
}
