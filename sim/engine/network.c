/* SPDX-License-Identifier: MIT */
/*
 * With n ports that ask for more than there is, the SRAM's bytes are one stream, dealt
 * out in turns of n pieces. A port's width is a whole number of pieces, and so many turns
 * are longer than what the SRAM has in a cycle: no port gets more than its width in any
 * cycle, and what it gets by a given cycle has a closed form. Whenever a port joins or
 * leaves, the turns start anew at the next port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/network.h>

/* A word of the SRAM: who needs less of a wide port leaves the rest to others. */
#define PIECE_BYTES 32

static uint32_t piece_bytes(uint32_t port_bytes)
{
	uint32_t piece = PIECE_BYTES;

	while (port_bytes % piece)
		piece--;
	return piece;
}

int network_create(struct network *network, uint32_t ports, uint32_t port_bytes,
		   uint32_t total_bytes)
{
	network->port_bytes = port_bytes;
	network->piece = piece_bytes(port_bytes);
	network->total_bytes = total_bytes;
	network->count = 0;
	network->ring = calloc(ports, sizeof(struct network_port *));
	if (!network->ring)
		return accel_error(-ENOMEM, "no memory for %u SRAM ports",
				   ports);
	return 0;
}

void network_destroy(struct network *network)
{
	free(network->ring);
}

static uint64_t turn_bytes(const struct network *network)
{
	return (uint64_t)network->count * network->piece;
}

static uint64_t asked_bytes(const struct network *network)
{
	return (uint64_t)network->count * network->port_bytes;
}

static bool network_contended(const struct network *network)
{
	return asked_bytes(network) > network->total_bytes;
}

/* What the port at @index of the ring gets in so many cycles. */
static uint64_t bytes_granted(const struct network *network, uint32_t index,
			      uint64_t cycles)
{
	uint64_t turn = turn_bytes(network);
	uint64_t before = (uint64_t)index * network->piece;
	uint64_t stream, rest, part;

	if (!network_contended(network))
		return cycles * network->port_bytes;
	stream = cycles * network->total_bytes;
	rest = stream % turn;
	part = rest > before ? min_u64(rest - before, network->piece) : 0;
	return stream / turn * network->piece + part;
}

/* The cycles after which it has got so many. */
static uint64_t cycles_needed(const struct network *network, uint32_t index,
			      uint64_t bytes)
{
	uint64_t whole, stream;

	if (!bytes)
		return 0;
	if (!network_contended(network))
		return divide_up(bytes, network->port_bytes);
	whole = (bytes - 1) / network->piece;
	stream = whole * turn_bytes(network) +
		 (uint64_t)index * network->piece +
		 (bytes - whole * network->piece);
	return divide_up(stream, network->total_bytes);
}

/* The next port to be served becomes the first of the ring. */
static void ring_rotate(struct network *network, uint64_t cycles)
{
	uint64_t rest = cycles * network->total_bytes % turn_bytes(network);
	uint64_t served = divide_up(rest, network->piece);

	for (served %= network->count; served; served--) {
		struct network_port *first = network->ring[0];

		memmove(network->ring, network->ring + 1,
			(network->count - 1) * sizeof(first));
		network->ring[network->count - 1] = first;
	}
}

/* Takes off what has passed up to @now. */
static void ring_settle(struct network *network, uint64_t now)
{
	uint64_t since = network->count ? network->ring[0]->since : now;

	for (uint32_t i = 0; i < network->count; i++) {
		struct network_port *port = network->ring[i];

		port->left -=
			min_u64(port->left,
				bytes_granted(network, i, now - port->since));
		port->since = now;
	}
	if (network_contended(network))
		ring_rotate(network, now - since);
}

static void ring_restart(struct network *network)
{
	for (uint32_t i = 0; i < network->count; i++) {
		struct network_port *port = network->ring[i];

		port->end = port->since + cycles_needed(network, i, port->left);
	}
}

void network_join(struct network *network, struct network_port *port,
		  uint64_t bytes, uint64_t now)
{
	port->left = bytes;
	port->since = now;
	port->end = now;
	if (!bytes)
		return;
	if (asked_bytes(network) + network->port_bytes > network->total_bytes)
		ring_settle(network, now);
	network->ring[network->count++] = port;
	if (network_contended(network))
		ring_restart(network);
	else
		port->end = now + cycles_needed(network, 0, bytes);
}

static uint32_t ring_index(const struct network *network,
			   const struct network_port *port)
{
	uint32_t i = 0;

	while (i < network->count && network->ring[i] != port)
		i++;
	return i;
}

void network_leave(struct network *network, struct network_port *port,
		   uint64_t now)
{
	bool contended = network_contended(network);
	uint32_t index = ring_index(network, port);

	port->end = ENGINE_NEVER;
	/* One that had nothing to pass never joined. */
	if (index == network->count)
		return;
	if (contended) {
		ring_settle(network, now);
		index = ring_index(network, port);
	}
	network->count--;
	memmove(network->ring + index, network->ring + index + 1,
		(network->count - index) * sizeof(port));
	if (contended)
		ring_restart(network);
}
