/* SPDX-License-Identifier: MIT */
#include "robustness.h"

#include "execute.h"
#include "outputs.h"

#include <core/error.h>
#include <metrics/perturbation.h>
#include <metrics/pixel_error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LITTLE 0.1
#define MUCH 0.5

const char *const robustness_names[ROBUSTNESS_CASES] = { "noise_0.1",
							 "noise_0.5", "moved" };

static double deviation(const float *values, size_t count)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++) {
		sum += (double)values[i];
		squares += (double)values[i] * (double)values[i];
	}
	sum /= (double)count;
	return sqrt(fmax(0, squares / (double)count - sum * sum));
}

static bool is_picture(const struct graph_shape *shape)
{
	return shape->rank == 4 && shape->dims[2] > 1 && shape->dims[3] > 1;
}

static void change(struct array *array, int index, uint64_t seed)
{
	const struct graph_shape *shape = &array->shape;
	size_t count = (size_t)graph_shape_count(shape);
	double scale = deviation(array->values, count);

	if (index < 2) {
		perturbation_add_noise(array->values, count,
				       (index ? MUCH : LITTLE) * scale, seed);
	} else if (is_picture(shape)) {
		const struct metrics_planes planes = {
			.planes = (size_t)(shape->dims[0] * shape->dims[1]),
			.height = (size_t)shape->dims[2],
			.width = (size_t)shape->dims[3],
		};

		perturbation_move(array->values, &planes, 1, 1);
	} else {
		perturbation_add(array->values, count, MUCH * scale);
	}
}

/* Each input's noise is another one. */
static int copy_changed(struct inputs *copy, const struct inputs *inputs,
			int index, uint64_t seed)
{
	*copy = *inputs;
	copy->arrays = calloc(inputs->count + 1, sizeof(*copy->arrays));
	if (!copy->arrays)
		return accel_error(-ENOMEM, "no memory for the inputs");
	for (uint32_t i = 0; i < inputs->count; i++) {
		const struct array *from = &inputs->arrays[i];
		struct array *to = &copy->arrays[i];
		size_t bytes;

		to->shape = from->shape;
		to->layout = from->layout;
		if (!from->values)
			continue;
		bytes = (size_t)graph_shape_count(&from->shape) * sizeof(float);
		to->values = malloc(bytes + 1);
		if (!to->values)
			return accel_error(-ENOMEM, "no memory for the inputs");
		memcpy(to->values, from->values, bytes);
		change(to, index, seed + i);
	}
	return 0;
}

int robustness_open(struct robustness *robustness, const char *dense,
		    const struct inputs *inputs, uint64_t seed)
{
	int ret = 0;

	*robustness = (struct robustness){ .inputs = { { .count = 0 } } };
	for (int i = 0; i < ROBUSTNESS_CASES && !ret; i++) {
		ret = copy_changed(&robustness->inputs[i], inputs, i, seed);
		if (!ret)
			ret = reference_run(&robustness->references[i], dense,
					    &robustness->inputs[i], 1);
	}
	return ret;
}

static int measure_case(const struct robustness *robustness, int index,
			struct accel_device *device, struct accel_model *model,
			struct quantize_range range, double timeout,
			double *psnr)
{
	const struct reference *reference = &robustness->references[index];
	struct session session = { .device = device };
	struct execution execution = { .session = &session,
				       .repeat = 1,
				       .timeout_seconds = timeout };
	struct accel_port_info port = { .size = sizeof(port) };
	float *values = NULL;
	int ret =
		session_prepare(&session, model, &robustness->inputs[index], 0);

	if (!ret)
		ret = execute(&execution);
	if (!ret)
		ret = output_read(session.plan, 0, ARRAY_LAYOUT_NCHW, &port,
				  &values);
	if (!ret)
		*psnr = metrics_psnr(reference->values, values, port.elements,
				     range);
	free(values);
	accel_plan_destroy(session.plan);
	return ret;
}

int robustness_measure(const struct robustness *robustness,
		       struct accel_device *device, struct accel_model *model,
		       struct quantize_range range, double timeout,
		       double psnr[ROBUSTNESS_CASES])
{
	int ret = 0;

	for (int i = 0; i < ROBUSTNESS_CASES && !ret; i++)
		ret = measure_case(robustness, i, device, model, range, timeout,
				   &psnr[i]);
	return ret;
}

void robustness_close(struct robustness *robustness)
{
	for (int i = 0; i < ROBUSTNESS_CASES; i++) {
		reference_release(&robustness->references[i]);
		inputs_release(&robustness->inputs[i]);
	}
}
