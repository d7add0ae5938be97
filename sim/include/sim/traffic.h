/* SPDX-License-Identifier: MIT */
/* Where a command's operands are, and how many bytes move for them. */
#ifndef SIM_TRAFFIC_H
#define SIM_TRAFFIC_H

#include <sim/execution.h>

/*
 * Count one pass over a range of virtual addresses into execution->work; a page
 * fault fails the execution.
 */
void traffic_read(struct sim_execution *execution, uint64_t address,
		  uint64_t length, uint8_t hint);
void traffic_read_weights(struct sim_execution *execution, uint64_t address,
			  uint64_t length, uint8_t hint);
void traffic_write(struct sim_execution *execution, uint64_t address,
		   uint64_t length, uint8_t hint);

/* Rows [first, end) of all channels of a tensor whose rows have @row_bytes. */
struct traffic_rows {
	const struct spmm_tensor *tensor;
	uint32_t first;
	uint32_t end;
	uint64_t row_bytes;
};

void traffic_read_rows(struct sim_execution *execution,
		       const struct traffic_rows *rows);
void traffic_write_rows(struct sim_execution *execution,
			const struct traffic_rows *rows);

/* After their last use: drops them from the SRAM if their hint says so. */
void traffic_finish_rows(struct sim_execution *execution,
			 const struct traffic_rows *rows);

#endif
