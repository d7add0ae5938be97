/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <compress/calibration_data.h>
#include <compress/executor.h>
#include <core/error.h>
#include <formats/npy.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Other latents than those of the calibration, whose seed is 0. */
#define LATENTS 32
#define LATENTS_SEED 1

enum { LATENT_RANK = 2, SEQUENCE_RANK = 3, IMAGE_RANK = 4 };

static int read_values(struct values *values, const char *path,
		       struct npy_array *array)
{
	int ret = npy_read_float(array, path);

	if (ret)
		return ret;
	values->data = array->data;
	values->count = array->count;
	return 0;
}

static void set_sizes(struct probe *probe, unsigned int rank,
		      const size_t *shape)
{
	struct accel_plan_options *sizes = &probe->sizes;
	bool nhwc = probe->layout == ACCEL_LAYOUT_NHWC;

	sizes->size = sizeof(*sizes);
	if (rank == SEQUENCE_RANK)
		sizes->steps = (uint32_t)shape[0];
	sizes->batch = (uint32_t)shape[rank == SEQUENCE_RANK];
	if (rank == IMAGE_RANK) {
		sizes->height = (uint32_t)shape[nhwc ? 1 : 2];
		sizes->width = (uint32_t)shape[nhwc ? 2 : 3];
	}
}

int probe_read(struct probe *probe, const char *input,
	       const char *const outputs[PROBE_OUTPUTS])
{
	struct npy_array array;
	int ret;

	*probe = (struct probe){ .layout = ACCEL_LAYOUT_DEFAULT };
	ret = read_values(&probe->input, input, &array);
	if (ret)
		return ret;
	if (array.rank == IMAGE_RANK && array.shape[3] == 3)
		probe->layout = ACCEL_LAYOUT_NHWC;
	set_sizes(probe, array.rank, array.shape);
	for (int i = 0; i < PROBE_OUTPUTS && !ret; i++)
		if (outputs[i])
			ret = read_values(&probe->expected[i], outputs[i],
					  &array);
	if (ret)
		probe_release(probe);
	return ret;
}

static int copy_values(struct values *values, const float *data, int64_t count)
{
	values->count = (size_t)count;
	values->data = malloc(values->count * sizeof(*data));
	if (!values->data)
		return accel_error(-ENOMEM, "no memory for %zu values",
				   values->count);
	memcpy(values->data, data, values->count * sizeof(*data));
	return 0;
}

static int copy_output(struct values *values, const struct executor *executor,
		       int tensor)
{
	return copy_values(values, executor_values(executor, tensor),
			   graph_shape_count(executor_shape(executor, tensor)));
}

static int compute(struct probe *probe, const struct graph *graph,
		   const struct array *input)
{
	struct executor *executor;
	const float *values = input->values;
	size_t shape[GRAPH_MAX_RANK] = { 0 };
	int ret = executor_create(&executor, graph, &input->shape, NULL);

	if (ret)
		return ret;
	for (int i = 0; i < input->shape.rank; i++)
		shape[i] = (size_t)input->shape.dims[i];
	set_sizes(probe, (unsigned int)input->shape.rank, shape);
	ret = copy_values(&probe->input, input->values,
			  graph_shape_count(&input->shape));
	if (!ret)
		ret = executor_run(executor, &values);
	for (int i = 0; i < graph->output_count && i < PROBE_OUTPUTS; i++)
		if (!ret)
			ret = copy_output(&probe->expected[i], executor,
					  graph->outputs[i]);
	executor_destroy(executor);
	return ret;
}

int probe_compute(struct probe *probe, const struct graph *graph,
		  const char *picture, struct quantize_range pixels)
{
	const struct calibration_source source = { .range = pixels };
	struct calibration_data data;
	int ret;

	*probe = (struct probe){ .layout = ACCEL_LAYOUT_DEFAULT };
	if (picture)
		ret = calibration_data_read(&data, graph, picture, &source);
	else
		ret = calibration_data_sample(&data, graph, LATENTS,
					      LATENTS_SEED);
	if (ret)
		return ret;
	ret = compute(probe, graph, &data.samples[0][0]);
	calibration_data_release(&data);
	if (ret)
		probe_release(probe);
	return ret;
}

void probe_release(struct probe *probe)
{
	free(probe->input.data);
	for (int i = 0; i < PROBE_OUTPUTS; i++)
		free(probe->expected[i].data);
	*probe = (struct probe){ .layout = ACCEL_LAYOUT_DEFAULT };
}
