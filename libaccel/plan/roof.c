/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "plan/roof.h"

#include "core/integer.h"

static uint64_t macs_per_cycle(const struct geometry *geometry)
{
	return (uint64_t)geometry->clusters * geometry->lanes *
	       geometry->vector_width;
}

uint64_t roof_hard_cycles(const struct geometry *geometry, uint64_t macs,
			  uint64_t bytes)
{
	uint64_t memory =
		divide_up_u128((unsigned __int128)bytes * geometry->clock_hz,
			       geometry->memory_bandwidth);

	return max_u64(divide_up(macs, macs_per_cycle(geometry)), memory);
}

uint64_t roof_weight_bytes(uint64_t nonzeros, uint64_t rows, uint64_t columns,
			   uint64_t stream_bytes)
{
	double positions = (double)rows * (double)columns;
	double p, entropy, bytes;

	if (!nonzeros || positions <= 0)
		return 0;
	p = (double)nonzeros / positions;
	entropy = p < 1 ? -p * log2(p) - (1 - p) * log2(1 - p) : 0;
	bytes = (double)nonzeros * (8 + entropy / p) / 8;
	return bytes < (double)stream_bytes ? (uint64_t)bytes : stream_bytes;
}

/* Issues of all weights with vectors of some width. */
static unsigned __int128 issue_count(const struct roof_layer *layer,
				     uint64_t width)
{
	unsigned __int128 count = (unsigned __int128)layer->nonzeros *
				  divide_up(layer->columns, width);

	/* A step needs the state of the one before: no vector spans two. */
	if (layer->steps)
		count += (unsigned __int128)layer->state_nonzeros *
			 layer->steps *
			 divide_up(layer->columns / layer->steps, width);
	return count;
}

/* Their cycles when a lane works on so many vectors at once. */
static uint64_t issue_cycles(const struct geometry *geometry,
			     const struct roof_layer *layer, uint32_t split)
{
	uint64_t rate = (uint64_t)geometry->lanes * split;

	if (rate > geometry->decoder_rate)
		rate = geometry->decoder_rate;
	return divide_up(issue_count(layer, geometry->vector_width / split),
			 rate * geometry->clusters);
}

/* What passes the ports towards the clusters; weights do for each vector again. */
static uint64_t port_bytes(const struct geometry *geometry,
			   const struct roof_layer *layer)
{
	uint64_t width = geometry->vector_width;
	uint64_t bytes = layer->input_bytes +
			 layer->stream_bytes * divide_up(layer->columns, width);

	if (layer->steps)
		bytes += layer->state_stream_bytes * layer->steps *
			 divide_up(layer->columns / layer->steps, width);
	return bytes;
}

uint64_t roof_structural_cycles(const struct geometry *geometry,
				const struct roof_layer *layer)
{
	uint64_t epilogues =
		(uint64_t)geometry->clusters * geometry->epilogue_rate;
	uint64_t ports =
		(uint64_t)geometry->clusters * geometry->sram_port_bytes;
	uint64_t results =
		divide_up_u128((unsigned __int128)layer->rows * layer->columns,
			       geometry->vector_width);
	uint64_t cycles = roof_hard_cycles(
		geometry,
		(layer->nonzeros + layer->state_nonzeros) * layer->columns,
		layer->hard_bytes);
	uint64_t issue = issue_cycles(geometry, layer, 1);

	/* A vector may be split in two, for the rest of a few columns. */
	if (geometry->vector_width % 2 == 0) {
		uint64_t halves = issue_cycles(geometry, layer, 2);

		issue = min_u64(halves, issue);
	}
	cycles = max_u64(cycles, issue);
	cycles = max_u64(cycles, divide_up(results, epilogues));
	cycles = max_u64(cycles, divide_up(port_bytes(geometry, layer), ports));
	return max_u64(cycles, divide_up(layer->output_bytes, ports));
}

static uint64_t network_bytes(const struct geometry *geometry,
			      const struct roof_network *network)
{
	uint64_t spill = network->live_bytes > geometry->sram_bytes ?
				 network->live_bytes - geometry->sram_bytes :
				 0;

	return network->input_bytes + network->output_bytes +
	       network->weight_bytes + spill;
}

uint64_t roof_network_cycles(const struct geometry *geometry,
			     const struct roof_network *network)
{
	return roof_hard_cycles(geometry, network->macs,
				network_bytes(geometry, network));
}
