/* SPDX-License-Identifier: MIT */
/* One direction of an LSTM or GRU over a whole sequence. */
#ifndef COMPRESS_RECURRENT_PASS_H
#define COMPRESS_RECURRENT_PASS_H

#include <compress/operator.h>

enum { RECURRENT_LSTM_GATES = 4, RECURRENT_GRU_GATES = 3 };

/**
 * struct recurrent_pass - one direction of a layer
 * @steps: T
 * @batch: N
 * @inputs: I
 * @hidden: H
 * @gates: 4 or 3
 * @reverse: from the last step to the first
 * @linear_before_reset: GRU
 * @x: [T,N,I]
 * @weight: [gates·H,I]
 * @recurrence: [gates·H,H]
 * @bias: [2·gates·H], or NULL
 * @values: [T,N,gates·H], the gates; activated after the pass
 * @scratch: [N,H]
 * @h: [N,H], state; the initial one before the pass, the last one after it
 * @c: [N,H], LSTM's cells, likewise
 * @y: the states of step 0 and batch element 0, or NULL
 * @y_stride: elements from one batch element to the next
 * @cells: [T,N,H], the cells after each step, or NULL
 */
struct recurrent_pass {
	int64_t steps, batch, inputs, hidden, gates;
	bool reverse;
	bool linear_before_reset;
	const float *x, *weight, *recurrence, *bias;
	float *values, *scratch, *h, *c;
	float *y;
	int64_t y_stride;
	float *cells;
};

/*
 * The pass of a node's direction, 0 or 1. Memory is the caller's: recurrent_pass_place()
 * lays @values … @c into that many floats as recurrent_pass_floats() says.
 */
struct recurrent_pass recurrent_pass_create(const struct graph_node *node,
					    const struct operator_value *inputs,
					    int64_t direction);
int64_t recurrent_pass_floats(const struct recurrent_pass *pass);
void recurrent_pass_place(struct recurrent_pass *pass, float *floats);

/* Initial @h and @c of a direction, from the node's inputs; zeros where absent. */
void recurrent_pass_load(const struct recurrent_pass *pass,
			 const struct graph_node *node,
			 const struct operator_value *inputs,
			 int64_t direction);

/* 0 or −EOVERFLOW. */
int recurrent_pass_run(const struct recurrent_pass *pass);

/* 2 for a bidirectional node. */
int64_t recurrent_directions(const struct graph_node *node);

#endif
