/* SPDX-License-Identifier: MIT */
/* The devices of a pool, and which of them an item is for. */
#ifndef RUNTIME_POOL_H
#define RUNTIME_POOL_H

#include <pthread.h>

#include "runtime/object.h"

#define POOL_NO_ITEM UINT32_MAX
#define POOL_TEXT_SIZE 256

/**
 * struct pool_member - one device of a pool
 * @plan: of the model on it
 * @queue: of the pool
 * @file: signals completions of @queue
 * @item: that it runs, or POOL_NO_ITEM
 * @start: when it was submitted, in monotonic ns
 * @item_ns: that one takes: a mean that forgets; 0: not known
 * @items: done
 * @failures: items that failed
 * @error: 0, or why it gets no more
 * @text: of @error
 * @thread: that cancels what runs
 * @has_thread: there is one
 * @cancelled: what came of it
 * @settled: nothing of it is outstanding, as far as that can be had, since it failed
 */
struct pool_member {
	struct accel_plan *plan;
	struct accel_queue *queue;
	int file;
	uint32_t item;
	uint64_t start;
	uint64_t item_ns;
	uint64_t items;
	uint32_t failures;
	int error;
	char text[POOL_TEXT_SIZE];
	pthread_t thread;
	bool has_thread;
	int cancelled;
	bool settled;
};

struct pollfd;

/**
 * struct accel_pool - see accel/pool.h
 * @count: of @members
 * @pollers: @count of them, for who waits
 * @members: the devices
 */
struct accel_pool {
	uint32_t count;
	struct pollfd *pollers;
	struct pool_member members[];
};

/*
 * Should a member that is idle take one of so many items that wait, or leave them to
 * others, who will have done them all before it would be done with one?
 */
bool pool_member_should_run(const struct accel_pool *pool, uint32_t member,
			    uint32_t waiting, uint64_t now);

/* An item took so long. */
void pool_member_learn(struct pool_member *member, uint64_t ns);

#endif
