/* SPDX-License-Identifier: MIT */
/*
 * The closed form by which ports share the SRAM's bytes, against one that deals them out
 * byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim/engine/network.h>

#define PORTS 6
#define CYCLES 400
#define SEEDS 2000

/**
 * struct dealer - the same network, slowly
 * @ring: ports that still want bytes, in the order of their turns
 * @piece: bytes that ring[turn] has had of its piece
 * @piece_bytes: the largest part of a port's width of at most 32 bytes
 */
struct dealer {
	uint32_t port_bytes;
	uint32_t piece_bytes;
	uint32_t total_bytes;
	uint32_t ring[PORTS];
	uint32_t count;
	uint32_t turn;
	uint32_t piece;
	uint64_t left[PORTS];
};

static void dealer_rotate(struct dealer *dealer)
{
	uint32_t ring[PORTS];
	uint32_t first = dealer->turn + (dealer->piece != 0);

	for (uint32_t i = 0; i < dealer->count; i++)
		ring[i] = dealer->ring[(first + i) % dealer->count];
	memcpy(dealer->ring, ring, dealer->count * sizeof(ring[0]));
	dealer->turn = 0;
	dealer->piece = 0;
}

static bool dealer_short(const struct dealer *dealer)
{
	return dealer->count * dealer->port_bytes > dealer->total_bytes;
}

static void dealer_join(struct dealer *dealer, uint32_t port, uint64_t bytes)
{
	dealer->left[port] = bytes;
	if (!bytes)
		return;
	if (dealer_short(dealer))
		dealer_rotate(dealer);
	dealer->ring[dealer->count++] = port;
}

static void dealer_leave(struct dealer *dealer, uint32_t port)
{
	uint32_t count = 0;

	if (dealer_short(dealer))
		dealer_rotate(dealer);
	for (uint32_t i = 0; i < dealer->count; i++)
		if (dealer->ring[i] != port)
			dealer->ring[count++] = dealer->ring[i];
	dealer->count = count;
	dealer->turn = 0;
	dealer->piece = 0;
}

static void port_give(struct dealer *dealer, uint32_t port)
{
	if (dealer->left[port])
		dealer->left[port]--;
}

/* One cycle: its width for each, or the SRAM's bytes one by one. */
static void dealer_cycle(struct dealer *dealer)
{
	uint32_t given[PORTS] = { 0 };

	if (!dealer_short(dealer)) {
		for (uint32_t i = 0; i < dealer->count; i++)
			for (uint32_t b = 0; b < dealer->port_bytes; b++)
				port_give(dealer, dealer->ring[i]);
		return;
	}
	for (uint32_t b = 0; b < dealer->total_bytes; b++) {
		port_give(dealer, dealer->ring[dealer->turn]);
		assert_true(++given[dealer->turn] <= dealer->port_bytes);
		if (++dealer->piece < dealer->piece_bytes)
			continue;
		dealer->piece = 0;
		dealer->turn = (dealer->turn + 1) % dealer->count;
	}
}

static uint32_t below(uint32_t *state, uint32_t bound)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % bound;
}

static void ports_compare(struct network *network, struct network_port *ports,
			  struct dealer *dealer, bool *busy, const bool *joined,
			  uint64_t now)
{
	for (uint32_t i = 0; i < PORTS; i++) {
		if (!busy[i])
			continue;
		assert_int_equal(network_passed(&ports[i], now),
				 !dealer->left[i]);
		if (dealer->left[i])
			continue;
		network_leave(network, &ports[i], now);
		if (joined[i])
			dealer_leave(dealer, i);
		busy[i] = false;
	}
}

static void seed_check(uint32_t seed)
{
	uint32_t random = seed;
	struct dealer dealer = {
		.port_bytes = 1 + below(&random, seed % 2 ? 20 : 150),
		.total_bytes = 1 + below(&random, seed % 2 ? 80 : 500),
	};
	struct network_port ports[PORTS];
	bool busy[PORTS] = { false };
	bool joined[PORTS] = { false };
	struct network network;

	for (uint32_t i = 1; i <= 32; i++)
		if (dealer.port_bytes % i == 0)
			dealer.piece_bytes = i;
	for (uint32_t i = 0; i < PORTS; i++)
		ports[i].end = ENGINE_NEVER;
	assert_int_equal(network_create(&network, PORTS, dealer.port_bytes,
					dealer.total_bytes),
			 0);
	for (uint64_t now = 0; now < CYCLES; now++) {
		uint32_t port = below(&random, PORTS);
		uint32_t bytes = below(&random, 600);

		ports_compare(&network, ports, &dealer, busy, joined, now);
		if (!busy[port] && !below(&random, 4)) {
			network_join(&network, &ports[port], bytes, now);
			dealer_join(&dealer, port, bytes);
			busy[port] = true;
			joined[port] = bytes != 0;
		}
		dealer_cycle(&dealer);
	}
	network_destroy(&network);
}

static void deals_fairly(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++)
		seed_check(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deals_fairly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
