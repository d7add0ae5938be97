/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_QUEUE_H
#define ACCEL_QUEUE_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A queue belongs to one thread at a time and takes no lock. Submitting and
 * reaping make no system call, allocate nothing and read no register; a batch
 * rings the doorbell once. Operations start in order; they complete in order.
 */

/**
 * enum accel_opcode - what an operation does
 * @ACCEL_OPERATION_NOP: completes
 * @ACCEL_OPERATION_FENCE: completes after all earlier operations
 * @ACCEL_OPERATION_COPY: copies bytes between two buffers
 * @ACCEL_OPERATION_RUN: runs a plan on the inputs last written, see
 *	accel_plan_write_input()
 */
enum accel_opcode {
	ACCEL_OPERATION_NOP = 0,
	ACCEL_OPERATION_FENCE = 1,
	ACCEL_OPERATION_COPY = 2,
	ACCEL_OPERATION_RUN = 3,
};

/* Start only after all earlier operations of the queue have completed. */
#define ACCEL_OPERATION_AFTER_ALL 0x1

/**
 * struct accel_operation - one thing to do
 * @opcode: enum accel_opcode
 * @flags: ACCEL_OPERATION_AFTER_ALL or 0
 * @user_data: comes back in the completion
 * @copy: of ACCEL_OPERATION_COPY; the ranges lie within their buffers
 * @run: of ACCEL_OPERATION_RUN
 * @reserved: fills the structure up to 64 bytes; zero what is not used
 */
struct accel_operation {
	uint32_t opcode;
	uint32_t flags;
	uint64_t user_data;
	union {
		struct {
			struct accel_buffer *source;
			struct accel_buffer *destination;
			uint64_t source_offset;
			uint64_t destination_offset;
			uint64_t length;
		} copy;
		struct {
			struct accel_plan *plan;
		} run;
		uint64_t reserved[6];
	};
};

/**
 * struct accel_completion - an operation that is done
 * @user_data: of the operation
 * @status: 0 or a negative errno value; the text of the last failure that a
 *	call returned is in accel_last_error(). A failure cancels the operations of
 *	the queue that come after it: -ECANCELED
 * @device_status: enum spmm_status of spmm/status.h
 * @detail: the address or index that @device_status speaks of
 */
struct accel_completion {
	uint64_t user_data;
	int32_t status;
	uint32_t device_status;
	uint64_t detail;
};

/**
 * struct accel_queue_options - how to create a queue
 * @size: sizeof(struct accel_queue_options)
 * @depth: operations that may be outstanding, rounded up to a power of two; 0: 64, or
 *	what the device has if that is less
 * @priority: 0 (lowest) … 3
 * @spin_ns: longest that a wait spins before it sleeps; 0: as long as completions take
 *	that are likely there within 50 µs, else not at all; -1: sleeps at once
 */
struct accel_queue_options {
	size_t size;
	uint32_t depth;
	uint32_t priority;
	int64_t spin_ns;
};

/**
 * struct accel_queue_stats - what a queue has counted since it was created
 * @size: sizeof(struct accel_queue_stats)
 * @submitted: operations that were accepted
 * @batches: calls of accel_queue_submit() that accepted some
 * @doorbells: times that the device was told of new operations
 * @reports: times that it was told which completions were taken
 * @completed: operations that were reaped
 * @failed: of them, with a status other than 0
 * @reaps: looks for completions that found some
 * @empty_reaps: looks that found none, among them those of waits that spin
 * @spins: waits that began to spin
 * @spin_ns: that they spent on it
 * @sleeps: times that a wait slept
 * @wakeups: of them, after which there was a completion
 * @wait_ns: how long the next wait is expected to take, as those before did
 */
struct accel_queue_stats {
	size_t size;
	uint64_t submitted;
	uint64_t batches;
	uint64_t doorbells;
	uint64_t reports;
	uint64_t completed;
	uint64_t failed;
	uint64_t reaps;
	uint64_t empty_reaps;
	uint64_t spins;
	uint64_t spin_ns;
	uint64_t sleeps;
	uint64_t wakeups;
	uint64_t wait_ns;
};

/**
 * accel_queue_create() - create a queue pair
 * @device: open
 * @options: NULL for the defaults
 * @queue: the result, to be destroyed by accel_queue_destroy()
 *
 * Return: 0; -EINVAL for a depth that the device does not have; -EBUSY when the
 * device has no queue left, or none for this process; -EPERM for a priority that needs
 * a privilege, as 3 does on "dev:"; -ENOMEM; -ENODEV, -ETIMEDOUT or -EIO.
 * Thread-safe.
 */
int accel_queue_create(struct accel_device *device,
		       const struct accel_queue_options *options,
		       struct accel_queue **queue);

/**
 * accel_queue_destroy() - cancel what is outstanding and free the queue
 * @queue: or NULL
 */
void accel_queue_destroy(struct accel_queue *queue);

/**
 * accel_queue_submit() - hand operations to the device
 * @queue: of the calling thread
 * @operations: in order
 * @count: of @operations
 *
 * Return: how many were accepted, less than @count when the queue is full or an
 * operation is bad (the next call with it first tells which); -EINVAL if the
 * first one is bad; -EAGAIN if the queue is full, and reaping makes room, or if an
 * operation has failed and those after it are still to be reaped;
 * -EBUSY for a plan whose run is outstanding, -ESTALE for one that a reset has undone;
 * -ENODEV, -EIO.
 */
int accel_queue_submit(struct accel_queue *queue,
		       const struct accel_operation *operations,
		       uint32_t count);

/**
 * accel_queue_reap() - take completions that are there
 * @queue: of the calling thread
 * @completions: room for @max
 * @max: most to take
 *
 * Return: how many were taken, perhaps 0; -ENODEV if the device is gone.
 */
int accel_queue_reap(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t max);

/**
 * accel_queue_wait() - wait for completions
 * @queue: of the calling thread
 * @completions: room for @max
 * @min: enough to return
 * @max: most to take, at least @min
 * @timeout_ns: 0 polls once
 *
 * Spins if completions are likely soon, see struct accel_queue_options, then sleeps.
 *
 * Return: how many were taken, fewer than @min (perhaps 0) when the time is over
 * or when no more are outstanding; -EINVAL for a negative timeout or @min above
 * @max; -ENODEV if the device is gone; -EIO if it hangs.
 */
int accel_queue_wait(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t min,
		     uint32_t max, int64_t timeout_ns);

/**
 * accel_queue_cancel() - stop everything that is outstanding
 * @queue: of the calling thread
 * @timeout_ns: until then the device has to have stopped, else it is reset
 *
 * What had not completed completes with -ECANCELED and is to be reaped.
 *
 * What is submitted later is not concerned. cpu: has nothing to reset: it keeps its plans,
 * and what has not stopped by then stays outstanding until it does.
 *
 * Return: 0; -EINVAL; -ETIMEDOUT when a reset was needed, which undoes plans, or from cpu:
 * when work was still stopping; -ENODEV.
 */
int accel_queue_cancel(struct accel_queue *queue, int64_t timeout_ns);

/**
 * accel_queue_outstanding() - operations that were accepted and not yet reaped
 * @queue: of the calling thread
 *
 * Return: their number.
 */
uint32_t accel_queue_outstanding(const struct accel_queue *queue);

/**
 * accel_queue_get_stats() - read the counters
 * @queue: of any thread, as long as it exists
 * @stats: the result, its size set
 *
 * While its thread uses the queue the counters need not be of one moment.
 *
 * Return: 0 or -EINVAL.
 */
int accel_queue_get_stats(const struct accel_queue *queue,
			  struct accel_queue_stats *stats);

/**
 * accel_queue_fd() - a file descriptor that becomes readable on completions
 * @queue: of the calling thread
 *
 * For poll(), epoll and io_uring. Read its 8-byte counter, then reap until
 * nothing is left. Completions are signalled from the first call on.
 *
 * Return: an eventfd that belongs to the queue, or a negative errno value.
 */
int accel_queue_fd(struct accel_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
