/* SPDX-License-Identifier: MIT */
/* Every value is the golden arithmetic's, every byte the one that was copied. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 8

struct arrays {
	uint32_t count;
	size_t elements[PORTS_MAX];
	float *values[PORTS_MAX];
};

static void arrays_create(struct accel_plan *plan, bool outputs,
			  struct arrays *arrays)
{
	struct accel_plan_info info = { .size = sizeof(info) };

	CHECK_OK(accel_plan_get_info(plan, &info));
	arrays->count = outputs ? info.output_count : info.input_count;
	CHECK(arrays->count <= PORTS_MAX);
	for (uint32_t i = 0; i < arrays->count; i++) {
		struct accel_port_info port = { .size = sizeof(port) };

		if (outputs)
			CHECK_OK(accel_plan_get_output(plan, i, &port));
		else
			CHECK_OK(accel_plan_get_input(plan, i, &port));
		arrays->elements[i] = port.elements;
		arrays->values[i] = calloc(port.elements, sizeof(float));
		CHECK(arrays->values[i]);
	}
}

static void arrays_free(struct arrays *arrays)
{
	for (uint32_t i = 0; i < arrays->count; i++)
		free(arrays->values[i]);
}

/* Every code, and what saturates. */
static void arrays_fill(struct arrays *arrays, uint32_t seed)
{
	for (uint32_t i = 0; i < arrays->count; i++)
		for (size_t j = 0; j < arrays->elements[i]; j++) {
			seed = seed * 1664525u + 1013904223u;
			arrays->values[i][j] =
				((float)(seed >> 8) - 0x800000) * 0x1p-21f;
		}
}

static void run(struct accel_plan *plan, const struct arrays *inputs,
		const struct arrays *outputs)
{
	struct accel_input in[PORTS_MAX] = { 0 };
	struct accel_output out[PORTS_MAX] = { 0 };

	for (uint32_t i = 0; i < inputs->count; i++) {
		in[i].data = inputs->values[i];
		in[i].count = inputs->elements[i];
	}
	for (uint32_t i = 0; i < outputs->count; i++) {
		out[i].data = outputs->values[i];
		out[i].count = outputs->elements[i];
	}
	CHECK_OK(accel_run(plan, in, inputs->count, out, outputs->count,
			   PATIENCE));
}

static void outputs_equal(const struct arrays *first,
			  const struct arrays *second)
{
	for (uint32_t i = 0; i < first->count; i++)
		CHECK(!memcmp(first->values[i], second->values[i],
			      first->elements[i] * sizeof(float)));
}

static void activations_equal(struct accel_plan *first,
			      struct accel_plan *second)
{
	struct accel_difference difference = { .size = sizeof(difference) };

	CHECK_OK(accel_plan_compare(first, second, &difference));
	CHECK(difference.values > 0);
	if (difference.differing)
		printf("# %llu of %llu values differ, first in %s\n",
		       (unsigned long long)difference.differing,
		       (unsigned long long)difference.values, difference.layer);
	CHECK_EQUAL((int64_t)difference.differing, 0);
}

static void networks_are_exact(void)
{
	struct accel_device *device = device_open();
	struct accel_device *golden = device_open_uri("cpu:");
	struct accel_model *model = model_load();
	struct accel_plan *plan =
		plan_create(device, model, ACCEL_PLAN_KEEP_ACTIVATIONS);
	struct accel_plan *reusing = plan_create(device, model, 0);
	struct accel_plan *expected =
		plan_create(golden, model, ACCEL_PLAN_KEEP_ACTIVATIONS);
	struct arrays inputs, outputs, right;

	arrays_create(expected, false, &inputs);
	arrays_create(expected, true, &outputs);
	arrays_create(expected, true, &right);
	for (uint32_t seed = 1; seed <= 3; seed++) {
		arrays_fill(&inputs, seed);
		run(expected, &inputs, &right);
		run(plan, &inputs, &outputs);
		activations_equal(expected, plan);
		outputs_equal(&right, &outputs);
		run(reusing, &inputs, &outputs);
		outputs_equal(&right, &outputs);
	}
	arrays_free(&inputs);
	arrays_free(&outputs);
	arrays_free(&right);
	accel_plan_destroy(plan);
	accel_plan_destroy(reusing);
	accel_plan_destroy(expected);
	accel_model_free(model);
	accel_device_close(device);
	accel_device_close(golden);
}

/* accel_plan_load() reads matrices while it packs and copies: they are the same ones. */
static void loaded_networks_are_exact(void)
{
	struct accel_device *device = device_open();
	struct accel_device *golden = device_open_uri("cpu:");
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_load(device, 0);
	struct accel_plan *again = plan_load(device, 0);
	struct accel_plan *expected = plan_create(golden, model, 0);
	struct arrays inputs, outputs, right;

	arrays_create(expected, false, &inputs);
	arrays_create(expected, true, &outputs);
	arrays_create(expected, true, &right);
	arrays_fill(&inputs, 4);
	run(expected, &inputs, &right);
	run(plan, &inputs, &outputs);
	outputs_equal(&right, &outputs);
	accel_plan_destroy(plan);
	run(again, &inputs, &outputs);
	outputs_equal(&right, &outputs);
	arrays_free(&inputs);
	arrays_free(&outputs);
	arrays_free(&right);
	accel_plan_destroy(again);
	accel_plan_destroy(expected);
	accel_model_free(model);
	accel_device_close(device);
	accel_device_close(golden);
}

static unsigned char byte_at(uint64_t index, unsigned int salt)
{
	return (unsigned char)(index * 31 + index / 255 + salt);
}

static void bytes_fill(unsigned char *bytes, uint64_t length, unsigned int salt)
{
	for (uint64_t i = 0; i < length; i++)
		bytes[i] = byte_at(i, salt);
}

/* What was copied arrived, and what is beside it has not changed. */
static void copied(const unsigned char *to, uint64_t size, uint64_t from_at,
		   uint64_t to_at, uint64_t length)
{
	for (uint64_t i = 0; i < size; i++) {
		unsigned char right = i >= to_at && i < to_at + length ?
					      byte_at(i - to_at + from_at, 0) :
					      byte_at(i, 99);

		if (to[i] != right)
			printf("# byte %llu of a copy of %llu from %llu to %llu\n",
			       (unsigned long long)i,
			       (unsigned long long)length,
			       (unsigned long long)from_at,
			       (unsigned long long)to_at);
		CHECK_EQUAL(to[i], right);
	}
}

/* By way of device memory, at the same odd place as in the end. */
static void copy_check(struct accel_queue *queue, struct accel_buffer **buffers,
		       uint64_t size, uint64_t from_at, uint64_t to_at,
		       uint64_t length)
{
	struct accel_operation copies[] = {
		copy_of(buffers[2], 0, buffers[1], 0, size),
		copy_of(buffers[0], from_at, buffers[1], to_at, length),
		copy_of(buffers[1], 0, buffers[2], 0, size),
	};

	copies[1].flags = ACCEL_OPERATION_AFTER_ALL;
	copies[2].flags = ACCEL_OPERATION_AFTER_ALL;
	bytes_fill(buffer_bytes(buffers[2]), size, 99);
	queue_finish_all(queue, copies, 3);
	copied(buffer_bytes(buffers[2]), size, from_at, to_at, length);
}

static void copies_are_exact(void)
{
	enum { SIZE = 3 * 4096 + 5 };
	static const uint64_t places[] = { 0, 1, 3, 63, 64, 4095, 4096, 4097 };
	static const uint64_t lengths[] = { 1, 2, 63, 65, 4096, 4099, 8191 };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *buffers[] = {
		buffer_create(device, ACCEL_MEMORY_HOST, SIZE),
		buffer_create(device, ACCEL_MEMORY_DEVICE, SIZE),
		buffer_create(device, ACCEL_MEMORY_HOST, SIZE),
	};

	bytes_fill(buffer_bytes(buffers[0]), SIZE, 0);
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
		for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]);
		     l++) {
			copy_check(queue, buffers, SIZE, places[p],
				   places[(p + 3) % 8], lengths[l]);
			/* Up to the very end. */
			copy_check(queue, buffers, SIZE, SIZE - lengths[l],
				   SIZE - lengths[l], lengths[l]);
		}
	for (int i = 0; i < 3; i++)
		accel_buffer_destroy(buffers[i]);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void long_copies_are_exact(void)
{
	enum { SIZE = 5 * 1024 * 1024 + 77 };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *buffers[] = {
		buffer_create(device, ACCEL_MEMORY_HOST, SIZE),
		buffer_create(device, ACCEL_MEMORY_DEVICE, SIZE),
		buffer_create(device, ACCEL_MEMORY_HOST, SIZE),
	};

	bytes_fill(buffer_bytes(buffers[0]), SIZE, 0);
	copy_check(queue, buffers, SIZE, 13, 7, SIZE - 13);
	for (int i = 0; i < 3; i++)
		accel_buffer_destroy(buffers[i]);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

const struct test exactness_tests[] = {
	{ "a network with every operation is bit for bit that of cpu:",
	  networks_are_exact, COMPUTES },
	{ "a network loaded from its file is bit for bit that of cpu:",
	  loaded_networks_are_exact, COMPUTES },
	{ "copies are exact at odd places and lengths", copies_are_exact,
	  COMPUTES },
	{ "long copies are exact", long_copies_are_exact, COMPUTES },
	{ 0 },
};
