/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, byte by byte at the offsets of Documentation/device.rst and not
 * through the structures that the planner fills.
 */
#include "sample_model.h"

#include <string.h>

#include <core/error.h>
#include <plan/command.h>
#include <plan/program.h>

static const struct geometry geometry = {
	.clusters = 16,
	.lanes = 8,
	.vector_width = 32,
	.banks = 16,
	.accumulators = 4,
	.decoder_rate = 8,
	.activation_buffer = 262144,
	.schedule_window = 16,
	.sram_port_bytes = 64,
	.epilogue_rate = 1,
	.clock_hz = 1000000000,
	.sram_bytes = 8 << 20,
	.memory_bytes = 1ull << 34,
	.memory_bandwidth = 130000000000,
	.link_bandwidth = 14000000000,
};

static const struct plan_addresses addresses = {
	.image = 0x100000000,
	.activations = 0x200000000,
	.staging = 0x300000000,
};

struct linked {
	struct model *model;
	struct plan_shape shape;
	struct plan_program program;
	uint8_t *image;
};

static void copy_constants(struct linked *linked)
{
	const struct plan_constants *constants = &linked->program.constants;

	for (size_t i = 0; i < constants->piece_count; i++)
		memcpy(linked->image + constants->pieces[i].offset,
		       constants->pieces[i].bytes, constants->pieces[i].length);
}

static void link_model(struct linked *linked,
		       const struct accel_plan_options *options)
{
	if (plan_shape_infer(linked->model, options, &linked->shape) ||
	    plan_program_create(linked->model, &linked->shape, &geometry, false,
				NULL, &linked->program))
		fail_msg("%s", accel_last_error());
	linked->image = calloc(1, linked->program.image_length);
	assert_non_null(linked->image);
	assert_int_equal(
		plan_program_link(&linked->program, &addresses,
				  linked->image + linked->program.descriptors),
		0);
	copy_constants(linked);
}

static void unlink_model(struct linked *linked)
{
	free(linked->image);
	plan_program_free(&linked->program);
	plan_shape_free(&linked->shape);
	model_destroy(linked->model);
}

static uint64_t little(const uint8_t *bytes, unsigned int length)
{
	uint64_t value = 0;

	while (length--)
		value = value << 8 | bytes[length];
	return value;
}

/* A field of a command's descriptor, or of its entry in the list. */
static uint64_t field(const struct linked *linked, uint32_t command,
		      unsigned int offset, unsigned int length)
{
	return little(linked->image + linked->program.descriptors +
			      command * 256 + offset,
		      length);
}

static uint64_t entry(const struct linked *linked, uint32_t command,
		      unsigned int offset, unsigned int length)
{
	return little(linked->image + linked->program.list + command * 64 +
			      offset,
		      length);
}

static uint32_t float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

struct expected {
	unsigned int offset, length;
	uint64_t value;
};

static void fields_are(const struct linked *linked, uint32_t command,
		       const struct expected *expected, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t got = field(linked, command, expected[i].offset,
				     expected[i].length);

		if (got != expected[i].value)
			fail_msg("offset %u: 0x%llx, not 0x%llx",
				 expected[i].offset, (unsigned long long)got,
				 (unsigned long long)expected[i].value);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* x [3, 7, 9] → a, convolution 3 × 3 with stride 2 → b with table and residual. */
static void spmm_model(struct linked *linked)
{
	struct model *model = model_create("spmm");
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 0 };
	struct golden_quantization q = { 0.5f, -3 }, r = { 0.25f, 4 },
				   s = { 0.125f, -5 };
	struct model_layer layer;

	sample_state = 3;
	sample_tensor(model, "x", MODEL_INT8, q, 3);
	model->tensors[0].height = 7;
	model->tensors[0].width = 9;
	model_add_input(model, &port);
	sample_tensor(model, "a", MODEL_INT8, r, 5);
	layer = sample_spmm(model, "one", 0, 1, 3);
	layer.spmm.window.stride_height = 2;
	layer.spmm.window.dilation_width = 2;
	layer.spmm.window.pad_left = layer.spmm.window.pad_right = 2;
	sample_add(model, &layer);
	sample_tensor(model, "b", MODEL_INT8, s, 5);
	layer = sample_spmm(model, "two", 1, 2, 1);
	layer.spmm.accumulator = (struct golden_quantization){ 0.75f, 6 };
	layer.spmm.table = sample_codes(5 * 256);
	layer.spmm.table_per_row = true;
	layer.spmm.table_output = (struct golden_quantization){ 1.5f, -7 };
	layer.spmm.residual = 1;
	sample_add(model, &layer);
	port.tensor = 2;
	model_add_output(model, &port);
	linked->model = model;
}

static void a_convolution(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 2 };
	struct linked linked;
	const struct plan_matrix *matrix;

	(void)state;
	spmm_model(&linked);
	link_model(&linked, &options);
	matrix = &linked.program.constants.layers[0].matrix;
	const struct expected expected[] = {
		{ 0, 1, 1 },
		{ 1, 1, 0 },
		{ 2, 2, 0 },
		{ 4, 4, 5 },
		{ 8, 4, 27 },
		{ 12, 4, 2 },
		{ 16, 2, 3 },
		{ 18, 2, 3 },
		{ 20, 2, 2 },
		{ 22, 2, 1 },
		{ 24, 2, 1 },
		{ 26, 2, 2 },
		{ 28, 4, 1 },
		{ 32, 4, 2 },
		{ 36, 4, 4 },
		{ 40, 4, 9 },
		{ 44, 2, 1 },
		{ 46, 2, 1 },
		{ 48, 2, 1 },
		{ 50, 2, 1 },
		{ 52, 4, 0 },
		{ 56, 8, 0x100000000 + matrix->weights },
		{ 64, 8, matrix->weights_length },
		{ 72, 8, 0x100000000 + matrix->scales },
		{ 80, 8, 0x100000000 + matrix->biases },
		{ 88, 8, 0 },
		/* input: dead after this layer */
		{ 96, 8, 0x200000000 + linked.program.memory.offset[0] },
		{ 104, 8, 7 * 9 * 2 },
		{ 112, 4, 9 * 2 },
		{ 116, 4, 3 },
		{ 120, 4, 7 },
		{ 124, 4, 9 },
		{ 128, 1, 0xfd },
		{ 129, 1, 2 },
		{ 130, 2, 0 },
		/* output */
		{ 136, 8, 0x200000000 + linked.program.memory.offset[1] },
		{ 144, 8, 4 * 9 * 2 },
		{ 152, 4, 9 * 2 },
		{ 156, 4, 5 },
		{ 160, 4, 4 },
		{ 164, 4, 9 },
		{ 168, 1, 4 },
		{ 169, 1, 0 },
		/* no residual */
		{ 176, 8, 0 },
		{ 230, 1, 1 },
	};

	fields_are(&linked, 1, expected, COUNT(expected));
	unlink_model(&linked);
}

static void a_table_and_a_residual(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 1 };
	struct linked linked;

	(void)state;
	spmm_model(&linked);
	link_model(&linked, &options);
	const struct expected expected[] = {
		{ 2, 2, 0x2 | 0x4 },
		{ 88, 8,
		  0x100000000 + linked.program.constants.layers[1].tables },
		{ 96, 8, 0x200000000 + linked.program.memory.offset[1] },
		{ 129, 1, 2 },
		{ 168, 1, 0xfb },
		{ 176, 8, 0x200000000 + linked.program.memory.offset[1] },
		{ 184, 8, 4 * 9 },
		{ 196, 4, 5 },
		{ 208, 1, 4 },
		{ 209, 1, 2 },
		{ 216, 4, float_bits(1.5f) },
		{ 220, 4, float_bits(0.25f) },
		{ 224, 4, float_bits(0.125f) },
		{ 228, 1, 6 },
		{ 229, 1, 0xf9 },
	};

	fields_are(&linked, 2, expected, COUNT(expected));
	unlink_model(&linked);
}

static void scales_and_biases(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 1 };
	struct linked linked;
	const struct model_spmm *spmm;
	const struct plan_matrix *matrix;

	(void)state;
	spmm_model(&linked);
	link_model(&linked, &options);
	spmm = &linked.model->layers[1].spmm;
	matrix = &linked.program.constants.layers[1].matrix;
	for (uint32_t row = 0; row < 5; row++) {
		/* The accumulator's scale, not the output's: a table follows. */
		float product = 0.25f * spmm->weight_scale[row];

		assert_int_equal(little(linked.image + matrix->scales + 4 * row,
					4),
				 float_bits(product / 0.75f));
		assert_int_equal(little(linked.image + matrix->biases + 4 * row,
					4),
				 (uint32_t)spmm->bias[row]);
	}
	assert_memory_equal(linked.image +
				    linked.program.constants.layers[1].tables,
			    spmm->table, 5 * 256);
	unlink_model(&linked);
}

static void the_list_copies_in_runs_and_copies_out(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 2 };
	struct linked linked;
	const struct plan_program *program = &linked.program;
	uint64_t descriptors, stats;

	(void)state;
	spmm_model(&linked);
	link_model(&linked, &options);
	descriptors = 0x100000000 + program->descriptors;
	stats = 0x300000000 + program->staging.stats;
	assert_int_equal(program->command_count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(entry(&linked, i, 1, 7), 0);
		assert_int_equal(entry(&linked, i, 32, 8), 0);
		assert_int_equal(entry(&linked, i, 40, 8), 0);
		assert_int_equal(entry(&linked, i, 48, 8),
				 stats + i * sizeof(struct spmm_command_stats));
		assert_int_equal(entry(&linked, i, 56, 8), 0);
	}
	assert_int_equal(entry(&linked, 0, 0, 1), 0x02);
	assert_int_equal(entry(&linked, 0, 8, 8),
			 0x300000000 + program->staging.inputs[0]);
	assert_int_equal(entry(&linked, 0, 16, 8),
			 0x200000000 + program->memory.offset[0]);
	assert_int_equal(entry(&linked, 0, 24, 8), 3 * 7 * 9 * 2);
	for (uint32_t i = 1; i < 3; i++) {
		assert_int_equal(entry(&linked, i, 0, 1), 0x04);
		assert_int_equal(entry(&linked, i, 8, 8),
				 descriptors + i * 256);
		assert_int_equal(entry(&linked, i, 16, 8), 0);
		assert_int_equal(entry(&linked, i, 24, 8), 256);
	}
	assert_int_equal(entry(&linked, 3, 0, 1), 0x02);
	assert_int_equal(entry(&linked, 3, 8, 8),
			 0x200000000 + program->memory.offset[2]);
	assert_int_equal(entry(&linked, 3, 16, 8),
			 0x300000000 + program->staging.outputs[0]);
	assert_int_equal(entry(&linked, 3, 24, 8), 5 * 4 * 9 * 2);
	unlink_model(&linked);
}

/* 2 KiB of each of 3 channels after the other: 16 rows of 128, 8 times. */
static void a_picture_comes_in_bands_of_rows(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 1 };
	struct linked linked;
	const struct expected in[] = {
		{ 0, 1, 1 },	 { 1, 1, 1 },	   { 24, 4, 1 },
		{ 28, 4, 1 },	 { 32, 4, 8 },	   { 36, 4, 3 },
		{ 40, 4, 2048 }, { 64, 8, 2048 },  { 72, 8, 16384 },
		{ 80, 8, 1 },	 { 104, 8, 2048 }, { 112, 8, 16384 },
		{ 120, 8, 1 },
	};

	(void)state;
	spmm_model(&linked);
	linked.model->tensors[0].height = linked.model->tensors[0].width = 128;
	link_model(&linked, &options);
	assert_int_equal(entry(&linked, 0, 0, 1), 0x03);
	fields_are(&linked, 0, in, COUNT(in));
	assert_int_equal(field(&linked, 0, 8, 8),
			 0x300000000 + linked.program.staging.inputs[0]);
	assert_int_equal(field(&linked, 0, 16, 8),
			 0x200000000 + linked.program.memory.offset[0]);
	unlink_model(&linked);
}

/* The command of a layer by its name. */
static uint32_t command_of(const struct linked *linked, const char *name)
{
	const struct plan_program *program = &linked->program;

	for (uint32_t i = 0; i < program->command_count; i++) {
		uint32_t layer = plan_program_layer(program, i);

		if (layer != PLAN_REPORT_NO_ENTRY &&
		    !strcmp(program->model->layers[layer].name, name))
			return i;
	}
	fail_msg("no command for %s", name);
	return 0;
}

static const struct model_tensor *tensor_of(const struct model *model,
					    const char *name)
{
	for (uint32_t i = 0; i < model->tensor_count; i++)
		if (!strcmp(model->tensors[i].name, name))
			return &model->tensors[i];
	fail_msg("no tensor %s", name);
	return NULL;
}

static void sample_link(struct linked *linked)
{
	struct accel_plan_options options = {
		.size = sizeof(options), .batch = 3, .height = 6, .width = 10
	};

	sample_state = 8;
	linked->model = sample_model();
	link_model(linked, &options);
}

static void element_by_element(void **state)
{
	struct linked linked;
	uint32_t command;

	(void)state;
	sample_link(&linked);
	command = command_of(&linked, "add");
	assert_int_equal(entry(&linked, command, 0, 1), 0x05);
	const struct expected add[] = {
		{ 0, 1, 1 },
		{ 1, 1, 0 },
		{ 2, 2, 0 },
		{ 4, 4, 3 },
		/* first, second, output: each [8, 6, 10] */
		{ 40, 8, 6 * 10 * 3 },
		{ 48, 4, 10 * 3 },
		{ 52, 4, 8 },
		{ 56, 4, 6 },
		{ 60, 4, 10 },
		{ 80, 8, 6 * 10 * 3 },
		{ 92, 4, 8 },
		{ 132, 4, 8 },
		{ 152, 4,
		  float_bits(tensor_of(linked.model, "a")->quantization.scale) },
		{ 160, 4,
		  float_bits(tensor_of(linked.model, "c")->quantization.scale) },
	};

	fields_are(&linked, command, add, COUNT(add));
	command = command_of(&linked, "table");
	assert_int_equal(field(&linked, command, 1, 1), 2);
	assert_int_equal(field(&linked, command, 2, 2), 0x2);
	command = command_of(&linked, "maximum");
	assert_int_equal(field(&linked, command, 1, 1), 3);
	assert_int_equal(field(&linked, command, 8, 2), 2);
	assert_int_equal(field(&linked, command, 12, 2), 2);
	command = command_of(&linked, "average");
	assert_int_equal(field(&linked, command, 1, 1), 4);
	/* Global: the window is the image, 6 × 10 halved. */
	assert_int_equal(field(&linked, command, 10, 2), 5);
	unlink_model(&linked);
}

static void a_recurrent_layer(void **state)
{
	struct linked linked;
	const struct plan_state *memory;
	uint32_t command;

	(void)state;
	sample_link(&linked);
	command = command_of(&linked, "lstm");
	memory = &linked.program.memory.states[0];
	assert_int_equal(entry(&linked, command, 0, 1), 0x06);
	const struct expected lstm[] = {
		{ 0, 1, 1 },
		{ 1, 1, 0 },
		{ 2, 2, 0 },
		{ 4, 4, 3 },
		{ 12, 4, 5 },
		{ 80, 8, 0x200000000 + memory->cell },
		{ 88, 8, 0x200000000 + memory->hidden },
		{ 176, 4,
		  float_bits(tensor_of(linked.model, "y")->quantization.scale) },
	};

	fields_are(&linked, command, lstm, COUNT(lstm));
	command = command_of(&linked, "gru");
	assert_int_equal(field(&linked, command, 1, 1), 1);
	assert_int_equal(field(&linked, command, 2, 2), 0x10 | 0x20);
	unlink_model(&linked);
}

static void a_permutation_is_a_strided_copy(void **state)
{
	struct linked linked;
	uint32_t command;

	(void)state;
	sample_link(&linked);
	command = command_of(&linked, "permute");
	assert_int_equal(entry(&linked, command, 0, 1), 0x03);
	/* [3, 2, 1] with a batch of 3 becomes [2, 3, 1]. */
	const struct expected copy[] = {
		{ 0, 1, 1 },   { 1, 1, 1 },  { 24, 4, 1 }, { 28, 4, 2 },
		{ 32, 4, 3 },  { 36, 4, 1 }, { 40, 4, 3 }, { 56, 8, 3 },
		{ 64, 8, 6 },  { 80, 8, 1 }, { 96, 8, 9 }, { 104, 8, 3 },
		{ 120, 8, 1 },
	};

	fields_are(&linked, command, copy, COUNT(copy));
	unlink_model(&linked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_convolution),
		cmocka_unit_test(a_table_and_a_residual),
		cmocka_unit_test(scales_and_biases),
		cmocka_unit_test(the_list_copies_in_runs_and_copies_out),
		cmocka_unit_test(a_picture_comes_in_bands_of_rows),
		cmocka_unit_test(element_by_element),
		cmocka_unit_test(a_recurrent_layer),
		cmocka_unit_test(a_permutation_is_a_strided_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
