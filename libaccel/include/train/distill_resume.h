/* SPDX-License-Identifier: MIT */
/* A training's checkpoint: written while it goes, read to go on. */
#ifndef TRAIN_DISTILL_RESUME_H
#define TRAIN_DISTILL_RESUME_H

#include <stdint.h>

struct distill_trainer;

/* What tells a training from others: networks, data, recipe, sparsity. Before it. */
uint32_t distill_fingerprint(const struct distill_trainer *trainer);

/* 0 or what the file system says; the old checkpoint then stays. */
int distill_save(const struct distill_trainer *trainer, uint32_t fingerprint);

/* −ENOENT, −EBADMSG for a file that is damaged or of another training. */
int distill_load(struct distill_trainer *trainer, uint32_t fingerprint);

#endif
