/* SPDX-License-Identifier: MIT */
/*
 * Plans whose memory in the device was damaged behind the library's back: the run
 * fails with the layer's name, nothing else does, and repair helps.
 */
#include "published.h"
#include "sample_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <backend/driver_plan.h>
#include <plan/command.h>

#define PATIENCE (60 * ACCEL_SECOND)
#define SIZE 6

static struct accel_model *two_layers(void)
{
	struct golden_quantization q = { 0.02f, 3 };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 1 };
	struct model *model = model_create("two");
	struct model_layer layer;

	sample_state = 11;
	sample_tensor(model, "x", MODEL_INT8, q, 3);
	model->tensors[0].height = model->tensors[0].width = SIZE;
	model_add_input(model, &port);
	sample_tensor(model, "y", MODEL_INT8, q, 8);
	layer = sample_spmm(model, "first", 0, 1, 3);
	sample_add(model, &layer);
	sample_tensor(model, "z", MODEL_INT8, q, 8);
	layer = sample_spmm(model, "second", 1, 2, 3);
	sample_add(model, &layer);
	port.tensor = 2;
	model_add_output(model, &port);
	return model_publish(model);
}

struct bench {
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *damaged;
	struct accel_plan *sound;
};

static void bench_create(struct bench *bench)
{
	bench->device = device_open("sim:");
	bench->model = two_layers();
	bench->damaged = plan_create(bench->device, bench->model, NULL);
	bench->sound = plan_create(bench->device, bench->model, NULL);
}

static void bench_destroy(struct bench *bench)
{
	accel_plan_destroy(bench->damaged);
	accel_plan_destroy(bench->sound);
	accel_model_free(bench->model);
	accel_device_close(bench->device);
}

static int run(struct accel_plan *plan)
{
	struct accel_input input = { 0 };

	return accel_run(plan, &input, 1, NULL, 0, PATIENCE);
}

/* Exchange bytes of the plan's image in device memory. */
static void image_swap(struct bench *bench, uint64_t offset, uint8_t *bytes,
		       size_t length)
{
	struct driver_backend *backend = driver_backend(bench->device);
	uint64_t address =
		driver_plan(bench->damaged)->image.virtual_address + offset;
	uint8_t old[64];

	assert_in_range(length, 1, sizeof(old));
	assert_int_equal(
		transfer_download(&backend->transfer, address, old, length), 0);
	assert_int_equal(
		transfer_upload(&backend->transfer, address, bytes, length), 0);
	memcpy(bytes, old, length);
}

static void damage(struct bench *bench, uint64_t offset, uint8_t *bytes,
		   size_t length, int error, const char *const *words)
{
	assert_int_equal(run(bench->damaged), 0);
	image_swap(bench, offset, bytes, length);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(bench->damaged), error);
		for (const char *const *word = words; *word; word++)
			if (!strstr(accel_last_error(), *word))
				fail_msg("\"%s\" does not say \"%s\"",
					 accel_last_error(), *word);
		/* Its queue is another one. */
		assert_int_equal(run(bench->sound), 0);
	}
	image_swap(bench, offset, bytes, length);
	assert_int_equal(run(bench->damaged), 0);
}

static uint64_t weights_of(const struct bench *bench, uint32_t layer)
{
	return driver_plan(bench->damaged)
		->program.constants.layers[layer]
		.matrix.weights;
}

/* Command 0 is the input's copy, then come the layers. */
static uint64_t descriptor_of(const struct bench *bench, uint32_t layer)
{
	return driver_plan(bench->damaged)->program.descriptors +
	       (layer + 1) * PLAN_DESCRIPTOR_SLOT;
}

static void a_damaged_stream_names_its_layer(void **state)
{
	const char *const words[] = { "layer second", "stream", NULL };
	uint8_t bytes[16];
	struct bench bench;

	(void)state;
	bench_create(&bench);
	memset(bytes, 0xff, sizeof(bytes));
	damage(&bench, weights_of(&bench, 1), bytes, sizeof(bytes), -EBADMSG,
	       words);
	bench_destroy(&bench);
}

static void an_address_that_is_not_mapped_is_told(void **state)
{
	const char *const words[] = { "layer first", "not mapped",
				      "0x123456789000", NULL };
	uint64_t address = 0x123456789000;
	struct bench bench;

	(void)state;
	bench_create(&bench);
	damage(&bench,
	       descriptor_of(&bench, 0) +
		       offsetof(struct spmm_descriptor, input.address),
	       (uint8_t *)&address, sizeof(address), -EFAULT, words);
	bench_destroy(&bench);
}

static void a_descriptor_that_contradicts_itself(void **state)
{
	const char *const words[] = { "layer second", "contradict", NULL };
	uint32_t columns = 8 * 9 + 1;
	struct bench bench;

	(void)state;
	bench_create(&bench);
	damage(&bench,
	       descriptor_of(&bench, 1) +
		       offsetof(struct spmm_descriptor, columns),
	       (uint8_t *)&columns, sizeof(columns), -EINVAL, words);
	bench_destroy(&bench);
}

static void a_scale_of_zero(void **state)
{
	const char *const words[] = { "layer first", "scale", NULL };
	uint8_t zeros[4] = { 0 };
	struct bench bench;

	(void)state;
	bench_create(&bench);
	damage(&bench,
	       driver_plan(bench.damaged)
		       ->program.constants.layers[0]
		       .matrix.scales,
	       zeros, sizeof(zeros), -EINVAL, words);
	bench_destroy(&bench);
}

static void what_waits_behind_a_failure_is_cancelled(void **state)
{
	struct accel_operation operations[4] = { { .user_data = 0 },
						 { .user_data = 1 },
						 { .user_data = 2 },
						 { .user_data = 3 } };
	struct accel_completion completions[4];
	struct accel_queue *queue;
	struct bench bench;
	uint8_t bytes[16];

	(void)state;
	bench_create(&bench);
	memset(bytes, 0xff, sizeof(bytes));
	image_swap(&bench, weights_of(&bench, 0), bytes, sizeof(bytes));
	assert_int_equal(accel_queue_create(bench.device, NULL, &queue), 0);
	operations[1].opcode = ACCEL_OPERATION_RUN;
	operations[1].run.plan = bench.damaged;
	operations[2].opcode = ACCEL_OPERATION_RUN;
	operations[2].run.plan = bench.sound;
	assert_int_equal(accel_queue_submit(queue, operations, 4), 4);
	assert_int_equal(accel_queue_wait(queue, completions, 4, 4, PATIENCE),
			 4);
	assert_int_equal(completions[0].status, 0);
	assert_int_equal(completions[1].status, -EBADMSG);
	assert_int_equal(completions[2].status, -ECANCELED);
	assert_int_equal(completions[3].status, -ECANCELED);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(completions[i].user_data, i);
	/* Empty again, the queue recovers by itself. */
	assert_int_equal(accel_queue_submit(queue, operations + 2, 2), 2);
	assert_int_equal(accel_queue_wait(queue, completions, 2, 2, PATIENCE),
			 2);
	assert_int_equal(completions[0].status, 0);
	assert_int_equal(completions[1].status, 0);
	accel_queue_destroy(queue);
	bench_destroy(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_damaged_stream_names_its_layer),
		cmocka_unit_test(an_address_that_is_not_mapped_is_told),
		cmocka_unit_test(a_descriptor_that_contradicts_itself),
		cmocka_unit_test(a_scale_of_zero),
		cmocka_unit_test(what_waits_behind_a_failure_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
