/* SPDX-License-Identifier: MIT */
/* What a hostile or careless context does to the device, and to others. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sim_layer.h"

#include <core/deadline.h>

#define FIRST_OFFSET 4096
#define ROUNDS 3000

static struct layer_shape small_shape(void)
{
	struct layer_shape shape = layer_shape_plain(8, 4, 9, 7, 30);

	shape.batch = 2;
	shape.flags = SPMM_FLAG_RESIDUAL;
	return shape;
}

static void context_reset(struct test_host *host, uint16_t context)
{
	struct spmm_admin_sqe reset = { .opcode = SPMM_ADMIN_RESET_CONTEXT,
					.context = context };

	assert_int_equal(host_admin(host, reset, NULL), 0);
}

/* One field of a descriptor set to a value that it must not have. */
struct bad_field {
	size_t offset;
	size_t size;
	uint64_t value;
	int status;
};

#define BAD(type, field, value, status)                                  \
	{                                                                \
		offsetof(struct type, field),                            \
			sizeof(((struct type *)0)->field), value, status \
	}
#define BAD_SPMM(field, value, status) \
	BAD(spmm_descriptor, field, value, status)

#define INFINITE 0x7f800000
#define NOT_A_NUMBER 0x7fc00000
#define MINUS_ONE 0xbf800000

static const struct bad_field spmm_fields[] = {
	BAD_SPMM(version, 2, SPMM_SC_DESCRIPTOR_VERSION),
	BAD_SPMM(output_type, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(output_type, 1, SPMM_SC_INVALID_FIELD), /* with a residual */
	BAD_SPMM(flags, 8, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(flags, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(weights_hint, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(pad0, 1, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(pad1, 1, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(pad2[2], 1, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(input.hint, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(output.keep_rows, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(residual.pad, 3, SPMM_SC_INVALID_FIELD),
	BAD_SPMM(rows, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(rows, 9, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(rows, SPMM_ROWS_MAX + 1, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(columns, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(columns, 35, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(columns, 0xffffffff, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(batch, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(batch, 0xffffffff, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(kernel_height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(kernel_width, 2, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(stride_height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(stride_width, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(dilation_height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(dilation_width, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(width, 0xffffffff, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(shuffle_height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(shuffle_width, 2, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(replicate_height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(replicate_width, 2, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(input.channels, 5, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(input.height, 0, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(input.row_stride, 13, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(input.channel_stride, 125, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(input.channel_stride, 1ull << 62, SPMM_SC_DESCRIPTOR_ADDRESS),
	BAD_SPMM(input.address, ~0ull, SPMM_SC_DESCRIPTOR_ADDRESS),
	BAD_SPMM(input.address, 1ull << 47, SPMM_SC_PAGE_FAULT_READ),
	BAD_SPMM(output.channels, 7, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(output.address, 1ull << 48, SPMM_SC_DESCRIPTOR_ADDRESS),
	BAD_SPMM(output.address, 1ull << 47, SPMM_SC_PAGE_FAULT_WRITE),
	BAD_SPMM(residual.channels, 7, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(residual.width, 6, SPMM_SC_DESCRIPTOR_SHAPE),
	BAD_SPMM(residual.address, 64, SPMM_SC_PAGE_FAULT_READ),
	BAD_SPMM(scales, 2, SPMM_SC_DESCRIPTOR_ADDRESS),
	BAD_SPMM(biases, 1, SPMM_SC_DESCRIPTOR_ADDRESS),
	BAD_SPMM(biases, 64, SPMM_SC_PAGE_FAULT_READ),
	BAD_SPMM(accumulator_scale, 0, SPMM_SC_DESCRIPTOR_SCALE),
	BAD_SPMM(residual_scale, INFINITE, SPMM_SC_DESCRIPTOR_SCALE),
	BAD_SPMM(output_scale, MINUS_ONE, SPMM_SC_DESCRIPTOR_SCALE),
	BAD_SPMM(output_scale, NOT_A_NUMBER, SPMM_SC_DESCRIPTOR_SCALE),
	BAD_SPMM(weights, 64, SPMM_SC_PAGE_FAULT_READ),
	BAD_SPMM(weights_length, 0, SPMM_SC_STREAM_TRUNCATED),
	BAD_SPMM(weights_length, 1ull << 50, SPMM_SC_STREAM_TRUNCATED),
};

static void bad_field_is_named(struct test_host *host, struct layer *layer,
			       const struct bad_field *field)
{
	struct spmm_descriptor d = layer->d;
	struct spmm_sqe entry = layer_entry(layer);

	memcpy((uint8_t *)&d + field->offset, &field->value, field->size);
	memcpy(host_device(host, layer->descriptor_offset), &d, sizeof(d));
	if (host_run(host, 1, entry, NULL) != field->status)
		fail_msg("offset %zu = %#llx", field->offset,
			 (unsigned long long)field->value);
	context_reset(host, 1);
}

static void every_bad_field_has_its_status(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = small_shape();
	uint64_t random = 1;
	struct layer layer;
	struct spmm_sqe entry;
	float *scales;

	(void)state;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	for (size_t i = 0; i < sizeof(spmm_fields) / sizeof(spmm_fields[0]);
	     i++)
		bad_field_is_named(host, &layer, &spmm_fields[i]);
	memcpy(host_device(host, layer.descriptor_offset), &layer.d, 256);
	entry = layer_entry(&layer);
	entry.length = 255;
	assert_int_equal(host_run(host, 1, entry, NULL), SPMM_SC_INVALID_FIELD);
	context_reset(host, 1);
	entry = layer_entry(&layer);
	entry.address += 4;
	assert_int_equal(host_run(host, 1, entry, NULL),
			 SPMM_SC_DESCRIPTOR_ADDRESS);
	context_reset(host, 1);
	scales = host_device(host, layer.d.scales - host_virtual(0));
	scales[3] = -scales[3];
	assert_int_equal(host_run(host, 1, layer_entry(&layer), NULL),
			 SPMM_SC_DESCRIPTOR_SCALE);
	context_reset(host, 1);
	scales[3] = -scales[3];
	/* After all that the layer still runs. */
	assert_int_equal(host_run(host, 1, layer_entry(&layer), NULL), 0);
	layer_free(&layer);
	host_stop(host);
}

static void damaged_weights_never_reach_others(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct spmm_sqe nop = { .opcode = SPMM_IO_NOP };
	struct layer_shape shape = small_shape();
	uint64_t random = 2, failed = 0;
	struct layer layer;
	uint8_t *stream, *good;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	layer_create(&memory, &random, &shape, &layer);
	stream = host_device(host, layer.d.weights - host_virtual(0));
	good = malloc(layer.d.weights_length);
	assert_non_null(good);
	memcpy(good, stream, layer.d.weights_length);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t at = layer_random(&random) %
			      (uint32_t)layer.d.weights_length;

		stream[at] ^= (uint8_t)(1u << layer_between(&random, 0, 7));
		if (host_run(host, 1, layer_entry(&layer), NULL)) {
			failed++;
			context_reset(host, 1);
		}
		memcpy(stream, good, layer.d.weights_length);
		if (i % 100 == 0)
			assert_int_equal(host_run(host, 2, nop, NULL), 0);
	}
	assert_true(failed > ROUNDS / 10);
	free(good);
	layer_free(&layer);
	host_stop(host);
}

static void random_descriptors_leave_the_device_alive(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = small_shape();
	uint64_t random = 3;
	struct layer layer;
	uint8_t *other = host_device(host, HOST_VIRTUAL_DEVICE_BYTES);

	(void)state;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	memset(other, 0x5a, 1 << 20);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct spmm_descriptor d = layer.d;
		struct spmm_sqe entry = layer_entry(&layer);

		entry.opcode = (uint8_t)layer_between(&random, 2, 7);
		entry.deadline_cycles = 1000000;
		for (uint32_t n = layer_between(&random, 1, 3); n; n--)
			((uint8_t *)&d)[layer_between(&random, 0, 255)] ^=
				(uint8_t)(1u << layer_between(&random, 0, 7));
		memcpy(host_device(host, layer.descriptor_offset), &d,
		       sizeof(d));
		if (host_run(host, 1, entry, NULL))
			context_reset(host, 1);
	}
	/* Memory that the context does not map is as it was. */
	for (unsigned int i = 0; i < 1 << 20; i++)
		assert_int_equal(other[i], 0x5a);
	layer_free(&layer);
	host_stop(host);
}

/* About a second of functional execution. */
static void long_layer(struct layer_memory *memory, struct layer *layer)
{
	struct layer_shape shape = small_shape();
	uint64_t random = 4;

	shape.rows = 512;
	shape.channels = 128;
	shape.height = shape.result_height = 120;
	shape.width = shape.result_width = 120;
	shape.percent = 60;
	shape.flags = 0;
	shape.batch = 2;
	layer_create(memory, &random, &shape, layer);
}

static void running_command_stops_at_a_tile(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct spmm_admin_sqe stop = { .opcode = SPMM_ADMIN_ABORT,
				       .queue = 1,
				       .command = SPMM_ABORT_ALL };
	struct layer layer;
	struct spmm_sqe entry;
	struct spmm_cqe cqe;
	uint64_t progress;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	long_layer(&memory, &layer);
	entry = layer_entry(&layer);
	progress = host_read64(host, SPMM_REG_PROGRESS(1));
	host_submit(host, 1, &entry, 1);
	while (host_read64(host, SPMM_REG_PROGRESS(1)) < progress + 3)
		;
	assert_int_equal(host_admin(host, stop, NULL), 0);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe_status(&cqe), SPMM_SC_ABORTED);
	/* The context lives; its reset makes victims of what runs. */
	host_submit(host, 1, &entry, 1);
	progress = host_read64(host, SPMM_REG_PROGRESS(1));
	while (host_read64(host, SPMM_REG_PROGRESS(1)) < progress + 3)
		;
	context_reset(host, 1);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe_status(&cqe), SPMM_SC_CONTEXT_RESET);
	/* A deadline that cannot be met is not waited for. */
	entry.deadline_cycles = 1000;
	assert_int_equal(host_run(host, 1, entry, NULL), SPMM_SC_TIMEOUT);
	layer_free(&layer);
	host_stop(host);
}

static void reset_in_the_middle_of_a_command(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer layer;
	struct spmm_sqe entry;
	uint64_t start;

	(void)state;
	host_open_queue(host, 1);
	long_layer(&memory, &layer);
	entry = layer_entry(&layer);
	host_submit(host, 1, &entry, 1);
	while (host_read64(host, SPMM_REG_PROGRESS(1)) < 3)
		;
	start = monotonic_ns();
	sim_device_reset(host->device);
	assert_true(monotonic_ns() - start < 5000000000ull);
	host_enable(host);
	host_open_queue(host, 1);
	entry.opcode = SPMM_IO_NOP;
	entry.stats_address = 0;
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	/* And destruction in the middle, with another one under way. */
	layer_free(&layer);
	memory.used = FIRST_OFFSET;
	long_layer(&memory, &layer);
	entry = layer_entry(&layer);
	host_submit(host, 1, &entry, 1);
	layer_free(&layer);
	host_stop(host);
}

static uint64_t eltwise_run(struct test_host *host, uint64_t at)
{
	struct spmm_sqe entry = { .opcode = SPMM_IO_ELTWISE,
				  .address = host_virtual(at),
				  .length = 256 };

	return (uint64_t)host_run(host, 1, entry, NULL);
}

static void bad_eltwise_and_recurrent_are_named(void **state)
{
	static const struct bad_field fields[] = {
		BAD(spmm_eltwise_descriptor, version, 0,
		    SPMM_SC_DESCRIPTOR_VERSION),
		BAD(spmm_eltwise_descriptor, operation, 5,
		    SPMM_SC_INVALID_FIELD),
		BAD(spmm_eltwise_descriptor, flags, 8, SPMM_SC_INVALID_FIELD),
		BAD(spmm_eltwise_descriptor, pad2, 8, SPMM_SC_INVALID_FIELD),
		BAD(spmm_eltwise_descriptor, pad1[9], 8, SPMM_SC_INVALID_FIELD),
		BAD(spmm_eltwise_descriptor, batch, 0,
		    SPMM_SC_DESCRIPTOR_SHAPE),
		BAD(spmm_eltwise_descriptor, output.channels, 3,
		    SPMM_SC_DESCRIPTOR_SHAPE),
		BAD(spmm_eltwise_descriptor, output.height, 3,
		    SPMM_SC_DESCRIPTOR_SHAPE),
		BAD(spmm_eltwise_descriptor, second.width, 3,
		    SPMM_SC_DESCRIPTOR_SHAPE),
		BAD(spmm_eltwise_descriptor, first_scale, 0,
		    SPMM_SC_DESCRIPTOR_SCALE),
		BAD(spmm_eltwise_descriptor, second.address, 8,
		    SPMM_SC_PAGE_FAULT_READ),
		BAD(spmm_eltwise_descriptor, output.address, 8,
		    SPMM_SC_PAGE_FAULT_WRITE),
	};
	struct test_host *host = host_start(NULL);
	const struct spmm_tensor tensor = { .address = host_virtual(8192),
					    .channel_stride = 64,
					    .row_stride = 8,
					    .channels = 2,
					    .height = 8,
					    .width = 8 };
	struct spmm_eltwise_descriptor good = { .version = 1,
						.batch = 1,
						.first = tensor,
						.second = tensor,
						.output = tensor,
						.first_scale = 0x3f800000,
						.second_scale = 0x3f800000,
						.output_scale = 0x3f800000 };
	uint8_t *at = host_device(host, 4096);

	(void)state;
	host_open_queue(host, 1);
	memcpy(at, &good, sizeof(good));
	assert_int_equal(eltwise_run(host, 4096), 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		memcpy(at, &good, sizeof(good));
		memcpy(at + fields[i].offset, &fields[i].value, fields[i].size);
		assert_int_equal(eltwise_run(host, 4096), fields[i].status);
		context_reset(host, 1);
	}
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_field_has_its_status),
		cmocka_unit_test(damaged_weights_never_reach_others),
		cmocka_unit_test(random_descriptors_leave_the_device_alive),
		cmocka_unit_test(bad_eltwise_and_recurrent_are_named),
		cmocka_unit_test(running_command_stops_at_a_tile),
		cmocka_unit_test(reset_in_the_middle_of_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
