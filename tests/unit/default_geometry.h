/* SPDX-License-Identifier: MIT */
/* What the default device reports of itself, as far as packing and mapping look. */
#ifndef TEST_DEFAULT_GEOMETRY_H
#define TEST_DEFAULT_GEOMETRY_H

#include <pack/geometry.h>

static const struct geometry default_geometry = {
	.clusters = 16,
	.lanes = 8,
	.vector_width = 32,
	.banks = 16,
	.accumulators = 4,
	.decoder_rate = 8,
	.schedule_window = 16,
	.epilogue_rate = 1,
	.sram_port_bytes = 256,
};

#endif
