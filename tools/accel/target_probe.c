/* SPDX-License-Identifier: MIT */
#include "target_probe.h"

#include "execute.h"
#include "outputs.h"
#include "session.h"

#include <accel/accel.h>
#include <compress/executor.h>
#include <core/error.h>
#include <metrics/classifier_features.h>
#include <metrics/frechet_distance.h>
#include <metrics/pixel_error.h>
#include <model/file.h>
#include <model/packing.h>
#include <runtime/object.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the dense network ---- */

static int append(struct target_probe *probe, const float *values, size_t count)
{
	float *all = realloc(probe->reference,
			     (probe->count + count + 1) * sizeof(*all));

	if (!all)
		return accel_error(-ENOMEM, "no memory for results");
	probe->reference = all;
	memcpy(all + probe->count, values, count * sizeof(*all));
	probe->count += count;
	return 0;
}

static int run_dense(struct target_probe *probe, const struct array *sample,
		     struct graph_shape *shapes, const float **values)
{
	const struct graph *graph = probe->graph;
	struct executor *executor;
	int ret;

	for (int i = 0; i < graph->input_count; i++) {
		shapes[i] = sample[i].shape;
		values[i] = sample[i].values;
	}
	ret = executor_create(&executor, graph, shapes, NULL);
	if (ret)
		return ret;
	ret = executor_run(executor, values);
	if (!ret)
		ret = append(probe,
			     executor_values(executor, graph->outputs[0]),
			     (size_t)graph_shape_count(executor_shape(
				     executor, graph->outputs[0])));
	executor_destroy(executor);
	return ret;
}

static int run_reference(struct target_probe *probe)
{
	size_t inputs = (size_t)probe->graph->input_count + 1;
	struct graph_shape *shapes = calloc(inputs, sizeof(*shapes));
	const float **values = calloc(inputs, sizeof(*values));
	int ret = shapes && values ?
			  0 :
			  accel_error(-ENOMEM, "no memory for the inputs");

	for (int s = 0; s < probe->data->sample_count && !ret; s++)
		ret = run_dense(probe, probe->data->samples[s], shapes, values);
	free(shapes);
	free(values);
	return ret;
}

/* Where nobody said what black and white are: the darkest and the brightest. */
static void find_range(struct target_probe *probe)
{
	if (probe->range.low < probe->range.high || !probe->count)
		return;
	probe->range = (struct quantize_range){ probe->reference[0],
						probe->reference[0] };
	for (size_t i = 0; i < probe->count; i++) {
		probe->range.low = fminf(probe->range.low, probe->reference[i]);
		probe->range.high =
			fmaxf(probe->range.high, probe->reference[i]);
	}
}

int target_probe_open(struct target_probe *probe)
{
	int ret = accel_device_open("cpu:", NULL, &probe->cpu);

	if (!ret)
		ret = run_reference(probe);
	if (ret)
		return ret;
	find_range(probe);
	if (!(probe->range.low < probe->range.high))
		return accel_error(
			-EINVAL,
			"%s: its result is the same everywhere: nothing to compare with",
			probe->graph->name);
	probe->values = malloc((probe->count + 1) * sizeof(float));
	return probe->values ? 0 :
			       accel_error(-ENOMEM, "no memory for results");
}

void target_probe_close(struct target_probe *probe)
{
	accel_device_close(probe->cpu);
	free(probe->reference);
	free(probe->values);
}

/* ---- a model on a device ---- */

/* The model is lent to the runtime, which would destroy it. */
static struct accel_model *borrow(const struct model *model)
{
	struct accel_model *loaded = loaded_model_create();

	if (loaded)
		loaded->model = (struct model *)model;
	return loaded;
}

static void give_back(struct accel_model *loaded)
{
	if (loaded)
		loaded->model = NULL;
	accel_model_free(loaded);
}

/* Results of a sample behind those of the samples before. */
static int run_sample(struct target_probe *probe, struct accel_model *model,
		      struct array *sample, size_t *used)
{
	struct session session = { .device = probe->cpu };
	struct execution execution = {
		.session = &session,
		.repeat = 1,
		.timeout_seconds = EXECUTE_TIMEOUT_DEFAULT,
		.quiet = true,
	};
	struct accel_port_info port = { .size = sizeof(port) };
	struct inputs inputs;
	float *values = NULL;
	int ret = inputs_lend(&inputs, model, sample);

	if (!ret)
		ret = session_prepare(&session, model, &inputs, 0);
	if (!ret)
		ret = execute(&execution);
	if (!ret)
		ret = output_read(session.plan, 0, ARRAY_LAYOUT_NCHW, &port,
				  &values);
	if (!ret && port.elements > probe->count - *used)
		ret = accel_error(-EINVAL, "%s: its result has another size",
				  probe->graph->name);
	if (!ret) {
		memcpy(probe->values + *used, values,
		       port.elements * sizeof(*values));
		*used += port.elements;
	}
	free(values);
	accel_plan_destroy(session.plan);
	return ret;
}

/* What the classifier sees in so many values; for free(). */
static int look(const struct target_probe *probe, const float *values,
		struct feature_set *set)
{
	const struct graph *classifier = probe->classifier;
	struct graph_shape shape =
		classifier->tensors[classifier->inputs[0]].shape;
	struct classifier_pictures pictures = { .values = values,
						.range = probe->range };
	float *features;
	int ret;

	shape.dims[0] = 1;
	pictures.size = (size_t)graph_shape_count(&shape);
	pictures.count = pictures.size ? probe->count / pictures.size : 0;
	if (!pictures.count || pictures.count * pictures.size != probe->count)
		return accel_error(
			-EINVAL,
			"%s: its pictures have another size than the classifier's",
			probe->graph->name);
	ret = classifier_features(classifier, &pictures, &features, &set->size);
	set->values = ret ? NULL : features;
	set->count = pictures.count;
	return ret;
}

static int compare_features(const struct target_probe *probe, double *distance)
{
	struct feature_set real = { .values = NULL }, made = { .values = NULL };
	int ret = look(probe, probe->reference, &real);

	if (!ret)
		ret = look(probe, probe->values, &made);
	if (!ret)
		ret = frechet_distance(&real, &made, distance);
	free((void *)real.values);
	free((void *)made.values);
	return ret;
}

int target_probe_quality(void *context, const struct model *model,
			 double *quality)
{
	struct target_probe *probe = context;
	struct accel_model *loaded = borrow(model);
	size_t used = 0;
	int ret = loaded ? 0 : accel_error(-ENOMEM, "no memory for a model");

	for (int s = 0; s < probe->data->sample_count && !ret; s++)
		ret = run_sample(probe, loaded, probe->data->samples[s], &used);
	give_back(loaded);
	if (ret)
		return ret;
	if (!probe->classifier) {
		*quality = metrics_psnr(probe->reference, probe->values, used,
					probe->range);
		return 0;
	}
	ret = compare_features(probe, quality);
	*quality = -*quality;
	return ret;
}

/* The packing is for the file only: what follows is to see a model like any other. */
static int write_packed(const struct target_probe *probe,
			const struct model *model)
{
	struct model copy = *model;
	int ret;

	copy.packing = NULL;
	ret = compact_write(&copy, probe->packing, probe->path);
	model_packing_destroy(copy.packing);
	return ret;
}

int target_probe_size(void *context, const struct model *model, uint64_t *bytes)
{
	struct target_probe *probe = context;
	struct stat status;
	int ret = probe->compact ? write_packed(probe, model) :
				   model_file_write(model, probe->path);

	if (ret)
		return ret;
	if (stat(probe->path, &status))
		ret = accel_error(-errno, "%s: cannot tell its size",
				  probe->path);
	else
		*bytes = (uint64_t)status.st_size;
	return ret;
}

/* ---- cycles ---- */

static void set_size(struct graph_shape *shape, int axis, int64_t size)
{
	if (axis < shape->rank && shape->dims[axis] < 0)
		shape->dims[axis] = size;
}

/* One of everything; what the values are, a cycle does not depend on. */
static int make_inputs(const struct graph *graph, struct array *arrays)
{
	for (int i = 0; i < graph->input_count; i++) {
		struct graph_shape *shape = &arrays[i].shape;

		*shape = graph->tensors[graph->inputs[i]].shape;
		if (shape->rank == 3) {
			set_size(shape, 1, 1);
			set_size(shape, 0, TARGET_PROBE_STEPS);
		}
		set_size(shape, 0, 1);
		for (int axis = 1; axis < shape->rank; axis++)
			set_size(shape, axis, TARGET_PROBE_SIDE);
		arrays[i].values = calloc((size_t)graph_shape_count(shape) + 1,
					  sizeof(float));
		if (!arrays[i].values)
			return accel_error(-ENOMEM, "no memory for the inputs");
	}
	return 0;
}

static int read_cycles(const struct accel_plan *plan, uint64_t *cycles,
		       void (*layer)(void *layer_context, const char *name,
				     uint64_t cycles),
		       void *layer_context)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_layer_info cost = { .size = sizeof(cost) };
	int ret = accel_plan_get_info(plan, &info);

	for (uint32_t i = 0; i < info.layer_count && !ret; i++) {
		cost.size = sizeof(cost);
		ret = accel_plan_get_layer(plan, i, &cost);
		if (!ret)
			layer(layer_context, cost.name, cost.cycles);
	}
	cost.size = sizeof(cost);
	if (!ret)
		ret = accel_plan_get_total(plan, &cost);
	*cycles = cost.cycles;
	return ret;
}

/* A device of its own, which has nothing on chip from the run before. */
static int time_model(struct accel_model *model, struct array *arrays,
		      uint64_t *cycles,
		      void (*layer)(void *layer_context, const char *name,
				    uint64_t cycles),
		      void *layer_context)
{
	struct session session = { .device = NULL };
	struct execution execution = {
		.session = &session,
		.repeat = 1,
		.timeout_seconds = EXECUTE_TIMEOUT_DEFAULT,
		.quiet = true,
	};
	struct inputs inputs;
	int ret = accel_device_open("sim:", NULL, &session.device);

	if (!ret)
		ret = inputs_lend(&inputs, model, arrays);
	if (!ret)
		ret = session_prepare(&session, model, &inputs, 0);
	if (!ret)
		ret = execute(&execution);
	if (!ret)
		ret = read_cycles(session.plan, cycles, layer, layer_context);
	session_close(&session);
	return ret;
}

int target_probe_time(void *context, const struct model *model,
		      uint64_t *cycles,
		      void (*layer)(void *layer_context, const char *name,
				    uint64_t cycles),
		      void *layer_context)
{
	const struct target_probe *probe = context;
	size_t inputs = (size_t)probe->graph->input_count;
	struct array *arrays = calloc(inputs + 1, sizeof(*arrays));
	struct accel_model *loaded = borrow(model);
	int ret = arrays && loaded ?
			  make_inputs(probe->graph, arrays) :
			  accel_error(-ENOMEM, "no memory to time a model");

	if (!ret)
		ret = time_model(loaded, arrays, cycles, layer, layer_context);
	give_back(loaded);
	for (size_t i = 0; arrays && i < inputs; i++)
		array_release(&arrays[i]);
	free(arrays);
	return ret;
}
