/* SPDX-License-Identifier: MIT */
/*
 * A command as the engine sees it: what it moves and what it keeps busy, tile by tile,
 * and nothing of what it computes. Functional execution makes it; the engine gives it
 * its time.
 */
#ifndef SIM_ENGINE_COMMAND_H
#define SIM_ENGINE_COMMAND_H

#include <stddef.h>

#include <sim/engine/link.h>
#include <sim/engine/memory.h>
#include <spmm/queue.h>

/**
 * enum engine_unit - who executes a command
 * @ENGINE_NOBODY: NOP, FENCE, semaphores, TIMESTAMP: it passes through the window
 * @ENGINE_DMA: copies
 * @ENGINE_ARRAY: SPMM, ELTWISE, RECURRENT: tiles on the clusters
 */
enum engine_unit {
	ENGINE_NOBODY,
	ENGINE_DMA,
	ENGINE_ARRAY,
};

/**
 * struct engine_pass - what one vector of columns asks of a cluster of one row group
 * @compute_cycles: of its lanes, the schedule's bank stalls and the epilogue's
 *	back pressure included
 * @issue_slots: of the lane-cycles of @compute_cycles, those that issue a non-zero
 * @bank_slots: lost to banks and fillers; the rest of them is TAIL
 * @weight_bytes: through the port into the decoder
 * @line_bytes: through the port into the activation buffer; residual operands too
 * @fill_cycles: of the buffer's write side
 * @decoder_cycles: of the decoder
 * @epilogue_cycles: of the epilogue
 * @store_bytes: through the port out
 */
struct engine_pass {
	uint64_t compute_cycles;
	uint64_t issue_slots;
	uint64_t bank_slots;
	uint64_t weight_bytes;
	uint64_t line_bytes;
	uint64_t fill_cycles;
	uint64_t decoder_cycles;
	uint64_t epilogue_cycles;
	uint64_t store_bytes;
};

/* All tiles of the command that is named, or it has retired. */
#define ENGINE_TILE_ALL UINT32_MAX
#define ENGINE_DEPENDENCIES 8

/*
 * Tiles 0 … @tile of a command have been stored; sequence 0: no dependency. One on a
 * command without tiles, a semaphore's, is fulfilled when it has retired.
 */
struct engine_dependency {
	uint64_t sequence;
	uint32_t tile;
};

/**
 * struct engine_ranges - some of the command's ranges
 * @first: index into them
 * @count: how many
 */
struct engine_ranges {
	uint32_t first;
	uint32_t count;
};

/* A command may have no ranges of a kind, and no array then. */
static inline struct memory_range *
engine_ranges_find(struct memory_range *ranges,
		   const struct engine_ranges *some)
{
	return some->count ? ranges + some->first : NULL;
}

/**
 * struct engine_tile - vectors that become ready together
 * @vectors: of all column groups; vector v of a command belongs to column group
 *	v modulo their number, v counted over all tiles before
 * @passes: index of the first of row_groups passes, the same for every vector of
 *	the tile
 * @reads: of the command's memory_ranges: input that the SRAM does not hold; no
 *	vector is loaded before they have come
 * @writes: of memory_ranges: evictions and streamed stores, once the tile is stored
 * @host_reads: of link_ranges: input in host memory
 * @host_writes: likewise, results
 * @after: what must have been stored before the first load
 * @barrier: also every tile of this command before it but for the last @barrier_reach,
 *	and then wait @barrier_cycles (a recurrent layer's step)
 * @barrier_cycles: see @barrier
 * @barrier_reach: likewise
 */
struct engine_tile {
	uint64_t vectors;
	uint32_t passes;
	struct engine_ranges reads;
	struct engine_ranges writes;
	struct engine_ranges host_reads;
	struct engine_ranges host_writes;
	struct engine_dependency after[ENGINE_DEPENDENCIES];
	bool barrier;
	uint32_t barrier_cycles;
	uint32_t barrier_reach;
};

/**
 * struct engine_fetch - how the command reaches the window
 * @doorbell: it is the first that a doorbell has announced
 * @entry: the entry is read from a ring or list; false for all but the first of a
 *	block of entries that are read at once
 * @entry_bytes: of that block
 * @entry_in_host: where it lies
 * @descriptor_bytes: 0: none
 * @descriptor_in_host: where it lies
 * @descriptor_in_sram: no memory is read for it
 */
struct engine_fetch {
	bool doorbell;
	bool entry;
	uint32_t entry_bytes;
	bool entry_in_host;
	uint32_t descriptor_bytes;
	bool descriptor_in_host;
	bool descriptor_in_sram;
	uint64_t entry_address;
	uint64_t descriptor_address;
};

/**
 * struct engine_command - a command on its way; the caller's memory until it retires
 * @sequence: 1, 2, …, in the order of engine_push(); set by it
 * @opcode: enum spmm_io_opcode
 * @queue: it came from
 * @label: what a time line finds its name by: the id of a list's entry, 0 for others
 * @unit: who executes it
 * @fence: dispatched only when all earlier commands of its queue have retired
 * @completes: a completion entry is written, and an interrupt raised
 * @fetch: see there
 * @row_groups: R; cluster (r, c) is number r · column_groups + c
 * @column_groups: C, R · C ≤ clusters; the rest of the clusters have no work
 * @single_buffer: X of one vector takes more than half of the activation buffer:
 *	the next is loaded when the lanes are done
 * @weights: of memory_ranges; the first pass of a cluster follows their arrival
 * @weights_from_host: of link_ranges: weights in host memory
 * @tiles: in the order in which every cluster takes them
 * @passes: tiles refer to them
 * @memory_ranges: tiles and weights refer to them
 * @link_ranges: likewise
 * @copy_bytes: DMA: bytes in all; @tiles has one for each piece that is written when
 *	it has been read (vectors and passes 0)
 * @macs: useful ones
 * @owner: the caller's
 *
 * Written by the engine:
 * @fetch_cycle: cycle from which lane-cycles may be its own: it has come to the front
 *	of the fetcher, or @start_cycle if that is earlier
 * @start_cycle: first cycle in which anything of it was fetched beyond its entry,
 *	moved or computed
 * @work_cycle: first cycle of a lane or of the DMA engine that is its own
 * @end_cycle: its last write is done
 * @early_bytes: of its reads, come before @work_cycle
 * @activates: rows that the memory opened since the command that retired before it:
 *	commands overlap, and their sum is what was opened for all of them
 * @lane_cycles: those of the array that are its own, by enum spmm_stall; none is
 *	before @fetch_cycle or from @end_cycle on (its completion is on its way)
 */
struct engine_command {
	uint64_t sequence;
	uint8_t opcode;
	uint16_t queue;
	uint32_t label;
	enum engine_unit unit;
	bool fence;
	bool completes;
	struct engine_fetch fetch;
	uint32_t row_groups;
	uint32_t column_groups;
	bool single_buffer;
	struct engine_ranges weights;
	struct engine_ranges weights_from_host;
	struct engine_tile *tiles;
	uint32_t tile_count;
	struct engine_pass *passes;
	uint32_t pass_count;
	struct memory_range *memory_ranges;
	struct memory_range *link_ranges;
	uint64_t copy_bytes;
	uint64_t macs;
	void *owner;

	uint64_t fetch_cycle;
	uint64_t start_cycle;
	uint64_t work_cycle;
	uint64_t end_cycle;
	uint64_t early_bytes;
	uint64_t activates;
	uint64_t lane_cycles[SPMM_STALL_COUNT];
};

#endif
