/* SPDX-License-Identifier: MIT */
#include "bench_baseline.h"

#include "histogram.h"

#include <core/deadline.h>
#include <core/error.h>
#include <driver/queue.h>
#include <spmm/page_table.h>

#include <errno.h>
#include <liburing.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RING_ENTRIES 64
#define BATCH 32
/* Operations of a step, and steps between two looks at the clock. */
#define STRIDE 1024
#define SLICE_STEPS 64

const char *const bench_baseline_keys[BASELINE_COUNT] = {
	[BASELINE_URING_BATCH1] = "io_uring_nop_batch1_ns",
	[BASELINE_URING_BATCH32] = "io_uring_nop_ns",
	[BASELINE_ENTRY] = "entry_fence_doorbell_ns",
	[BASELINE_STORES] = "bare_stores_ns",
	[BASELINE_CLOCK] = "clock_ns",
};

const char *const bench_baseline_names[BASELINE_COUNT] = {
	[BASELINE_URING_BATCH1] = "io_uring NOP, submit + reap, batch 1",
	[BASELINE_URING_BATCH32] = "io_uring NOP, submit + reap, batch 32",
	[BASELINE_ENTRY] = "entry + fence + doorbell, to plain memory",
	[BASELINE_STORES] = "64 bytes + doorbell, bare stores",
	[BASELINE_CLOCK] = "a look at the clock",
};

/**
 * struct bench_baselines - what they work on
 * @uring: the kernel's queue
 * @has_uring: there is one
 * @queue: the driver's, on memory that no device reads
 * @entries: of it
 * @doorbells: of it
 * @slices: how long each took
 */
struct bench_baselines {
	struct io_uring uring;
	bool has_uring;
	struct driver_queue queue;
	struct spmm_sqe *entries;
	uint32_t *doorbells;
	struct histogram slices;
};

int bench_baselines_create(struct bench_baselines **out)
{
	struct bench_baselines *baselines = calloc(1, sizeof(*baselines));
	size_t bytes = RING_ENTRIES * sizeof(struct spmm_sqe);

	*out = baselines;
	if (!baselines)
		return accel_error(-ENOMEM, "no memory for the baselines");
	baselines->entries = aligned_alloc(SPMM_PAGE_SIZE, bytes);
	baselines->doorbells = aligned_alloc(SPMM_PAGE_SIZE, SPMM_PAGE_SIZE);
	if (!baselines->entries || !baselines->doorbells) {
		bench_baselines_destroy(baselines);
		*out = NULL;
		return accel_error(-ENOMEM, "no memory for the baselines");
	}
	baselines->queue.sq_entries = baselines->entries;
	baselines->queue.sq.entries = RING_ENTRIES;
	baselines->queue.doorbells = baselines->doorbells;
	baselines->has_uring =
		!io_uring_queue_init(RING_ENTRIES, &baselines->uring, 0);
	return 0;
}

void bench_baselines_destroy(struct bench_baselines *baselines)
{
	if (!baselines)
		return;
	if (baselines->has_uring)
		io_uring_queue_exit(&baselines->uring);
	free(baselines->entries);
	free(baselines->doorbells);
	free(baselines);
}

/* Operations done; 0 if the kernel refuses. A NOP has completed when submit returns. */
static uint32_t uring_batch(struct bench_baselines *baselines, uint32_t batch)
{
	struct io_uring_cqe *completions[BATCH];
	uint32_t taken = 0;

	for (uint32_t i = 0; i < batch; i++) {
		struct io_uring_sqe *entry =
			io_uring_get_sqe(&baselines->uring);

		if (!entry)
			return 0;
		io_uring_prep_nop(entry);
	}
	if (io_uring_submit(&baselines->uring) != (int)batch)
		return 0;
	while (taken < batch) {
		uint32_t count = io_uring_peek_batch_cqe(
			&baselines->uring, completions, batch - taken);

		if (!count)
			return 0;
		io_uring_cq_advance(&baselines->uring, count);
		taken += count;
	}
	return batch;
}

static uint32_t uring_batch1(struct bench_baselines *baselines)
{
	return uring_batch(baselines, 1);
}

static uint32_t uring_batch32(struct bench_baselines *baselines)
{
	return uring_batch(baselines, BATCH);
}

/* What a submission of one operation does, by the functions that do it. */
static uint32_t entries_put(struct bench_baselines *baselines)
{
	struct driver_queue *queue = &baselines->queue;

	for (uint32_t i = 0; i < STRIDE; i++) {
		struct spmm_sqe *entry = driver_queue_put(queue);

		*entry = (struct spmm_sqe){
			.opcode = SPMM_IO_NOP,
			.id = htole16((uint16_t)(i & (RING_ENTRIES - 1))),
		};
		driver_queue_ring(queue);
	}
	return STRIDE;
}

/* The same bytes to the same memory, and nothing else. */
static uint32_t stores_do(struct bench_baselines *baselines)
{
	volatile uint32_t *doorbell = baselines->doorbells;

	for (uint32_t i = 0; i < STRIDE; i++) {
		baselines->entries[i & (RING_ENTRIES - 1)] = (struct spmm_sqe){
			.opcode = SPMM_IO_NOP,
			.id = htole16((uint16_t)(i & (RING_ENTRIES - 1))),
		};
		__asm__ volatile("" ::: "memory");
		*doorbell = i;
	}
	return STRIDE;
}

static uint32_t clock_look(struct bench_baselines *baselines)
{
	(void)baselines;
	for (uint32_t i = 0; i < STRIDE; i++)
		monotonic_ns();
	return STRIDE;
}

static uint32_t (*const steps[BASELINE_COUNT])(struct bench_baselines *) = {
	[BASELINE_URING_BATCH1] = uring_batch1,
	[BASELINE_URING_BATCH32] = uring_batch32,
	[BASELINE_ENTRY] = entries_put,
	[BASELINE_STORES] = stores_do,
	[BASELINE_CLOCK] = clock_look,
};

/* So many steps that the clock does not count; how many operations, 0 on failure. */
static uint64_t slice_run(struct bench_baselines *baselines,
			  enum bench_baseline kind)
{
	uint64_t count = 0;

	for (int i = 0; i < SLICE_STEPS; i++) {
		uint32_t done = steps[kind](baselines);

		if (!done)
			return 0;
		count += done;
	}
	return count;
}

/* The median of short slices: who else uses the processor now and then does not show. */
double bench_baseline_measure(struct bench_baselines *baselines,
			      enum bench_baseline kind, uint64_t duration)
{
	uint64_t start = monotonic_ns(), last = start, now, count;

	if (kind <= BASELINE_URING_BATCH32 && !baselines->has_uring)
		return NAN;
	memset(&baselines->slices, 0, sizeof(baselines->slices));
	do {
		count = slice_run(baselines, kind);
		if (!count)
			return NAN;
		now = monotonic_ns();
		histogram_record(&baselines->slices, now - last, 1);
		last = now;
	} while (now - start < duration);
	return (double)histogram_percentile(&baselines->slices, 0.5) /
	       (double)count;
}
