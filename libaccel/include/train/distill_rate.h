/* SPDX-License-Identifier: MIT */
/* How fast and how long: found by trying, since names of networks say nothing. */
#ifndef TRAIN_DISTILL_RATE_H
#define TRAIN_DISTILL_RATE_H

struct distill_trainer;

/*
 * Set trainer->state.numbers.peak and trainer->steps where the options leave them open.
 * The state is as before otherwise. 0, −EDOM if no rate is stable, and other errors.
 */
int distill_rate_find(struct distill_trainer *trainer);

#endif
