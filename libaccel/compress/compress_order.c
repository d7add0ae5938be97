/* SPDX-License-Identifier: MIT */
#include <compress/compress_order.h>

#include <compress/compress.h>
#include <core/error.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[COMPRESS_PRUNE_FIRST] = "pq",
	[COMPRESS_QUANTIZE_FIRST] = "qp",
	[COMPRESS_JOINT] = "joint",
};

int compress_order_parse(const char *text, enum compress_order *order)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		*order = (enum compress_order)i;
		if (!strcmp(text, names[i]))
			return 0;
	}
	return accel_error(-EINVAL, "%s: the order is pq, qp or joint", text);
}

const char *compress_order_name(enum compress_order order)
{
	return names[order];
}

static bool suits(enum compress_order order, const struct prune_method *method)
{
	if (order == COMPRESS_JOINT)
		return method->joint;
	return method->chooses || (method->score && !method->shrinks);
}

static int check_method(enum compress_order order,
			const struct prune_method *method)
{
	if (suits(order, method))
		return 0;
	if (order == COMPRESS_JOINT)
		return accel_error(
			-ENOTSUP,
			"order joint is for sparsegpt; %s cannot round as it prunes",
			method->name);
	return accel_error(
		-ENOTSUP,
		"order qp is for methods that only choose; %s changes what stays, which would be no code any more",
		method->name);
}

/* Other formats have no grid before all weights of a matrix are there. */
static int check_format(enum compress_order order,
			const struct weight_format *format)
{
	if (format->kind == WEIGHT_INTEGER &&
	    format->granularity != WEIGHT_PER_GROUP)
		return 0;
	return accel_error(
		-ENOTSUP,
		"order %s is for integers with a scale for each row or tensor: int8, int4:tensor",
		names[order]);
}

static int check_layer(enum compress_order order,
		       const struct prune_method *method,
		       const struct weight_format *format)
{
	int ret = check_method(order, method);

	return ret ? ret : check_format(order, format);
}

int compress_order_check(const struct compress_options *options)
{
	const struct compress_choices *choices = options->choices;
	int ret = 0;

	if (options->order == COMPRESS_PRUNE_FIRST)
		return 0;
	if (options->reconstruct)
		return accel_error(
			-ENOTSUP,
			"order %s excludes least squares, after which weights are no codes any more",
			names[options->order]);
	if (options->mask || options->sparsity == COMPRESS_KEEP)
		return accel_error(
			-ENOTSUP,
			"order %s needs weights to choose from; the zeros are there already",
			names[options->order]);
	if (!choices)
		return check_layer(options->order,
				   options->selection ?
					   options->selection :
					   prune_method_find("magnitude"),
				   &options->format);
	for (int t = 0; t < choices->tensor_count && !ret; t++)
		if (choices->layers[t].method)
			ret = check_layer(options->order,
					  choices->layers[t].method,
					  &choices->layers[t].format);
	return ret;
}
