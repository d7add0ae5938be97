/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <linux/types.h>
#include <spmm/queue.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Multipliers that are busy for so much of the time are what bounds a layer. */
#define BUSY (STALL_WHOLE * 3 / 4)

/* From here on, zeros skip less than half of the work. */
#define DENSE 0.5

static const char *const worth_keys[] = {
	[VERDICT_UNKNOWN] = "unknown",	 [VERDICT_YES] = "yes",
	[VERDICT_TOGETHER] = "together", [VERDICT_NO] = "no",
	[VERDICT_COST] = "cost",
};

static const char *const reason_keys[REASON_COUNT] = {
	[REASON_NO_CYCLES] = "no_cycles",
	[REASON_TRANSFER] = "transfer",
	[REASON_ELEMENTWISE] = "elementwise",
	[REASON_DENSE] = "dense",
	[REASON_COMPUTE] = "compute",
	[REASON_BANKS] = "banks",
	[REASON_DECODER] = "decoder",
	[REASON_ACTIVATIONS] = "activations",
	[REASON_EPILOGUE] = "epilogue",
	[REASON_TAIL] = "tail",
	[REASON_WEIGHTS] = "weights",
	[REASON_MEMORY] = "memory",
	[REASON_TRANSFERS] = "transfers",
	[REASON_COMMAND] = "command",
	[REASON_IDLE] = "idle",
};

const char *verdict_worth_key(enum verdict_worth worth)
{
	return worth_keys[worth];
}

const char *verdict_reason_key(enum verdict_reason reason)
{
	return reason_keys[reason];
}

/* The better of what this processor offers; 0 if nothing is known. */
static double alternative(const struct verdict_facts *facts)
{
	if (!facts->cpu_seconds ||
	    (facts->dense_seconds && facts->dense_seconds < facts->cpu_seconds))
		return facts->dense_seconds;
	return facts->cpu_seconds;
}

/* What that is: the golden arithmetic is exact and not tuned, which is no fair race. */
static const char *alternative_name(const struct verdict_facts *facts)
{
	return alternative(facts) == facts->cpu_seconds ?
		       "the untuned golden arithmetic" :
		       "the dense float layer";
}

static enum verdict_worth worth_of(const struct verdict_facts *facts)
{
	double other = alternative(facts);

	if (facts->is_transfer)
		return VERDICT_COST;
	if (!facts->device_seconds || !other)
		return VERDICT_UNKNOWN;
	if (facts->device_seconds >= other)
		return VERDICT_NO;
	if (facts->device_seconds + facts->link_seconds >= other)
		return VERDICT_TOGETHER;
	return VERDICT_YES;
}

static enum verdict_reason reason_of_stall(const struct verdict_facts *facts)
{
	switch (stall_largest(facts->shares)) {
	case SPMM_STALL_BANK:
		return REASON_BANKS;
	case SPMM_STALL_WEIGHTS:
		return REASON_DECODER;
	case SPMM_STALL_ACTIVATIONS:
		return REASON_ACTIVATIONS;
	case SPMM_STALL_EPILOGUE:
		return REASON_EPILOGUE;
	case SPMM_STALL_TAIL:
		return REASON_TAIL;
	case SPMM_STALL_DRAM:
		return facts->weight_bytes > facts->activation_bytes ?
			       REASON_WEIGHTS :
			       REASON_MEMORY;
	case SPMM_STALL_DMA:
	case SPMM_STALL_PCIE:
		return REASON_TRANSFERS;
	case SPMM_STALL_COMMAND:
		return REASON_COMMAND;
	default:
		return REASON_IDLE;
	}
}

/* The first that holds, from what no device could change to what this one lacks. */
static enum verdict_reason reason_of(const struct verdict_facts *facts)
{
	if (facts->is_transfer)
		return REASON_TRANSFER;
	if (!facts->device_seconds)
		return REASON_NO_CYCLES;
	if (!facts->nonzeros)
		return REASON_ELEMENTWISE;
	if (facts->density > DENSE)
		return REASON_DENSE;
	if (facts->shares[SPMM_STALL_ISSUE] >= BUSY)
		return REASON_COMPUTE;
	return reason_of_stall(facts);
}

/* How much faster the device is; digits that mean nothing are left out. */
static int write_factor(const struct verdict_facts *facts, const char *before,
			char *text, size_t size)
{
	double factor = alternative(facts) / facts->device_seconds;

	return snprintf(text, size,
			"%s%.*f times as fast as %s on one thread of this CPU",
			before, factor < 10 ? 1 : 0, factor,
			alternative_name(facts));
}

/* How much faster, and under which condition; the reason follows in its own sentence. */
static int write_worth(const struct verdict_facts *facts,
		       enum verdict_worth worth, char *text, size_t size)
{
	double other = alternative(facts);
	int length;

	switch (worth) {
	case VERDICT_YES:
		length = write_factor(facts, "Worth it: ", text, size);
		return length +
		       snprintf(text + length, size - (size_t)length, ". ");
	case VERDICT_TOGETHER:
		length = write_factor(
			facts, "Worth it together with its neighbours: ", text,
			size);
		return length +
		       snprintf(
			       text + length, size - (size_t)length,
			       "; alone not, its operands take %.1f us over the link. ",
			       1e6 * facts->link_seconds);
	case VERDICT_NO:
		return snprintf(
			text, size,
			"Not worth it: %.1f us on the device, %.1f us with %s on one thread of this CPU. ",
			1e6 * facts->device_seconds, 1e6 * other,
			alternative_name(facts));
	case VERDICT_COST:
		return 0;
	default:
		return snprintf(text, size, "Not known. ");
	}
}

/* The share of the cause that decides, in percent. */
static double percent(const struct verdict_facts *facts, int cause)
{
	return 100.0 * facts->shares[cause] / STALL_WHOLE;
}

/* Reasons that are found in the layer's shape. */
static int write_shape(const struct verdict_facts *facts,
		       enum verdict_reason reason, char *text, size_t size)
{
	double each = (double)facts->nonzeros /
		      (double)(facts->rows ? facts->rows : 1);

	switch (reason) {
	case REASON_NO_CYCLES:
		return snprintf(text, size, "This device counts no cycles.");
	case REASON_TRANSFER:
		return snprintf(
			text, size,
			"What offloading costs: inputs, results and copies.");
	case REASON_ELEMENTWISE:
		return snprintf(
			text, size,
			"Nothing to multiply: it is here because its neighbours are.");
	case REASON_DENSE:
		return snprintf(
			text, size,
			"%.0f %% of the weights are kept: a dense path would do. "
			"The multipliers work %.1f %% of the time.",
			100 * facts->density, percent(facts, SPMM_STALL_ISSUE));
	case REASON_COMPUTE:
		return snprintf(text, size,
				"The multipliers work %.1f %% of the time.",
				percent(facts, SPMM_STALL_ISSUE));
	case REASON_EPILOGUE:
		return snprintf(
			text, size,
			"Bound by the epilogue (%.1f %%): %" PRIu64
			" rows with %.3g weights for each result to scale and store.",
			percent(facts, SPMM_STALL_EPILOGUE), facts->rows, each);
	default:
		return snprintf(
			text, size,
			"Bound by weights from device memory (%.1f %%): with N = %" PRIu64
			" each is used too seldom.",
			percent(facts, SPMM_STALL_DRAM), facts->columns);
	}
}

/* Reasons that are found in the device. */
static const char *remedy(enum verdict_reason reason)
{
	switch (reason) {
	case REASON_BANKS:
		return "lanes want the same bank at once";
	case REASON_DECODER:
		return "the decoder cannot feed the lanes at this N";
	case REASON_ACTIVATIONS:
		return "the SRAM ports cannot bring the activations";
	case REASON_TAIL:
		return "rows and columns do not fill all lanes and vectors";
	case REASON_MEMORY:
		return "activations pass through device memory";
	case REASON_TRANSFERS:
		return "transfers dominate; more work on the device for each helps";
	case REASON_COMMAND:
		return "too small to pay for its own start; a larger batch helps";
	default:
		return "the array waits for other work";
	}
}

static bool is_of_shape(enum verdict_reason reason)
{
	return reason <= REASON_COMPUTE || reason == REASON_EPILOGUE ||
	       reason == REASON_WEIGHTS;
}

void verdict_judge(const struct verdict_facts *facts, struct verdict *verdict)
{
	size_t size = sizeof(verdict->text);
	int cause = stall_largest(facts->shares);
	int length;

	verdict->worth = worth_of(facts);
	verdict->reason = reason_of(facts);
	length = write_worth(facts, verdict->worth, verdict->text, size);
	if (is_of_shape(verdict->reason))
		write_shape(facts, verdict->reason, verdict->text + length,
			    size - (size_t)length);
	else
		snprintf(verdict->text + length, size - (size_t)length,
			 "Held up by the %s (%.1f %%): %s.",
			 stall_causes()[cause].name, percent(facts, cause),
			 remedy(verdict->reason));
}
