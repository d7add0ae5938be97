/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include <runtime/object.h>

int workload_load(struct workload *workload, const char *path,
		  const struct inputs_source *source)
{
	int ret;

	*workload = (struct workload){ .model = NULL };
	ret = accel_model_load(path, &workload->model);
	return ret ? ret :
		     inputs_gather(&workload->inputs, workload->model, source);
}

int workload_open(struct workload *workload, const char *path,
		  const struct inputs_source *source)
{
	int ret;

	*workload = (struct workload){ .path = path };
	ret = loaded_model_open(path, &workload->model);
	return ret ? ret :
		     inputs_gather(&workload->inputs, workload->model, source);
}

/* In any state that workload_load() leaves, also after its errors. */
void workload_release(struct workload *workload)
{
	inputs_release(&workload->inputs);
	accel_model_free(workload->model);
}
