/* SPDX-License-Identifier: MIT */
#include "json_print.h"

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int json_print(json_t *value)
{
	char *text =
		json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	json_decref(value);
	if (!text)
		return accel_error(-ENOMEM, "no memory for the report");
	puts(text);
	free(text);
	return 0;
}

json_t *json_finite(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}
