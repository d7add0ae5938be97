/* SPDX-License-Identifier: MIT */
#include "plan/report_roof.h"

#include <stdlib.h>

#include "core/integer.h"
#include "plan/matrix.h"
#include "plan/live.h"
#include "plan/roof.h"

static uint64_t matrix_bytes(const struct model_csr *csr,
			     const struct plan_matrix *matrix)
{
	return roof_weight_bytes(matrix->nonzeros, csr->rows, csr->columns,
				 matrix->weights_length);
}

static uint64_t weight_bytes(const struct model_layer *layer,
			     const struct plan_layer_constants *constants)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return matrix_bytes(&layer->spmm.weights, &constants->matrix);
	case MODEL_LSTM:
	case MODEL_GRU:
		return matrix_bytes(&layer->recurrent.input_weights,
				    &constants->matrix) +
		       matrix_bytes(&layer->recurrent.hidden_weights,
				    &constants->hidden);
	default:
		return 0;
	}
}

static uint64_t operands_bytes(const struct plan_program *program,
			       const struct model_layer *layer)
{
	int32_t operands[MODEL_INPUTS_MAX + 1];
	uint32_t count = model_layer_operands(layer, operands);
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += program->memory.bytes[operands[i]];
	return bytes;
}

/* A stride may pass over rows, and weights that are pruned over channels. */
static uint64_t port_bytes(const struct plan_program *program,
			   const struct model_layer *layer)
{
	const struct model_window *window = &layer->spmm.window;
	uint64_t bytes = operands_bytes(program, layer);
	uint64_t channels, input, seen;

	if (layer->op != MODEL_SPMM)
		return bytes;
	channels = program->shape->extents[layer->inputs[0]].channels;
	input = program->memory.bytes[layer->inputs[0]];
	seen = input / channels *
	       plan_matrix_channels(program->model,
				    (uint32_t)(layer - program->model->layers));
	if (window->kernel_height < window->stride_height)
		seen = seen / window->stride_height * window->kernel_height;
	return bytes - input + seen;
}

static uint64_t outputs_bytes(const struct plan_program *program,
			      const struct model_layer *layer)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < layer->output_count; i++)
		if (layer->outputs[i] != MODEL_NO_TENSOR)
			bytes += program->memory.bytes[layer->outputs[i]];
	return bytes;
}

static void layer_roofs(const struct plan_program *program, uint32_t number,
			struct plan_roof *roof)
{
	const struct model_layer *layer = &program->model->layers[number];
	const struct plan_layer_constants *constants =
		&program->constants.layers[number];

	roof->input_bytes = operands_bytes(program, layer);
	roof->port_bytes = port_bytes(program, layer);
	roof->output_bytes = outputs_bytes(program, layer);
	roof->weight_bytes = weight_bytes(layer, constants);
	roof->stream_bytes = constants->matrix.weights_length +
			     constants->hidden.weights_length;
	roof->state_stream_bytes = constants->hidden.weights_length;
	if (layer->op == MODEL_LSTM || layer->op == MODEL_GRU) {
		roof->state_nonzeros = constants->hidden.nonzeros;
		roof->steps = program->shape->extents[layer->inputs[0]].height;
	}
}

static void roofs_set(const struct geometry *geometry,
		      const struct plan_roof *roof,
		      struct accel_layer_info *info)
{
	uint64_t bytes =
		roof->input_bytes + roof->output_bytes + roof->weight_bytes;
	struct roof_layer layer = {
		.rows = info->m,
		.columns = info->n,
		.nonzeros = info->nnz - roof->state_nonzeros,
		.state_nonzeros = roof->state_nonzeros,
		.steps = roof->steps,
		.stream_bytes = roof->stream_bytes - roof->state_stream_bytes,
		.state_stream_bytes = roof->state_stream_bytes,
		.input_bytes = roof->port_bytes,
		.output_bytes = roof->output_bytes,
		.hard_bytes = bytes > roof->resident_bytes ?
				      bytes - roof->resident_bytes :
				      0,
	};

	info->roof_hard_cycles =
		roof_hard_cycles(geometry, info->macs, layer.hard_bytes);
	info->roof_structural_cycles = roof_structural_cycles(geometry, &layer);
}

/* What was packed and planned, and depends on no run. */
static void plan_set(const struct plan_layer_constants *constants,
		     const struct plan_roof *roof,
		     struct accel_layer_info *info)
{
	const struct plan_matrix *matrix = &constants->matrix;
	const struct plan_matrix *hidden = &constants->hidden;

	info->issue_cycles = matrix->issue_cycles + hidden->issue_cycles;
	info->optimal_cycles = matrix->optimal_cycles + hidden->optimal_cycles;
	info->bytes_weights = roof->stream_bytes;
	info->bytes_input = roof->input_bytes;
	info->bytes_output = roof->output_bytes;
}

static uint64_t ports_bytes(const struct plan_program *program,
			    const struct model_port *ports, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += program->memory.bytes[ports[i].tensor];
	return bytes;
}

/* Of a result that its reader takes in bands, only one has to exist. */
static uint64_t live_most(const struct plan_program *program,
			  const struct geometry *geometry, uint64_t *live)
{
	const struct model *model = program->model;
	const struct plan_band_context context = {
		.model = model,
		.shape = program->shape,
		.memory = &program->memory,
		.sram_bytes = geometry->sram_bytes,
	};
	uint64_t most = 0;

	plan_live_bytes(model, &program->memory, live);
	for (uint32_t l = 0; l < model->layer_count; l++) {
		uint32_t count = plan_band_count(&context, l);
		uint64_t bytes =
			count > 1 ?
				program->memory
					.bytes[model->layers[l].outputs[0]] :
				0;

		live[l] -= bytes - bytes / count;
		most = max_u64(most, live[l]);
	}
	return most;
}

static void network_roof(const struct plan_program *program,
			 const struct geometry *geometry,
			 struct plan_report *report)
{
	const struct model *model = program->model;
	struct roof_network network = {
		.macs = report->total.macs,
		.input_bytes =
			ports_bytes(program, model->inputs, model->input_count),
		.output_bytes = ports_bytes(program, model->outputs,
					    model->output_count),
		.live_bytes = live_most(program, geometry, report->live),
	};

	for (uint32_t i = 0; i < report->layer_count; i++) {
		network.weight_bytes += report->roofs[i].weight_bytes;
		report->total.bytes_weights += report->layers[i].bytes_weights;
	}
	report->total.bytes_input = network.input_bytes;
	report->total.bytes_output = network.output_bytes;
	report->total.roof_hard_cycles =
		roof_network_cycles(geometry, &network);
}

/* The layers share one array: their structural roofs add up. */
static void structural_sum(struct plan_report *report)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < report->layer_count; i++)
		sum += report->layers[i].roof_structural_cycles;
	if (sum < report->total.roof_hard_cycles)
		sum = report->total.roof_hard_cycles;
	report->total.roof_structural_cycles = sum;
}

void plan_report_roofs(const struct plan_program *program,
		       const struct geometry *geometry,
		       struct plan_report *report)
{
	for (uint32_t l = 0; l < program->model->layer_count; l++) {
		uint32_t entry = report->entry[l];

		if (entry == PLAN_REPORT_NO_ENTRY)
			continue;
		layer_roofs(program, l, &report->roofs[entry]);
		roofs_set(geometry, &report->roofs[entry],
			  &report->layers[entry]);
		plan_set(&program->constants.layers[l], &report->roofs[entry],
			 &report->layers[entry]);
	}
	network_roof(program, geometry, report);
	structural_sum(report);
}

void plan_report_roofs_warm(const struct geometry *geometry,
			    struct plan_report *report)
{
	for (uint32_t i = 0; i < report->layer_count; i++)
		if (i != report->inputs && i != report->transfers)
			roofs_set(geometry, &report->roofs[i],
				  &report->layers[i]);
	structural_sum(report);
}
