/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TEAM_H
#define TRAIN_TEAM_H

#include <stddef.h>

/**
 * DOC: Threads that do one thing at a time together
 *
 * A step of training is many short pieces of work, some of them shorter than it
 * takes to wake a thread. The members of a team live as long as it does, each on a
 * processor of its own; between two pieces they look out for the next for a moment
 * before they sleep. The caller is one of them.
 */

struct team;

/**
 * typedef team_function - a member's part
 * @context: from team_run()
 * @member: 0 (the caller) … members − 1
 */
typedef void (*team_function)(void *context, int member);

/* members ≥ 1. 0, −ENOMEM, or what pthread_create() returned, negative. */
int team_create(struct team **out, int members);

/* NULL: one member, the caller. */
int team_members(const struct team *team);

/*
 * Call @function once in every member; return when all have. For one caller at a
 * time; with NULL for a team the caller is alone.
 */
void team_run(struct team *team, team_function function, void *context);

/**
 * struct team_span - a member's part of a vector
 * @begin: first element
 * @end: after the last
 */
struct team_span {
	size_t begin;
	size_t end;
};

/*
 * Equal parts whose borders are multiples of @block, so that neither a block nor,
 * with 16 floats or more, a cache line of an aligned vector has two writers.
 */
struct team_span team_part(const struct team *team, int member, size_t count,
			   size_t block);

/* NULL is allowed. */
void team_destroy(struct team *team);

#endif
