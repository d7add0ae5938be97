/* SPDX-License-Identifier: MIT */
#include "consumption.h"

struct energy consumption_estimate(const struct accel_device_info *device,
				   const struct energy_table *table,
				   const struct accel_layer_info *cost)
{
	const struct energy nothing = { .total = 0 };
	struct energy_counts counts = {
		.macs = cost->macs,
		.sram_bytes = cost->bytes_sram,
		.dram_bytes = cost->bytes_dram,
		.dram_activates = cost->dram_activates,
		.pcie_bytes = cost->bytes_pcie,
		.multipliers = (uint64_t)device->clusters * device->lanes *
			       device->vector_width,
		.dram_bandwidth = device->memory_bandwidth,
	};

	if (!device->clock_hz)
		return nothing;
	counts.seconds = (double)cost->cycles / device->clock_hz;
	return energy_estimate(table, &counts);
}
