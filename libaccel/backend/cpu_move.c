/* SPDX-License-Identifier: MIT */
/* Operations without arithmetic: concat, slice, reshape, permute. */
#include <backend/cpu_layer.h>

#include <string.h>

/* Bytes of one channel. */
static size_t channel_size(const struct cpu_run *run, int32_t tensor)
{
	return cpu_channel_elements(run, tensor) *
	       cpu_element_size(run->model->tensors[tensor].type);
}

static void concat(const struct cpu_run *run, const struct model_layer *layer)
{
	char *out = run->values[layer->outputs[0]];

	for (uint32_t i = 0; i < layer->input_count; i++) {
		int32_t tensor = layer->inputs[i];
		size_t size = run->extents[tensor].channels *
			      channel_size(run, tensor);

		memcpy(out, run->values[tensor], size);
		out += size;
	}
}

static void slice(const struct cpu_run *run, const struct model_layer *layer)
{
	size_t size = channel_size(run, layer->inputs[0]);
	const char *in = run->values[layer->inputs[0]];

	memcpy(run->values[layer->outputs[0]],
	       in + layer->slice.first_channel * size,
	       run->extents[layer->outputs[0]].channels * size);
}

static void reshape(const struct cpu_run *run, const struct model_layer *layer)
{
	int32_t tensor = layer->inputs[0];

	memcpy(run->values[layer->outputs[0]], run->values[tensor],
	       run->extents[tensor].channels * channel_size(run, tensor));
}

/* The batch stays innermost and moves in one piece. */
static void permute(const struct cpu_run *run, const struct model_layer *layer)
{
	int32_t tensor = layer->inputs[0];
	const struct model_extent *from = &run->extents[tensor];
	const struct model_extent *to = &run->extents[layer->outputs[0]];
	const uint8_t *axis = layer->permute.axis;
	size_t size =
		run->batch * cpu_element_size(run->model->tensors[tensor].type);
	const size_t strides[3] = { (size_t)from->height * from->width * size,
				    from->width * size, size };
	const char *in = run->values[tensor];
	char *out = run->values[layer->outputs[0]];

	for (size_t c = 0; c < to->channels; c++) {
		for (size_t y = 0; y < to->height; y++) {
			for (size_t x = 0; x < to->width; x++) {
				memcpy(out,
				       in + c * strides[axis[0]] +
					       y * strides[axis[1]] +
					       x * strides[axis[2]],
				       size);
				out += size;
			}
		}
	}
}

int cpu_move_run(const struct cpu_run *run, const struct model_layer *layer)
{
	switch (layer->op) {
	case MODEL_CONCAT:
		concat(run, layer);
		break;
	case MODEL_SLICE:
		slice(run, layer);
		break;
	case MODEL_RESHAPE:
		reshape(run, layer);
		break;
	default:
		permute(run, layer);
		break;
	}
	return 0;
}
