/* SPDX-License-Identifier: MIT */
/*
 * Roofs: lower bounds of a layer's and a network's cycles in closed form,
 * published beside the simulated cycles. No device of the geometry can beat a
 * hard roof. The chapter "Roofs" of Documentation/device.rst derives them.
 */
#ifndef PLAN_ROOF_H
#define PLAN_ROOF_H

#include <stdint.h>

#include "pack/geometry.h"

/*
 * max(MACs ÷ MACs per cycle, bytes ÷ attainable DRAM bandwidth), rounded up; the
 * bytes are those that must pass: see roof_weight_bytes().
 */
uint64_t roof_hard_cycles(const struct geometry *geometry, uint64_t macs,
			  uint64_t bytes);

/*
 * Weights at their entropy, nnz·(8 + H(p)/p) bits with p = nnz/(M·K). Patterns
 * with structure (N:M, groups) take less than that; then their stream's
 * length is the bound: the smaller of the two.
 */
uint64_t roof_weight_bytes(uint64_t nonzeros, uint64_t rows, uint64_t columns,
			   uint64_t stream_bytes);

/**
 * struct roof_layer - an SPMM or a recurrent layer, for its structural roof
 * @rows: M
 * @columns: N; of a recurrent layer all steps together
 * @nonzeros: kept weights; of a recurrent layer those of its input, whose part
 *	is computed for all steps at once
 * @state_nonzeros: weights of a recurrent layer's state, else 0
 * @steps: into which N is divided for them, else 0
 * @stream_bytes: of the packed weights, but for the state's
 * @state_stream_bytes: of the packed weights of a recurrent layer's state, else 0
 * @input_bytes: of X before im2col, as far as any weight is for it, and of a residual
 *	operand
 * @output_bytes: of the result
 * @hard_bytes: compulsory DRAM bytes that are not on chip at the start
 */
struct roof_layer {
	uint64_t rows;
	uint64_t columns;
	uint64_t nonzeros;
	uint64_t state_nonzeros;
	uint64_t steps;
	uint64_t stream_bytes;
	uint64_t state_stream_bytes;
	uint64_t input_bytes;
	uint64_t output_bytes;
	uint64_t hard_bytes;
};

/*
 * The hard roof with what the structure adds: whole vectors, whole lanes, the
 * decoder's, the epilogue's and the SRAM ports' rates. Weights pass the ports once for
 * each vector, and for each step's.
 */
uint64_t roof_structural_cycles(const struct geometry *geometry,
				const struct roof_layer *layer);

/**
 * struct roof_network - a network for its hard roof
 * @macs: Σ nnz·N
 * @input_bytes: of the network
 * @output_bytes: of the network
 * @weight_bytes: Σ roof_weight_bytes(), each layer once
 * @live_bytes: the largest set of activations alive at once
 */
struct roof_network {
	uint64_t macs;
	uint64_t input_bytes;
	uint64_t output_bytes;
	uint64_t weight_bytes;
	uint64_t live_bytes;
};

uint64_t roof_network_cycles(const struct geometry *geometry,
			     const struct roof_network *network);

#endif
