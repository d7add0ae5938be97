/* SPDX-License-Identifier: MIT */
#include "plan/energy.h"

#include <stddef.h>
#include <string.h>

#define TPUV4I                                                               \
	"Jouppi et al., Ten Lessons From Three Generations Shaped Google's " \
	"TPUv4i, ISCA 2021, "
#define TPUV4I_TABLE TPUV4I "table 2, 7 nm: "

/* Those that do not depend on the memory. */
static const struct energy_action common[ENERGY_KINDS] = {
	[ENERGY_MAC] = { "int8 MAC", "mac", 0.07 + 0.03,
			 TPUV4I_TABLE
			 "int8 multiply 0.07 pJ + int32 add 0.03 pJ" },
	/* A bank of 256 KiB in 16 banks has 16 KiB. */
	[ENERGY_BUFFER_BYTE] = { "activation buffer byte", "buffer_byte",
				 (7.5 + 8.5) / 2 / 8,
				 TPUV4I_TABLE
				 "SRAM of 8 KB 7.5 pJ and of 32 KB 8.5 pJ for 64 "
				 "bits; the mean for banks of 16 KB" },
	[ENERGY_SRAM_BYTE] = { "SRAM byte", "sram_byte", 14.0 / 8,
			       TPUV4I_TABLE
			       "SRAM of 1 MB 14 pJ for 64 bits; larger ones are "
			       "banks of it, the wires to them left out" },
	[ENERGY_PCIE_BYTE] = { "PCIe byte", "pcie_byte", 2 * 1.93 * 8,
			       "Bae, Cho et al., A 1.93-pJ/Bit PCI Express Gen4 "
			       "PHY Transmitter, Electronics 2021, 10(1), 68, 28 "
			       "nm; a receiver is taken to need the same" },
	[ENERGY_CHIP_IDLE] = { "chip idle, multiplier ns", "chip_idle",
			       55e3 / (4 * 128 * 128),
			       TPUV4I
			       "table 1: 55 W idle, of 4 arrays of 128 x "
			       "128 multipliers, 7 nm; taken to scale "
			       "with their number" },
};

/**
 * struct memory_figures - what depends on the standard
 * @name: of it
 * @byte: mean of reading and writing, pJ
 * @activate: pJ
 * @idle: pJ for each byte that the peak rate could have moved meanwhile
 * @byte_source: of @byte
 * @activate_source: of @activate
 * @idle_source: of @idle
 */
struct memory_figures {
	const char *name;
	double byte;
	double activate;
	double idle;
	const char *byte_source;
	const char *activate_source;
	const char *idle_source;
};

#define CURRENTS_DDR4                                                        \
	"DDR4-3200, 8 Gbit x8, currents of DRAMsim3's DDR4_8Gb_x8_3200.ini " \
	"by the method of Micron TN-40-07, 8 devices: "
#define CURRENTS_LPDDR5X                                                     \
	"Micron Y52P LPDDR5X data sheet, table 18 (largest currents, VDD2H " \
	"alone, 7500 MT/s, x16), by the method of Micron TN-40-07: "
#define FGDRAM                                                                  \
	"O'Connor et al., Fine-Grained DRAM, MICRO 2017, table 3, HBM2; taken " \
	"for HBM2E: "

/*
 * mA times V times ns are pJ. An activate and its precharge: IDD0 for a row cycle less
 * IDD3N while the row is open and IDD2N while it is not. A burst: IDD4 less IDD3N.
 * Idle: IDD3N, and what IDD5 is above it for tRFC of each tREFI.
 */
static const struct memory_figures memories[] = {
	/* The first stands in for those that are not known. */
	{ .name = "LPDDR5X",
	  .byte = 1.05 * ((390 - 40) + (265 - 40)) / 2 / 15.0,
	  .activate = 1.05 * (53 * 60 - 40 * 42 - 32.5 * 18),
	  .idle = 1.05 * (40 + (205 - 40) * 280 / 3906.0) / 17.066,
	  .byte_source = CURRENTS_LPDDR5X
	  "IDD4R 390, IDD4W 265, IDD3N 40 mA, 1.05 V, 15 GB/s; termination and "
	  "the controller's PHY left out",
	  .activate_source = CURRENTS_LPDDR5X
	  "IDD0 53, IDD3N 40, IDD2N 32.5 mA; tRAS 42 ns and tRP 18 ns are "
	  "estimates",
	  .idle_source = CURRENTS_LPDDR5X
	  "IDD3N 40, IDD5 205 mA for 280 ns of 3906, at 8533 MT/s" },
	{ .name = "DDR4",
	  .byte = 1.2 * ((168 - 52) + (150 - 52)) / 2 * 2.5 / 8,
	  .activate = 8 * 1.2 * (57 * 46.62 - 52 * 32.76 - 37 * 13.86),
	  .idle = 8 * 1.2 * (52 + (250 - 52) * 350 / 7800.0) / 25.6,
	  .byte_source = CURRENTS_DDR4
	  "IDD4R 168, IDD4W 150, IDD3N 52 mA, 1.2 V, 8 bytes in 2.5 ns; "
	  "termination and the controller's PHY left out",
	  .activate_source = CURRENTS_DDR4
	  "IDD0 57, IDD3N 52, IDD2N 37 mA, tRAS 32.76 ns, tRP 13.86 ns",
	  .idle_source = CURRENTS_DDR4
	  "IDD3N 52, IDD5 250 mA for 350 ns of 7800, 25.6 GB/s" },
	{ .name = "HBM2E",
	  .byte = (1.51 + 1.17 + 0.80) * 8,
	  .activate = 909,
	  .idle = 1.2 * (55 + (250 - 55) * 260 / 3900.0) / 32,
	  .byte_source = FGDRAM
	  "1.51 + 1.17 pJ/bit inside the stack, 0.80 over the interposer",
	  .activate_source = FGDRAM "909 pJ for a row of 1 KB",
	  .idle_source =
		  "HBM2, a channel of 128 bits, currents of DRAMsim3's "
		  "HBM2_8Gb_x128.ini: IDD3N 55, IDD5 250 mA for 260 ns of 3900, "
		  "1.2 V, 32 GB/s; taken for HBM2E" },
};

static const struct memory_figures *find_memory(const char *name)
{
	for (size_t i = 0; name && i < sizeof(memories) / sizeof(*memories);
	     i++)
		if (!strcmp(memories[i].name, name))
			return &memories[i];
	return &memories[0];
}

void energy_table_for(const char *memory, struct energy_table *table)
{
	const struct memory_figures *figures = find_memory(memory);

	table->memory = figures->name;
	memcpy(table->actions, common, sizeof(common));
	table->actions[ENERGY_DRAM_BYTE] =
		(struct energy_action){ "DRAM byte", "dram_byte", figures->byte,
					figures->byte_source };
	table->actions[ENERGY_DRAM_ACTIVATE] =
		(struct energy_action){ "DRAM activate", "dram_activate",
					figures->activate,
					figures->activate_source };
	table->actions[ENERGY_DRAM_IDLE] =
		(struct energy_action){ "DRAM idle, byte of bandwidth",
					"dram_idle", figures->idle,
					figures->idle_source };
}

struct energy energy_estimate(const struct energy_table *table,
			      const struct energy_counts *counts)
{
	const double amounts[ENERGY_KINDS] = {
		[ENERGY_MAC] = (double)counts->macs,
		[ENERGY_BUFFER_BYTE] =
			(double)counts->macs + (double)counts->sram_bytes,
		[ENERGY_SRAM_BYTE] = (double)counts->sram_bytes,
		[ENERGY_DRAM_BYTE] = (double)counts->dram_bytes,
		[ENERGY_DRAM_ACTIVATE] = (double)counts->dram_activates,
		[ENERGY_PCIE_BYTE] = (double)counts->pcie_bytes,
		[ENERGY_CHIP_IDLE] =
			1e9 * counts->seconds * (double)counts->multipliers,
		[ENERGY_DRAM_IDLE] =
			counts->seconds * (double)counts->dram_bandwidth,
	};
	struct energy energy = { .total = 0 };

	for (int i = 0; i < ENERGY_KINDS; i++) {
		energy.joules[i] =
			amounts[i] * table->actions[i].picojoules * 1e-12;
		energy.total += energy.joules[i];
	}
	return energy;
}
