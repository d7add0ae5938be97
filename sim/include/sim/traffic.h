/* SPDX-License-Identifier: MIT */
/*
 * Where a command's operands are, and what moves for them: its ranges go to the command
 * that is being lowered, its bytes into the work. The SRAM changes with it.
 */
#ifndef SIM_TRAFFIC_H
#define SIM_TRAFFIC_H

#include <sim/execution.h>

/* One pass over a range of virtual addresses. */
void traffic_read(struct sim_execution *execution, uint64_t address,
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
