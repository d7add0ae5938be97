/* SPDX-License-Identifier: MIT */
/* One bank: its open row, and the requests that wait for it, oldest first. */
#ifndef SIM_DRAM_BANK_H
#define SIM_DRAM_BANK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/dram/controller.h"

#define DRAM_ROW_CLOSED UINT32_MAX
#define DRAM_NO_POSITION 255u

struct dram_waiting {
	uint32_t row;
	uint32_t column;
	uint32_t age; /* order of acceptance, modulo 2³² */
	uint16_t entry; /* of the pending requests */
};

/**
 * struct dram_bank - a bank and its queue
 * @queue: at most 64, since a bit of a mask stands for each position
 * @hit: positions that want the open row
 * @write: positions of writes
 * @columns: column commands since its ACT
 */
struct dram_bank {
	struct dram_waiting queue[DRAM_BANK_QUEUE_MAX];
	uint64_t hit;
	uint64_t write;
	uint32_t count;
	uint32_t open_row;
	uint32_t columns;
};

void dram_bank_push(struct dram_bank *bank, const struct dram_waiting *waiting,
		    bool write);
void dram_bank_remove(struct dram_bank *bank, uint32_t position);

/* Opens a row, or closes it: DRAM_ROW_CLOSED. */
void dram_bank_set(struct dram_bank *bank, uint32_t row);

/* The oldest write to the open row that no older read of its address precedes. */
uint32_t dram_bank_write_hit(const struct dram_bank *bank);

static inline uint32_t dram_bank_first(uint64_t positions)
{
	return positions ? (uint32_t)__builtin_ctzll(positions) :
			   DRAM_NO_POSITION;
}

#endif
