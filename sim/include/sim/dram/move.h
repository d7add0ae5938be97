/* SPDX-License-Identifier: MIT */
/* From the read and the write queue to those of the banks. */
#ifndef SIM_DRAM_MOVE_H
#define SIM_DRAM_MOVE_H

#include "sim/dram/controller_state.h"

void dram_queue_push(struct dram_queue *queue, uint16_t entry, uint32_t bank);

/* What moves in one clock; true if the next may bring more. */
bool dram_move(struct dram_controller *controller);

#endif
