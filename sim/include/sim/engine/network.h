/* SPDX-License-Identifier: MIT */
/*
 * The network between SRAM and clusters in one direction. A cluster's port takes so
 * many bytes a cycle, all together no more than the SRAM has; when more are asked for,
 * the SRAM's bytes are dealt out round robin in pieces of at most 32 bytes.
 */
#ifndef SIM_ENGINE_NETWORK_H
#define SIM_ENGINE_NETWORK_H

#include <sim/engine/clock.h>

/**
 * struct network_port - one cluster's end
 * @end: the cycle at which its last byte has passed, unless others join or leave
 *	before; ENGINE_NEVER when nothing is to pass
 * @left: bytes still to pass at @since
 * @since: cycle
 */
struct network_port {
	uint64_t end;
	uint64_t left;
	uint64_t since;
};

struct network {
	uint32_t port_bytes;
	uint32_t piece; /* divides port_bytes */
	uint32_t total_bytes;
	uint32_t count;
	struct network_port **ring;
};

/* −ENOMEM; @ports is how many there are at most. */
int network_create(struct network *network, uint32_t ports, uint32_t port_bytes,
		   uint32_t total_bytes);
void network_destroy(struct network *network);

/* The port has so many bytes to pass from cycle @now on; 0: they have passed. */
void network_join(struct network *network, struct network_port *port,
		  uint64_t bytes, uint64_t now);

/* Takes a port off the network, whose bytes have passed or are given up. */
void network_leave(struct network *network, struct network_port *port,
		   uint64_t now);

static inline bool network_passed(const struct network_port *port, uint64_t now)
{
	return now >= port->end;
}

#endif
