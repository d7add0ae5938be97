/* SPDX-License-Identifier: MIT */
/*
 * A vfio-user client for tests of the server: it writes messages byte by byte and shares
 * only the protocol's header with the server, which runs in a thread of its own.
 */
#ifndef SERVER_PEER_H
#define SERVER_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/server/server.h>
#include <vfio_user/protocol.h>

#define PEER_MEMORY_BYTES (1ul << 20)
#define PEER_BUS_ADDRESS 0x80000000ull

/**
 * struct peer - a client of a server that lives as long as it does
 * @socket: connected to the server
 * @memory: PEER_MEMORY_BYTES of @file, to be mapped for DMA
 * @asked: DMA messages that the server has sent
 * @refuse: answer them with EFAULT
 * @served: what server_serve() returned
 */
struct peer {
	struct server *server;
	struct inject_script *faults; /* or NULL */
	pthread_t thread;
	int socket;
	int server_socket;
	int stop;
	int file;
	uint8_t *memory;
	uint16_t next_id;
	unsigned int asked;
	bool refuse;
	int served;
};

void peer_start(struct peer *peer, bool by_message);
/* With a fault script, from its text. */
void peer_start_faults(struct peer *peer, const char *script);
/* Leaves; the thread has ended, and peer->served is its result. */
void peer_leave(struct peer *peer);
/* Comes again, to the same server. */
void peer_come(struct peer *peer);
void peer_stop(struct peer *peer);

/**
 * struct peer_message - what is sent, and room for the reply
 * @descriptor: that goes along, or −1
 * @reply: behind the header
 * @reply_descriptor: that came along, or −1
 */
struct peer_message {
	uint16_t command;
	const void *payload;
	size_t length;
	int descriptor;
	uint8_t reply[8192];
	size_t reply_length;
	int reply_descriptor;
};

/* Sends and waits for the reply, answering DMA meanwhile. −errno of an error reply. */
int peer_request(struct peer *peer, struct peer_message *message);

/* Bytes as they are; the server may have closed. */
void peer_send_raw(struct peer *peer, const void *bytes, size_t length);

int peer_hello(struct peer *peer);
int peer_map(struct peer *peer, uint64_t address, uint64_t length,
	     uint64_t offset, int file);
int peer_unmap(struct peer *peer, uint64_t address, uint64_t length);
int peer_read(struct peer *peer, uint32_t region, uint64_t offset, void *to,
	      uint32_t count);
int peer_write(struct peer *peer, uint32_t region, uint64_t offset,
	       const void *from, uint32_t count);
/* An eventfd for a vector. */
int peer_interrupt(struct peer *peer, uint32_t vector);

/* Answers the server's questions until @descriptor is readable; false after 5 s. */
bool peer_wait(struct peer *peer, int descriptor);

uint32_t peer_read32(struct peer *peer, uint32_t offset);
void peer_write32(struct peer *peer, uint32_t offset, uint32_t value);
void peer_write64(struct peer *peer, uint32_t offset, uint64_t value);

/* Bus mastering on, memory mapped, the admin queue enabled. */
void peer_enable(struct peer *peer);

/* One admin command, CREATE_CONTEXT of a number; its status, or −ETIMEDOUT. */
int peer_create_context(struct peer *peer, uint16_t context, int interrupt);

#endif
