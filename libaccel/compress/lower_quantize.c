/* SPDX-License-Identifier: MIT */
/*
 * One quantization for each group of tensors. Concatenations, views and maxima move
 * codes without arithmetic, so all that they touch shares scale and zero point.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "compress/lowering.h"
#include "core/error.h"

static int group_of(const struct lowering *lowering, int number)
{
	while (lowering->tensors[number].group != number)
		number = lowering->tensors[number].group;
	return number;
}

static struct quantize_range quantization_range(struct golden_quantization q)
{
	return (struct quantize_range){
		(float)(-128 - q.zero) * q.scale,
		(float)(127 - q.zero) * q.scale,
	};
}

static bool same(struct golden_quantization a, struct golden_quantization b)
{
	return a.scale == b.scale && a.zero == b.zero;
}

/*
 * A group is fixed by what the file recorded for any of its members. Members that
 * were quantized differently share what holds all of them.
 */
static void merge(struct lower_tensor *group, const struct lower_tensor *member)
{
	struct quantize_range range = member->range;

	if (member->fixed && group->fixed &&
	    same(member->model.quantization, group->model.quantization))
		return;
	if (member->fixed != group->fixed) {
		if (member->fixed)
			group->model.quantization = member->model.quantization;
		group->fixed = true;
		return;
	}
	if (member->fixed) {
		range = quantization_range(member->model.quantization);
		group->range = quantization_range(group->model.quantization);
		group->fixed = false;
	}
	group->range.low = fminf(group->range.low, range.low);
	group->range.high = fmaxf(group->range.high, range.high);
}

static int check_range(const struct lowering *lowering, int number)
{
	const struct lower_tensor *tensor = &lowering->tensors[number];

	if (lowering->tensors[group_of(lowering, number)].fixed ||
	    tensor->model.type != MODEL_INT8 ||
	    (isfinite(tensor->range.low) && isfinite(tensor->range.high)))
		return 0;
	return accel_error(
		-EINVAL,
		"%s: nothing says what values it takes; give data to calibrate with",
		lowering->graph->tensors[tensor->source].name);
}

int lower_quantize(struct lowering *lowering)
{
	for (int i = 0; i < lowering->tensor_count; i++)
		if (group_of(lowering, i) != i)
			merge(&lowering->tensors[group_of(lowering, i)],
			      &lowering->tensors[i]);
	for (int i = 0; i < lowering->tensor_count; i++) {
		struct lower_tensor *tensor = &lowering->tensors[i];
		int ret = check_range(lowering, i);

		if (ret)
			return ret;
		if (group_of(lowering, i) == i && !tensor->fixed)
			tensor->model.quantization =
				quantize_activation(tensor->range);
	}
	for (int i = 0; i < lowering->tensor_count; i++)
		lowering->tensors[i].model.quantization =
			lowering->tensors[group_of(lowering, i)]
				.model.quantization;
	return 0;
}
