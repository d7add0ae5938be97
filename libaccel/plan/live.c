/* SPDX-License-Identifier: MIT */
#include "plan/live.h"

#include <stddef.h>

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

void plan_live_bytes(const struct model *model,
		     const struct plan_memory *memory, uint64_t *live)
{
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
}

uint64_t plan_live_room(uint64_t sram_bytes)
{
	return sram_bytes / ACTIVATIONS_DENOMINATOR * ACTIVATIONS_NUMERATOR;
}

static uint64_t bytes_at(uint32_t moment, uint32_t first, uint32_t last,
			 uint64_t bytes)
{
	return first <= moment && moment <= last ? bytes : 0;
}

uint64_t plan_live_occupied(const struct model *model,
			    const struct plan_memory *memory, uint32_t moment)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model->input_count; i++) {
		uint32_t tensor = (uint32_t)model->inputs[i].tensor;

		sum += bytes_at(moment, PLAN_MOMENT_INPUTS,
				last_use(memory, tensor),
				memory->bytes[tensor]);
	}
	for (uint32_t l = 0; l < model->layer_count; l++)
		for (uint32_t i = 0; i < model->layers[l].output_count; i++) {
			int32_t tensor = model->layers[l].outputs[i];

			if (tensor != MODEL_NO_TENSOR &&
			    memory->storage.nodes[tensor].written)
				sum += bytes_at(moment, PLAN_MOMENT_OF_LAYER(l),
						last_use(memory,
							 (uint32_t)tensor),
						memory->bytes[tensor]);
		}
	for (uint32_t i = 0; i < memory->copy_count; i++)
		if (!memory->copies[i].stream)
			sum += bytes_at(
				moment, memory->copies[i].moment,
				last_use(memory, memory->copies[i].node),
				memory->bytes[memory->copies[i].tensor]);
	return sum;
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

void plan_live_spill(const struct model *model, struct plan_memory *memory,
		     uint64_t sram_bytes)
{
	uint64_t room = plan_live_room(sram_bytes);
	struct plan_copy *copy;

	for (uint32_t m = 0; m <= model->layer_count; m++)
		while (plan_live_occupied(model, memory, m) > room &&
		       (copy = longest_wait(memory, m)))
			copy->stream = true;
}
