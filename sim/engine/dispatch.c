/* SPDX-License-Identifier: MIT */
/*
 * A command's tiles are opened, become ready, are begun, stored and written in order, and
 * each of these has a counter. So a step looks at one tile for each counter and command,
 * however many there are; a tile that is early waits for those before it, which costs
 * nothing, since clusters take them in order, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/dispatch.h>

void dispatch_list_add(struct dispatch_list *list, struct dispatch_entry *entry)
{
	entry->next = NULL;
	if (list->last)
		list->last->next = entry;
	else
		list->first = entry;
	list->last = entry;
}

/* Takes an entry of the list out of it. */
struct dispatch_entry *dispatch_list_take(struct dispatch_list *list,
					  struct dispatch_entry *entry)
{
	struct dispatch_entry **at = &list->first;
	struct dispatch_entry *before = NULL;

	while (*at != entry) {
		before = *at;
		at = &before->next;
	}
	*at = entry->next;
	if (list->last == entry)
		list->last = before;
	entry->next = NULL;
	return entry;
}

/* Has the queue a command in the list that came before the given one? */
bool dispatch_list_has_queue(const struct dispatch_list *list, uint16_t queue,
			     uint64_t before)
{
	const struct dispatch_entry *entry = list->first;

	for (; entry; entry = entry->next)
		if (entry->command->queue == queue &&
		    entry->command->sequence < before)
			return true;
	return false;
}

/* The ended are kept in the order of their sequence. */
static void list_insert(struct dispatch_list *list,
			struct dispatch_entry *entry)
{
	struct dispatch_entry **at = &list->first;

	while (*at && (*at)->command->sequence < entry->command->sequence)
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
	if (!entry->next)
		list->last = entry;
}

static int passes_check(const struct sim_config *config,
			const struct engine_command *command,
			const struct engine_tile *tile)
{
	uint32_t end;

	if (__builtin_add_overflow(tile->passes, command->row_groups, &end) ||
	    end > command->pass_count)
		return accel_error(-EIO,
				   "a tile of a command of opcode %u refers to "
				   "pass %u of %u",
				   command->opcode, tile->passes,
				   command->pass_count);
	for (uint32_t p = tile->passes; p < end; p++) {
		const struct engine_pass *pass = &command->passes[p];

		if (pass->issue_slots + pass->bank_slots >
		    pass->compute_cycles * config->lanes)
			return accel_error(-EIO,
					   "pass %u of a command of opcode %u "
					   "issues more than its lane-cycles",
					   p, command->opcode);
	}
	return 0;
}

static int command_check(const struct sim_config *config,
			 const struct engine_command *command)
{
	uint64_t clusters =
		(uint64_t)command->row_groups * command->column_groups;
	int ret;

	if (command->unit != ENGINE_ARRAY)
		return 0;
	if (!clusters || clusters > config->clusters)
		return accel_error(-EIO,
				   "a command of opcode %u wants %u × %u "
				   "clusters, and there are %u",
				   command->opcode, command->row_groups,
				   command->column_groups, config->clusters);
	for (uint32_t t = 0; t < command->tile_count; t++) {
		if (!command->tiles[t].vectors)
			continue;
		ret = passes_check(config, command, &command->tiles[t]);
		if (ret)
			return ret;
	}
	return 0;
}

static void tile_init(struct dispatch_tile *state,
		      const struct engine_command *command,
		      const struct engine_tile *tile)
{
	struct memory_range *memory = command->memory_ranges;
	struct memory_range *host = command->link_ranges;

	state->reads.ranges = engine_ranges_find(memory, &tile->reads);
	state->reads.count = tile->reads.count;
	state->reads.class = MEMORY_PREFETCH;
	state->reads.allowed = UINT64_MAX;
	state->reads.sequence = command->sequence;
	state->writes.ranges = engine_ranges_find(memory, &tile->writes);
	state->writes.count = tile->writes.count;
	state->writes.write = true;
	state->writes.class = MEMORY_WRITE_BACK;
	state->writes.allowed = UINT64_MAX;
	state->writes.sequence = command->sequence;
	state->host_reads.ranges = engine_ranges_find(host, &tile->host_reads);
	state->host_reads.count = tile->host_reads.count;
	state->host_reads.allowed = UINT64_MAX;
	state->host_reads.sequence = command->sequence;
	state->host_writes.ranges =
		engine_ranges_find(host, &tile->host_writes);
	state->host_writes.count = tile->host_writes.count;
	state->host_writes.write = true;
	state->host_writes.allowed = UINT64_MAX;
	state->host_writes.sequence = command->sequence;
}

static void tiles_init(struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;
	uint64_t vectors = 0;

	for (uint32_t t = 0; t < command->tile_count; t++) {
		const struct engine_tile *tile = &command->tiles[t];
		struct dispatch_tile *state = &entry->tiles[t];

		tile_init(state, command, tile);
		state->first_vector = vectors;
		/* A column group has a vector of it, or none. */
		state->clusters = (uint32_t)min_u64(tile->vectors,
						    command->column_groups) *
				  command->row_groups;
		vectors += tile->vectors;
	}
}

int dispatch_entry_create(const struct sim_config *config,
			  struct engine_command *command,
			  struct dispatch_entry **out)
{
	size_t tiles = command->unit == ENGINE_ARRAY ? command->tile_count : 0;
	struct dispatch_entry *entry;
	int ret = command_check(config, command);

	if (ret)
		return ret;
	entry = calloc(1, sizeof(*entry) + tiles * sizeof(entry->tiles[0]));
	if (!entry)
		return accel_error(-ENOMEM,
				   "no memory for a command of %u tiles",
				   command->tile_count);
	entry->command = command;
	entry->barrier_at = ENGINE_NEVER;
	if (command->unit == ENGINE_ARRAY)
		tiles_init(entry);
	*out = entry;
	return 0;
}

/* Those whose tiles have all been stored make room for others. */
bool dispatch_has_room(const struct dispatch *dispatch,
		       const struct engine_command *command)
{
	const struct dispatch_entry *entry = dispatch->entries.first;
	uint32_t count = 0;

	for (; entry; entry = entry->next) {
		if (entry->stored == entry->command->tile_count)
			continue;
		count++;
		if (command->sequence - entry->command->sequence >
		    dispatch->reach)
			return false;
	}
	return count < dispatch->places;
}

static void weights_open(struct dispatch *dispatch,
			 struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;

	if (command->weights.count) {
		entry->weights.ranges =
			command->memory_ranges + command->weights.first;
		entry->weights.count = command->weights.count;
		entry->weights.class = MEMORY_PREFETCH;
		entry->weights.sequence = command->sequence;
		memory_open(dispatch->memory, &entry->weights);
	}
	if (command->weights_from_host.count) {
		entry->weights_from_host.ranges =
			command->link_ranges + command->weights_from_host.first;
		entry->weights_from_host.count =
			command->weights_from_host.count;
		entry->weights_from_host.allowed = UINT64_MAX;
		entry->weights_from_host.sequence = command->sequence;
		link_open(dispatch->link, &entry->weights_from_host);
	}
}

void dispatch_start(struct dispatch *dispatch, struct dispatch_entry *entry,
		    uint64_t now)
{
	if (entry->command->start_cycle == ENGINE_NEVER)
		entry->command->start_cycle = now;
	dispatch_list_add(&dispatch->entries, entry);
	if (entry->command->unit == ENGINE_ARRAY)
		weights_open(dispatch, entry);
}

static struct dispatch_entry *entry_find(const struct dispatch_list *list,
					 uint64_t sequence)
{
	struct dispatch_entry *entry = list->first;

	while (entry && entry->command->sequence != sequence)
		entry = entry->next;
	return entry;
}

/* @written: it must also be where a read from memory would find it. */
static bool dependency_met(const struct dispatch *dispatch,
			   const struct dispatch_entry *entry,
			   const struct engine_dependency *dependency,
			   bool written)
{
	const struct dispatch_entry *on =
		entry_find(&dispatch->entries, dependency->sequence);
	uint32_t done;

	if (!on) {
		/* One without tiles ends at once, but it has to retire. */
		on = entry_find(&dispatch->ended, dependency->sequence);
		return !(on && !on->command->tile_count) &&
		       dependency->sequence < entry->command->sequence;
	}
	done = written ? on->written : on->stored;
	if (dependency->tile >= on->command->tile_count)
		return done == on->command->tile_count;
	return done > dependency->tile;
}

/* The first dependency of the tile that is not met, or NULL. */
static const struct engine_dependency *
tile_waits(const struct dispatch *dispatch, const struct dispatch_entry *entry,
	   uint32_t tile, bool written)
{
	const struct engine_dependency *after =
		entry->command->tiles[tile].after;

	for (unsigned int i = 0; i < ENGINE_DEPENDENCIES; i++)
		if (after[i].sequence &&
		    !dependency_met(dispatch, entry, &after[i], written))
			return &after[i];
	return NULL;
}

/*
 * Opens the reads of the next tiles. They must not pass the writes of what they come
 * after; tiles without any are nobody's concern.
 */
static bool tiles_open(struct dispatch *dispatch, struct dispatch_entry *entry)
{
	uint32_t before = entry->opened;

	while (entry->opened < entry->command->tile_count) {
		struct dispatch_tile *tile = &entry->tiles[entry->opened];

		if (tile->reads.count || tile->host_reads.count) {
			if (entry->opened >=
				    entry->begun + dispatch->tile_prefetch ||
			    tile_waits(dispatch, entry, entry->opened, true))
				break;
			if (tile->reads.count)
				memory_open(dispatch->memory, &tile->reads);
			if (tile->host_reads.count)
				link_open(dispatch->link, &tile->host_reads);
		}
		entry->opened++;
	}
	return entry->opened != before;
}

/* A barrier's wait begins when all tiles before its reach have been stored. */
static bool barrier_passed(struct dispatch_entry *entry, uint64_t now,
			   bool *changed)
{
	const struct engine_tile *tile = &entry->command->tiles[entry->ready];

	if (!tile->barrier)
		return true;
	if ((uint64_t)entry->stored + tile->barrier_reach < entry->ready)
		return false;
	if (entry->barrier_at == ENGINE_NEVER) {
		entry->barrier_at = now + tile->barrier_cycles;
		*changed = true;
	}
	return now >= entry->barrier_at;
}

static bool tiles_make_ready(struct dispatch *dispatch,
			     struct dispatch_entry *entry, uint64_t now)
{
	bool changed = false;

	while (entry->ready < entry->opened) {
		struct dispatch_tile *tile = &entry->tiles[entry->ready];

		if (!memory_transfer_done(&tile->reads) ||
		    !link_transfer_done(&tile->host_reads) ||
		    tile_waits(dispatch, entry, entry->ready, false) ||
		    !barrier_passed(entry, now, &changed))
			break;
		entry->barrier_at = ENGINE_NEVER;
		/* One without vectors is nobody's to load. */
		if (!entry->command->tiles[entry->ready].vectors)
			dispatch_tile_begin(entry, entry->ready);
		entry->ready++;
		changed = true;
	}
	return changed;
}

static bool tiles_store(struct dispatch *dispatch, struct dispatch_entry *entry,
			uint64_t now)
{
	uint32_t before = entry->stored;

	while (entry->stored < entry->ready) {
		struct dispatch_tile *tile = &entry->tiles[entry->stored];

		if (tile->clusters || now < tile->stored_at)
			break;
		if (tile->writes.count)
			memory_open(dispatch->memory, &tile->writes);
		if (tile->host_writes.count)
			link_open(dispatch->link, &tile->host_writes);
		entry->stored++;
	}
	return entry->stored != before;
}

static bool tiles_write(struct dispatch_entry *entry)
{
	uint32_t before = entry->written;

	while (entry->written < entry->stored) {
		struct dispatch_tile *tile = &entry->tiles[entry->written];

		if (!memory_transfer_done(&tile->writes) ||
		    !link_transfer_done(&tile->host_writes))
			break;
		entry->written++;
	}
	return entry->written != before;
}

/* By multiplication, since this is asked in every step. */
static bool weights_arrive(struct dispatch_entry *entry)
{
	uint64_t total = entry->weights.total + entry->weights_from_host.total;
	uint64_t done = entry->weights.done + entry->weights_from_host.done;
	uint32_t before = entry->slices;

	while (entry->slices < DISPATCH_SLICES &&
	       done * DISPATCH_SLICES >= total * (entry->slices + 1))
		entry->slices++;
	return entry->slices != before;
}

/* What decides the cause of a wait, whether or not it ends the wait. */
static bool arrivals_change(struct dispatch_entry *entry)
{
	const struct dispatch_tile *tile = &entry->tiles[entry->ready];
	uint32_t arrivals = memory_transfer_done(&entry->weights);

	if (entry->ready < entry->opened)
		arrivals |= memory_transfer_done(&tile->reads) << 1 |
			    link_transfer_done(&tile->host_reads) << 2;
	if (arrivals == entry->arrivals)
		return false;
	entry->arrivals = arrivals;
	return true;
}

static bool array_step(struct dispatch *dispatch, struct dispatch_entry *entry,
		       uint64_t now)
{
	bool changed = weights_arrive(entry);

	changed |= tiles_store(dispatch, entry, now);
	changed |= tiles_write(entry);
	changed |= tiles_open(dispatch, entry);
	changed |= tiles_make_ready(dispatch, entry, now);
	changed |= arrivals_change(entry);
	return changed;
}

static bool copy_start(struct dispatch *dispatch, struct dispatch_entry *entry,
		       uint64_t now)
{
	if (entry->started)
		return false;
	if (!dma_has_room(dispatch->dma))
		return false;
	entry->started = true;
	entry->command->work_cycle = now;
	dma_start(dispatch->dma, entry->command, now);
	return true;
}

/* A copy's pieces are its tiles; the DMA engine has it all but the dependencies. */
static bool copy_step(struct dispatch *dispatch, struct dispatch_entry *entry,
		      uint64_t now)
{
	bool changed = copy_start(dispatch, entry, now);
	uint32_t allowed = entry->allowed;
	uint32_t done;

	if (!entry->started)
		return changed;
	while (allowed < entry->command->tile_count &&
	       !tile_waits(dispatch, entry, allowed, true))
		allowed++;
	if (allowed != entry->allowed) {
		entry->allowed = allowed;
		dma_allow(dispatch->dma, entry->command, allowed);
		changed = true;
	}
	done = dma_pieces_done(dispatch->dma, entry->command);
	changed |= done != entry->stored;
	entry->stored = done;
	entry->written = done;
	return changed;
}

static bool weights_allow(struct dispatch_entry *entry, uint64_t bytes)
{
	if (entry->weights.allowed >= bytes)
		return false;
	entry->weights.allowed = bytes;
	return true;
}

/*
 * Weights that nobody uses yet take up to prefetch_bytes; the oldest command's, and
 * those that a cluster waits for, come in any case.
 */
static bool weights_grant(struct dispatch *dispatch)
{
	struct dispatch_entry *entry = dispatch->entries.first;
	uint64_t left = dispatch->prefetch_bytes;
	bool changed = false;

	for (; entry; entry = entry->next) {
		uint64_t bytes = min_u64(left, entry->weights.total);

		if (!entry->weights.count)
			continue;
		if (entry == dispatch->entries.first || entry->urgent ||
		    entry->command->work_cycle != ENGINE_NEVER ||
		    bytes == entry->weights.total)
			changed |= weights_allow(entry, UINT64_MAX);
		else
			changed |= weights_allow(entry, bytes);
		if (entry->command->work_cycle == ENGINE_NEVER)
			left -= bytes;
	}
	return changed;
}

bool dispatch_step(struct dispatch *dispatch, uint64_t now)
{
	struct dispatch_entry *entry = dispatch->entries.first;
	bool changed = dispatch->touched;

	dispatch->touched = false;
	for (; entry; entry = entry->next) {
		if (entry->command->unit == ENGINE_ARRAY)
			changed |= array_step(dispatch, entry, now);
		else if (entry->command->unit == ENGINE_DMA)
			changed |= copy_step(dispatch, entry, now);
	}
	changed |= weights_grant(dispatch);
	return changed;
}

uint64_t dispatch_next(const struct dispatch *dispatch, uint64_t now)
{
	const struct dispatch_entry *entry = dispatch->entries.first;
	uint64_t next = ENGINE_NEVER;

	for (; entry; entry = entry->next) {
		if (entry->command->unit != ENGINE_ARRAY)
			continue;
		if (entry->barrier_at > now)
			next = min_u64(next, entry->barrier_at);
		if (entry->stored < entry->ready &&
		    !entry->tiles[entry->stored].clusters)
			next = min_u64(next,
				       entry->tiles[entry->stored].stored_at);
	}
	return next;
}

/* Weights that nobody waited for may come last, if there was no vector. */
static bool entry_ended(const struct dispatch_entry *entry)
{
	return entry->written == entry->command->tile_count &&
	       memory_transfer_done(&entry->weights) &&
	       link_transfer_done(&entry->weights_from_host);
}

struct dispatch_entry *dispatch_end(struct dispatch *dispatch, uint64_t now)
{
	struct dispatch_entry *entry = dispatch->entries.first;

	while (entry && !entry_ended(entry))
		entry = entry->next;
	if (!entry)
		return NULL;
	if (entry->started)
		dma_finish(dispatch->dma, entry->command);
	entry->command->end_cycle = now;
	dispatch->touched = true;
	dispatch_list_take(&dispatch->entries, entry);
	list_insert(&dispatch->ended, entry);
	return entry;
}

/* A change, though nothing moves: memory may serve another transfer next. */
static void transfer_raise(struct dispatch *dispatch,
			   struct memory_transfer *transfer)
{
	if (transfer->class == MEMORY_DEMAND)
		return;
	transfer->class = MEMORY_DEMAND;
	dispatch->touched = true;
}

enum spmm_stall dispatch_wait_weights(struct dispatch *dispatch,
				      struct dispatch_entry *entry)
{
	if (memory_transfer_done(&entry->weights))
		return SPMM_STALL_PCIE;
	entry->urgent = true;
	transfer_raise(dispatch, &entry->weights);
	return SPMM_STALL_DRAM;
}

/* What a tile waits for that comes after something. */
static struct dispatch_wait
dependency_wait(const struct dispatch *dispatch,
		const struct engine_dependency *dependency, uint64_t now)
{
	const struct dispatch_entry *on =
		entry_find(&dispatch->entries, dependency->sequence);
	struct dispatch_wait wait = { SPMM_STALL_TAIL, false };

	if (!on)
		wait.cause = SPMM_STALL_COMMAND;
	else if (on->command->unit == ENGINE_DMA)
		wait = (struct dispatch_wait){
			dispatch_cause(dispatch, on, now), true
		};
	return wait;
}

struct dispatch_wait dispatch_wait_tile(struct dispatch *dispatch,
					struct dispatch_entry *entry,
					uint64_t now)
{
	struct dispatch_tile *tile = &entry->tiles[entry->ready];
	const struct engine_dependency *on =
		tile_waits(dispatch, entry, entry->ready, false);
	struct dispatch_wait wait = { SPMM_STALL_TAIL, false };

	if (on)
		return dependency_wait(dispatch, on, now);
	if (entry->opened <= entry->ready) {
		wait.cause = SPMM_STALL_DRAM;
	} else if (!memory_transfer_done(&tile->reads)) {
		transfer_raise(dispatch, &tile->reads);
		wait.cause = SPMM_STALL_DRAM;
	} else if (!link_transfer_done(&tile->host_reads)) {
		wait.cause = SPMM_STALL_PCIE;
	}
	return wait;
}

enum spmm_stall dispatch_cause(const struct dispatch *dispatch,
			       const struct dispatch_entry *entry, uint64_t now)
{
	if (entry->started)
		return dma_cause(dispatch->dma, entry->command, now);
	if (entry->command->unit == ENGINE_DMA)
		return SPMM_STALL_DMA;
	if (entry->command->unit == ENGINE_NOBODY ||
	    entry->stored < entry->command->tile_count)
		return SPMM_STALL_TAIL;
	/* Only what leaves the chip is left. */
	if (entry->written < entry->stored &&
	    memory_transfer_done(&entry->tiles[entry->written].writes))
		return SPMM_STALL_PCIE;
	return SPMM_STALL_DRAM;
}

uint64_t dispatch_read_bytes(const struct dispatch_entry *entry)
{
	uint64_t bytes = entry->weights.done + entry->weights_from_host.done;

	for (uint32_t t = 0; t < entry->opened; t++)
		bytes += entry->tiles[t].reads.done +
			 entry->tiles[t].host_reads.done;
	return bytes;
}
