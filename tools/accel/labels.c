/* SPDX-License-Identifier: MIT */
#include "labels.h"

#include <core/error.h>
#include <formats/idx.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int take(const char *path, const struct npy_array *array, size_t count,
		int64_t **labels)
{
	const float *values = array->data;
	int64_t *result;

	if (array->rank != 1)
		return accel_error(
			-EINVAL,
			"%s: labels are a list of classes, and this has %u axes",
			path, array->rank);
	if (array->count < count)
		return accel_error(
			-EINVAL, "%s: has %zu labels, and there are %zu inputs",
			path, array->count, count);
	result = calloc(count + 1, sizeof(*result));
	if (!result)
		return accel_error(-ENOMEM, "no memory for %zu labels", count);
	for (size_t i = 0; i < count; i++) {
		if (!(fabsf(values[i]) < 0x1p24f) ||
		    values[i] != truncf(values[i])) {
			free(result);
			return accel_error(-EINVAL,
					   "%s: label %zu is no whole number",
					   path, i);
		}
		result[i] = (int64_t)values[i];
	}
	*labels = result;
	return 0;
}

int labels_read(const char *path, size_t count, int64_t **labels)
{
	struct npy_array array;
	int ret = strstr(path, "-ubyte") ? idx_read(&array, path) :
					   npy_read(&array, path);

	if (ret)
		return ret;
	ret = npy_to_float(&array);
	if (!ret)
		ret = take(path, &array, count, labels);
	npy_release(&array);
	return ret;
}
