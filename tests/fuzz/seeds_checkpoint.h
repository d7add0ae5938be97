/* SPDX-License-Identifier: MIT */
#ifndef SEEDS_CHECKPOINT_H
#define SEEDS_CHECKPOINT_H

/* Checkpoints of a device that is off, and of one in the middle of a list. */
int checkpoint_seeds(const char *folder);

#endif
