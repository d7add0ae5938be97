/* SPDX-License-Identifier: MIT */
#include "driver/ring_memory.h"

#include <errno.h>
#include <spmm/page_table.h>

#include "core/error.h"
#include "core/integer.h"

/* Small rings would have to report each completion. */
#define ENTRIES_MIN 16

int ring_memory_size(struct driver_queue *queue, uint32_t depth)
{
	uint32_t most = queue->device->capabilities.queue_entries;
	uint32_t entries;

	if (!depth || depth > most / 2)
		return accel_error(-EINVAL,
				   "queue: a depth of %u; the device has %u",
				   depth, most / 2);
	entries = 2 * depth;
	while (entries < ENTRIES_MIN && 2 * entries <= most)
		entries *= 2;
	queue->sq.entries = entries;
	queue->cq.entries = entries;
	return 0;
}

uint64_t ring_memory_completions(const struct driver_queue *queue)
{
	return align_up(queue->sq.entries * sizeof(struct spmm_sqe),
			SPMM_PAGE_SIZE);
}

int ring_memory_allocate(struct driver_queue *queue)
{
	uint64_t completions = ring_memory_completions(queue);
	int ret = driver_memory_allocate_host(
		queue->device,
		completions + queue->cq.entries * sizeof(struct spmm_cqe),
		&queue->memory);

	if (ret)
		return ret;
	queue->sq_entries = queue->memory.host.address;
	queue->cq_entries =
		(const void *)((char *)queue->sq_entries + completions);
	return 0;
}
