/* SPDX-License-Identifier: MIT */
/* The simulator's server in a thread of a test. */
#ifndef SERVED_H
#define SERVED_H

#include "unit.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sim/server/server.h>

struct served {
	struct server *server;
	pthread_t thread;
	int listener;
	int stop;
};

static inline void *served_run(void *argument)
{
	struct served *served = argument;

	server_run(served->server, served->listener, served->stop);
	return NULL;
}

static inline void served_start(struct served *served, const char *path)
{
	struct server_options options = { .window = 1 << 20 };

	assert_int_equal(sim_config_preset("small", &options.config), 0);
	assert_int_equal(server_create(&options, &served->server), 0);
	served->listener = server_listen(path);
	assert_true(served->listener >= 0);
	served->stop = eventfd(0, 0);
	assert_int_equal(
		pthread_create(&served->thread, NULL, served_run, served), 0);
}

static inline void served_stop(struct served *served, const char *path)
{
	uint64_t one = 1;

	assert_int_equal(write(served->stop, &one, sizeof(one)), sizeof(one));
	pthread_join(served->thread, NULL);
	close(served->listener);
	close(served->stop);
	unlink(path);
	server_destroy(served->server);
}

#endif
