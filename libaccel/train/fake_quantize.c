/* SPDX-License-Identifier: MIT */
#include <compress/lower.h>
#include <core/error.h>
#include <train/fake_quantize.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Adding and taking away 3·2²² rounds a small number to even, without libm. */
#define ROUNDER 12582912.0F

/**
 * struct fake_weight - a matrix and its rows
 * @tensor: of the graph
 * @count: elements
 * @rows: number of scales
 * @row: of each element
 * @scale: of each row
 * @rounded: the elements
 */
struct fake_weight {
	int tensor;
	size_t count;
	size_t rows;
	uint32_t *row;
	float *scale;
	float *rounded;
};

struct fake_quantize {
	const struct graph *graph;
	bool on;
	bool *quantized;
	struct golden_quantization *quantization;
	struct fake_weight *weights;
	int weight_count;
};

static float rounded(float value)
{
	return (value + ROUNDER) - ROUNDER;
}

/* ---- weights ---- */

/*
 * In a transposed convolution every phase of the output is a row of its own: taps
 * belong to one phase that are a multiple of the stride apart. See lower_matrix.c.
 */
static size_t transposed_row(const struct graph_conv *conv,
			     const struct graph_shape *shape, size_t element)
{
	size_t width = (size_t)shape->dims[3], height = (size_t)shape->dims[2];
	size_t outputs = (size_t)shape->dims[1];
	size_t inputs = (size_t)(shape->dims[0] / conv->group);
	size_t x = element % width * (size_t)conv->dilation[1];
	size_t y = element / width % height * (size_t)conv->dilation[0];
	size_t output = element / (width * height) % outputs;
	size_t group = element / (width * height * outputs) / inputs;
	size_t row = group * outputs + output;

	row = row * (size_t)conv->stride[0] + y % (size_t)conv->stride[0];
	return row * (size_t)conv->stride[1] + x % (size_t)conv->stride[1];
}

static size_t row_of(const struct graph_node *node,
		     const struct graph_shape *shape, size_t element)
{
	size_t columns = 1;

	if (node->op == GRAPH_CONV_TRANSPOSE)
		return transposed_row(&node->conv, shape, element);
	for (int i = graph_op_is_recurrent(node->op) ? 2 : 1; i < shape->rank;
	     i++)
		columns *= (size_t)shape->dims[i];
	return element / columns;
}

static int add_weight(struct fake_quantize *fake, const struct graph_node *node,
		      int tensor)
{
	const struct graph_shape *shape = &fake->graph->tensors[tensor].shape;
	struct fake_weight *weight = &fake->weights[fake->weight_count++];

	weight->tensor = tensor;
	weight->count = (size_t)graph_shape_count(shape);
	weight->row = malloc((weight->count + 1) * sizeof(*weight->row));
	weight->rounded = malloc((weight->count + 1) * sizeof(float));
	if (!weight->row || !weight->rounded)
		return -ENOMEM;
	for (size_t i = 0; i < weight->count; i++) {
		size_t row = row_of(node, shape, i);

		weight->row[i] = (uint32_t)row;
		if (row >= weight->rows)
			weight->rows = row + 1;
	}
	weight->scale = malloc((weight->rows + 1) * sizeof(float));
	return weight->scale ? 0 : -ENOMEM;
}

static bool is_added(const struct fake_quantize *fake, int tensor)
{
	return fake_quantize_rounded(fake, tensor);
}

static int add_weights(struct fake_quantize *fake)
{
	const struct graph *graph = fake->graph;
	int ret = 0;

	fake->weights = calloc(2 * (size_t)graph->node_count + 1,
			       sizeof(*fake->weights));
	if (!fake->weights)
		return -ENOMEM;
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		int last = graph_op_is_linear(node->op)	   ? 1 :
			   graph_op_is_recurrent(node->op) ? 2 :
							     0;

		for (int i = 1; i <= last && !ret && !node->structural; i++)
			if (graph->tensors[node->inputs[i]].data &&
			    !is_added(fake, node->inputs[i]))
				ret = add_weight(fake, node, node->inputs[i]);
	}
	return ret;
}

static void find_scales(struct fake_weight *weight, const float *values)
{
	for (size_t r = 0; r < weight->rows; r++)
		weight->scale[r] = 0;
	for (size_t i = 0; i < weight->count; i++) {
		float *largest = &weight->scale[weight->row[i]];
		float size = fabsf(values[i]);

		*largest = size > *largest ? size : *largest;
	}
	for (size_t r = 0; r < weight->rows; r++) {
		const struct quantize_row row = {
			.weights = &weight->scale[r],
			.count = 1,
			.input_scale = 1,
		};

		weight->scale[r] = quantize_row_scale(&row);
	}
}

void fake_quantize_weights(struct fake_quantize *fake)
{
	for (int w = 0; w < fake->weight_count; w++) {
		struct fake_weight *weight = &fake->weights[w];
		const float *values = fake->graph->tensors[weight->tensor].data;

		if (!fake->on) {
			memcpy(weight->rounded, values,
			       weight->count * sizeof(*values));
			continue;
		}
		find_scales(weight, values);
		for (size_t i = 0; i < weight->count; i++) {
			float scale = weight->scale[weight->row[i]];

			weight->rounded[i] = rounded(values[i] / scale) * scale;
		}
	}
}

const float *fake_quantize_rounded(const struct fake_quantize *fake, int tensor)
{
	for (int w = 0; w < fake->weight_count; w++)
		if (fake->weights[w].tensor == tensor)
			return fake->weights[w].rounded;
	return NULL;
}

/* ---- activations ---- */

/* Half a code beyond the last one still rounds to it. */
static void quantize_values(struct golden_quantization q, float *values,
			    int64_t count, uint8_t *pass)
{
	float low = (float)(-128 - q.zero), high = (float)(127 - q.zero);

	for (int64_t i = 0; i < count; i++) {
		float code = values[i] / q.scale;

		if (pass)
			pass[i] = code >= low - 0.5F && code <= high + 0.5F;
		code = code < low ? low : code > high ? high : code;
		values[i] = rounded(code) * q.scale;
	}
}

int fake_quantize_transform(void *context, int tensor,
			    const struct graph_shape *shape, float *values,
			    uint8_t *pass)
{
	const struct fake_quantize *fake = context;
	int64_t count = graph_shape_count(shape);

	if (fake->on)
		quantize_values(fake->quantization[tensor], values, count,
				pass);
	else if (pass)
		memset(pass, 1, (size_t)count);
	return 0;
}

const bool *fake_quantize_tensors(const struct fake_quantize *fake)
{
	return fake->quantized;
}

/* ---- the whole ---- */

int fake_quantize_update(struct fake_quantize *fake,
			 const struct fake_quantize_options *options)
{
	const struct lower_options lower = {
		.ranges = options->ranges,
		.input_range = options->input_range,
		.output_range = options->output_range,
	};

	return lower_quantizations(fake->graph, &lower, fake->quantized,
				   fake->quantization);
}

void fake_quantize_enable(struct fake_quantize *fake, bool on)
{
	fake->on = on;
}

int fake_quantize_create(struct fake_quantize **out, const struct graph *graph,
			 const struct fake_quantize_options *options)
{
	size_t tensors = (size_t)graph->tensor_count + 1;
	struct fake_quantize *fake = calloc(1, sizeof(*fake));
	int ret = -ENOMEM;

	if (fake) {
		fake->graph = graph;
		fake->quantized = calloc(tensors, sizeof(*fake->quantized));
		fake->quantization =
			calloc(tensors, sizeof(*fake->quantization));
		if (fake->quantized && fake->quantization)
			ret = add_weights(fake);
	}
	if (ret) {
		fake_quantize_destroy(fake);
		return accel_error(ret, "no memory to train %s in int8",
				   graph->name);
	}
	ret = fake_quantize_update(fake, options);
	if (ret) {
		fake_quantize_destroy(fake);
		return ret;
	}
	*out = fake;
	return 0;
}

void fake_quantize_destroy(struct fake_quantize *fake)
{
	if (!fake)
		return;
	for (int w = 0; w < fake->weight_count; w++) {
		free(fake->weights[w].row);
		free(fake->weights[w].scale);
		free(fake->weights[w].rounded);
	}
	free(fake->weights);
	free(fake->quantized);
	free(fake->quantization);
	free(fake);
}
