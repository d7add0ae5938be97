/* SPDX-License-Identifier: MIT */
#include "plan/energy.h"

#define TPUV4I                                                               \
	"Jouppi et al., Ten Lessons From Three Generations Shaped Google's " \
	"TPUv4i, ISCA 2021, table of energy per operation, 7 nm: "

static const struct energy_action actions[ENERGY_KINDS] = {
	[ENERGY_MAC] = { "int8 MAC", "mac", 0.07 + 0.03,
			 TPUV4I "int8 multiply 0.07 pJ + int32 add 0.03 pJ" },
	[ENERGY_BUFFER_BYTE] = { "activation buffer byte", "buffer_byte",
				 7.5 / 8,
				 TPUV4I "8 KB SRAM, 7.5 pJ for 64 bits" },
	[ENERGY_SRAM_BYTE] = { "SRAM byte", "sram_byte", 14.0 / 8,
			       TPUV4I "1 MB SRAM, 14 pJ for 64 bits" },
	/* Nothing is published for LPDDR5X with its controller and PHY. */
	[ENERGY_DRAM_BYTE] = { "DRAM byte", "dram_byte", 350.0 / 8,
			       TPUV4I
			       "HBM2, 250 to 450 pJ for 64 bits; the middle "
			       "stands for LPDDR5X" },
	[ENERGY_PCIE_BYTE] = { "PCIe byte", "pcie_byte", 2 * 1.93 * 8,
			       "Bae, Cho et al., A 1.93-pJ/Bit PCI Express Gen4 "
			       "PHY Transmitter, Electronics 2021, 10(1), 68; a "
			       "receiver is taken to need the same" },
};

const struct energy_action *energy_actions(void)
{
	return actions;
}

struct energy energy_estimate(uint64_t macs, uint64_t sram_bytes,
			      uint64_t dram_bytes, uint64_t pcie_bytes)
{
	const uint64_t counts[ENERGY_KINDS] = {
		[ENERGY_MAC] = macs,
		[ENERGY_BUFFER_BYTE] = macs,
		[ENERGY_SRAM_BYTE] = sram_bytes,
		[ENERGY_DRAM_BYTE] = dram_bytes,
		[ENERGY_PCIE_BYTE] = pcie_bytes,
	};
	struct energy energy = { .total = 0 };

	for (int i = 0; i < ENERGY_KINDS; i++) {
		energy.joules[i] =
			(double)counts[i] * actions[i].picojoules * 1e-12;
		energy.total += energy.joules[i];
	}
	return energy;
}
