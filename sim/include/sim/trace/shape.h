/* SPDX-License-Identifier: MIT */
#ifndef SIM_TRACE_SHAPE_H
#define SIM_TRACE_SHAPE_H

#include <stdint.h>

/**
 * struct trace_shape - what a record has to know of the device
 * @clock_hz: of the cycles
 * @clusters: of the array
 * @channels: of the DRAM
 * @engines: of the DMA
 */
struct trace_shape {
	uint32_t clock_hz;
	uint32_t clusters;
	uint32_t channels;
	uint32_t engines;
};

#endif
