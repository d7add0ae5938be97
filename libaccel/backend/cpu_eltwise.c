/* SPDX-License-Identifier: MIT */
/* Additions, products and tables. */
#include <backend/cpu_layer.h>

#include <golden/table.h>

struct operands {
	struct golden_quantization qa, qb, qy;
	enum model_op op;
};

static void combine(const struct operands *operands, const int8_t *a,
		    const int8_t *b, size_t count, int8_t *out)
{
	if (operands->op == MODEL_ADD)
		golden_add_row(a, operands->qa, b, operands->qb, operands->qy,
			       count, out);
	else
		golden_multiply_row(a, operands->qa, b, operands->qb,
				    operands->qy, count, out);
}

/* b's rows and columns repeat where it has one only. */
int cpu_eltwise_run(const struct cpu_run *run, const struct model_layer *layer)
{
	const struct operands operands = {
		cpu_quantization(run, layer->inputs[0]),
		cpu_quantization(run, layer->inputs[1]),
		cpu_quantization(run, layer->outputs[0]),
		layer->op,
	};
	const struct model_extent *extent = &run->extents[layer->inputs[0]];
	const struct model_extent *second = &run->extents[layer->inputs[1]];
	const int8_t *a = run->values[layer->inputs[0]];
	const int8_t *b = run->values[layer->inputs[1]];
	int8_t *out = run->values[layer->outputs[0]];
	bool repeats = second->width != extent->width;
	size_t count = repeats ? run->batch :
				 (size_t)extent->width * run->batch;
	size_t row = (size_t)extent->width * run->batch;
	size_t second_row = (size_t)second->width * run->batch;
	int ret = 0;

	for (uint32_t c = 0; !ret && c < extent->channels; c++) {
		for (uint32_t y = 0; y < extent->height; y++) {
			uint32_t from = second->height == 1 ? 0 : y;
			const int8_t *values = b + ((size_t)c * second->height +
						    from) * second_row;

			for (size_t at = 0; at < row; at += count)
				combine(&operands, a + at, values, count,
					out + at);
			a += row;
			out += row;
		}
		ret = cpu_run_cancelled(run);
	}
	return ret;
}

int cpu_table_run(const struct cpu_run *run, const struct model_layer *layer)
{
	size_t count = cpu_channel_elements(run, layer->inputs[0]);
	const int8_t *in = run->values[layer->inputs[0]];
	int8_t *out = run->values[layer->outputs[0]];
	const int8_t *entries = layer->table.entries;
	int ret = 0;

	for (uint32_t c = 0;
	     !ret && c < run->extents[layer->inputs[0]].channels; c++) {
		golden_table_apply_row(entries, in, count, out);
		if (layer->table.per_channel)
			entries += GOLDEN_TABLE_SIZE;
		in += count;
		out += count;
		ret = cpu_run_cancelled(run);
	}
	return ret;
}
