/* SPDX-License-Identifier: MIT */
/*
 * Where a fault script acts on the device. Without a script nothing here does anything.
 * All but inject_create(), inject_destroy() and inject_reset() are the device's thread's.
 */
#ifndef SIM_INJECT_HOOKS_H
#define SIM_INJECT_HOOKS_H

#include <sim/execution.h>
#include <sim/inject_script.h>

struct inject;

/* With options.faults, and the host's callbacks in place, which are replaced. */
int inject_create(struct sim_device *device);
void inject_destroy(struct sim_device *device);

/* A function-level reset is complete; the lock is held. */
void inject_reset(struct sim_device *device);

/* What was armed to happen now, happens. */
void inject_serve(struct sim_device *device);

/*
 * The first rule of an action that fires for this command, NULL if none does. @opcode:
 * of the queue's kind.
 */
const struct inject_rule *inject_take(struct sim_device *device,
				      enum inject_action action,
				      const struct sim_sq *queue,
				      unsigned int opcode);

/* The device falls off the bus. */
void inject_gone(struct sim_device *device, const struct inject_rule *rule);

/*
 * Before a command is executed: false if it is not to be now. It failed then, or its
 * queue's hold says why.
 */
bool inject_command(struct sim_execution *execution);

/* The queue does not go on: for good, or for a time. */
bool inject_hangs(struct sim_device *device, const struct sim_sq *queue);
bool inject_delays(struct sim_device *device, const struct sim_sq *queue);
bool inject_delays_admin(struct sim_device *device);

/*
 * An admin command was found delayed, and has not been served yet. Without a look at the
 * clock: a delay that has just ended must not let the device sleep.
 */
bool inject_waits_admin(const struct sim_device *device);

/*
 * Before an admin command is executed, as often as it is looked at: true if nobody will
 * answer it.
 */
bool inject_admin(struct sim_device *device,
		  const struct spmm_admin_sqe *command);

/**
 * struct inject_effect - what becomes of a completion
 * @copies: that are written: 1
 * @silent: without an interrupt
 * @spurious: one more, of vector @vector
 */
struct inject_effect {
	unsigned int copies;
	bool silent;
	bool spurious;
	unsigned int vector;
};

/* Before a completion is written, which may change. */
struct inject_effect inject_completion(struct sim_device *device,
				       const struct sim_sq *queue,
				       unsigned int opcode,
				       struct spmm_cqe *cqe);

#endif
