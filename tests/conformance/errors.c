/* SPDX-License-Identifier: MIT */
/* Bad operations: which are refused, and what that leaves of a batch. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>

#define LENGTH 100

/**
 * struct bench - a queue, and what copies may name
 * @device: open
 * @queue: of it
 * @host: buffer of LENGTH bytes
 * @memory: the same of the device
 */
struct bench {
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_buffer *host;
	struct accel_buffer *memory;
};

static struct bench bench_open(void)
{
	struct bench bench;

	bench.device = device_open();
	bench.queue = queue_create(bench.device, 8);
	bench.host = buffer_create(bench.device, ACCEL_MEMORY_HOST, LENGTH);
	bench.memory = buffer_create(bench.device, ACCEL_MEMORY_DEVICE, LENGTH);
	return bench;
}

static void bench_close(struct bench *bench)
{
	CHECK_EQUAL(accel_queue_outstanding(bench->queue), 0);
	queue_works(bench->queue);
	accel_buffer_destroy(bench->host);
	accel_buffer_destroy(bench->memory);
	accel_queue_destroy(bench->queue);
	accel_device_close(bench->device);
}

static void refused(const struct bench *bench, struct accel_operation operation)
{
	CHECK_FAILS(accel_queue_submit(bench->queue, &operation, 1), -EINVAL);
}

static void what_no_operation_is(void)
{
	struct bench bench = bench_open();
	struct accel_operation operation = nop(0);

	operation.opcode = 4;
	refused(&bench, operation);
	operation.opcode = UINT32_MAX;
	refused(&bench, operation);
	operation.opcode = ACCEL_OPERATION_NOP;
	operation.flags = 2;
	refused(&bench, operation);
	operation.flags = UINT32_MAX;
	refused(&bench, operation);
	refused(&bench, run_of(NULL));
	refused(&bench, copy_of(NULL, 0, bench.host, 0, 1));
	refused(&bench, copy_of(bench.host, 0, NULL, 0, 1));
	bench_close(&bench);
}

static void ranges_that_overflow(void)
{
	struct bench bench = bench_open();
	static const struct {
		uint64_t from, to, length;
	} bad[] = {
		{ 0, 0, 0 },
		{ 0, 0, LENGTH + 1 },
		{ 1, 0, LENGTH },
		{ 0, 1, LENGTH },
		{ LENGTH, 0, 1 },
		{ 0, LENGTH, 1 },
		{ UINT64_MAX, 0, 1 },
		{ UINT64_MAX, 0, 2 },
		{ 0, UINT64_MAX, 2 },
		{ 2, 2, UINT64_MAX },
		{ 0, 0, UINT64_MAX },
		{ 1ull << 63, 1ull << 63, 1ull << 63 },
		{ UINT64_MAX - LENGTH, 0, LENGTH + 2 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(&bench, copy_of(bench.host, bad[i].from, bench.memory,
					bad[i].to, bad[i].length));
	bench_close(&bench);
}

/* What belongs to another open device, of whatever kind, is no operand. */
static void foreign(const char *uri)
{
	struct accel_device *other = device_open_uri(uri);
	struct accel_buffer *buffer =
		buffer_create(other, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(other, model, 0);
	struct bench bench = bench_open();

	refused(&bench, copy_of(buffer, 0, bench.host, 0, 1));
	refused(&bench, copy_of(bench.host, 0, buffer, 0, 1));
	refused(&bench, run_of(plan));
	bench_close(&bench);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_buffer_destroy(buffer);
	accel_device_close(other);
}

static void objects_of_another_kind(void)
{
	foreign("nil:");
	foreign("cpu:");
}

static void objects_of_the_same_kind(void)
{
	foreign(settings.uri);
}

static void the_good_ones_before_a_bad_one(void)
{
	struct bench bench = bench_open();
	struct accel_operation operations[4] = { nop(1), nop(2), nop(3),
						 nop(4) };
	struct accel_completion completions[4];

	operations[2].opcode = 99;
	CHECK_EQUAL(accel_queue_submit(bench.queue, operations, 4), 2);
	CHECK_EQUAL(accel_queue_outstanding(bench.queue), 2);
	CHECK_FAILS(accel_queue_submit(bench.queue, operations + 2, 2),
		    -EINVAL);
	CHECK_EQUAL(accel_queue_wait(bench.queue, completions, 2, 4, PATIENCE),
		    2);
	CHECK_EQUAL((int64_t)completions[1].user_data, 2);
	CHECK_EQUAL(accel_queue_submit(bench.queue, operations + 3, 1), 1);
	CHECK_EQUAL(accel_queue_wait(bench.queue, completions, 1, 4, PATIENCE),
		    1);
	CHECK_EQUAL((int64_t)completions[0].user_data, 4);
	bench_close(&bench);
}

const struct test error_tests[] = {
	{ "what no operation is, is refused", what_no_operation_is, 0 },
	{ "ranges that overflow are refused", ranges_that_overflow, 0 },
	{ "objects of another kind of device are refused",
	  objects_of_another_kind, 0 },
	{ "objects of another device of the same kind are refused",
	  objects_of_the_same_kind, SHARED },
	{ "the good ones before a bad one are accepted",
	  the_good_ones_before_a_bad_one, 0 },
	{ 0 },
};
