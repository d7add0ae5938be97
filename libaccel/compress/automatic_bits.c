// SPDX-License-Identifier: MIT
/* What codes of few bits take in a file that writes what is frequent shortly. */
#include <compress/automatic_search.h>
#include <compress/rounding.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define CODES 256

static void count_codes(const struct graph_tensor *weight, double counts[CODES])
{
	const struct graph_quantization *record = weight->quantization;
	int64_t count = graph_shape_count(&weight->shape), inner = 1;

	for (int i = record->axis + 1; i < weight->shape.rank; i++)
		inner *= weight->shape.dims[i];
	for (int64_t i = 0; i < count; i++) {
		float step = record->scale[i / inner % record->count];
		long code = lrintf(weight->data[i] / step);

		counts[(unsigned long)code % CODES]++;
	}
}

/* Of what is not zero, in bits. */
static double entropy(const double counts[CODES])
{
	double sum = 0, bits = 0;

	for (int i = 1; i < CODES; i++)
		sum += counts[i];
	for (int i = 1; i < CODES; i++)
		if (counts[i] > 0)
			bits -= counts[i] / sum * log2(counts[i] / sum);
	return bits;
}

static double bits_of(const struct automatic_search *search,
		      const struct graph *rounded, int tensor, int format)
{
	const struct graph_tensor *weight = &rounded->tensors[tensor];
	double counts[CODES] = { 0 };

	if (search->graph->tensors[tensor].quantization ||
	    !weight->quantization)
		return weight_format_bits(&search->formats[format]);
	count_codes(weight, counts);
	return entropy(counts);
}

static int count_format(struct automatic_search *search, int format)
{
	size_t tensors = (size_t)search->graph->tensor_count + 1;
	struct weight_format *formats = calloc(tensors, sizeof(*formats));
	struct prune_mask *mask = prune_mask_create(search->graph);
	struct graph *rounded = graph_clone(search->graph);
	int ret = formats && mask && rounded ? 0 : -ENOMEM;

	for (size_t t = 0; t < tensors && !ret; t++)
		formats[t] = search->formats[format];
	if (!ret)
		ret = rounding_nearest(rounded, mask, formats);
	for (int l = 0; l < search->sensitivity.count && !ret; l++)
		search->code_bits[l * search->format_count + format] =
			bits_of(search, rounded,
				search->sensitivity.layers[l].tensor, format);
	free(formats);
	prune_mask_destroy(mask);
	graph_destroy(rounded);
	return ret;
}

int automatic_count_bits(struct automatic_search *search)
{
	size_t count =
		(size_t)(search->sensitivity.count * search->format_count);
	int ret = 0;

	free(search->code_bits);
	search->code_bits = calloc(count + 1, sizeof(*search->code_bits));
	if (!search->code_bits)
		ret = -ENOMEM;
	/* where there is no choice, it is what the portable form takes */
	for (size_t i = 0; i < count && !ret; i++)
		search->code_bits[i] = weight_format_bits(&search->formats[0]);
	for (int f = 0; f < search->format_count && !ret; f++)
		if (search->format_count > 1)
			ret = count_format(search, f);
	return ret ? accel_error(ret, "no memory for the layers' codes") : 0;
}
