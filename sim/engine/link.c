/* SPDX-License-Identifier: MIT */
/*
 * The link: packets on both wires. The device decides at cycles what it sends; from there on
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
#include <sim/engine/link_state.h>

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

void link_turns_add(struct link_turns *turns, struct link_transfer *transfer)
{
	transfer->next = NULL;
	if (turns->first)
		turns->last->next = transfer;
	else
		turns->first = transfer;
	turns->last = transfer;
}

struct link_transfer *link_turns_take(struct link_turns *turns,
				      struct link_transfer *previous)
{
	struct link_transfer **at = previous ? &previous->next : &turns->first;
	struct link_transfer *transfer = *at;

	*at = transfer->next;
	if (turns->last == transfer)
		turns->last = previous;
	return transfer;
}

link_time link_packet(const struct engine_link *link, enum engine_track track,
		      const char *name, link_time start, uint32_t payload,
		      uint64_t sequence)
{
	link_time end = start + link->scale.byte *
					(link->config.pcie_overhead + payload);
	struct engine_span span = {
		.track = track,
		.begin = (uint64_t)(start / link->scale.cycle),
		.end = (uint64_t)(end / link->scale.cycle),
		.name = name,
		.sequence = sequence,
		.detail = payload,
	};

	if (span.end == span.begin)
		span.end++;
	if (link->observer && link->observer->span)
		link->observer->span(link->observer->owner, &span);
	return end;
}

static void show_credits(const struct engine_link *link, uint64_t now)
{
	const struct engine_observer *observer = link->observer;

	observer->change(observer->owner, ENGINE_SIGNAL_LINK_TAGS, 0, now,
			 link->request_count);
	observer->change(observer->owner, ENGINE_SIGNAL_LINK_POSTED, 0, now,
			 link->posted_count);
}

void link_open(struct engine_link *link, struct link_transfer *transfer)
{
	transfer->total = 0;
	for (uint32_t i = 0; i < transfer->count; i++)
		transfer->total += transfer->ranges[i].length;
	transfer->done = 0;
	transfer->interrupt = false;
	if (transfer->total)
		link_up_open(link, transfer);
}

void link_interrupt(struct engine_link *link, struct link_transfer *transfer)
{
	link_open(link, transfer);
	transfer->interrupt = true;
}

void link_doorbell(struct engine_link *link, struct link_transfer *transfer,
		   uint64_t now)
{
	transfer->total = LINK_DOORBELL_BYTES;
	transfer->done = 0;
	transfer->opened = now;
	link_turns_add(&link->doorbells, transfer);
}

bool link_step(struct engine_link *link, uint64_t now)
{
	link_time time = link->scale.cycle * now;
	bool changed = false;

	while (link_down_step(link, time))
		changed = true;
	while (link_up_return(link, time))
		changed = true;
	changed |= link_up_send(link, time);
	if (changed && link->observer && link->observer->change)
		show_credits(link, now);
	return changed;
}

uint64_t link_next(const struct engine_link *link, uint64_t now)
{
	uint64_t next = min_u64(link_down_next(link), link_up_next(link, now));

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
