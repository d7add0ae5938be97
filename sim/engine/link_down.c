/* SPDX-License-Identifier: MIT */
/*
 * What the host sends: completions, in the order of the requests, and stores to
 * doorbells, which pass them. One packet is on the wire at a time.
 */
#include <sim/engine/link_state.h>

#define READ_COMPLETION_BOUNDARY 64

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
		down->doorbell = link_turns_take(&link->doorbells, NULL);
		down->length = LINK_DOORBELL_BYTES;
		sequence = down->doorbell->sequence;
	} else {
		down->doorbell = NULL;
		down->length = completion_length(link, request_front(link));
		sequence = request_front(link)->transfer->sequence;
		link->answering = true;
	}
	down->end = link_packet(link, ENGINE_TRACK_LINK_DOWN,
				doorbell ? "doorbell" : "completion", start,
				down->length, sequence);
	link->counts.packets_down++;
}

static void completion_arrive(struct engine_link *link, uint32_t length)
{
	struct link_request *request = request_front(link);

	request->address += length;
	request->left -= length;
	link->completion_bytes -= length;
	if (request->walk) {
		link_walked(link, request->transfer);
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

bool link_down_step(struct engine_link *link, link_time time)
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
		down->doorbell->done = LINK_DOORBELL_BYTES;
		link->counts.doorbells++;
	} else {
		completion_arrive(link, down->length);
	}
	down->length = 0;
	return true;
}

uint64_t link_down_next(const struct engine_link *link)
{
	bool doorbell;
	link_time start;

	if (link->down.length)
		return link_cycle(&link->scale, link->down.end);
	if (!down_choose(link, &doorbell, &start))
		return ENGINE_NEVER;
	return link_cycle(&link->scale, start);
}
