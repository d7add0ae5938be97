/* SPDX-License-Identifier: MIT */
/* Models of a test as a user of the library gets them: from a file. */
#ifndef PUBLISHED_H
#define PUBLISHED_H

#include <stdlib.h>
#include <unistd.h>

#include <accel/accel.h>
#include <model/file.h>

#include "unit.h"

/* Takes the model over. */
static inline struct accel_model *model_publish(struct model *model)
{
	char path[] = "/tmp/accel-test-XXXXXX";
	struct accel_model *loaded = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	if (model_file_write(model, path) || accel_model_load(path, &loaded))
		fail_msg("%s", accel_last_error());
	unlink(path);
	model_destroy(model);
	return loaded;
}

static inline struct accel_device *device_open(const char *uri)
{
	struct accel_device *device = NULL;

	if (accel_device_open(uri, NULL, &device))
		fail_msg("%s: %s", uri, accel_last_error());
	return device;
}

static inline struct accel_plan *
plan_create(struct accel_device *device, struct accel_model *model,
	    const struct accel_plan_options *options)
{
	struct accel_plan *plan = NULL;

	if (accel_plan_create(device, model, options, &plan))
		fail_msg("%s", accel_last_error());
	return plan;
}

#endif
