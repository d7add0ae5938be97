/* SPDX-License-Identifier: MIT */
#include "range_study.h"

#include <compress/calibrate.h>
#include <compress/dynamic_range.h>
#include <compress/executor.h>
#include <core/error.h>
#include <metrics/pixel_error.h>
#include <train/fake_quantize.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** struct results - of all runs, end to end */
struct results {
	float *values;
	size_t count;
};

/**
 * struct study - one at work
 * @request: what for
 * @graph: of rounded weights
 * @fake: its tensors and their fixed ranges
 * @way: of the present run
 * @dense: what the dense network gave
 * @results: what @graph gave, each way
 * @runs: done
 */
struct study {
	const struct range_study_request *request;
	struct graph *graph;
	struct fake_quantize *fake;
	enum range_study_way way;
	struct results dense;
	struct results results[RANGE_STUDY_WAYS];
	int runs;
};

/* ---- a run ---- */

static int transform(void *context, int tensor, const struct graph_shape *shape,
		     float *values)
{
	const struct study *study = context;

	if (study->way == RANGE_STUDY_BINARY32 ||
	    !fake_quantize_tensors(study->fake)[tensor])
		return 0;
	if (study->way == RANGE_STUDY_STATIC)
		return fake_quantize_transform(study->fake, tensor, shape,
					       values, NULL);
	dynamic_range_round(values, graph_shape_count(shape));
	return 0;
}

static int append(struct results *results, const float *values, size_t count)
{
	float *all = realloc(results->values,
			     (results->count + count + 1) * sizeof(*all));

	if (!all)
		return accel_error(-ENOMEM, "no memory for results");
	results->values = all;
	memcpy(all + results->count, values, count * sizeof(*all));
	results->count += count;
	return 0;
}

/* @study: NULL runs the dense network. */
static int run_once(const struct graph *graph, const struct array *inputs,
		    struct study *study, struct results *results)
{
	const struct executor_options options = {
		.transform = study ? transform : NULL,
		.transform_context = study,
	};
	size_t count = (size_t)graph->input_count + 1;
	struct graph_shape *shapes = calloc(count, sizeof(*shapes));
	const float **values = calloc(count, sizeof(*values));
	struct executor *executor = NULL;
	int ret = shapes && values ?
			  0 :
			  accel_error(-ENOMEM, "no memory for the inputs");

	for (int i = 0; i < graph->input_count && !ret; i++) {
		shapes[i] = inputs[i].shape;
		values[i] = inputs[i].values;
	}
	if (!ret)
		ret = executor_create(&executor, graph, shapes, &options);
	if (!ret)
		ret = executor_run(executor, values);
	if (!ret)
		ret = append(results,
			     executor_values(executor, graph->outputs[0]),
			     (size_t)graph_shape_count(executor_shape(
				     executor, graph->outputs[0])));
	executor_destroy(executor);
	free(shapes);
	free(values);
	return ret;
}

static int run_all_ways(struct study *study, const struct array *inputs)
{
	int ret = run_once(study->request->dense, inputs, NULL, &study->dense);

	for (int way = 0; way < RANGE_STUDY_WAYS && !ret; way++) {
		study->way = (enum range_study_way)way;
		ret = run_once(study->graph, inputs, study,
			       &study->results[way]);
	}
	study->runs++;
	return ret;
}

/* ---- elements of a batch ---- */

/* Of latents and pictures the first axis is the batch; sequences have steps there. */
static int64_t batch_of(const struct graph *graph, const struct array *sample)
{
	int64_t batch = sample[0].shape.dims[0];

	for (int i = 0; i < graph->input_count; i++) {
		const struct graph_tensor *input =
			&graph->tensors[graph->inputs[i]];

		if (input->shape.dims[0] >= 0 || input->shape.rank == 3 ||
		    sample[i].shape.dims[0] != batch)
			return 1;
	}
	return batch;
}

/* Elements have ranges of their own, so each is a run. */
static int run_sample(struct study *study, const struct array *sample)
{
	const struct graph *graph = study->request->dense;
	int64_t batch = batch_of(graph, sample);
	struct array *element =
		calloc((size_t)graph->input_count + 1, sizeof(*element));
	int ret = element ? 0 : accel_error(-ENOMEM, "no memory for a sample");

	for (int64_t n = 0; n < batch && !ret; n++) {
		for (int i = 0; i < graph->input_count; i++) {
			element[i] = sample[i];
			element[i].shape.dims[0] /= batch;
			element[i].values +=
				n * graph_shape_count(&element[i].shape);
		}
		ret = run_all_ways(study, element);
	}
	free(element);
	return ret;
}

/* ---- the whole ---- */

/* What rounding has not put on a grid yet gets the nearest codes. */
static void round_weights(struct study *study)
{
	fake_quantize_enable(study->fake, true);
	fake_quantize_weights(study->fake);
	for (int t = 0; t < study->graph->tensor_count; t++) {
		struct graph_tensor *tensor = &study->graph->tensors[t];
		const float *rounded = fake_quantize_rounded(study->fake, t);

		if (rounded && !tensor->quantization)
			memcpy(tensor->data, rounded,
			       (size_t)graph_shape_count(&tensor->shape) *
				       sizeof(*rounded));
	}
}

static int prepare(struct study *study)
{
	const struct range_study_request *request = study->request;
	const struct compress_options *options = request->options;
	const struct calibration_options known = {
		.input_range = options->input_range,
		.output_range = options->output_range,
		.method = options->calibration,
	};
	struct fake_quantize_options fake = {
		.input_range = options->input_range,
		.output_range = options->output_range,
	};
	struct quantize_range *ranges = calloc(
		(size_t)request->pruned->tensor_count + 1, sizeof(*ranges));
	int ret = -ENOMEM;

	study->graph = graph_clone(request->pruned);
	if (study->graph && ranges)
		ret = compress_round(study->graph, options,
				     request->calibration, request->mask);
	else
		accel_error(ret, "no memory to study ranges");
	if (!ret)
		ret = calibration_run(study->graph, request->calibration,
				      &known, ranges, NULL);
	fake.ranges = ranges;
	if (!ret)
		ret = fake_quantize_create(&study->fake, study->graph, &fake);
	if (!ret)
		round_weights(study);
	free(ranges);
	return ret;
}

/* Where nobody said what black and white are: the darkest and the brightest. */
static struct quantize_range find_range(const struct study *study)
{
	struct quantize_range range = study->request->options->output_range;
	const struct results *dense = &study->dense;

	if (range.low < range.high)
		return range;
	range = (struct quantize_range){ INFINITY, -INFINITY };
	for (size_t i = 0; i < dense->count; i++) {
		range.low = fminf(range.low, dense->values[i]);
		range.high = fmaxf(range.high, dense->values[i]);
	}
	return range;
}

static int compare(const struct study *study, struct range_study *result)
{
	struct quantize_range range = find_range(study);

	if (!(range.low < range.high))
		return accel_error(
			-EINVAL,
			"%s: its result is the same everywhere: nothing to compare with",
			study->graph->name);
	result->runs = study->runs;
	for (int way = 0; way < RANGE_STUDY_WAYS; way++) {
		const struct results *own = &study->results[way];

		if (own->count != study->dense.count)
			return accel_error(-EINVAL,
					   "%s: its result has another size",
					   study->graph->name);
		result->psnr[way] = metrics_psnr(
			study->dense.values, own->values, own->count, range);
	}
	return 0;
}

int range_study_run(const struct range_study_request *request,
		    struct range_study *result)
{
	const struct calibration_data *data = request->held_out;
	struct study study = { .request = request };
	int ret = prepare(&study);

	for (int s = 0; s < data->sample_count && !ret; s++)
		ret = run_sample(&study, data->samples[s]);
	if (!ret)
		ret = compare(&study, result);
	for (int way = 0; way < RANGE_STUDY_WAYS; way++)
		free(study.results[way].values);
	free(study.dense.values);
	fake_quantize_destroy(study.fake);
	graph_destroy(study.graph);
	return ret;
}
