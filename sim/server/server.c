/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <core/error.h>
#include <sim/server/error_injection.h>
#include <sim/server/guard.h>
#include <sim/server/server.h>
#include <sim/server/session.h>

struct server {
	struct session session;
	struct message message;
	bool verbose;
};

/* By the device's thread. */
static int host_dma(struct session *session, uint64_t address, uint8_t *to,
		    const uint8_t *from, size_t length)
{
	int ret = 0;

	if (!atomic_load(&session->bus_master))
		return -EACCES;
	while (length && !ret) {
		enum host_memory_way way;
		size_t done;

		way = to ? host_memory_read(session->memory, address, to,
					    length, &done) :
			   host_memory_write(session->memory, address, from,
					     length, &done);
		if (way == HOST_MEMORY_NONE && !session->by_message)
			return -EFAULT;
		if (way != HOST_MEMORY_MAPPED)
			ret = to ? connection_dma_read(session->connection,
						       address, to, done) :
				   connection_dma_write(session->connection,
							address, from, done);
		address += done;
		length -= done;
		to = to ? to + done : NULL;
		from = from ? from + done : NULL;
	}
	return ret;
}

static int host_dma_read(void *opaque, uint64_t address, void *to,
			 size_t length)
{
	return host_dma(opaque, address, to, NULL, length);
}

static int host_dma_write(void *opaque, uint64_t address, const void *from,
			  size_t length)
{
	return host_dma(opaque, address, NULL, from, length);
}

static void host_interrupt(void *opaque, unsigned int vector)
{
	struct session *session = opaque;

	/* A message is a write to memory. */
	if (atomic_load(&session->bus_master))
		interrupts_raise(&session->interrupts, vector);
}

static int session_create(struct session *session,
			  const struct server_options *options)
{
	const struct sim_host host = {
		.opaque = session,
		.dma_read = host_dma_read,
		.dma_write = host_dma_write,
		.interrupt = host_interrupt,
	};
	struct sim_options sim = options->sim;
	int ret;

	session->window = options->window;
	session->by_message = options->by_message;
	interrupts_create(&session->interrupts);
	config_space_reset(&session->space, options->window);
	ret = connection_create(&session->connection);
	if (!ret)
		ret = host_memory_create(&session->memory);
	sim.share_memory = true;
	sim.window = options->window;
	if (!ret)
		ret = sim_device_create(&options->config, &host, &sim,
					&session->device);
	if (!ret)
		error_injection_add(&session->space, session->device);
	return ret;
}

int server_create(const struct server_options *options, struct server **out)
{
	struct server *server;
	int ret;

	*out = NULL;
	if (!options->window || options->window & (options->window - 1) ||
	    options->window > options->config.memory_bytes)
		return accel_error(-EINVAL,
				   "a window of %llu bytes: it must be a power "
				   "of two, at most the device's memory",
				   (unsigned long long)options->window);
	ret = guard_install();
	if (ret)
		return ret;
	server = calloc(1, sizeof(*server));
	if (!server)
		return accel_error(-ENOMEM, "no memory for the server");
	server->verbose = options->verbose;
	server->message.payload = malloc(MESSAGE_PAYLOAD_MAX);
	ret = session_create(&server->session, options);
	if (!ret && !server->message.payload)
		ret = accel_error(-ENOMEM, "no memory for a message");
	if (ret) {
		server_destroy(server);
		return ret;
	}
	*out = server;
	return 0;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	sim_device_destroy(server->session.device);
	host_memory_destroy(server->session.memory);
	connection_destroy(server->session.connection);
	interrupts_destroy(&server->session.interrupts);
	free(server->message.payload);
	free(server);
}

/* Who stops in a message, or does not read, is given up. */
static void socket_limit(int socket)
{
	const struct timeval second = { .tv_sec = 1 };

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
}

/* Until something is to be read; false: we are to stop. */
static bool wait_readable(int descriptor, int stop)
{
	struct pollfd polls[] = { { .fd = descriptor, .events = POLLIN },
				  { .fd = stop, .events = POLLIN } };

	while (poll(polls, 2, -1) < 0 && errno == EINTR)
		;
	return !polls[1].revents;
}

/* All that the client has set is forgotten. */
static void session_end(struct session *session)
{
	connection_close(session->connection);
	session_replug(session);
	interrupts_clear(&session->interrupts);
	host_memory_remove_all(session->memory);
	session->greeted = false;
}

int server_serve(struct server *server, int socket, int stop)
{
	struct session *session = &server->session;
	int ret = 0;

	socket_limit(socket);
	connection_open(session->connection, socket);
	while (!ret && wait_readable(socket, stop)) {
		ret = message_receive(socket, &server->message);
		if (!ret)
			ret = session_handle(session, &server->message);
		message_close(&server->message);
	}
	session_end(session);
	return ret == -ENOTCONN ? 0 : ret;
}

/* A socket that nobody listens to was left by a server that died. */
static bool path_dead(const struct sockaddr_un *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool dead;

	dead = probe >= 0 &&
	       connect(probe, (const struct sockaddr *)address,
		       sizeof(*address)) &&
	       errno == ECONNREFUSED;
	if (probe >= 0)
		close(probe);
	return dead;
}

int server_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener, ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return accel_error(-ENAMETOOLONG,
				   "%s: a socket's path has at most %zu bytes",
				   path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	if (path_dead(&address))
		unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return accel_error(-errno, "socket: %s", strerror(errno));
	if (!bind(listener, (const struct sockaddr *)&address,
		  sizeof(address)) &&
	    !listen(listener, 1))
		return listener;
	ret = accel_error(-errno, "%s: %s", path, strerror(errno));
	close(listener);
	return ret;
}

int server_run(struct server *server, int listener, int stop)
{
	while (wait_readable(listener, stop)) {
		int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		int ret;

		if (socket < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (socket < 0)
			return accel_error(-errno, "accept: %s",
					   strerror(errno));
		if (server->verbose)
			fprintf(stderr, "spmm-sim: a client has come\n");
		ret = server_serve(server, socket, stop);
		close(socket);
		if (ret)
			fprintf(stderr, "spmm-sim: client dropped: %s\n",
				accel_last_error());
		else if (server->verbose)
			fprintf(stderr, "spmm-sim: the client has left\n");
	}
	return 0;
}
