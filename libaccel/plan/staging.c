/* SPDX-License-Identifier: MIT */
#include "plan/staging.h"

#include <linux/types.h>
#include <spmm/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/integer.h"

/* Sizes were checked with the shape; their sum cannot overflow. */
static uint64_t take(struct plan_staging *staging, uint64_t bytes)
{
	uint64_t offset = staging->length;

	staging->length = align_up(offset + bytes, PLAN_STAGING_ALIGNMENT);
	return offset;
}

static void states_take(const struct model *model,
			const struct plan_shape *shape,
			const struct plan_memory *memory,
			struct plan_staging *staging)
{
	for (uint32_t i = 0; i < memory->state_count; i++) {
		const struct model_layer *layer =
			&model->layers[memory->states[i].layer];
		struct plan_staging_state *state = &staging->states[i];

		state->values =
			(uint64_t)layer->recurrent.hidden * shape->batch;
		state->cell_in = take(staging, state->values * sizeof(float));
		state->hidden_in = take(staging, state->values);
		state->cell_out = take(staging, state->values * sizeof(float));
		state->hidden_out = take(staging, state->values);
	}
}

int plan_staging_create(const struct model *model,
			const struct plan_shape *shape,
			const struct plan_memory *memory,
			uint32_t command_count, struct plan_staging *staging)
{
	memset(staging, 0, sizeof(*staging));
	staging->inputs = calloc((size_t)model->input_count + 1,
				 sizeof(*staging->inputs));
	staging->outputs = calloc((size_t)model->output_count + 1,
				  sizeof(*staging->outputs));
	staging->states = calloc((size_t)memory->state_count + 1,
				 sizeof(*staging->states));
	if (!staging->inputs || !staging->outputs || !staging->states)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i < model->input_count; i++)
		staging->inputs[i] =
			take(staging, memory->bytes[model->inputs[i].tensor]);
	for (uint32_t i = 0; i < model->output_count; i++)
		staging->outputs[i] =
			take(staging, memory->bytes[model->outputs[i].tensor]);
	states_take(model, shape, memory, staging);
	staging->stats = take(
		staging, command_count * sizeof(struct spmm_command_stats));
	return 0;
}

void plan_staging_free(struct plan_staging *staging)
{
	free(staging->inputs);
	free(staging->outputs);
	free(staging->states);
	memset(staging, 0, sizeof(*staging));
}
