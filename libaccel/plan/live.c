/* SPDX-License-Identifier: MIT */
#include "plan/live.h"

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"

/* Of the SRAM, what activations may take; the rest is weights' and what is in flight. */
#define ACTIVATIONS_NUMERATOR 7
#define ACTIVATIONS_DENOMINATOR 8

/* The last moment at which a byte of a written range is read. */
static uint32_t last_use(const struct plan_memory *memory, uint32_t node)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < memory->tensor_count; i++)
		if (memory->last_read[i] > last &&
		    storage_overlap(&memory->storage, i, node))
			last = memory->last_read[i];
	return last;
}

/* Bytes that exist between two layers: written before, still to be read. */
static void live_add(uint64_t *live, uint32_t layers, uint32_t first,
		     uint32_t last, uint64_t bytes)
{
	for (uint32_t i = first; i < layers && i + 1 < last; i++)
		live[i] += bytes;
}

uint64_t plan_live_bytes(const struct model *model,
			 const struct plan_memory *memory, uint64_t *live)
{
	uint64_t most = 0;

	for (uint32_t l = 0; l < model->layer_count; l++)
		live[l] = 0;
	for (uint32_t l = 0; l < model->layer_count; l++)
		for (uint32_t i = 0; i < model->layers[l].output_count; i++) {
			int32_t tensor = model->layers[l].outputs[i];

			if (tensor == MODEL_NO_TENSOR ||
			    !memory->storage.nodes[tensor].written)
				continue;
			live_add(live, model->layer_count, l,
				 last_use(memory, (uint32_t)tensor),
				 memory->bytes[tensor]);
		}
	/* From where the value lives in its copy alone. */
	for (uint32_t i = 0; i < memory->copy_count; i++) {
		const struct plan_copy *copy = &memory->copies[i];
		uint32_t first = last_use(memory, copy->tensor);

		live_add(live, model->layer_count, first ? first - 1 : 0,
			 last_use(memory, copy->node),
			 memory->bytes[copy->tensor]);
	}
	for (uint32_t l = 0; l < model->layer_count; l++)
		if (live[l] > most)
			most = live[l];
	return most;
}

/**
 * struct occupancy - bytes that are written or read at a moment or wait meanwhile
 * @bytes: for each moment up to the last layer's
 * @moments: of @bytes
 */
struct occupancy {
	uint64_t *bytes;
	uint32_t moments;
};

static void occupancy_change(struct occupancy *occupancy, uint32_t first,
			     uint32_t last, int64_t bytes)
{
	for (uint32_t m = first; m < occupancy->moments && m <= last; m++)
		occupancy->bytes[m] += (uint64_t)bytes;
}

static void occupancy_fill(const struct model *model,
			   const struct plan_memory *memory,
			   struct occupancy *occupancy)
{
	for (uint32_t i = 0; i < model->input_count; i++) {
		uint32_t tensor = (uint32_t)model->inputs[i].tensor;

		occupancy_change(occupancy, PLAN_MOMENT_INPUTS,
				 last_use(memory, tensor),
				 (int64_t)memory->bytes[tensor]);
	}
	for (uint32_t l = 0; l < model->layer_count; l++)
		for (uint32_t i = 0; i < model->layers[l].output_count; i++) {
			int32_t tensor = model->layers[l].outputs[i];

			if (tensor == MODEL_NO_TENSOR ||
			    !memory->storage.nodes[tensor].written)
				continue;
			occupancy_change(occupancy, PLAN_MOMENT_OF_LAYER(l),
					 last_use(memory, (uint32_t)tensor),
					 (int64_t)memory->bytes[tensor]);
		}
	for (uint32_t i = 0; i < memory->copy_count; i++)
		occupancy_change(
			occupancy, memory->copies[i].moment,
			last_use(memory, memory->copies[i].node),
			(int64_t)memory->bytes[memory->copies[i].tensor]);
}

/* The copy that waits longest, of those that wait at a moment. */
static struct plan_copy *longest_wait(struct plan_memory *memory,
				      uint32_t moment)
{
	struct plan_copy *best = NULL;
	uint32_t longest = 0;

	for (uint32_t i = 0; i < memory->copy_count; i++) {
		struct plan_copy *copy = &memory->copies[i];
		uint32_t last = last_use(memory, copy->node);

		if (copy->stream || copy->moment > moment || last <= moment ||
		    last - copy->moment <= longest)
			continue;
		longest = last - copy->moment;
		best = copy;
	}
	return best;
}

int plan_live_spill(const struct model *model, struct plan_memory *memory,
		    uint64_t sram_bytes)
{
	uint64_t room =
		sram_bytes / ACTIVATIONS_DENOMINATOR * ACTIVATIONS_NUMERATOR;
	struct occupancy occupancy = { .moments = model->layer_count + 1 };
	struct plan_copy *copy;

	occupancy.bytes =
		calloc((size_t)occupancy.moments, sizeof(*occupancy.bytes));
	if (!occupancy.bytes)
		return accel_error(-ENOMEM, "out of memory");
	occupancy_fill(model, memory, &occupancy);
	for (uint32_t m = 0; m < occupancy.moments; m++) {
		while (occupancy.bytes[m] > room &&
		       (copy = longest_wait(memory, m))) {
			copy->stream = true;
			occupancy_change(&occupancy, copy->moment,
					 last_use(memory, copy->node),
					 -(int64_t)memory->bytes[copy->tensor]);
		}
	}
	free(occupancy.bytes);
	return 0;
}
