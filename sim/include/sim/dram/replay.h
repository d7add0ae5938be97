/* SPDX-License-Identifier: MIT */
/* Drives the controllers of a memory system with a trace. */
#ifndef SIM_DRAM_REPLAY_H
#define SIM_DRAM_REPLAY_H

#include "sim/dram/trace.h"

/**
 * struct dram_replay_options - how to replay
 * @dependent: a request enters after its predecessor's completion, not at its
 *	cycle
 * @think_clocks: additional wait of a dependent request
 * @check: run the independent checker over the command stream
 */
struct dram_replay_options {
	bool dependent;
	uint32_t think_clocks;
	bool check;
};

/**
 * struct dram_replay_result - what came out
 * @cycles: largest completion
 * @last_data_end: when data last moved
 * @read_latency_sum: completion − acceptance, over all reads
 * @violations: of timing constraints, by the checker
 * @first_violation: text, or ""
 * @differing: requests whose issue or completion is not the trace's
 */
struct dram_replay_result {
	uint64_t cycles;
	uint64_t last_data_end;
	uint64_t requests;
	uint64_t reads;
	uint64_t column_commands;
	uint64_t read_latency_sum;
	uint64_t violations;
	char first_violation[160];
	uint64_t differing;
};

int dram_replay(const struct dram_standard *standard,
		const struct dram_trace *trace,
		const struct dram_replay_options *options,
		struct dram_replay_result *result);

#endif
