/* SPDX-License-Identifier: MIT */
/* One layer of random values on the CPU backend, for tests of single operations. */
#ifndef CPU_LAYER_TEST_H
#define CPU_LAYER_TEST_H

#include "sample_model.h"

#include <backend/cpu.h>
#include <core/error.h>

#define CASE_TENSORS 8

/* A model of one layer. Its inputs are the layer's, its outputs likewise. */
struct layer_case {
	struct model *model;
	struct model_extent extents[CASE_TENSORS];
	uint32_t batch;
	void *values[CASE_TENSORS];
};

static inline size_t case_elements(const struct layer_case *c, int tensor)
{
	const struct model_extent *extent = &c->extents[tensor];

	return (size_t)extent->channels * extent->height * extent->width *
	       c->batch;
}

static inline int case_index(const struct layer_case *c, int tensor,
			     uint32_t channel, uint32_t y, uint32_t x,
			     uint32_t b)
{
	const struct model_extent *extent = &c->extents[tensor];

	return (int)(((channel * extent->height + y) * extent->width + x) *
			     c->batch +
		     b);
}

static inline int case_code(const struct layer_case *c, int tensor,
			    uint32_t channel, uint32_t y, uint32_t x,
			    uint32_t b)
{
	const int8_t *codes = c->values[tensor];

	return codes[case_index(c, tensor, channel, y, x, b)];
}

static inline int case_input(struct layer_case *c, enum model_type type,
			     struct golden_quantization q,
			     struct model_extent extent)
{
	char name[2] = { (char)('a' + c->model->tensor_count), 0 };
	int tensor = sample_tensor(c->model, name, type, q, extent.channels);
	struct model_port port = sample_port(tensor, MODEL_LAYOUT_NCHW);

	c->extents[tensor] = extent;
	assert_true(model_add_input(c->model, &port) >= 0);
	if (type == MODEL_INT8)
		c->values[tensor] = sample_codes(case_elements(c, tensor));
	else
		c->values[tensor] = sample_scales(case_elements(c, tensor));
	return tensor;
}

static inline int case_output(struct layer_case *c, enum model_type type,
			      struct golden_quantization q, uint32_t channels)
{
	char name[2] = { (char)('a' + c->model->tensor_count), 0 };
	int tensor = sample_tensor(c->model, name, type, q, channels);
	struct model_port port = sample_port(tensor, MODEL_LAYOUT_NCHW);

	assert_true(model_add_output(c->model, &port) >= 0);
	return tensor;
}

static inline void case_run(struct layer_case *c,
			    const struct model_layer *layer)
{
	struct model_extent extents[CASE_TENSORS];
	const void *inputs[CASE_TENSORS];
	void *outputs[CASE_TENSORS];

	sample_add(c->model, layer);
	for (uint32_t i = 0; i < c->model->input_count; i++)
		inputs[i] = c->values[c->model->inputs[i].tensor];
	memcpy(extents, c->extents, sizeof(extents));
	if (model_validate(c->model) ||
	    model_infer_extents(c->model, extents, c->extents))
		fail_msg("%s", accel_last_error());
	for (uint32_t i = 0; i < c->model->output_count; i++) {
		int32_t tensor = c->model->outputs[i].tensor;

		c->values[tensor] = malloc(4 * case_elements(c, tensor));
		outputs[i] = c->values[tensor];
	}
	if (cpu_model_run(c->model, c->extents, c->batch, inputs, outputs,
			  NULL))
		fail_msg("%s", accel_last_error());
}

static inline struct layer_case case_create(void)
{
	struct layer_case c = { .model = model_create("case"),
				.batch = (uint32_t)sample_int(1, 4) };

	return c;
}

static inline void case_destroy(struct layer_case *c)
{
	for (int i = 0; i < CASE_TENSORS; i++)
		free(c->values[i]);
	model_destroy(c->model);
}

#endif
