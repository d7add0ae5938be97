/* SPDX-License-Identifier: MIT */
/*
 * One cluster of the default device, clock by clock: decoder queues, the schedule's
 * window, banks, accumulators, split-row merge and epilogue. sim/rtl/ is the same in
 * SystemVerilog, and the two run in lock-step; Documentation/rtl.rst.
 *
 * A task is one part of a weight stream times one vector of 32 columns of X.
 */
#ifndef SIM_CLUSTER_H
#define SIM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLUSTER_LANES 8
#define CLUSTER_WIDTH 32
#define CLUSTER_BANKS 16
#define CLUSTER_BANK_ROWS 256 /* vectors in half a bank */
#define CLUSTER_COLUMNS_MAX (CLUSTER_BANKS * CLUSTER_BANK_ROWS)

/**
 * struct cluster_stream - of one lane
 * @bytes: the caller's, until the task is over
 * @length: of @bytes
 * @row: of the cursor
 * @column: likewise
 */
struct cluster_stream {
	const uint8_t *bytes;
	uint32_t length;
	uint32_t row;
	uint32_t column;
};

/**
 * struct cluster_task - inputs that hold still while the cluster is busy
 * @streams: of the lanes; stream_decode() has accepted them
 * @rows: M
 * @columns: K ≤ CLUSTER_COLUMNS_MAX
 * @bank_skew: < CLUSTER_BANKS
 * @half: of the activation buffer that is read
 * @input_zero: of X
 * @output_zero: of the result
 * @output_type: enum spmm_output_type
 * @finish_begin: rows that this part finishes; an earlier one leaves as a partial
 *	sum, int32 without bias
 * @finish_end: see @finish_begin
 * @biases: M
 * @scales: M
 * @incoming_valid: there are sums of @incoming_row from the parts behind
 * @incoming_row: the part's last row
 * @incoming: its sums
 */
struct cluster_task {
	struct cluster_stream streams[CLUSTER_LANES];
	uint32_t rows;
	uint32_t columns;
	uint32_t bank_skew;
	bool half;
	int8_t input_zero;
	int8_t output_zero;
	uint8_t output_type;
	uint32_t finish_begin;
	uint32_t finish_end;
	const int32_t *biases;
	const float *scales;
	bool incoming_valid;
	uint32_t incoming_row;
	int32_t incoming[CLUSTER_WIDTH];
};

/**
 * struct cluster_write - a row of X for the activation buffer, in one clock
 * @half: not the one that is being read
 * @column: of W, < CLUSTER_COLUMNS_MAX
 * @bank_skew: of the task that will read it
 * @values: of the row
 */
struct cluster_write {
	bool half;
	uint32_t column;
	uint32_t bank_skew;
	int8_t values[CLUSTER_WIDTH];
};

/**
 * struct cluster_signals - what can be seen from outside after a clock
 * @busy: with a task
 * @turn: a cycle of the schedule is at the banks
 * @stalled: and stays there, since complete rows wait for the epilogue
 * @issued: lanes that issue in it, bit l for lane l
 * @valid: a result leaves
 * @partial: it is a partial sum
 * @row: of the result
 * @values: int8 (sign-extended), int32 or the bits of a binary32
 */
struct cluster_signals {
	bool busy;
	bool turn;
	bool stalled;
	uint8_t issued;
	bool valid;
	bool partial;
	uint32_t row;
	int32_t values[CLUSTER_WIDTH];
};

struct cluster;

/* NULL: no memory. */
struct cluster *cluster_create(void);
void cluster_destroy(struct cluster *cluster);

/**
 * cluster_start() - take a task, in place of the next clock
 * @cluster: not busy
 * @task: copied; what it points to is the caller's until the task is over
 *
 * Return: enum spmm_status, of the first lane that cannot be decoded.
 */
int cluster_start(struct cluster *cluster, const struct cluster_task *task);

/* One clock; @write may be NULL. */
void cluster_tick(struct cluster *cluster, const struct cluster_write *write,
		  struct cluster_signals *signals);

#endif
