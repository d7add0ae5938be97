/* SPDX-License-Identifier: MIT */
/*
 * The memory planner, checked by walking through a run with tags in the place of
 * values: whoever reads must find exactly what the graph says it should.
 */
#include "random_model.h"

#include <core/error.h>
#include <plan/memory.h>

struct walk {
	const struct model *model;
	struct plan_shape shape;
	struct plan_memory memory;
	uint64_t *bytes; /* a tag for each byte of device memory */
};

/* Where the value of a tensor's byte was made: tensor and byte in one number. */
static uint64_t origin(const struct walk *walk, uint32_t tensor, uint64_t byte)
{
	for (uint32_t l = 0; l < walk->model->layer_count; l++) {
		const struct model_layer *layer = &walk->model->layers[l];
		uint32_t input = (uint32_t)layer->inputs[0];

		if (layer->outputs[0] != (int32_t)tensor)
			continue;
		if (layer->op == MODEL_RESHAPE)
			return origin(walk, input, byte);
		if (layer->op == MODEL_SLICE)
			return origin(
				walk, input,
				byte + walk->memory.bytes[input] /
						walk->shape.extents[input]
							.channels *
						layer->slice.first_channel);
		for (uint32_t i = 0;
		     layer->op == MODEL_CONCAT && i < layer->input_count; i++) {
			input = (uint32_t)layer->inputs[i];
			if (byte < walk->memory.bytes[input])
				return origin(walk, input, byte);
			byte -= walk->memory.bytes[input];
		}
	}
	return ((uint64_t)tensor + 1) << 32 | byte;
}

static void expect(const struct walk *walk, uint32_t tensor)
{
	uint64_t at = walk->memory.offset[tensor];

	assert_true(at + walk->memory.bytes[tensor] <= walk->memory.total);
	for (uint64_t i = 0; i < walk->memory.bytes[tensor]; i++)
		assert_true(walk->bytes[at + i] == origin(walk, tensor, i));
}

static void produce(const struct walk *walk, uint32_t tensor)
{
	for (uint64_t i = 0; i < walk->memory.bytes[tensor]; i++)
		walk->bytes[walk->memory.offset[tensor] + i] =
			((uint64_t)tensor + 1) << 32 | i;
}

static void copies_execute(const struct walk *walk, uint32_t moment)
{
	for (uint32_t i = 0; i < walk->memory.copy_count; i++) {
		const struct plan_copy *copy = &walk->memory.copies[i];

		if (copy->moment != moment)
			continue;
		expect(walk, copy->tensor);
		memcpy(walk->bytes + copy->offset,
		       walk->bytes + walk->memory.offset[copy->tensor],
		       walk->memory.bytes[copy->tensor] * sizeof(uint64_t));
	}
}

static void layer_execute(const struct walk *walk, uint32_t number)
{
	const struct model_layer *layer = &walk->model->layers[number];
	int32_t operands[MODEL_INPUTS_MAX + 1];
	uint32_t count = model_layer_operands(layer, operands);

	switch (layer->op) {
	case MODEL_RESHAPE:
	case MODEL_SLICE:
		break;
	case MODEL_CONCAT:
		expect(walk, (uint32_t)layer->outputs[0]);
		break;
	default:
		for (uint32_t i = 0; i < count; i++)
			expect(walk, (uint32_t)operands[i]);
		produce(walk, (uint32_t)layer->outputs[0]);
		/* Writing the result may not touch what is still read. */
		for (uint32_t i = 0; i < count; i++)
			expect(walk, (uint32_t)operands[i]);
		break;
	}
	copies_execute(walk, PLAN_MOMENT_OF_LAYER(number));
}

static void walk_model(const struct model *model, uint32_t batch, bool keep)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = batch };
	struct walk walk = { .model = model };

	if (plan_shape_infer(model, &options, &walk.shape) ||
	    plan_memory_create(model, &walk.shape, keep, &walk.memory))
		fail_msg("%s", accel_last_error());
	walk.bytes = calloc(walk.memory.total + 1, sizeof(*walk.bytes));
	assert_non_null(walk.bytes);
	produce(&walk, (uint32_t)model->inputs[0].tensor);
	copies_execute(&walk, PLAN_MOMENT_INPUTS);
	for (uint32_t l = 0; l < model->layer_count; l++)
		layer_execute(&walk, l);
	for (uint32_t i = 0; i < model->output_count; i++)
		expect(&walk, (uint32_t)model->outputs[i].tensor);
	for (uint32_t i = 0; keep && i < model->tensor_count; i++)
		expect(&walk, i);
	free(walk.bytes);
	plan_memory_free(&walk.memory);
	plan_shape_free(&walk.shape);
}

static void every_reader_finds_what_the_graph_says(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct model *model;

		sample_state = seed;
		model = random_model((uint32_t)sample_int(1, 9),
				     (uint32_t)sample_int(1, 9));
		walk_model(model, (uint32_t)sample_int(1, 3), false);
		walk_model(model, 1, true);
		model_destroy(model);
	}
}

/* A dense block: every layer reads the concat of all before it. */
static struct model *dense_block(int layers)
{
	struct model *model = model_create("block");
	struct golden_quantization q = { 0.01f, 3 };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 0 };
	int all = sample_tensor(model, "x", MODEL_INT8, q, 8);
	int parts[16] = { all };

	model->tensors[0].height = model->tensors[0].width = 6;
	model_add_input(model, &port);
	for (int l = 1; l <= layers; l++) {
		struct model_layer layer;
		char name[16];

		snprintf(name, sizeof(name), "c%d", l);
		parts[l] = sample_tensor(model, name, MODEL_INT8, q, 4);
		layer = sample_spmm(model, name, all, parts[l], 3);
		sample_add(model, &layer);
		snprintf(name, sizeof(name), "cat%d", l);
		all = sample_tensor(model, name, MODEL_INT8, q,
				    (uint32_t)(8 + 4 * l));
		layer = sample_layer(name, MODEL_CONCAT, parts[0], all);
		for (int i = 1; i <= l; i++)
			layer.inputs[layer.input_count++] = parts[i];
		sample_add(model, &layer);
	}
	port.tensor = all;
	model_add_output(model, &port);
	return model;
}

static void a_dense_block_needs_no_copies(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 1 };
	struct model *model = dense_block(5);
	struct plan_memory memory;
	struct plan_shape shape;

	(void)state;
	assert_int_equal(plan_shape_infer(model, &options, &shape), 0);
	assert_int_equal(plan_memory_create(model, &shape, false, &memory), 0);
	assert_int_equal(memory.copy_count, 0);
	assert_int_equal(memory.total, (8 + 5 * 4) * 36 + 16);
	plan_memory_free(&memory);
	plan_shape_free(&shape);
	walk_model(model, 2, false);
	model_destroy(model);
}

static void dead_activations_make_room(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 1 };
	struct golden_quantization q = { 0.01f, 3 };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 0 };
	struct model *model = model_create("chain");
	int last = sample_tensor(model, "x", MODEL_INT8, q, 16);
	struct plan_memory memory;
	struct plan_shape shape;

	(void)state;
	model->tensors[0].height = model->tensors[0].width = 8;
	model_add_input(model, &port);
	for (int l = 0; l < 10; l++) {
		struct model_layer layer;
		char name[16];
		int output;

		snprintf(name, sizeof(name), "c%d", l);
		output = sample_tensor(model, name, MODEL_INT8, q, 16);
		layer = sample_spmm(model, name, last, output, 3);
		sample_add(model, &layer);
		last = output;
	}
	port.tensor = last;
	model_add_output(model, &port);
	assert_int_equal(plan_shape_infer(model, &options, &shape), 0);
	assert_int_equal(plan_memory_create(model, &shape, false, &memory), 0);
	/* What was read stays for two layers more, which may start early. */
	assert_int_equal(memory.total, 4 * 16 * 64);
	assert_true(plan_memory_is_last_read(&memory, 0, 0));
	plan_memory_free(&memory);
	plan_shape_free(&shape);
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reader_finds_what_the_graph_says),
		cmocka_unit_test(a_dense_block_needs_no_copies),
		cmocka_unit_test(dead_activations_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
