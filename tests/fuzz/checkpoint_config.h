/* SPDX-License-Identifier: MIT */
/* The device whose checkpoints are fuzzed: little memory. */
#ifndef CHECKPOINT_CONFIG_H
#define CHECKPOINT_CONFIG_H

#include <sim/config.h>

static inline int checkpoint_config(struct sim_config *config)
{
	int ret = sim_config_preset("small", config);

	config->memory_bytes = 1 << 20;
	config->sram_bytes = 65536;
	config->prefetch_bytes = 4096;
	return ret;
}

#endif
