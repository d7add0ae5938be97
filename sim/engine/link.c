/* SPDX-License-Identifier: MIT */
/*
 * Packets on both wires. The device decides at cycles what it sends; from there on
 * everything has its exact time, and the device notices at the next cycle.
 *
 * A read request keeps its tag until its last completion has come, its non-posted
 * credit until the host begins to answer, and room in the completion buffer for
 * what has not come. A write keeps its credits until the host has taken it. Updates
 * of credits and acknowledgements travel for nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/link.h>
#include <sim/engine/link_rate.h>

#define PAGE_BYTES 4096
#define READ_COMPLETION_BOUNDARY 64
#define DATA_CREDIT_BYTES 16
#define DOORBELL_BYTES 4
#define PAGE_TABLE_ENTRY_BYTES 8
/* Translations that a transfer may ask for beyond the range that it moves. */
#define WALKS_AHEAD 4

/* A read request under way; @walk: of a page-table entry. */
struct link_request {
	struct link_transfer *transfer;
	uint64_t address;
	uint32_t left;
	bool walk;
	link_time ready; /* the host begins to answer */
};

/* A write under way. */
struct link_posted {
	struct link_transfer *transfer;
	uint32_t length;
	link_time taken;
};

/* Transfers in the order of their turns. */
struct link_turns {
	struct link_transfer *first;
	struct link_transfer *last;
};

/* The one packet that is on the wire towards the device. */
struct link_arrival {
	struct link_transfer *doorbell; /* else it is a completion */
	uint32_t length; /* 0: the wire is free */
	link_time end;
};

/**
 * struct engine_link
 * @reads: transfers that still have something to request
 * @writes: likewise
 * @doorbells: on their way through the host
 * @walks: ranges of @reads and @writes that are not translated
 * @write_turn: a write goes before a read
 * @up_free: end of the last packet towards the host
 * @down: the wire towards the device
 * @requests: ring of pcie_tags, in the order of sending, which is that of answers
 * @answering: the first of them has given its credit back
 * @completion_bytes: reserved in the completion buffer
 * @posted: ring of pcie_posted_credits
 * @posted_data: credits in use
 */
struct engine_link {
	struct sim_config config;
	struct link_scale scale;
	const struct engine_observer *observer;
	struct link_turns reads;
	struct link_turns writes;
	struct link_turns doorbells;
	uint64_t walks;
	bool write_turn;
	link_time up_free;
	struct link_arrival down;
	struct link_request *requests;
	uint32_t request_first;
	uint32_t request_count;
	bool answering;
	uint32_t completion_bytes;
	struct link_posted *posted;
	uint32_t posted_first;
	uint32_t posted_count;
	uint32_t posted_data;
	struct link_counts counts;
};

int engine_link_create(const struct sim_config *config,
		       const struct engine_observer *observer,
		       struct engine_link **out)
{
	struct engine_link *link = calloc(1, sizeof(*link));

	if (!link)
		return accel_error(-ENOMEM, "no memory for the link");
	link->config = *config;
	link->observer = observer;
	link_scale_init(&link->scale, config);
	link->requests = calloc(config->pcie_tags, sizeof(*link->requests));
	link->posted =
		calloc(config->pcie_posted_credits, sizeof(*link->posted));
	if (!link->requests || !link->posted) {
		engine_link_destroy(link);
		return accel_error(-ENOMEM, "no memory for the link");
	}
	*out = link;
	return 0;
}

void engine_link_destroy(struct engine_link *link)
{
	if (!link)
		return;
	free(link->requests);
	free(link->posted);
	free(link);
}

static void turns_add(struct link_turns *turns, struct link_transfer *transfer)
{
	transfer->next = NULL;
	if (turns->first)
		turns->last->next = transfer;
	else
		turns->first = transfer;
	turns->last = transfer;
}

/* Takes out the one behind @previous, or the first. */
static struct link_transfer *turns_take(struct link_turns *turns,
					struct link_transfer *previous)
{
	struct link_transfer **at = previous ? &previous->next : &turns->first;
	struct link_transfer *transfer = *at;

	*at = transfer->next;
	if (turns->last == transfer)
		turns->last = previous;
	return transfer;
}

static void show_packet(const struct engine_link *link, enum engine_track track,
			const char *name, link_time begin, link_time end,
			uint64_t sequence, uint64_t bytes)
{
	struct engine_span span = {
		.track = track,
		.begin = (uint64_t)(begin / link->scale.cycle),
		.end = (uint64_t)(end / link->scale.cycle),
		.name = name,
		.sequence = sequence,
		.detail = bytes,
	};

	if (span.end == span.begin)
		span.end++;
	link->observer->span(link->observer->owner, &span);
}

static void show_credits(const struct engine_link *link, uint64_t now)
{
	const struct engine_observer *observer = link->observer;

	observer->change(observer->owner, ENGINE_SIGNAL_LINK_TAGS, 0, now,
			 link->request_count);
	observer->change(observer->owner, ENGINE_SIGNAL_LINK_POSTED, 0, now,
			 link->posted_count);
}

/* A range that needs no walk, or has had it. */
static bool range_translated(const struct memory_range *range, uint32_t level)
{
	return level >= range->walks || !range->length;
}

static void walk_advance(struct engine_link *link,
			 struct link_transfer *transfer)
{
	while (transfer->walk_range < transfer->count &&
	       range_translated(&transfer->ranges[transfer->walk_range],
				transfer->walk_level)) {
		transfer->walk_range++;
		transfer->walk_level = 0;
		link->walks--;
	}
}

/* Passes over ranges that have been requested, and empty ones. */
static void range_advance(struct link_transfer *transfer)
{
	while (transfer->range < transfer->count &&
	       transfer->offset == transfer->ranges[transfer->range].length) {
		transfer->range++;
		transfer->offset = 0;
	}
}

void link_open(struct engine_link *link, struct link_transfer *transfer)
{
	transfer->total = 0;
	for (uint32_t i = 0; i < transfer->count; i++)
		transfer->total += transfer->ranges[i].length;
	transfer->done = 0;
	transfer->requested = 0;
	transfer->range = 0;
	transfer->offset = 0;
	transfer->walk_range = 0;
	transfer->walk_level = 0;
	transfer->walking = false;
	transfer->interrupt = false;
	if (!transfer->total)
		return;
	link->walks += transfer->count;
	walk_advance(link, transfer);
	range_advance(transfer);
	turns_add(transfer->write ? &link->writes : &link->reads, transfer);
}

void link_interrupt(struct engine_link *link, struct link_transfer *transfer)
{
	link_open(link, transfer);
	transfer->interrupt = true;
}

void link_doorbell(struct engine_link *link, struct link_transfer *transfer,
		   uint64_t now)
{
	transfer->total = DOORBELL_BYTES;
	transfer->done = 0;
	transfer->opened = now;
	turns_add(&link->doorbells, transfer);
}

static link_time packet_time(const struct engine_link *link, uint32_t payload)
{
	return link->scale.byte * (link->config.pcie_overhead + payload);
}

static struct link_request *request_front(const struct engine_link *link)
{
	return &link->requests[link->request_first];
}

/* A completion ends at a boundary, unless it is the last one. */
static uint32_t completion_length(const struct engine_link *link,
				  const struct link_request *request)
{
	uint32_t most = link->config.pcie_payload;

	if (request->left <= most)
		return request->left;
	return most - (uint32_t)(request->address % READ_COMPLETION_BOUNDARY);
}

/* When the next packet towards the device starts; a doorbell passes completions. */
static bool down_choose(const struct engine_link *link, bool *doorbell,
			link_time *start)
{
	const struct link_transfer *store = link->doorbells.first;
	link_time bell = 0, answer = 0;

	if (store)
		bell = link->scale.cycle * store->opened +
		       link->scale.picosecond * link->config.pcie_doorbell_ps;
	if (bell < link->down.end)
		bell = link->down.end;
	if (link->request_count)
		answer = request_front(link)->ready;
	if (answer < link->down.end)
		answer = link->down.end;
	*doorbell = store && (!link->request_count || bell <= answer);
	*start = *doorbell ? bell : answer;
	return store || link->request_count;
}

static void down_send(struct engine_link *link, bool doorbell, link_time start)
{
	struct link_arrival *down = &link->down;
	uint64_t sequence;

	if (doorbell) {
		down->doorbell = turns_take(&link->doorbells, NULL);
		down->length = DOORBELL_BYTES;
		sequence = down->doorbell->sequence;
	} else {
		down->doorbell = NULL;
		down->length = completion_length(link, request_front(link));
		sequence = request_front(link)->transfer->sequence;
		link->answering = true;
	}
	down->end = start + packet_time(link, down->length);
	link->counts.packets_down++;
	if (link->observer)
		show_packet(link, ENGINE_TRACK_LINK_DOWN,
			    doorbell ? "doorbell" : "completion", start,
			    down->end, sequence, down->length);
}

static void walk_arrive(struct engine_link *link,
			struct link_transfer *transfer)
{
	transfer->walking = false;
	transfer->walk_level++;
	walk_advance(link, transfer);
}

static void completion_arrive(struct engine_link *link, uint32_t length)
{
	struct link_request *request = request_front(link);

	request->address += length;
	request->left -= length;
	link->completion_bytes -= length;
	if (request->walk) {
		walk_arrive(link, request->transfer);
	} else {
		request->transfer->done += length;
		link->counts.read_bytes += length;
	}
	if (request->left)
		return;
	link->request_first =
		(link->request_first + 1) % link->config.pcie_tags;
	link->request_count--;
	link->answering = false;
}

/* The next of what happens on the wire towards the device by @time. */
static bool down_step(struct engine_link *link, link_time time)
{
	struct link_arrival *down = &link->down;
	bool doorbell;
	link_time start;

	if (!down->length) {
		if (!down_choose(link, &doorbell, &start) || start > time)
			return false;
		down_send(link, doorbell, start);
		return true;
	}
	if (down->end > time)
		return false;
	if (down->doorbell) {
		down->doorbell->done = DOORBELL_BYTES;
		link->counts.doorbells++;
	} else {
		completion_arrive(link, down->length);
	}
	down->length = 0;
	return true;
}

/* The host has taken a write by @time. */
static bool posted_step(struct engine_link *link, link_time time)
{
	struct link_posted *posted = &link->posted[link->posted_first];

	if (!link->posted_count || posted->taken > time)
		return false;
	posted->transfer->done += posted->length;
	link->counts.write_bytes += posted->length;
	link->posted_data -=
		(uint32_t)divide_up(posted->length, DATA_CREDIT_BYTES);
	link->posted_first =
		(link->posted_first + 1) % link->config.pcie_posted_credits;
	link->posted_count--;
	return true;
}

/* Puts a packet on the wire towards the host; the time at which it is there. */
static link_time up_send(struct engine_link *link, link_time start,
			 const char *name, uint32_t payload, uint64_t sequence)
{
	link->up_free = start + packet_time(link, payload);
	link->counts.packets_up++;
	if (link->observer)
		show_packet(link, ENGINE_TRACK_LINK_UP, name, start,
			    link->up_free, sequence, payload);
	return link->up_free;
}

static bool request_allowed(const struct engine_link *link, uint32_t length)
{
	const struct sim_config *config = &link->config;

	return link->request_count < config->pcie_tags &&
	       link->request_count - link->answering <
		       config->pcie_nonposted_credits &&
	       link->completion_bytes + length <= config->pcie_completion_bytes;
}

static void request_send(struct engine_link *link, link_time start,
			 struct link_transfer *transfer, uint64_t address,
			 uint32_t length, bool walk)
{
	uint32_t at = (link->request_first + link->request_count) %
		      link->config.pcie_tags;

	link->request_count++;
	link->completion_bytes += length;
	link->requests[at] = (struct link_request){
		.transfer = transfer,
		.address = address,
		.left = length,
		.walk = walk,
		.ready = up_send(link, start,
				 walk ? "page-table read" : "read request", 0,
				 transfer->sequence) +
			 link->scale.picosecond *
				 link->config.pcie_read_latency_ps,
	};
}

static void posted_send(struct engine_link *link, link_time start,
			struct link_transfer *transfer, uint32_t length)
{
	uint32_t at = (link->posted_first + link->posted_count) %
		      link->config.pcie_posted_credits;
	bool interrupt = transfer->interrupt &&
			 transfer->range == transfer->count - 1;

	link->counts.interrupts += interrupt;
	link->posted_count++;
	link->posted_data += (uint32_t)divide_up(length, DATA_CREDIT_BYTES);
	link->posted[at] = (struct link_posted){
		.transfer = transfer,
		.length = length,
		.taken = up_send(link, start, interrupt ? "interrupt" : "write",
				 length, transfer->sequence) +
			 link->scale.picosecond *
				 link->config.pcie_write_latency_ps,
	};
}

static bool posted_allowed(const struct engine_link *link, uint32_t length)
{
	const struct sim_config *config = &link->config;

	return link->posted_count < config->pcie_posted_credits &&
	       link->posted_data + divide_up(length, DATA_CREDIT_BYTES) <=
		       config->pcie_posted_data_credits;
}

static bool walk_due(const struct link_transfer *transfer)
{
	return !transfer->walking && transfer->walk_range < transfer->count &&
	       transfer->walk_range <= transfer->range + WALKS_AHEAD;
}

/* The next level of the first transfer whose turn it is; others wait for it. */
static bool walk_send(struct engine_link *link, link_time start)
{
	struct link_transfer *transfer = link->reads.first;

	if (!link->walks || !request_allowed(link, PAGE_TABLE_ENTRY_BYTES))
		return false;
	while (transfer && !walk_due(transfer))
		transfer = transfer->next;
	if (!transfer) {
		transfer = link->writes.first;
		while (transfer && !walk_due(transfer))
			transfer = transfer->next;
	}
	if (!transfer)
		return false;
	transfer->walking = true;
	request_send(link, start, transfer, 0, PAGE_TABLE_ENTRY_BYTES, true);
	return true;
}

/* Bytes of a transfer's next packet; 0: it is not translated or not allowed yet. */
static uint32_t packet_length(const struct link_transfer *transfer,
			      uint32_t most)
{
	const struct memory_range *range = &transfer->ranges[transfer->range];
	uint64_t address = range->address + transfer->offset;
	uint64_t length = min_u64(range->length - transfer->offset, most);

	length = min_u64(length, PAGE_BYTES - address % PAGE_BYTES);
	if (transfer->range >= transfer->walk_range ||
	    transfer->requested + length > transfer->allowed)
		return 0;
	return (uint32_t)length;
}

/*
 * A packet of the first transfer that has one. It is not passed by another one's
 * when credits are too few for it: it would starve.
 */
static bool data_send(struct engine_link *link, link_time start, bool write)
{
	struct link_turns *turns = write ? &link->writes : &link->reads;
	struct link_transfer *previous = NULL, *transfer = turns->first;
	uint32_t most = write ? link->config.pcie_payload :
				link->config.pcie_read_request;
	uint32_t length = 0;

	while (transfer && !(length = packet_length(transfer, most))) {
		previous = transfer;
		transfer = transfer->next;
	}
	if (!transfer || !(write ? posted_allowed(link, length) :
				   request_allowed(link, length)))
		return false;
	turns_take(turns, previous);
	if (write)
		posted_send(link, start, transfer, length);
	else
		request_send(link, start, transfer,
			     transfer->ranges[transfer->range].address +
				     transfer->offset,
			     length, false);
	transfer->requested += length;
	transfer->offset += length;
	range_advance(transfer);
	if (transfer->requested < transfer->total)
		turns_add(turns, transfer);
	return true;
}

/* A packet towards the host: walks first, then reads and writes by turns. */
static bool up_step(struct engine_link *link, link_time start)
{
	bool write = link->write_turn;

	if (walk_send(link, start))
		return true;
	if (!data_send(link, start, write)) {
		write = !write;
		if (!data_send(link, start, write))
			return false;
	}
	link->write_turn = !write;
	return true;
}

/* Packets may start at any time of the cycle, so that the wire can be kept busy. */
static bool up_cycle(struct engine_link *link, link_time time)
{
	bool changed = false;

	while ((link->reads.first || link->writes.first) &&
	       link->up_free < time + link->scale.cycle &&
	       up_step(link, link->up_free > time ? link->up_free : time))
		changed = true;
	return changed;
}

bool link_step(struct engine_link *link, uint64_t now)
{
	link_time time = link->scale.cycle * now;
	bool changed = false;

	while (down_step(link, time))
		changed = true;
	while (posted_step(link, time))
		changed = true;
	changed |= up_cycle(link, time);
	if (changed && link->observer)
		show_credits(link, now);
	return changed;
}

static uint64_t down_next(const struct engine_link *link)
{
	bool doorbell;
	link_time start;

	if (link->down.length)
		return link_cycle(&link->scale, link->down.end);
	if (!down_choose(link, &doorbell, &start))
		return ENGINE_NEVER;
	return link_cycle(&link->scale, start);
}

uint64_t link_next(const struct engine_link *link, uint64_t now)
{
	uint64_t next = down_next(link);
	uint64_t free = (uint64_t)(link->up_free / link->scale.cycle);

	if (link->posted_count)
		next = min_u64(
			next,
			link_cycle(&link->scale,
				   link->posted[link->posted_first].taken));
	/* What a free wire did not take waits for one of the others. */
	if ((link->reads.first || link->writes.first) && free > now)
		next = min_u64(next, free);
	return max_u64(next, now + 1);
}

bool link_idle(const struct engine_link *link)
{
	return !link->reads.first && !link->writes.first &&
	       !link->doorbells.first && !link->down.length &&
	       !link->request_count && !link->completion_bytes &&
	       !link->posted_count && !link->posted_data && !link->walks;
}

void link_count(const struct engine_link *link, struct link_counts *out)
{
	*out = link->counts;
}
