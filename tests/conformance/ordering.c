/* SPDX-License-Identifier: MIT */
/* Operations of a queue complete in order, and start when they were told to. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <string.h>

#define DEPTH 16
#define ROUNDS 50

static struct accel_operation mixed(uint64_t number)
{
	struct accel_operation operation = nop(number);

	if (number % 3 == 1)
		operation.opcode = ACCEL_OPERATION_FENCE;
	if (number % 5 == 2)
		operation.flags = ACCEL_OPERATION_AFTER_ALL;
	return operation;
}

/* Batches of all lengths, so that rings go round at every place. */
static void completions_come_in_order(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, DEPTH);
	struct accel_operation operations[DEPTH];
	struct accel_completion completions[DEPTH];
	uint64_t sent = 0, seen = 0;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t count = 1 + round * 7 % DEPTH;

		for (uint32_t i = 0; i < count; i++)
			operations[i] = mixed(sent++);
		CHECK_EQUAL(accel_queue_submit(queue, operations, count),
			    count);
		while (seen < sent) {
			int got = accel_queue_wait(queue, completions, 1, 5,
						   PATIENCE);

			CHECK(got >= 1 && got <= 5);
			for (int i = 0; i < got; i++) {
				CHECK_EQUAL((int64_t)completions[i].user_data,
					    (int64_t)seen++);
				CHECK_OK(completions[i].status);
			}
		}
	}
	CHECK_EQUAL(accel_queue_reap(queue, completions, DEPTH), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void long_and_short_ones_complete_in_order(void)
{
	enum { LENGTH = 4 << 20 };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, DEPTH);
	struct accel_buffer *from =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_buffer *to =
		buffer_create(device, ACCEL_MEMORY_DEVICE, LENGTH);
	struct accel_operation operations[DEPTH];

	for (uint64_t i = 0; i < DEPTH; i++) {
		operations[i] = i % 4 ? mixed(i) :
					copy_of(from, 0, to, 0, LENGTH);
		operations[i].user_data = i;
	}
	queue_finish_all(queue, operations, DEPTH);
	accel_buffer_destroy(from);
	accel_buffer_destroy(to);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void step_on(struct accel_buffer **chain, struct accel_queue *queue,
		    bool fences)
{
	enum { LENGTH = 100001, STEPS = 6 };
	struct accel_operation operations[2 * STEPS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < STEPS; i++) {
		struct accel_operation copy = copy_of(
			chain[i % 2], 0, chain[(i + 1) % 2], 0, LENGTH - 1);

		/* Each shifts by one byte what the one before it has left. */
		copy.copy.destination_offset = 1;
		copy.flags = fences ? 0 : ACCEL_OPERATION_AFTER_ALL;
		copy.user_data = count;
		operations[count++] = copy;
		if (!fences)
			continue;
		operations[count] = nop(count);
		operations[count].flags = ACCEL_OPERATION_AFTER_ALL;
		operations[count].opcode = ACCEL_OPERATION_FENCE;
		count++;
	}
	queue_finish_all(queue, operations, count);
}

/* Every copy reads what the one before has written. */
static void dependents_see_what_came_before(void)
{
	enum { LENGTH = 100001 };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, DEPTH);
	struct accel_buffer *chain[2];
	unsigned char *bytes;

	for (int pass = 0; pass < 2; pass++) {
		chain[0] = buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
		chain[1] = buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
		bytes = buffer_bytes(chain[0]);
		for (int i = 0; i < LENGTH; i++)
			bytes[i] = (unsigned char)(i * 11 + i / 253);
		step_on(chain, queue, pass);
		for (int i = 6; i < LENGTH; i++)
			CHECK_EQUAL(bytes[i], (unsigned char)((i - 6) * 11 +
							      (i - 6) / 253));
		accel_buffer_destroy(chain[0]);
		accel_buffer_destroy(chain[1]);
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_run_completes_in_its_turn(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);
	struct accel_queue *queue = queue_create(device, DEPTH);
	const struct accel_operation operations[] = { nop(0), run_of(plan),
						      nop(2) };
	struct accel_output output = { 0 };
	struct accel_completion completions[3];

	CHECK_EQUAL(accel_queue_submit(queue, operations, 3), 3);
	CHECK_EQUAL(accel_queue_wait(queue, completions, 3, 3, PATIENCE), 3);
	for (int i = 0; i < 3; i++)
		CHECK_OK(completions[i].status);
	CHECK_EQUAL((int64_t)completions[0].user_data, 0);
	CHECK_EQUAL((int64_t)completions[2].user_data, 2);
	CHECK_OK(accel_plan_read_output(plan, 0, &output));
	accel_queue_destroy(queue);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void queues_do_not_mix(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queues[3];
	struct accel_completion completion;

	for (int q = 0; q < 3; q++)
		queues[q] = queue_create(device, 8);
	for (uint64_t i = 0; i < 60; i++) {
		for (uint64_t q = 0; q < 3; q++) {
			const struct accel_operation one = nop(1000 * q + i);

			CHECK_EQUAL(accel_queue_submit(queues[q], &one, 1), 1);
		}
		for (int q = 2; q >= 0; q--) {
			CHECK_EQUAL(accel_queue_wait(queues[q], &completion, 1,
						     1, PATIENCE),
				    1);
			CHECK_EQUAL((int64_t)completion.user_data,
				    1000 * q + (int64_t)i);
		}
	}
	for (int q = 0; q < 3; q++)
		accel_queue_destroy(queues[q]);
	accel_device_close(device);
}

const struct test ordering_tests[] = {
	{ "completions come in order", completions_come_in_order, 0 },
	{ "long and short ones complete in order",
	  long_and_short_ones_complete_in_order, 0 },
	{ "dependents see what came before", dependents_see_what_came_before,
	  COMPUTES },
	{ "a run among others completes in its turn",
	  a_run_completes_in_its_turn, 0 },
	{ "queues do not mix", queues_do_not_mix, 0 },
	{ 0 },
};
