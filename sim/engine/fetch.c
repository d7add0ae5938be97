/* SPDX-License-Identifier: MIT */
/*
 * Commands on their way to the window: doorbell, a block of entries, a descriptor,
 * and the check of it. The reads of several commands overlap; checks follow one
 * another. What a block announces is known when it has come, so the next block of
 * the queue is read after it.
 */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/fetcher.h>

#define PAGE_BYTES 4096
/* Of a command that has no descriptor. */
#define ENTRY_CYCLES 1

enum fetch_state {
	FETCH_SILENT, /* its doorbell has not rung */
	FETCH_RINGING, /* its doorbell is on its way; or it has none */
	FETCH_ENTRY, /* its block is read; or that of another one */
	FETCH_DESCRIPTOR,
	FETCH_FETCHED,
	FETCH_CHECKED, /* is being */
	FETCH_READY,
};

/**
 * struct fetch_read - a block or a descriptor, read over the link or from memory
 * @begin: cycle, for the observer
 */
struct fetch_read {
	struct memory_transfer memory;
	struct link_transfer link;
	uint64_t begin;
};

/**
 * struct fetch_item - a command that waits
 * @order: commands of its queue before it
 * @block: of its queue's blocks, the one that its entry is in, from 1
 * @rung: cycle of its doorbell
 * @ranges: of both reads
 */
struct fetch_item {
	struct engine_command *command;
	struct fetch_item *next;
	enum fetch_state state;
	uint64_t order;
	uint64_t block;
	uint64_t rung;
	struct link_transfer doorbell;
	struct fetch_read entry;
	struct fetch_read descriptor;
	struct memory_range ranges[];
};

int engine_fetcher_create(const struct sim_config *config,
			  struct engine_memory *memory,
			  struct engine_link *link,
			  const struct engine_observer *observer,
			  struct engine_fetcher **out)
{
	struct engine_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return accel_error(-ENOMEM, "no memory for a fetcher");
	fetcher->prefetch = config->command_prefetch;
	fetcher->command_cycles = config->command_cycles;
	fetcher->memory = memory;
	fetcher->link = link;
	fetcher->observer = observer;
	fetcher->check_end = ENGINE_NEVER;
	*out = fetcher;
	return 0;
}

static void items_free(struct fetch_item *item)
{
	while (item) {
		struct fetch_item *next = item->next;

		free(item);
		item = next;
	}
}

void engine_fetcher_destroy(struct engine_fetcher *fetcher)
{
	if (!fetcher)
		return;
	items_free(fetcher->first);
	items_free(fetcher->dropped);
	completion_clear(fetcher);
	free(fetcher);
}

static void show(const struct engine_fetcher *fetcher, enum engine_track track,
		 const char *name, uint64_t begin, uint64_t end,
		 const struct fetch_item *item, uint64_t bytes)
{
	const struct engine_span span = {
		.track = track,
		.begin = begin,
		.end = end,
		.name = name,
		.sequence = item->command->sequence,
		.detail = bytes,
	};

	if (fetcher->observer && fetcher->observer->span)
		fetcher->observer->span(fetcher->observer->owner, &span);
}

static struct fetch_queue *queue_of(struct engine_fetcher *fetcher,
				    const struct fetch_item *item)
{
	return &fetcher->queues[item->command->queue];
}

static uint32_t page_count(uint64_t address, uint32_t bytes)
{
	return (uint32_t)divide_up(address % PAGE_BYTES + bytes, PAGE_BYTES);
}

/* Cuts @bytes at pages; the first range that is left over. */
static struct memory_range *pages_cut(struct memory_range *ranges,
				      uint64_t address, uint32_t bytes)
{
	while (bytes) {
		uint64_t rest = PAGE_BYTES - address % PAGE_BYTES;
		uint32_t length = (uint32_t)min_u64(bytes, rest);

		*ranges++ = (struct memory_range){ .address = address,
						   .length = length };
		address += length;
		bytes -= length;
	}
	return ranges;
}

static void read_set(struct fetch_read *read, const struct memory_range *ranges,
		     const struct memory_range *end, bool in_host,
		     uint64_t sequence)
{
	uint32_t count = (uint32_t)(end - ranges);

	read->memory = (struct memory_transfer){
		.ranges = ranges,
		.count = in_host ? 0 : count,
		.class = MEMORY_FETCH,
		.allowed = UINT64_MAX,
		.sequence = sequence,
	};
	read->link = (struct link_transfer){
		.ranges = ranges,
		.count = in_host ? count : 0,
		.allowed = UINT64_MAX,
		.sequence = sequence,
	};
}

/* What the SRAM holds is there at once. */
static uint32_t descriptor_read_bytes(const struct engine_fetch *fetch)
{
	return fetch->descriptor_in_sram ? 0 : fetch->descriptor_bytes;
}

static struct fetch_item *item_new(struct engine_command *command)
{
	const struct engine_fetch *fetch = &command->fetch;
	uint32_t entry = fetch->entry ? fetch->entry_bytes : 0;
	uint32_t descriptor = descriptor_read_bytes(fetch);
	uint32_t count = page_count(fetch->entry_address, entry) +
			 page_count(fetch->descriptor_address, descriptor);
	struct fetch_item *item =
		calloc(1, sizeof(*item) + count * sizeof(item->ranges[0]));
	struct memory_range *middle, *end;

	if (!item)
		return NULL;
	item->command = command;
	middle = pages_cut(item->ranges, fetch->entry_address, entry);
	end = pages_cut(middle, fetch->descriptor_address, descriptor);
	read_set(&item->entry, item->ranges, middle, fetch->entry_in_host,
		 command->sequence);
	read_set(&item->descriptor, middle, end, fetch->descriptor_in_host,
		 command->sequence);
	item->doorbell.sequence = command->sequence;
	return item;
}

static void read_open(struct engine_fetcher *fetcher, struct fetch_read *read,
		      uint64_t now)
{
	read->begin = now;
	memory_open(fetcher->memory, &read->memory);
	link_open(fetcher->link, &read->link);
}

static bool read_done(const struct fetch_read *read)
{
	return memory_transfer_done(&read->memory) &&
	       link_transfer_done(&read->link);
}

static void read_show(const struct engine_fetcher *fetcher,
		      const struct fetch_item *item,
		      const struct fetch_read *read, const char *name,
		      uint64_t now)
{
	if (read->link.total + read->memory.total)
		show(fetcher, ENGINE_TRACK_FETCH, name, read->begin, now, item,
		     read->link.total + read->memory.total);
}

static void item_ring(struct engine_fetcher *fetcher, struct fetch_item *item,
		      uint64_t now)
{
	item->state = FETCH_RINGING;
	item->rung = now;
	link_doorbell(fetcher->link, &item->doorbell, now);
	show(fetcher, ENGINE_TRACK_HOST, "submit", now, now + 1, item, 0);
}

static void item_add(struct engine_fetcher *fetcher, struct fetch_item *item)
{
	if (fetcher->first)
		fetcher->last->next = item;
	else
		fetcher->first = item;
	fetcher->last = item;
	fetcher->waiting++;
}

int fetch_push(struct engine_fetcher *fetcher, struct engine_command *command,
	       uint64_t now)
{
	struct fetch_item *item = item_new(command);
	struct fetch_queue *queue;

	if (!item)
		return accel_error(-ENOMEM, "no memory for a command");
	queue = queue_of(fetcher, item);
	item->order = queue->pushed++;
	if (command->fetch.doorbell || command->fetch.entry)
		queue->blocks++;
	item->block = queue->blocks;
	item_add(fetcher, item);
	if (!command->fetch.doorbell)
		item->state = FETCH_RINGING;
	else if (item->order == queue->retired)
		item_ring(fetcher, item, now);
	else
		queue->silent++;
	return 0;
}

void fetch_retired(struct engine_fetcher *fetcher,
		   const struct engine_command *command, uint64_t now)
{
	struct fetch_queue *queue = &fetcher->queues[command->queue];

	queue->retired++;
	if (!queue->silent)
		return;
	for (struct fetch_item *item = fetcher->first; item; item = item->next)
		if (item->command->queue == command->queue &&
		    item->state == FETCH_SILENT &&
		    item->order == queue->retired) {
			queue->silent--;
			item_ring(fetcher, item, now);
			return;
		}
}

uint32_t fetch_waiting(const struct engine_fetcher *fetcher)
{
	return fetcher->waiting;
}

struct engine_command *fetch_front(const struct engine_fetcher *fetcher)
{
	const struct fetch_item *item = fetcher->first;

	return item && item->state != FETCH_SILENT ? item->command : NULL;
}

struct engine_command *fetch_ready(const struct engine_fetcher *fetcher)
{
	const struct fetch_item *item = fetcher->first;

	return item && item->state == FETCH_READY ? item->command : NULL;
}

void fetch_take(struct engine_fetcher *fetcher)
{
	struct fetch_item *item = fetcher->first;

	fetcher->first = item->next;
	fetcher->waiting--;
	free(item);
}

/* Is the block of the item's entry there, or can the item read it now? */
static bool entry_step(struct engine_fetcher *fetcher, struct fetch_item *item,
		       uint64_t now)
{
	const struct engine_fetch *fetch = &item->command->fetch;
	struct fetch_queue *queue = queue_of(fetcher, item);

	if (!fetch->doorbell && !fetch->entry)
		return queue->blocks_come >= item->block;
	if (queue->blocks_come + 1 < item->block)
		return false;
	if (fetch->doorbell) {
		if (!link_transfer_done(&item->doorbell))
			return false;
		show(fetcher, ENGINE_TRACK_DOORBELL, "doorbell", item->rung,
		     now, item, 0);
	}
	read_open(fetcher, &item->entry, now);
	return true;
}

static bool entry_come(struct engine_fetcher *fetcher, struct fetch_item *item,
		       uint64_t now)
{
	const struct engine_fetch *fetch = &item->command->fetch;

	if (!fetch->doorbell && !fetch->entry)
		return true;
	if (!read_done(&item->entry))
		return false;
	read_show(fetcher, item, &item->entry, "entries", now);
	queue_of(fetcher, item)->blocks_come++;
	return true;
}

static void descriptor_open(struct engine_fetcher *fetcher,
			    struct fetch_item *item, uint64_t now)
{
	read_open(fetcher, &item->descriptor, now);
	if (item->command->fetch.descriptor_bytes &&
	    item->command->start_cycle == ENGINE_NEVER)
		item->command->start_cycle = now;
}

static void check_begin(struct engine_fetcher *fetcher, struct fetch_item *item,
			uint64_t now)
{
	fetcher->check_end = now + (item->command->fetch.descriptor_bytes ?
					    fetcher->command_cycles :
					    ENTRY_CYCLES);
}

/* May the item leave its state? Then it does what comes with the next one. */
static bool item_step(struct engine_fetcher *fetcher, struct fetch_item *item,
		      bool first_unchecked, uint64_t now)
{
	switch (item->state) {
	case FETCH_SILENT:
	case FETCH_READY:
		return false;
	case FETCH_RINGING:
		return entry_step(fetcher, item, now);
	case FETCH_ENTRY:
		if (!entry_come(fetcher, item, now))
			return false;
		descriptor_open(fetcher, item, now);
		return true;
	case FETCH_DESCRIPTOR:
		if (!read_done(&item->descriptor))
			return false;
		read_show(fetcher, item, &item->descriptor, "descriptor", now);
		return true;
	case FETCH_FETCHED:
		if (!first_unchecked)
			return false;
		check_begin(fetcher, item, now);
		return true;
	case FETCH_CHECKED:
		if (now < fetcher->check_end)
			return false;
		fetcher->check_end = ENGINE_NEVER;
		return true;
	}
	return false;
}

/* The command may be gone; what was not opened counts as done. */
static bool item_busy(const struct fetch_item *item)
{
	return !link_transfer_done(&item->doorbell) ||
	       !read_done(&item->entry) || !read_done(&item->descriptor);
}

static void dropped_step(struct engine_fetcher *fetcher)
{
	struct fetch_item **at = &fetcher->dropped;

	while (*at) {
		struct fetch_item *item = *at;

		if (item_busy(item)) {
			at = &item->next;
			continue;
		}
		*at = item->next;
		free(item);
	}
}

bool fetch_step(struct engine_fetcher *fetcher, uint64_t now)
{
	struct fetch_item *item = fetcher->first;
	bool first_unchecked = true;
	bool changed = false;

	for (uint32_t i = 0; item && i <= fetcher->prefetch; i++) {
		while (item_step(fetcher, item, first_unchecked, now)) {
			item->state++;
			changed = true;
		}
		first_unchecked &= item->state == FETCH_READY;
		item = item->next;
	}
	dropped_step(fetcher);
	return changed;
}

/* Everything else comes from memory or over the link. */
uint64_t fetch_next(const struct engine_fetcher *fetcher, uint64_t now)
{
	return max_u64(fetcher->check_end, now + 1);
}

void fetch_drop(struct engine_fetcher *fetcher, uint16_t queue)
{
	struct fetch_queue *state = &fetcher->queues[queue];
	struct fetch_item *item = fetcher->first, *next;

	fetcher->first = NULL;
	fetcher->waiting = 0;
	for (; item; item = next) {
		next = item->next;
		item->next = NULL;
		if (item->command->queue == queue) {
			if (item->state == FETCH_CHECKED)
				fetcher->check_end = ENGINE_NEVER;
			item->next = fetcher->dropped;
			fetcher->dropped = item;
		} else {
			item_add(fetcher, item);
		}
	}
	state->retired = state->pushed;
	state->silent = 0;
	state->blocks_come = state->blocks;
	completion_drop(fetcher, queue);
}
