/* SPDX-License-Identifier: MIT */
#include "provenance.h"

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

int provenance_set(struct model *model, const char *key, json_t *value)
{
	json_t *all = json_loads(model->provenance ? model->provenance : "{}",
				 0, NULL);
	char *text = NULL;

	if (!json_object_set_new(all, key, value))
		text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(all);
	if (!text)
		return accel_error(-ENOMEM, "no memory for a record");
	free(model->provenance);
	model->provenance = text;
	return 0;
}
