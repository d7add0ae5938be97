/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Device addresses above DRM_SPMM_ADDRESS_LIMIT, which are the module's.
 *
 * Queue n of a context has 2 MiB at SPMM_QUEUE_AREA(n): its submission ring, its completion
 * ring, and twice in a row the memory for commands of jobs, so that a list that wraps
 * around is contiguous for the device.
 */
#ifndef SPMM_LAYOUT_H
#define SPMM_LAYOUT_H

#include <drm/spmm_accel.h>
#include <linux/types.h>

#define SPMM_QUEUES_PER_CONTEXT 16
#define SPMM_QUEUE_AREA(n) (DRM_SPMM_ADDRESS_LIMIT + (__u64)(n) * (2u << 20))
#define SPMM_QUEUE_SQ_OFFSET 0
#define SPMM_QUEUE_CQ_OFFSET (64u << 10)
#define SPMM_QUEUE_COMMANDS_OFFSET (1024u << 10)
#define SPMM_QUEUE_COMMANDS_BYTES (256u << 10)
#define SPMM_JOB_COMMANDS_MAX 4096
#define SPMM_JOB_TIMEOUT_MS 2000
#define SPMM_JOB_SYNCS_MAX 1024

#endif
