/* SPDX-License-Identifier: MIT */
/*
 * An independent check of a command stream against a standard: it keeps the
 * whole history it needs and shares no state and no code with the controller.
 */
#ifndef SIM_DRAM_CHECKER_H
#define SIM_DRAM_CHECKER_H

#include <stddef.h>

#include "sim/dram/controller.h"

struct dram_checker;

int dram_checker_create(const struct dram_standard *standard,
			struct dram_checker **out);
void dram_checker_destroy(struct dram_checker *checker);

/* In order of issue. */
void dram_checker_command(struct dram_checker *checker,
			  enum dram_command command,
			  const struct dram_address *address, uint64_t clock);

uint64_t dram_checker_violations(const struct dram_checker *checker);

/* Text of the first violation, or "" */
const char *dram_checker_first(const struct dram_checker *checker);

#endif
