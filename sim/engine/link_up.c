/* SPDX-License-Identifier: MIT */
/*
 * What the device sends: page walks before all else, then requests and writes by
 * turns, as far as tags and credits go.
 */
#include <core/integer.h>
#include <sim/engine/link_state.h>

#define PAGE_BYTES 4096
#define DATA_CREDIT_BYTES 16
#define PAGE_TABLE_ENTRY_BYTES 8
/* Translations that a transfer may ask for beyond the range that it moves. */
#define WALKS_AHEAD 4

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

void link_up_open(struct engine_link *link, struct link_transfer *transfer)
{
	transfer->requested = 0;
	transfer->range = 0;
	transfer->offset = 0;
	transfer->walk_range = 0;
	transfer->walk_level = 0;
	transfer->walking = false;
	link->walks += transfer->count;
	walk_advance(link, transfer);
	range_advance(transfer);
	link_turns_add(transfer->write ? &link->writes : &link->reads,
		       transfer);
}

void link_walked(struct engine_link *link, struct link_transfer *transfer)
{
	transfer->walking = false;
	transfer->walk_level++;
	walk_advance(link, transfer);
}

bool link_up_return(struct engine_link *link, link_time time)
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
static link_time packet_send(struct engine_link *link, link_time start,
			     const char *name, uint32_t payload,
			     uint64_t sequence)
{
	link->counts.packets_up++;
	link->up_free = link_packet(link, ENGINE_TRACK_LINK_UP, name, start,
				    payload, sequence);
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
		.ready = packet_send(link, start,
				     walk ? "page-table read" : "read request",
				     0, transfer->sequence) +
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
		.taken = packet_send(link, start,
				     interrupt ? "interrupt" : "write", length,
				     transfer->sequence) +
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
	link_turns_take(turns, previous);
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
		link_turns_add(turns, transfer);
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
bool link_up_send(struct engine_link *link, link_time time)
{
	bool changed = false;

	while ((link->reads.first || link->writes.first) &&
	       link->up_free < time + link->scale.cycle &&
	       up_step(link, link->up_free > time ? link->up_free : time))
		changed = true;
	return changed;
}

uint64_t link_up_next(const struct engine_link *link, uint64_t now)
{
	uint64_t free = (uint64_t)(link->up_free / link->scale.cycle);
	uint64_t next = ENGINE_NEVER;

	if (link->posted_count)
		next = link_cycle(&link->scale,
				  link->posted[link->posted_first].taken);
	/* What a free wire did not take waits for one of the others. */
	if ((link->reads.first || link->writes.first) && free > now)
		next = min_u64(next, free);
	return next;
}
