// SPDX-License-Identifier: MIT
#include "pack/mapping.h"

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

uint64_t mapping_cycles(const struct geometry *geometry,
			const struct mapping_layer *layer,
			const struct mapping *mapping)
{
	uint64_t split = geometry->vector_width / mapping->vector_width;
	uint64_t vectors =
		divide_up(divide_up(layer->columns, mapping->vector_width),
			  mapping->column_groups);
	uint64_t share = divide_up(layer->nonzeros, mapping->row_groups);
	uint64_t rate = geometry->lanes * split;
	uint64_t issue, epilogue;

	if (rate > geometry->decoder_rate)
		rate = geometry->decoder_rate;
	issue = divide_up(share, rate);
	epilogue = divide_up(divide_up(layer->rows, mapping->row_groups),
			     geometry->epilogue_rate);
	return vectors * (issue > epilogue ? issue : epilogue);
}

/*
 * Lines of the input spread over the banks only when there are several for each
 * bank; below that the buffer holds the rows of X one by one.
 */
static uint32_t choose_bank_span(const struct geometry *geometry,
				 const struct mapping_layer *layer)
{
	if (layer->kernel_width > 1 &&
	    layer->inner / layer->kernel_width >= 2 * geometry->banks)
		return layer->kernel_width;
	return 1;
}

struct mapping mapping_choose(const struct geometry *geometry,
			      const struct mapping_layer *layer)
{
	struct mapping best = { 0 };
	uint64_t best_cycles = UINT64_MAX;

	for (uint32_t split = 1; split <= 2; split++) {
		if (geometry->vector_width % split)
			break;
		for (uint32_t r = 1; r <= geometry->clusters; r++) {
			struct mapping mapping = {
				.row_groups = r,
				.column_groups = geometry->clusters / r,
				.vector_width = geometry->vector_width / split,
				.bank_span = choose_bank_span(geometry, layer),
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
