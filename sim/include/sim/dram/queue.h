/* SPDX-License-Identifier: MIT */
/* From the read and the write queue to those of the banks. */
#ifndef SIM_DRAM_QUEUE_H
#define SIM_DRAM_QUEUE_H

#include "sim/dram/controller_state.h"

void dram_queue_push(struct dram_queue *queue, uint16_t entry, uint32_t bank);

/* The oldest request whose bank's queue has room, or DRAM_NO_POSITION. */
uint32_t dram_queue_find(const struct dram_controller *controller,
			 const struct dram_queue *queue);

/* Has a read of the same address been accepted and not issued? */
bool dram_queue_read_pending(const struct dram_controller *controller,
			     const struct dram_queue *queue, uint32_t position);

/* Moves a request to its bank's queue, which has room. */
void dram_queue_move(struct dram_controller *controller,
		     struct dram_queue *queue, uint32_t position);

#endif
