/* SPDX-License-Identifier: MIT */
#include "backend/driver_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/status.h>

#include "backend/backend.h"
#include "backend/operation.h"
#include "core/deadline.h"
#include "core/error.h"
#include "driver/status.h"

/* What an id in a completion stands for. */
struct io_slot {
	uint64_t user_data;
	struct accel_plan *plan; /* of a RUN, else NULL */
};

/**
 * struct driver_io - a public queue on a queue pair
 * @base: the public queue
 * @queue: the driver's
 * @next: the slot of the next command; commands of a queue complete in order
 * @oldest: the slot of the oldest that is outstanding
 * @slots: depth of them
 */
struct driver_io {
	struct accel_queue base;
	struct driver_queue queue;
	uint32_t next;
	uint32_t oldest;
	struct io_slot slots[];
};

static struct driver_io *driver_io(struct accel_queue *queue)
{
	return (struct driver_io *)queue;
}

static void copy_encode(const struct accel_operation *operation,
			struct spmm_sqe *entry)
{
	const struct driver_buffer *source =
		driver_buffer(operation->copy.source);
	const struct driver_buffer *destination =
		driver_buffer(operation->copy.destination);

	entry->opcode = SPMM_IO_COPY;
	entry->address = htole64(source->memory.virtual_address +
				 operation->copy.source_offset);
	entry->destination = htole64(destination->memory.virtual_address +
				     operation->copy.destination_offset);
	entry->length = htole64(operation->copy.length);
}

static void run_encode(struct driver_plan *plan, struct spmm_sqe *entry)
{
	driver_plan_start(plan);
	plan->base.outstanding = true;
	entry->opcode = SPMM_IO_LIST;
	entry->address =
		htole64(plan->image.virtual_address + plan->program.list);
	entry->length = htole64(plan->program.command_count);
}

/* Commands of a queue run one after the other: a fence is a no-op in order. */
static inline void operation_put(struct driver_io *io,
				 const struct accel_operation *operation)
{
	uint32_t id = io->next++ & (io->base.depth - 1);
	struct spmm_sqe *entry = driver_queue_put(&io->queue);
	struct io_slot *slot = &io->slots[id];

	*entry = (struct spmm_sqe){
		.opcode = operation->opcode == ACCEL_OPERATION_FENCE ?
				  SPMM_IO_FENCE :
				  SPMM_IO_NOP,
		.flags = operation->flags & ACCEL_OPERATION_AFTER_ALL ?
				 SPMM_SQE_FENCE :
				 0,
		.id = htole16((uint16_t)id),
	};
	slot->user_data = operation->user_data;
	slot->plan = NULL;
	if (operation->opcode == ACCEL_OPERATION_COPY) {
		copy_encode(operation, entry);
	} else if (operation->opcode == ACCEL_OPERATION_RUN) {
		slot->plan = operation->run.plan;
		run_encode(driver_plan(slot->plan), entry);
		driver_queue_set_list(&io->queue,
				      driver_plan(slot->plan)->commands);
	}
}

/* After a failure or a reset the queue starts again once it is empty. */
static int io_recover(struct driver_io *io)
{
	if (io->base.outstanding)
		return accel_error(
			-EAGAIN,
			"queue: an operation failed; reap the %u that are outstanding first",
			io->base.outstanding);
	return driver_queue_recover(&io->queue);
}

static int driver_io_submit(struct accel_queue *base,
			    const struct accel_operation *operations,
			    uint32_t count)
{
	struct driver_io *io = driver_io(base);
	uint32_t space = base->depth - base->outstanding;
	uint32_t accepted = 0;
	int ret = 0;

	if (!count)
		return 0;
	if (io->queue.corrupt && !driver_queue_is_lost(&io->queue))
		return driver_queue_distrust(&io->queue);
	ret = driver_queue_check(&io->queue);
	if (!ret && (io->queue.failed || driver_queue_is_lost(&io->queue)))
		ret = io_recover(io);
	if (ret)
		return ret;
	if (!space)
		return operation_refuse_full(base);
	if (!base->outstanding)
		io->queue.progress_time = 0;
	for (; accepted < count && accepted < space; accepted++) {
		ret = operation_check(base, &operations[accepted]);
		if (ret)
			break;
		operation_put(io, &operations[accepted]);
	}
	if (!accepted)
		return ret;
	base->outstanding += accepted;
	driver_queue_ring(&io->queue);
	counter_add(&base->counters->doorbells, 1);
	return (int)accepted;
}

/* Say what failed: the layer, what the device found, and where. */
static int failure_explain(struct driver_io *io, const struct io_slot *slot,
			   const struct spmm_cqe *entry, unsigned int status)
{
	uint32_t index = entry->list_index;
	struct spmm_fault_record record;
	char where[256] = "operation";
	bool logged =
		driver_fault_find(&io->queue, le16toh(entry->id), &record);

	if (logged)
		index = le32toh(record.list_index);
	if (slot->plan &&
	    index < driver_plan(slot->plan)->program.command_count)
		plan_program_describe(&driver_plan(slot->plan)->program, index,
				      where, sizeof(where));
	return accel_error(
		status_errno(status), "%s: %s (status 0x%02x, 0x%llx)", where,
		status_text(status), status,
		(unsigned long long)(logged ? le64toh(record.address) :
					      le64toh(entry->result)));
}

static void failure_complete(struct driver_io *io, const struct io_slot *slot,
			     const struct spmm_cqe *entry,
			     struct accel_completion *completion)
{
	unsigned int status = le16toh(entry->status) >> 1;

	completion->device_status = status;
	completion->detail = le64toh(entry->result);
	if (status == SPMM_SC_ABORTED || status == SPMM_SC_CONTEXT_RESET) {
		completion->status = accel_error(status_errno(status), "%s",
						 status_text(status));
	} else {
		completion->status = failure_explain(io, slot, entry, status);
	}
	if (status != SPMM_SC_ABORTED)
		io->queue.failed = true;
}

static inline void entry_complete(struct driver_io *io,
				  const struct spmm_cqe *entry,
				  struct accel_completion *completion)
{
	struct io_slot *slot = &io->slots[le16toh(entry->id)];

	*completion = (struct accel_completion){ .user_data = slot->user_data };
	if (le16toh(entry->status) >> 1)
		failure_complete(io, slot, entry, completion);
	if (slot->plan) {
		slot->plan->outstanding = false;
		if (!completion->status)
			completion->status =
				driver_plan_finish(driver_plan(slot->plan));
		slot->plan->has_run = !completion->status;
		slot->plan = NULL;
	}
	if (completion->status)
		counter_add(&io->base.counters->failed, 1);
}

/* After a reset nothing completes by itself any more. */
static int lost_reap(struct driver_io *io, struct accel_completion *completions,
		     uint32_t max)
{
	uint32_t count = 0;

	for (; count < max && io->base.outstanding; count++) {
		struct io_slot *slot =
			&io->slots[io->oldest++ & (io->base.depth - 1)];

		completions[count] = (struct accel_completion){
			.user_data = slot->user_data,
			.status = accel_error(
				-ECANCELED,
				"cancelled by a reset of the device"),
		};
		if (slot->plan) {
			slot->plan->outstanding = false;
			slot->plan->has_run = false;
			slot->plan = NULL;
		}
		io->base.outstanding--;
	}
	counter_add(&io->base.counters->failed, count);
	return (int)count;
}

static int driver_io_reap(struct accel_queue *base,
			  struct accel_completion *completions, uint32_t max)
{
	struct driver_io *io = driver_io(base);
	const struct spmm_cqe *entry;
	uint32_t count = 0;
	int ret;

	if (driver_queue_is_lost(&io->queue))
		return lost_reap(io, completions, max);
	if (io->queue.corrupt)
		return driver_queue_distrust(&io->queue);
	ret = driver_queue_poll(&io->queue);
	if (ret)
		return ret;
	while (count < max && base->outstanding &&
	       (entry = driver_queue_peek(&io->queue))) {
		uint16_t id = (uint16_t)(io->oldest & (base->depth - 1));

		if (!driver_queue_expects(&io->queue, entry, id))
			return count ? (int)count :
				       driver_queue_distrust(&io->queue);
		entry_complete(io, entry, &completions[count++]);
		driver_queue_take(&io->queue);
		io->oldest++;
		base->outstanding--;
	}
	if (count && driver_queue_report(&io->queue))
		counter_add(&base->counters->reports, 1);
	if (!count && max && base->outstanding)
		return driver_queue_check(&io->queue);
	return (int)count;
}

static int driver_io_sleep(struct accel_queue *base, uint64_t deadline)
{
	struct driver_io *io = driver_io(base);

	if (driver_queue_is_lost(&io->queue))
		return 0;
	return driver_queue_sleep(&io->queue, deadline);
}

/* Are the completions of all that is outstanding in the ring? */
static bool all_completed(struct driver_io *io)
{
	struct driver_queue last;

	if (!io->base.outstanding || driver_queue_poll(&io->queue))
		return true;
	last = io->queue;
	last.cq.head += io->base.outstanding - 1;
	return driver_queue_peek(&last);
}

static int driver_io_cancel(struct accel_queue *base, uint64_t deadline)
{
	struct driver_io *io = driver_io(base);
	int ret;

	if (!base->outstanding || driver_queue_is_lost(&io->queue))
		return 0;
	ret = io->queue.corrupt ? -EIO : driver_queue_abort(&io->queue);
	while (!ret && !all_completed(io)) {
		ret = driver_queue_sleep(&io->queue, deadline);
		if (!ret && deadline_expired(deadline) && !all_completed(io))
			ret = -ETIMEDOUT;
	}
	if (!ret)
		return 0;
	ret = driver_backend_reset(base->device);
	if (ret)
		return ret;
	return accel_error(
		-ETIMEDOUT,
		"the device did not stop and was reset; make its plans anew");
}

static int driver_io_fd(struct accel_queue *base)
{
	return driver_queue_event(&driver_io(base)->queue);
}

static uint64_t driver_io_signals(struct accel_queue *base)
{
	return driver_queue_signals(&driver_io(base)->queue);
}

static bool driver_io_ready(struct accel_queue *base)
{
	struct driver_io *io = driver_io(base);

	if (!base->outstanding)
		return false;
	return driver_queue_is_lost(&io->queue) || io->queue.corrupt ||
	       driver_queue_poll(&io->queue) || driver_queue_peek(&io->queue);
}

static void driver_io_destroy(struct accel_queue *base)
{
	struct driver_io *io = driver_io(base);
	struct accel_completion completion;

	driver_queue_destroy(&io->queue);
	while (lost_reap(io, &completion, 1))
		;
	free(io);
}

static const struct backend_queue_operations driver_io_operations = {
	.destroy = driver_io_destroy,
	.submit = driver_io_submit,
	.reap = driver_io_reap,
	.sleep = driver_io_sleep,
	.cancel = driver_io_cancel,
	.fd = driver_io_fd,
	.signals = driver_io_signals,
	.ready = driver_io_ready,
};

int driver_io_create(struct accel_device *device, uint32_t depth,
		     uint32_t priority, struct accel_queue **out)
{
	struct driver_io *io =
		calloc(1, sizeof(*io) + depth * sizeof(io->slots[0]));
	int ret;

	if (!io)
		return accel_error(-ENOMEM, "out of memory");
	ret = driver_queue_create(driver_backend(device)->device, depth,
				  priority, &io->queue);
	if (ret) {
		free(io);
		return ret;
	}
	io->base.operations = &driver_io_operations;
	*out = &io->base;
	return 0;
}
