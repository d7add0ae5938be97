/* SPDX-License-Identifier: MIT */
/*
 * What a doorbell announces is known at once, and what the next one does, later. So
 * tails are taken one by one, in the order in which the host wrote them: what happens
 * does not depend on when the device's thread looks.
 */
#ifndef SIM_DOORBELL_H
#define SIM_DOORBELL_H

#include <sim/state.h>

/* The host's store; from any thread. */
void doorbell_write(struct sim_device *device, uint32_t queue, uint32_t tail);

/* The queue has come to the end of what it knew; false: nothing more was rung. */
bool doorbell_next(struct sim_device *device, struct sim_sq *queue);

/* Was any rung that the queue has not come to? */
bool doorbell_waits(struct sim_device *device, const struct sim_sq *queue);

/* All that was rung is known, as if by one doorbell. */
void doorbell_all(struct sim_device *device, struct sim_sq *queue);

void doorbell_clear(struct sim_device *device, uint32_t queue);

#endif
