/* SPDX-License-Identifier: MIT */
#include "sim/dram/bank.h"

#include <string.h>

void dram_bank_push(struct dram_bank *bank, const struct dram_waiting *waiting,
		    bool write)
{
	uint32_t position = bank->count++;

	bank->queue[position] = *waiting;
	bank->write |= (uint64_t)write << position;
	bank->hit |= (uint64_t)(waiting->row == bank->open_row) << position;
}

/* Drops one bit; those above move down. */
static uint64_t mask_remove(uint64_t mask, uint32_t position)
{
	uint64_t below = (1ull << position) - 1;

	return (mask & below) | (mask >> 1 & ~below);
}

void dram_bank_remove(struct dram_bank *bank, uint32_t position)
{
	bank->count--;
	for (uint32_t i = position; i < bank->count; i++)
		bank->queue[i] = bank->queue[i + 1];
	bank->write = mask_remove(bank->write, position);
	bank->hit = mask_remove(bank->hit, position);
}

void dram_bank_set(struct dram_bank *bank, uint32_t row)
{
	bank->open_row = row;
	bank->columns = 0;
	bank->hit = 0;
	for (uint32_t i = 0; i < bank->count; i++)
		bank->hit |= (uint64_t)(bank->queue[i].row == row) << i;
}

static bool read_precedes(const struct dram_bank *bank, uint32_t position)
{
	uint64_t reads = bank->hit & ~bank->write & ((1ull << position) - 1);

	for (; reads; reads &= reads - 1)
		if (bank->queue[__builtin_ctzll(reads)].column ==
		    bank->queue[position].column)
			return true;
	return false;
}

uint32_t dram_bank_write_hit(const struct dram_bank *bank)
{
	uint64_t writes = bank->hit & bank->write;

	for (; writes; writes &= writes - 1) {
		uint32_t position = (uint32_t)__builtin_ctzll(writes);

		if (!read_precedes(bank, position))
			return position;
	}
	return DRAM_NO_POSITION;
}
