/* SPDX-License-Identifier: MIT */
/*
 * The socket of the one client that is there, shared by two threads: the session's, which
 * reads it and answers, and the device's, which asks the client for host memory. Answers
 * to these questions are read by the session and handed over.
 */
#ifndef SIM_SERVER_CONNECTION_H
#define SIM_SERVER_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include <transport/vfio_user_message.h>

struct connection;

int connection_create(struct connection **out);
void connection_destroy(struct connection *connection);

/* A client has come; the socket stays the caller's. */
void connection_open(struct connection *connection, int socket);

/* It has left: whoever waits for an answer gets −ENOTCONN, and so does who asks. */
void connection_close(struct connection *connection);

/*
 * Until resumed, questions fail at once with −ECANCELED: for a reset, which waits for the
 * device's thread, by the thread that reads the answers.
 */
void connection_hold(struct connection *connection);
void connection_resume(struct connection *connection);

/* A message of the session. */
int connection_send(struct connection *connection,
		    struct vfio_user_header *header,
		    const struct message_parts *parts);

/* The most that one question may carry, as client and server agreed. */
void connection_limit(struct connection *connection, uint32_t bytes);

/*
 * By the device's thread: host memory by message. −errno of the client's answer;
 * −ETIMEDOUT after some seconds.
 */
int connection_dma_read(struct connection *connection, uint64_t address,
			void *to, size_t length);
int connection_dma_write(struct connection *connection, uint64_t address,
			 const void *from, size_t length);

/* By the session: a reply has come. One that nobody waits for any more is dropped. */
void connection_answer(struct connection *connection,
		       const struct message *message);

#endif
