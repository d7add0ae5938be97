/* SPDX-License-Identifier: MIT */
/* Is a layer worth offloading, and why: a function of its figures alone. */
#ifndef TOOL_VERDICT_H
#define TOOL_VERDICT_H

#include "stall.h"

#include <stdbool.h>

/** enum verdict_worth - does it pay to run this on the device? */
enum verdict_worth {
	VERDICT_UNKNOWN, /* nothing was counted */
	VERDICT_YES,
	VERDICT_TOGETHER, /* only with its neighbours on the device, too */
	VERDICT_NO,
	VERDICT_COST, /* no layer, but what offloading costs */
};

/** enum verdict_reason - what decides how long it takes */
enum verdict_reason {
	REASON_NO_CYCLES,
	REASON_TRANSFER, /* the entry of the transfers themselves */
	REASON_ELEMENTWISE, /* no weights */
	REASON_DENSE, /* more than half of the weights are kept */
	REASON_COMPUTE, /* the multipliers are busy */
	REASON_BANKS,
	REASON_DECODER,
	REASON_ACTIVATIONS,
	REASON_EPILOGUE,
	REASON_TAIL,
	REASON_WEIGHTS, /* they come from memory and N is small */
	REASON_MEMORY, /* activations pass through memory */
	REASON_TRANSFERS, /* the link or the DMA engine dominates */
	REASON_COMMAND, /* too small to pay for its own start */
	REASON_IDLE,
	REASON_COUNT,
};

/**
 * struct verdict_facts - what is judged
 * @is_transfer: the entry of inputs and outputs
 * @rows: M
 * @columns: N
 * @nonzeros: kept weights
 * @density: of the weights, 0 without any
 * @device_seconds: 0 where no cycles are counted
 * @cpu_seconds: of the same arithmetic on this processor, 0 if not known
 * @dense_seconds: of the dense float layer on this processor, 0 if not known
 * @link_seconds: to bring its operands and take its results over the link, were it
 *	alone on the device; 0 if @device_seconds has that in it
 * @weight_bytes: as packed
 * @activation_bytes: of operands and results
 * @shares: stall_shares() of its lane-cycles
 */
struct verdict_facts {
	bool is_transfer;
	uint64_t rows;
	uint64_t columns;
	uint64_t nonzeros;
	double density;
	double device_seconds;
	double cpu_seconds;
	double dense_seconds;
	double link_seconds;
	uint64_t weight_bytes;
	uint64_t activation_bytes;
	int shares[ACCEL_STALL_CAUSES];
};

/**
 * struct verdict - the judgement
 * @worth: offloading
 * @reason: what decides
 * @text: both for people, with the figures
 */
struct verdict {
	enum verdict_worth worth;
	enum verdict_reason reason;
	char text[400];
};

void verdict_judge(const struct verdict_facts *facts, struct verdict *verdict);

/* For programs: "yes", "together", …; "compute", "epilogue", … */
const char *verdict_worth_key(enum verdict_worth worth);
const char *verdict_reason_key(enum verdict_reason reason);

#endif
