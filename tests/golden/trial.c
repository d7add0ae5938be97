/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <core/error.h>
#include <metrics/pixel_error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define TIMEOUT (600 * ACCEL_SECOND)

int trial_create(struct trial *trial, const char *uri,
		 struct accel_model *model, const struct probe *probe,
		 uint32_t flags)
{
	struct accel_plan_options sizes = probe->sizes;
	const struct accel_input input = {
		.data = probe->input.data,
		.count = probe->input.count,
		.layout = probe->layout,
	};
	int ret;

	*trial = (struct trial){ .layout = probe->layout };
	sizes.flags = flags;
	ret = accel_device_open(uri, NULL, &trial->device);
	if (!ret)
		ret = accel_plan_create(trial->device, model, &sizes,
					&trial->plan);
	if (!ret)
		ret = accel_run(trial->plan, &input, 1, NULL, 0, TIMEOUT);
	if (ret)
		trial_destroy(trial);
	return ret;
}

int trial_read(struct trial *trial, uint32_t index, struct values *output)
{
	struct accel_port_info info = { .size = sizeof(info) };
	struct accel_output wanted = { .layout = trial->layout };
	int ret = accel_plan_get_output(trial->plan, index, &info);

	if (ret)
		return ret;
	output->count = info.elements;
	output->data = malloc(output->count * sizeof(float));
	if (!output->data)
		return accel_error(-ENOMEM, "%s: no memory", info.name);
	wanted.data = output->data;
	wanted.count = output->count;
	ret = accel_plan_read_output(trial->plan, index, &wanted);
	if (ret)
		free(output->data);
	return ret;
}

static struct quantize_range span(const struct values *values)
{
	struct quantize_range range = { INFINITY, -INFINITY };

	for (size_t i = 0; i < values->count; i++) {
		range.low = fminf(range.low, values->data[i]);
		range.high = fmaxf(range.high, values->data[i]);
	}
	return range;
}

static int output_psnr(struct trial *trial, uint32_t index,
		       const struct values *expected,
		       struct quantize_range range, double *psnr)
{
	struct values output;
	int ret = trial_read(trial, index, &output);

	if (ret)
		return ret;
	if (output.count != expected->count)
		ret = accel_error(-EINVAL,
				  "output %u: %zu values, %zu are expected",
				  index, output.count, expected->count);
	else
		*psnr = metrics_psnr(output.data, expected->data, output.count,
				     range.low < range.high ? range :
							      span(expected));
	free(output.data);
	return ret;
}

int trial_psnr(struct trial *trial, const struct probe *probe,
	       struct quantize_range range, double *psnr)
{
	*psnr = INFINITY;
	for (uint32_t i = 0; i < PROBE_OUTPUTS; i++) {
		double one;
		int ret;

		if (!probe->expected[i].data)
			continue;
		ret = output_psnr(trial, i, &probe->expected[i], range, &one);
		if (ret)
			return ret;
		*psnr = fmin(*psnr, one);
	}
	return 0;
}

void trial_destroy(struct trial *trial)
{
	accel_plan_destroy(trial->plan);
	accel_device_close(trial->device);
	*trial = (struct trial){ .device = NULL };
}

int trial_compare(struct accel_model *model, const struct probe *probe,
		  struct accel_difference *difference)
{
	const uint32_t flags = ACCEL_PLAN_KEEP_ACTIVATIONS;
	struct trial golden = { 0 }, device = { 0 };
	int ret = trial_create(&golden, "cpu:", model, probe, flags);

	if (!ret)
		ret = trial_create(&device, "sim:", model, probe, flags);
	*difference = (struct accel_difference){ .size = sizeof(*difference) };
	if (!ret)
		ret = accel_plan_compare(device.plan, golden.plan, difference);
	trial_destroy(&device);
	trial_destroy(&golden);
	return ret;
}
