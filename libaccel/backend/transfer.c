/* SPDX-License-Identifier: MIT */
#include "backend/transfer.h"

#include <errno.h>
#include <spmm/registers.h>
#include <string.h>

#include "backend/upload.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/integer.h"
#include "driver/status.h"

#define BOUNCE_BYTES (TRANSFER_WINDOWS * TRANSFER_WINDOW_BYTES)
#define TIMEOUT_NS 60000000000ull
#define ABORT_NS 5000000000ull

void transfer_create(struct driver_device *device, struct transfer *transfer)
{
	memset(transfer, 0, sizeof(*transfer));
	pthread_mutex_init(&transfer->lock, NULL);
	transfer->device = device;
}

void transfer_destroy(struct transfer *transfer)
{
	if (transfer->queue.device)
		driver_queue_destroy(&transfer->queue);
	driver_memory_release(transfer->device, &transfer->bounce);
	pthread_mutex_destroy(&transfer->lock);
}

/* The queue, working: made at first, made alive again after a failure. */
static int prepare(struct transfer *transfer)
{
	struct driver_queue *queue = &transfer->queue;
	int ret;

	if (!transfer->bounce.length) {
		ret = driver_memory_allocate_host(
			transfer->device, BOUNCE_BYTES, &transfer->bounce);
		if (ret)
			return ret;
	}
	if (!queue->device) {
		ret = driver_queue_create(transfer->device, TRANSFER_WINDOWS, 0,
					  queue);
		if (ret)
			queue->device = NULL;
		return ret;
	}
	if (driver_queue_is_lost(queue))
		return driver_queue_recover(queue);
	if (queue->corrupt)
		return driver_queue_distrust(queue);
	return queue->failed ? driver_queue_recover(queue) : 0;
}

/*
 * 1: the command has completed. Those that were given up on are skipped: ids are the
 * ring's counters.
 */
static int completion_find(struct driver_queue *queue, uint16_t id,
			   unsigned int *status)
{
	const struct spmm_cqe *completion;
	bool found = false;

	while (!found && (completion = driver_queue_peek(queue))) {
		uint16_t oldest = (uint16_t)queue->sq.head;

		if (!driver_queue_expects(queue, completion, oldest))
			return driver_queue_distrust(queue);
		found = oldest == id;
		*status = le16toh(completion->status) >> 1;
		driver_queue_take(queue);
		driver_queue_report(queue);
	}
	return found;
}

static int completion_wait(struct driver_queue *queue, uint16_t id)
{
	uint64_t deadline = deadline_after(TIMEOUT_NS);
	unsigned int status = 0;
	int ret;

	while (!(ret = completion_find(queue, id, &status))) {
		ret = driver_queue_sleep(queue, deadline);
		if (!ret && deadline_expired(deadline))
			ret = accel_error(
				-ETIMEDOUT,
				"a copy did not complete; reset the device");
		if (ret) {
			accel_error_hold();
			driver_queue_abort(queue);
			accel_error_release();
			return ret;
		}
	}
	if (ret < 0)
		return ret;
	if (!status)
		return 0;
	queue->failed = true;
	return accel_error(status_errno(status), "copy: %s",
			   status_text(status));
}

uint16_t transfer_put(struct transfer *transfer, uint64_t source,
		      uint64_t destination, uint64_t length)
{
	uint32_t omitted = transfer->device->capabilities.omitted;
	uint16_t id = (uint16_t)transfer->queue.sq.tail;
	struct spmm_sqe *entry = driver_queue_put(&transfer->queue);

	*entry = (struct spmm_sqe){
		.opcode = SPMM_IO_COPY,
		/* Weights come from DRAM in every run, the first included. */
		.flags = omitted & SPMM_OMITTED_STREAM ? 0 : SPMM_SQE_STREAM,
		.id = htole16(id),
		.address = htole64(source),
		.destination = htole64(destination),
		.length = htole64(length),
	};
	driver_queue_ring(&transfer->queue);
	return id;
}

int transfer_wait(struct transfer *transfer, uint16_t id)
{
	return completion_wait(&transfer->queue, id);
}

int transfer_begin(struct transfer *transfer)
{
	int ret;

	pthread_mutex_lock(&transfer->lock);
	ret = prepare(transfer);
	if (ret)
		pthread_mutex_unlock(&transfer->lock);
	return ret;
}

/* The context ends with what it holds; the next transfer makes it alive again. */
static void copies_abort(struct transfer *transfer)
{
	struct driver_queue *queue = &transfer->queue;
	uint16_t last = (uint16_t)(queue->sq.tail - 1);
	uint64_t deadline = deadline_after(ABORT_NS);
	unsigned int status;

	if (queue->sq.head == queue->sq.tail || driver_queue_is_lost(queue))
		return;
	accel_error_hold();
	driver_queue_abort(queue);
	while (!completion_find(queue, last, &status) &&
	       !deadline_expired(deadline) &&
	       !driver_queue_sleep(queue, deadline))
		;
	queue->failed = true;
	accel_error_release();
}

void transfer_end(struct transfer *transfer)
{
	copies_abort(transfer);
	pthread_mutex_unlock(&transfer->lock);
}

void *transfer_window(const struct transfer *transfer, unsigned int window)
{
	return (char *)transfer->bounce.host.address +
	       (size_t)window * TRANSFER_WINDOW_BYTES;
}

uint64_t transfer_window_address(const struct transfer *transfer,
				 unsigned int window)
{
	return transfer->bounce.virtual_address +
	       (uint64_t)window * TRANSFER_WINDOW_BYTES;
}

void transfer_abandon(struct transfer *transfer)
{
	memset(&transfer->bounce, 0, sizeof(transfer->bounce));
}

int transfer_download(struct transfer *transfer, uint64_t address, void *bytes,
		      uint64_t length)
{
	uint64_t done = 0;
	int ret = transfer_begin(transfer);

	if (ret)
		return ret;
	while (!ret && done < length) {
		uint64_t chunk = min_u64(length - done, BOUNCE_BYTES);

		ret = transfer_wait(
			transfer,
			transfer_put(transfer, address + done,
				     transfer_window_address(transfer, 0),
				     chunk));
		if (!ret)
			memcpy((char *)bytes + done,
			       transfer_window(transfer, 0), chunk);
		done += chunk;
	}
	transfer_end(transfer);
	return ret;
}

int transfer_upload(struct transfer *transfer, uint64_t address,
		    const void *bytes, uint64_t length)
{
	const struct upload_piece piece = { .length = length, .bytes = bytes };
	struct upload upload;
	int ret = upload_begin(&upload, transfer, address, NULL);

	if (ret)
		return ret;
	ret = upload_put(&upload, &piece);
	return upload_end(&upload, ret);
}
