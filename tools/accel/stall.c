/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include <linux/types.h>
#include <spmm/queue.h>

static const struct stall_cause causes[ACCEL_STALL_CAUSES] = {
	[SPMM_STALL_ISSUE] = { "issue", "useful work" },
	[SPMM_STALL_BANK] = { "bank", "bank conflicts" },
	[SPMM_STALL_WEIGHTS] = { "weights", "weight decoding" },
	[SPMM_STALL_ACTIVATIONS] = { "activations", "activation ports" },
	[SPMM_STALL_EPILOGUE] = { "epilogue", "epilogue" },
	[SPMM_STALL_TAIL] = { "tail", "uneven ends" },
	[SPMM_STALL_DRAM] = { "dram", "device memory" },
	[SPMM_STALL_DMA] = { "dma", "DMA engine" },
	[SPMM_STALL_PCIE] = { "pcie", "PCIe link" },
	[SPMM_STALL_COMMAND] = { "command", "command fetch" },
	[SPMM_STALL_IDLE] = { "idle", "idle" },
	[SPMM_STALL_RESERVED] = { "reserved", "reserved" },
};

const struct stall_cause *stall_causes(void)
{
	return causes;
}

/* Counters of a device may hold anything: a sum that does not fit is as large as can be. */
static uint64_t sum_of(const uint64_t stall[ACCEL_STALL_CAUSES])
{
	uint64_t sum = 0;

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
		if (__builtin_add_overflow(sum, stall[i], &sum))
			return UINT64_MAX;
	return sum;
}

/* Give the unit that is missing to the largest remainder, and take that away. */
static void round_up_one(uint64_t remainders[ACCEL_STALL_CAUSES],
			 int shares[ACCEL_STALL_CAUSES])
{
	int largest = 0;

	for (int i = 1; i < ACCEL_STALL_CAUSES; i++)
		if (remainders[i] > remainders[largest])
			largest = i;
	shares[largest]++;
	remainders[largest] = 0;
}

void stall_shares(const uint64_t stall[ACCEL_STALL_CAUSES],
		  int shares[ACCEL_STALL_CAUSES])
{
	uint64_t sum = sum_of(stall);
	uint64_t remainders[ACCEL_STALL_CAUSES];
	int missing = sum ? STALL_WHOLE : 0;

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++) {
		unsigned __int128 scaled =
			(unsigned __int128)stall[i] * STALL_WHOLE;

		shares[i] = sum ? (int)(scaled / sum) : 0;
		remainders[i] = sum ? (uint64_t)(scaled % sum) : 0;
		missing -= shares[i];
	}
	while (missing-- > 0)
		round_up_one(remainders, shares);
}

int stall_largest(const int shares[ACCEL_STALL_CAUSES])
{
	int largest = SPMM_STALL_BANK;

	for (int i = SPMM_STALL_BANK; i < ACCEL_STALL_CAUSES; i++)
		if (shares[i] > shares[largest])
			largest = i;
	return largest;
}
