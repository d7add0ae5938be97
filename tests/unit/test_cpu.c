/* SPDX-License-Identifier: MIT */
/* Runs of whole models on the CPU backend. */
#include "sample_model.h"

#include <backend/cpu.h>
#include <core/error.h>

#include <errno.h>

#define TENSORS 32

/* The sample model with its inputs and outputs. */
struct sample_run {
	struct model *model;
	struct model_extent extents[TENSORS];
	uint32_t batch;
	void *inputs[2];
	void *outputs[3];
	size_t sizes[3];
};

static struct sample_run create(uint32_t batch)
{
	const struct model_extent inputs[2] = { { 4, 9, 6 }, { 5, 1, 1 } };
	struct sample_run run = { .model = sample_model(), .batch = batch };

	assert_true(run.model->tensor_count <= TENSORS);
	assert_int_equal(model_infer_extents(run.model, inputs, run.extents),
			 0);
	run.inputs[0] = sample_codes(4 * 9 * 6 * batch);
	run.inputs[1] = sample_scales(5 * batch);
	for (int i = 0; i < 3; i++) {
		int32_t tensor = run.model->outputs[i].tensor;

		assert_int_equal(cpu_tensor_size(&run.model->tensors[tensor],
						 &run.extents[tensor], batch,
						 &run.sizes[i]),
				 0);
		run.outputs[i] = calloc(1, run.sizes[i]);
	}
	return run;
}

static void destroy(struct sample_run *run)
{
	free(run->inputs[0]);
	free(run->inputs[1]);
	for (int i = 0; i < 3; i++)
		free(run->outputs[i]);
	model_destroy(run->model);
}

static int start(struct sample_run *run, const struct cpu_observer *observer)
{
	return cpu_model_run(run->model, run->extents, run->batch,
			     (const void *const *)run->inputs, run->outputs,
			     observer);
}

/* Element i of batch entry b, of bytes each. */
static void take_batch(const void *from, size_t size, size_t bytes,
		       uint32_t batch, uint32_t b, void *to)
{
	for (size_t i = 0; i < size / bytes / batch; i++)
		memcpy((char *)to + i * bytes,
		       (const char *)from + (i * batch + b) * bytes, bytes);
}

static void batch_entries_do_not_meet(void **state)
{
	struct sample_run all = create(3);
	char part[4096];

	(void)state;
	assert_int_equal(start(&all, NULL), 0);
	for (uint32_t b = 0; b < 3; b++) {
		int8_t codes[4 * 9 * 6];
		float states[5];
		const void *inputs[2] = { codes, states };
		void *outputs[3];

		take_batch(all.inputs[0], 3 * sizeof(codes), 1, 3, b, codes);
		take_batch(all.inputs[1], 3 * sizeof(states), 4, 3, b, states);
		for (int i = 0; i < 3; i++)
			outputs[i] = malloc(all.sizes[i]);
		assert_int_equal(cpu_model_run(all.model, all.extents, 1,
					       inputs, outputs, NULL),
				 0);
		for (int i = 0; i < 3; i++) {
			assert_true(all.sizes[i] / 3 <= sizeof(part));
			take_batch(all.outputs[i], all.sizes[i], i ? 4 : 1, 3,
				   b, part);
			assert_memory_equal(outputs[i], part, all.sizes[i] / 3);
			free(outputs[i]);
		}
	}
	destroy(&all);
}

static void omitted_inputs_are_zero(void **state)
{
	struct sample_run given = create(2), omitted = given;

	(void)state;
	memset(given.inputs[0], given.model->tensors[0].quantization.zero,
	       4 * 9 * 6 * 2);
	memset(given.inputs[1], 0, 5 * 2 * 4);
	assert_int_equal(start(&given, NULL), 0);
	omitted.inputs[0] = omitted.inputs[1] = NULL;
	for (int i = 0; i < 3; i++)
		omitted.outputs[i] = malloc(omitted.sizes[i]);
	assert_int_equal(start(&omitted, NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_memory_equal(omitted.outputs[i], given.outputs[i],
				    given.sizes[i]);
		free(omitted.outputs[i]);
	}
	destroy(&given);
}

struct seen {
	const struct sample_run *run;
	uint32_t layers, outputs, polls;
	uint32_t stop_at;
};

static int layer_done(void *context, uint32_t layer, int32_t tensor,
		      const void *values, size_t size)
{
	struct seen *seen = context;
	const struct model *model = seen->run->model;

	assert_int_equal(layer, seen->layers);
	for (uint32_t i = 0; i < model->output_count; i++) {
		if (model->outputs[i].tensor != tensor)
			continue;
		seen->outputs++;
		assert_int_equal(size, seen->run->sizes[i]);
		memcpy(seen->run->outputs[i], values, size);
	}
	if (layer == seen->stop_at)
		return -EINTR;
	/* Of two outputs the last is seen last. */
	if (tensor ==
	    model->layers[layer].outputs[model->layers[layer].output_count - 1])
		seen->layers++;
	return 0;
}

static int cancelled(void *context)
{
	struct seen *seen = context;

	seen->polls++;
	return seen->stop_at == UINT32_MAX - 1 && seen->polls == 30 ?
		       -ETIMEDOUT :
		       0;
}

static void the_observer_sees_every_layer(void **state)
{
	struct sample_run run = create(2);
	struct seen seen = { .run = &run, .stop_at = UINT32_MAX };
	const struct cpu_observer observer = { layer_done, cancelled, &seen };
	void *const nowhere[3] = { NULL, NULL, NULL };
	void *expected = malloc(run.sizes[1]);

	(void)state;
	assert_int_equal(start(&run, NULL), 0);
	memcpy(expected, run.outputs[1], run.sizes[1]);
	memset(run.outputs[1], 0, run.sizes[1]);
	assert_int_equal(cpu_model_run(run.model, run.extents, 2,
				       (const void *const *)run.inputs, nowhere,
				       &observer),
			 0);
	assert_int_equal(seen.layers, run.model->layer_count);
	assert_int_equal(seen.outputs, 3);
	assert_true(seen.polls > seen.layers);
	assert_memory_equal(run.outputs[1], expected, run.sizes[1]);
	free(expected);
	destroy(&run);
}

static void the_observer_stops_the_run(void **state)
{
	struct sample_run run = create(2);
	struct seen seen = { .run = &run, .stop_at = 4 };
	const struct cpu_observer observer = { layer_done, cancelled, &seen };

	(void)state;
	assert_int_equal(start(&run, &observer), -EINTR);
	assert_int_equal(seen.layers, 4);
	seen = (struct seen){ .run = &run, .stop_at = UINT32_MAX - 1 };
	assert_int_equal(start(&run, &observer), -ETIMEDOUT);
	assert_int_equal(seen.polls, 30);
	destroy(&run);
}

static void sizes_beyond_memory_are_refused(void **state)
{
	const struct model_tensor tensor = { .type = MODEL_FLOAT32 };
	const struct model_extent extent = { 1u << 24, 1u << 24, 1u << 24 };
	size_t size;

	(void)state;
	assert_int_equal(
		cpu_tensor_size(
			&(struct model_tensor){ .name = (char[]){ "x" } },
			&extent, UINT32_MAX, &size),
		-EOVERFLOW);
	assert_int_equal(cpu_tensor_size(&tensor,
					 &(struct model_extent){ 2, 3, 4 }, 5,
					 &size),
			 0);
	assert_int_equal(size, 480);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_entries_do_not_meet),
		cmocka_unit_test(omitted_inputs_are_zero),
		cmocka_unit_test(the_observer_sees_every_layer),
		cmocka_unit_test(the_observer_stops_the_run),
		cmocka_unit_test(sizes_beyond_memory_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
