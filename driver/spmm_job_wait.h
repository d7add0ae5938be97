/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a queue remembers of its last jobs, and waiting for one.
 */
#ifndef SPMM_JOB_WAIT_H
#define SPMM_JOB_WAIT_H

#include <linux/types.h>

struct dma_fence;
struct drm_device;
struct drm_file;
struct eventfd_ctx;
struct spmm_job_records;
struct spmm_outcome;

/* A queue takes no more jobs than these before the first of them is done. */
#define SPMM_JOB_RECORDS 1024

/* @eventfd, or NULL, is signalled for each job that is done; it stays the caller's. */
struct spmm_job_records *spmm_job_records_create(struct eventfd_ctx *eventfd);
void spmm_job_records_destroy(struct spmm_job_records *records);
/*
 * Job @number is about to be submitted, @fence is the scheduler's. The oldest is forgotten.
 * One at a time.
 */
void spmm_job_records_add(struct spmm_job_records *records, u64 number,
			  struct dma_fence *fence);
/* It is done. To be called before its fence is signalled. Any context. */
void spmm_job_records_finish(struct spmm_job_records *records, u64 number,
			     const struct spmm_outcome *outcome);

int spmm_job_wait_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);

#endif
