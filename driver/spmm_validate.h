/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Checks of what a process hands in, after it was copied. Pure: compiled into the module,
 * KUnit and fuzzers in userspace. What is only reached through memory of the process
 * (descriptors, weight streams) is the device's to check.
 */
#ifndef SPMM_VALIDATE_H
#define SPMM_VALIDATE_H

#include <linux/types.h>

struct drm_spmm_bo_create;
struct drm_spmm_job_submit;
struct drm_spmm_queue_create;
struct drm_spmm_vm_bind;
struct spmm_sqe;

/* All return 0 or -EINVAL. */
int spmm_validate_bo_create(const struct drm_spmm_bo_create *arguments);
int spmm_validate_vm_bind(const struct drm_spmm_vm_bind *arguments);
int spmm_validate_queue_create(const struct drm_spmm_queue_create *arguments,
			       __u32 entries_max);
int spmm_validate_job_submit(const struct drm_spmm_job_submit *arguments);

/**
 * spmm_validate_commands() - check the commands of a job
 * @commands: copied from the process
 * @count: of them
 * @bad: the index of the first that is refused
 *
 * Known opcodes but LIST and SEMAPHORE_WAIT; known flags; identifiers, reserved fields and
 * what the opcode does not use are zero; addresses and lengths do not overflow and lie
 * below DRM_SPMM_ADDRESS_LIMIT.
 *
 * Return: 0 or -EINVAL.
 */
int spmm_validate_commands(const struct spmm_sqe *commands, __u32 count,
			   __u32 *bad);

#endif
