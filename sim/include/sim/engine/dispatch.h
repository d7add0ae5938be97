/* SPDX-License-Identifier: MIT */
/*
 * The window of dispatched commands: their tiles' dependencies, reads and write-backs,
 * the arrival of their weights, and their copies. It knows nothing of what the clusters
 * do but the tiles that they have begun and stored.
 */
#ifndef SIM_ENGINE_DISPATCH_H
#define SIM_ENGINE_DISPATCH_H

#include <sim/engine/command.h>
#include <sim/engine/dma.h>

/* The first pass of a cluster follows the arrival of the weights in so many steps. */
#define DISPATCH_SLICES 16

/**
 * struct dispatch_tile - a tile on its way
 * @first_vector: vectors of all tiles before
 * @clusters: that have not yet stored their last vector of it
 * @stored_at: the cycle at which the last result so far has been stored
 */
struct dispatch_tile {
	struct memory_transfer reads;
	struct memory_transfer writes;
	struct link_transfer host_reads;
	struct link_transfer host_writes;
	uint64_t first_vector;
	uint64_t stored_at;
	uint32_t clusters;
};

/**
 * struct dispatch_entry - a command, from engine_push() until it has retired
 * @next: the one after it in the list in which it is
 * @dropped: forgotten by engine_drop(), but something of it is still under way
 * @posted: its completion is on its way to the host
 * @started: a DMA engine executes it
 * @urgent: a cluster waits for its weights
 * @arrivals: which of the reads that are waited for next have come
 * @slices: of the weights, so many have arrived
 * @opened: reads of the tiles before this one have been opened, or are none
 * @ready: the tiles before this one may be loaded
 * @begun: of the tiles before this one a vector has been loaded
 * @allowed: of a copy's pieces, so many may be read
 * @stored: the tiles before this one have been stored
 * @written: likewise, and what is to go to memory and to the host has gone
 * @barrier_at: the tile @ready may be loaded from this cycle on; ENGINE_NEVER: not
 *	known yet
 */
struct dispatch_entry {
	struct engine_command *command;
	struct dispatch_entry *next;
	bool dropped;
	bool posted;
	bool started;
	bool urgent;
	struct memory_transfer weights;
	struct link_transfer weights_from_host;
	uint32_t arrivals;
	uint32_t slices;
	uint32_t opened;
	uint32_t ready;
	uint32_t begun;
	uint32_t allowed;
	uint32_t stored;
	uint32_t written;
	uint64_t barrier_at;
	struct dispatch_tile tiles[];
};

/* Entries one after the other. */
struct dispatch_list {
	struct dispatch_entry *first;
	struct dispatch_entry *last;
};

void dispatch_list_add(struct dispatch_list *list,
		       struct dispatch_entry *entry);
struct dispatch_entry *dispatch_list_take(struct dispatch_list *list,
					  struct dispatch_entry *entry);
bool dispatch_list_has_queue(const struct dispatch_list *list, uint16_t queue,
			     uint64_t before);

/**
 * struct dispatch - the window
 * @entries: dispatched and not ended, in order
 * @ended: and not retired, in order
 * @places: entries that may be in work
 * @reach: commands that the oldest of these may be behind a new one
 * @tile_prefetch: tiles whose reads are opened before they are loaded
 * @prefetch_bytes: of weights that are not yet in use
 * @touched: since the last step a read has become urgent, or a command has ended or
 *	retired
 */
struct dispatch {
	struct engine_memory *memory;
	struct engine_link *link;
	struct engine_dma *dma;
	struct dispatch_list entries;
	struct dispatch_list ended;
	uint32_t places;
	uint32_t reach;
	uint32_t tile_prefetch;
	uint64_t prefetch_bytes;
	bool touched;
};

/**
 * struct dispatch_wait - why a tile is not ready
 * @cause: see engine.h
 * @copy: of a copy that it comes after; what that waits for may change at any time
 */
struct dispatch_wait {
	enum spmm_stall cause;
	bool copy;
};

/* −ENOMEM, or −EIO if the command contradicts itself or the configuration. */
int dispatch_entry_create(const struct sim_config *config,
			  struct engine_command *command,
			  struct dispatch_entry **out);

bool dispatch_has_room(const struct dispatch *dispatch,
		       const struct engine_command *command);

/* Starts a command, whose weights are read at once. */
void dispatch_start(struct dispatch *dispatch, struct dispatch_entry *entry,
		    uint64_t now);

/* True if anything changed for the clusters or for others. */
bool dispatch_step(struct dispatch *dispatch, uint64_t now);
uint64_t dispatch_next(const struct dispatch *dispatch, uint64_t now);

/* Takes a command that has ended to @ended; NULL: none has. */
struct dispatch_entry *dispatch_end(struct dispatch *dispatch, uint64_t now);

/* A cluster begins to load the tile. */
static inline void dispatch_tile_begin(struct dispatch_entry *entry,
				       uint32_t tile)
{
	if (entry->begun <= tile)
		entry->begun = tile + 1;
}

/* A cluster has stored its last vector of the tile, at @at or some cycles later. */
static inline void dispatch_tile_store(struct dispatch_entry *entry,
				       uint32_t tile, uint64_t at)
{
	struct dispatch_tile *state = &entry->tiles[tile];

	if (state->stored_at < at)
		state->stored_at = at;
	state->clusters--;
}

/* Cause of a wait for the weights, which become urgent by it. */
enum spmm_stall dispatch_wait_weights(struct dispatch *dispatch,
				      struct dispatch_entry *entry);

/* Why the entry's next tile is not ready; what it reads becomes urgent. */
struct dispatch_wait dispatch_wait_tile(struct dispatch *dispatch,
					struct dispatch_entry *entry,
					uint64_t now);

/* What a command that no cluster works for keeps the device waiting with. */
enum spmm_stall dispatch_cause(const struct dispatch *dispatch,
			       const struct dispatch_entry *entry,
			       uint64_t now);

/* Bytes of the entry's reads that have come. */
uint64_t dispatch_read_bytes(const struct dispatch_entry *entry);

#endif
