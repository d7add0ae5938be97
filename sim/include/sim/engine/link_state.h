/* SPDX-License-Identifier: MIT */
/*
 * The parts of the link, for link.c and its two directions: link_up.c decides what
 * the device sends, link_down.c what comes from the host.
 */
#ifndef SIM_ENGINE_LINK_STATE_H
#define SIM_ENGINE_LINK_STATE_H

#include <sim/engine/link.h>
#include <sim/engine/link_rate.h>

#define LINK_DOORBELL_BYTES 4

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

void link_turns_add(struct link_turns *turns, struct link_transfer *transfer);

/* Takes out the one behind @previous, or the first. */
struct link_transfer *link_turns_take(struct link_turns *turns,
				      struct link_transfer *previous);

/*
 * A packet of @payload bytes whose first byte is sent at @start. Return: the time at
 * which all of it has arrived.
 */
link_time link_packet(const struct engine_link *link, enum engine_track track,
		      const char *name, link_time start, uint32_t payload,
		      uint64_t sequence);

/* A level of the page walk that the transfer waits for has been read. */
void link_walked(struct engine_link *link, struct link_transfer *transfer);

/* The next of what happens by @time on the wire towards the device, if anything. */
bool link_down_step(struct engine_link *link, link_time time);
uint64_t link_down_next(const struct engine_link *link);

/* A transfer's first turn; it is not empty. */
void link_up_open(struct engine_link *link, struct link_transfer *transfer);

/* The host has taken a write by @time, if it has. */
bool link_up_return(struct engine_link *link, link_time time);

/* All packets that start in the cycle at @time. */
bool link_up_send(struct engine_link *link, link_time time);
uint64_t link_up_next(const struct engine_link *link, uint64_t now);

#endif
