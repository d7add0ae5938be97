/* SPDX-License-Identifier: MIT */
#include "session.h"

int session_prepare(struct session *session, struct accel_model *model,
		    const struct inputs *inputs, uint32_t flags)
{
	struct accel_plan_options options = inputs->sizes;
	int ret;

	options.flags |= flags;
	ret = accel_plan_create(session->device, model, &options,
				&session->plan);
	return ret ? ret : inputs_write(inputs, session->plan);
}

static int session_load(struct session *session,
			const struct workload *workload, uint32_t flags)
{
	struct accel_plan_options options = workload->inputs.sizes;
	int ret;

	options.flags |= flags;
	ret = accel_plan_load(session->device, workload->path, &options,
			      &session->plan);
	return ret ? ret : inputs_write(&workload->inputs, session->plan);
}

int session_open(struct session *session, const char *uri,
		 const struct workload *workload, uint32_t flags)
{
	int ret = accel_device_open(uri, NULL, &session->device);

	if (ret)
		return ret;
	if (!workload->path)
		return session_prepare(session, workload->model,
				       &workload->inputs, flags);
	return session_load(session, workload, flags);
}

/* The plan first: it lives on the device. */
void session_close(struct session *session)
{
	accel_plan_destroy(session->plan);
	accel_device_close(session->device);
}
