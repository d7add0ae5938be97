/* SPDX-License-Identifier: MIT */
/*
 * Time across an engine's rests. At a rest everything that is clocked is made anew and
 * begins at cycle 0; outside of the engine time goes on.
 */
#ifndef SIM_ENGINE_EPOCH_H
#define SIM_ENGINE_EPOCH_H

#include <sim/engine/engine.h>

/**
 * struct engine_epoch - since the last rest
 * @before: totals of the epochs before; its cycles are this epoch's first
 * @outside: who is told with the time outside, or NULL
 * @inside: tells @outside; what parts of the engine get for it
 */
struct engine_epoch {
	struct engine_totals before;
	const struct engine_observer *outside;
	struct engine_observer inside;
};

/* The epoch must stay where it is. */
void epoch_init(struct engine_epoch *epoch,
		const struct engine_observer *observer);

/* For the engine's parts; NULL if nobody is to be told. */
const struct engine_observer *epoch_observer(const struct engine_epoch *epoch);

/* The times of a command that retires, as they are outside. */
void epoch_shift(const struct engine_epoch *epoch,
		 struct engine_command *command);

/* Adds the epochs before to the totals of this one. */
void epoch_add(const struct engine_epoch *epoch, struct engine_totals *totals);

#endif
