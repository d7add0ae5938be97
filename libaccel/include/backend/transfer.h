/* SPDX-License-Identifier: MIT */
/* Copies between this process and device memory that are waited for. */
#ifndef BACKEND_TRANSFER_H
#define BACKEND_TRANSFER_H

#include <pthread.h>

#include "driver/queue.h"

/**
 * struct transfer - a queue and a bounce buffer, made on first use
 * @lock: over everything; comes before the locks of @device
 * @device: of both
 * @queue: of depth 1
 * @bounce: host memory
 */
struct transfer {
	pthread_mutex_t lock;
	struct driver_device *device;
	struct driver_queue queue;
	struct driver_memory bounce;
};

void transfer_create(struct driver_device *device, struct transfer *transfer);
void transfer_destroy(struct transfer *transfer);

/* address is the device-virtual one. Thread-safe. */
int transfer_upload(struct transfer *transfer, uint64_t address,
		    const void *bytes, uint64_t length);
int transfer_download(struct transfer *transfer, uint64_t address, void *bytes,
		      uint64_t length);

#endif
