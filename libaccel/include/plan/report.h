/* SPDX-License-Identifier: MIT */
/* What each layer is and what it cost: the figures behind accel_plan_get_layer. */
#ifndef PLAN_REPORT_H
#define PLAN_REPORT_H

#include <linux/types.h>
#include <stdbool.h>
#include <spmm/queue.h>

#include "accel/plan.h"
#include "model/model.h"
#include "pack/geometry.h"
#include "plan/shape.h"

#define PLAN_REPORT_NO_ENTRY UINT32_MAX

/**
 * struct plan_roof - what a layer's roofs are made from, in bytes
 * @input_bytes: of all operands, once
 * @port_bytes: of the operands, as far as any weight is for them
 * @output_bytes: of the results, once
 * @weight_bytes: at their entropy
 * @stream_bytes: as packed
 * @state_stream_bytes: of these, those of a recurrent layer's state
 * @state_nonzeros: weights of a recurrent layer's state
 * @steps: of a recurrent layer
 * @resident_bytes: of all these, on chip at the start or left there, last run
 */
struct plan_roof {
	uint64_t input_bytes;
	uint64_t port_bytes;
	uint64_t output_bytes;
	uint64_t weight_bytes;
	uint64_t stream_bytes;
	uint64_t state_stream_bytes;
	uint64_t state_nonzeros;
	uint64_t steps;
	uint64_t resident_bytes;
};

/**
 * struct plan_report - one entry for each layer that does something, and a total
 * @layers: in order of execution; names belong to the model
 * @layer_count: of @layers, the two entries of copies included
 * @entry: for each layer of the model its index in @layers, or
 *	PLAN_REPORT_NO_ENTRY for views and concats
 * @roofs: for each of @layers
 * @live: for each layer of the model the bytes that live after it
 * @inputs: the entry for what is copied before the first layer
 * @transfers: the entry for outputs and other copies
 * @begun: some layer of the present run has been added
 * @total: of the whole run
 */
struct plan_report {
	struct accel_layer_info *layers;
	uint32_t layer_count;
	uint32_t *entry;
	struct plan_roof *roofs;
	uint64_t *live;
	uint32_t inputs;
	uint32_t transfers;
	bool begun;
	struct accel_layer_info total;
};

/* Everything that depends on neither a run nor a geometry. */
int plan_report_create(const struct model *model,
		       const struct plan_shape *shape,
		       struct plan_report *report);
void plan_report_free(struct plan_report *report);

/* One run: clear, add each command, finish: −EIO if its times cannot be true. */
void plan_report_clear(struct plan_report *report);
void plan_report_add(struct plan_report *report, uint32_t model_layer,
		     const struct spmm_command_stats *stats);
int plan_report_finish(const struct geometry *geometry,
		       struct plan_report *report);

/* A layer that this processor executed; clear before the first of a run. */
void plan_report_add_host(struct plan_report *report, uint32_t model_layer,
			  uint64_t nanoseconds);

#endif
