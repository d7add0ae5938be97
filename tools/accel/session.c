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

int session_open(struct session *session, const char *uri,
		 const struct workload *workload, uint32_t flags)
{
	int ret = accel_device_open(uri, NULL, &session->device);

	return ret ? ret :
		     session_prepare(session, workload->model,
				     &workload->inputs, flags);
}

/* The plan first: it lives on the device. */
void session_close(struct session *session)
{
	accel_plan_destroy(session->plan);
	accel_device_close(session->device);
}
