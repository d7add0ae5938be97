/* SPDX-License-Identifier: MIT */
/* A request trace: CSV, gzipped or plain, one request a line. */
#ifndef SIM_DRAM_TRACE_H
#define SIM_DRAM_TRACE_H

#include <stddef.h>

#include "sim/dram/controller.h"

/**
 * struct dram_trace_request - one line
 * @cycle: earliest clock at which it may enter
 * @channel: of the memory system
 * @request: what it asks for; its id is the line's number
 * @issue_cycle: of the reference, −1 when it never issued
 * @done_cycle: of the reference
 */
struct dram_trace_request {
	uint64_t cycle;
	uint32_t channel;
	struct dram_request request;
	int64_t issue_cycle;
	int64_t done_cycle;
};

struct dram_trace {
	struct dram_trace_request *requests;
	size_t count;
};

int dram_trace_load(const char *path, const struct dram_standard *standard,
		    struct dram_trace *trace);
void dram_trace_free(struct dram_trace *trace);

#endif
