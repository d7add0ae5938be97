/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/server/connection.h>

/* A client that has not answered by then has died or lost the question. */
#define ANSWER_SECONDS 5

/* What the protocol allows a peer that has named no limit. */
#define LIMIT_DEFAULT (1u << 20)

enum question_state {
	QUESTION_NONE,
	QUESTION_ASKED,
	QUESTION_ANSWERED,
};

/* The device has one thread: there is one question at a time. */
struct question {
	enum question_state state;
	uint16_t id;
	uint16_t command;
	struct vfio_user_dma_access access;
	void *to; /* of a read */
	int result;
};

struct connection {
	/* Over the next three; taken inside of send_lock. */
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct question question;
	bool held;

	/* Over what goes out: a message is sent whole. The outer one. */
	pthread_mutex_t send_lock;
	int socket; /* −1: nobody there; written under both */
	uint16_t next_id;
	uint32_t limit;
};

int connection_create(struct connection **out)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	pthread_condattr_t attributes;

	*out = connection;
	if (!connection)
		return accel_error(-ENOMEM, "no memory for a connection");
	connection->socket = -1;
	connection->limit = LIMIT_DEFAULT;
	pthread_mutex_init(&connection->lock, NULL);
	pthread_mutex_init(&connection->send_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&connection->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	return 0;
}

void connection_destroy(struct connection *connection)
{
	if (!connection)
		return;
	pthread_cond_destroy(&connection->answered);
	pthread_mutex_destroy(&connection->lock);
	pthread_mutex_destroy(&connection->send_lock);
	free(connection);
}

static void socket_set(struct connection *connection, int socket)
{
	pthread_mutex_lock(&connection->send_lock);
	pthread_mutex_lock(&connection->lock);
	connection->socket = socket;
	connection->limit = LIMIT_DEFAULT;
	pthread_mutex_unlock(&connection->lock);
	pthread_mutex_unlock(&connection->send_lock);
}

/* Whoever waits is woken with @result. */
static void question_end(struct connection *connection, int result)
{
	struct question *question = &connection->question;

	if (question->state != QUESTION_ASKED)
		return;
	question->state = QUESTION_ANSWERED;
	question->result = result;
	pthread_cond_signal(&connection->answered);
}

void connection_open(struct connection *connection, int socket)
{
	socket_set(connection, socket);
}

void connection_close(struct connection *connection)
{
	socket_set(connection, -1);
	pthread_mutex_lock(&connection->lock);
	question_end(connection, -ENOTCONN);
	pthread_mutex_unlock(&connection->lock);
}

void connection_hold(struct connection *connection)
{
	pthread_mutex_lock(&connection->lock);
	connection->held = true;
	question_end(connection, -ECANCELED);
	pthread_mutex_unlock(&connection->lock);
}

void connection_resume(struct connection *connection)
{
	pthread_mutex_lock(&connection->lock);
	connection->held = false;
	pthread_mutex_unlock(&connection->lock);
}

void connection_limit(struct connection *connection, uint32_t bytes)
{
	pthread_mutex_lock(&connection->send_lock);
	if (bytes && bytes < connection->limit)
		connection->limit = bytes;
	pthread_mutex_unlock(&connection->send_lock);
}

int connection_send(struct connection *connection,
		    struct vfio_user_header *header,
		    const struct message_parts *parts)
{
	int ret = -ENOTCONN;

	pthread_mutex_lock(&connection->send_lock);
	if (connection->socket >= 0)
		ret = message_send(connection->socket, header, parts);
	pthread_mutex_unlock(&connection->send_lock);
	return ret;
}

/* The question is known before it is sent: its answer may come at once. */
static int question_begin(struct connection *connection,
			  const struct question *question)
{
	int ret = 0;

	pthread_mutex_lock(&connection->lock);
	if (connection->held)
		ret = -ECANCELED;
	else
		connection->question = *question;
	pthread_mutex_unlock(&connection->lock);
	return ret;
}

static int question_send(struct connection *connection,
			 struct question *question, const void *from)
{
	struct vfio_user_header header = { .command = question->command };
	const struct message_parts parts = {
		.first = &question->access,
		.first_length = sizeof(question->access),
		.second = from,
		.second_length = from ? question->access.count : 0,
		.descriptor = -1,
	};
	int ret = -ENOTCONN;

	pthread_mutex_lock(&connection->send_lock);
	question->id = connection->next_id++;
	header.id = question->id;
	if (connection->socket >= 0)
		ret = question_begin(connection, question);
	if (!ret && connection->socket >= 0)
		ret = message_send(connection->socket, &header, &parts);
	pthread_mutex_unlock(&connection->send_lock);
	return ret;
}

static int question_wait(struct connection *connection)
{
	struct question *question = &connection->question;
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ANSWER_SECONDS;
	pthread_mutex_lock(&connection->lock);
	while (question->state == QUESTION_ASKED && !ret)
		ret = -pthread_cond_timedwait(&connection->answered,
					      &connection->lock, &until);
	if (question->state == QUESTION_ANSWERED)
		ret = question->result;
	question->state = QUESTION_NONE;
	pthread_mutex_unlock(&connection->lock);
	return ret;
}

static int dma_piece(struct connection *connection, uint64_t address, void *to,
		     const void *from, size_t length)
{
	struct question question = {
		.state = QUESTION_ASKED,
		.command = from ? VFIO_USER_DMA_WRITE : VFIO_USER_DMA_READ,
		.access = { address, length },
		.to = to,
	};
	int ret = question_send(connection, &question, from);

	if (!ret)
		return question_wait(connection);
	pthread_mutex_lock(&connection->lock);
	connection->question.state = QUESTION_NONE;
	pthread_mutex_unlock(&connection->lock);
	return ret;
}

static uint32_t limit_of(struct connection *connection)
{
	uint32_t limit;

	pthread_mutex_lock(&connection->send_lock);
	limit = connection->limit;
	pthread_mutex_unlock(&connection->send_lock);
	return limit;
}

static int dma(struct connection *connection, uint64_t address, uint8_t *to,
	       const uint8_t *from, size_t length)
{
	uint32_t limit = limit_of(connection);
	int ret = 0;

	for (size_t at = 0; at < length && !ret;) {
		size_t part = (size_t)min_u64(length - at, limit);

		ret = dma_piece(connection, address + at, to ? to + at : NULL,
				from ? from + at : NULL, part);
		at += part;
	}
	return ret;
}

int connection_dma_read(struct connection *connection, uint64_t address,
			void *to, size_t length)
{
	return dma(connection, address, to, NULL, length);
}

int connection_dma_write(struct connection *connection, uint64_t address,
			 const void *from, size_t length)
{
	return dma(connection, address, NULL, from, length);
}

/* The client's figures must be those of the question: it is not to be trusted. */
static int answer_read(const struct question *question,
		       const struct message *message)
{
	struct vfio_user_dma_access access;

	if (message->header.flags & VFIO_USER_ERROR)
		return message->header.error && message->header.error < 4096 ?
			       -(int)message->header.error :
			       -EIO;
	if (message->length < sizeof(access))
		return -EPROTO;
	memcpy(&access, message->payload, sizeof(access));
	if (access.address != question->access.address ||
	    access.count != question->access.count)
		return -EPROTO;
	if (!question->to)
		return 0;
	if (message->length != sizeof(access) + access.count)
		return -EPROTO;
	memcpy(question->to, message->payload + sizeof(access), access.count);
	return 0;
}

void connection_answer(struct connection *connection,
		       const struct message *message)
{
	struct question *question = &connection->question;

	pthread_mutex_lock(&connection->lock);
	if (question->state == QUESTION_ASKED &&
	    question->id == message->header.id &&
	    question->command == message->header.command)
		question_end(connection, answer_read(question, message));
	pthread_mutex_unlock(&connection->lock);
}
