/* SPDX-License-Identifier: MIT */
/*
 * The DRAM of a device's configuration: what its fields make of a standard, which of
 * them contradict each other, and the values of known standards.
 */
#ifndef SIM_DRAM_CONFIGURED_H
#define SIM_DRAM_CONFIGURED_H

#include <sim/config.h>
#include <sim/dram/standard.h>
#include <sim/engine/clock_ratio.h>

#define TLB_WALKERS_MAX 64

/* Set the fields dram_… */
void dram_preset_ddr4(struct sim_config *config);
void dram_preset_lpddr5x(struct sim_config *config);
void dram_preset_hbm2e(struct sim_config *config);

/* −EINVAL with a text that names the fields that cannot be together. */
int dram_config_check(const struct sim_config *config);

/* One channel of a configuration that has passed the check. */
void dram_standard_configure(const struct sim_config *config,
			     struct dram_standard *standard);

/* The command clock against the device's. */
struct clock_ratio dram_clock_ratio(const struct sim_config *config);

#endif
