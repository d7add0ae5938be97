/* SPDX-License-Identifier: MIT */
/* One vfio-user message on a socket, with the descriptors that come along. */
#ifndef TRANSPORT_VFIO_USER_MESSAGE_H
#define TRANSPORT_VFIO_USER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <vfio_user/protocol.h>

/* Data of one access, and a message with it. */
#define MESSAGE_DATA_MAX (1u << 20)
#define MESSAGE_PAYLOAD_MAX (MESSAGE_DATA_MAX + 64)
#define MESSAGE_DESCRIPTORS_MAX 128

/**
 * struct message - received
 * @payload: MESSAGE_PAYLOAD_MAX bytes, the receiver's
 * @length: of them, how many came
 * @descriptors: closed by message_close() unless they were taken (set to −1)
 */
struct message {
	struct vfio_user_header header;
	uint8_t *payload;
	size_t length;
	int descriptors[MESSAGE_DESCRIPTORS_MAX];
	unsigned int descriptor_count;
};

/*
 * Waits for the first byte without end, for the rest of a message up to a second.
 * −ENOTCONN: the peer has closed; −EPROTO: what came is no message, the connection is
 * of no use any more.
 */
int message_receive(int socket, struct message *message);

/* Closes what nobody has taken. */
void message_close(struct message *message);

/* Something to be sent: two pieces behind the header, and a descriptor or −1. */
struct message_parts {
	const void *first;
	size_t first_length;
	const void *second;
	size_t second_length;
	int descriptor;
};

/* Sets header->size; −errno, −ETIMEDOUT when the peer does not read for a second. */
int message_send(int socket, struct vfio_user_header *header,
		 const struct message_parts *parts);

#endif
