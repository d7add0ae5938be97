/* SPDX-License-Identifier: MIT */
/* What a device reports about itself and the packer and planner depend on. */
#ifndef PACK_GEOMETRY_H
#define PACK_GEOMETRY_H

#include <stdint.h>

struct geometry {
	uint32_t clusters;
	uint32_t lanes; /* per cluster */
	uint32_t vector_width; /* int8 values */
	uint32_t banks; /* per cluster */
	uint32_t accumulators; /* live rows per lane */
	uint32_t decoder_rate; /* non-zeros per cycle per cluster */
	uint32_t activation_buffer; /* bytes per cluster */
	uint32_t schedule_window;
	uint32_t sram_port_bytes; /* per cycle per cluster, each way */
	uint32_t epilogue_rate; /* vectors per cycle per cluster */
	uint32_t clock_hz;
	uint32_t memory_kind; /* enum spmm_memory_kind */
	uint64_t sram_bytes;
	uint64_t memory_bytes;
	uint64_t memory_bandwidth; /* attainable bytes per second */
	uint64_t link_bandwidth; /* attainable bytes per second, each way */
};

#endif
