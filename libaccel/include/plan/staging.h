/* SPDX-License-Identifier: MIT */
/* What lies in the plan's host memory: inputs, outputs, states and statistics. */
#ifndef PLAN_STAGING_H
#define PLAN_STAGING_H

#include "model/model.h"
#include "plan/memory.h"
#include "plan/shape.h"

#define PLAN_STAGING_ALIGNMENT 64

/**
 * struct plan_staging_state - a recurrent layer's state before and after a run
 * @cell_in: offset of H × B binary32
 * @hidden_in: offset of H × B int8
 * @cell_out: likewise
 * @hidden_out: likewise
 * @values: H × B
 */
struct plan_staging_state {
	uint64_t cell_in;
	uint64_t hidden_in;
	uint64_t cell_out;
	uint64_t hidden_out;
	uint64_t values;
};

/**
 * struct plan_staging - offsets
 * @inputs: of each input of the model
 * @outputs: of each output
 * @states: in the order of the plan_memory's
 * @stats: of a struct spmm_command_stats for each command
 * @length: of all
 */
struct plan_staging {
	uint64_t *inputs;
	uint64_t *outputs;
	struct plan_staging_state *states;
	uint64_t stats;
	uint64_t length;
};

int plan_staging_create(const struct model *model,
			const struct plan_shape *shape,
			const struct plan_memory *memory,
			uint32_t command_count, struct plan_staging *staging);
void plan_staging_free(struct plan_staging *staging);

#endif
