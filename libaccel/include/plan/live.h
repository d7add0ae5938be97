/* SPDX-License-Identifier: MIT */
/* How much of the activations is alive at a time, and what is not to stay on chip. */
#ifndef PLAN_LIVE_H
#define PLAN_LIVE_H

#include <stdint.h>

#include "model/model.h"
#include "plan/memory.h"

/**
 * plan_live_bytes() - results that exist between two layers
 * @model: of the plan
 * @memory: of the plan
 * @live: result: for each layer of the model, bytes that have been written before
 *	the next one and will still be read behind it; a value that has been copied
 *	counts once
 */
void plan_live_bytes(const struct model *model,
		     const struct plan_memory *memory, uint64_t *live);

/* Bytes of an SRAM that activations may take. */
uint64_t plan_live_room(uint64_t sram_bytes);

/* Bytes that are written or read at a moment, or wait meanwhile; copies count. */
uint64_t plan_live_occupied(const struct model *model,
			    const struct plan_memory *memory, uint32_t moment);

/**
 * plan_live_spill() - choose the copies that go to device memory at once
 * @model: of the plan
 * @memory: of the plan; @copies get their stream
 * @sram_bytes: of the device
 *
 * Where more lives than the SRAM holds, those that wait longest for their reader give
 * way: left alone, they would displace each other in order of their age, and all
 * would be gone when they are read.
 */
void plan_live_spill(const struct model *model, struct plan_memory *memory,
		     uint64_t sram_bytes);

#endif
