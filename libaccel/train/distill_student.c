/* SPDX-License-Identifier: MIT */
#include <compress/calibrate.h>
#include <core/error.h>
#include <train/distill_student.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int no_memory(void)
{
	return accel_error(-ENOMEM, "no memory for a student");
}

static int64_t shard_size(const struct distill_student *student)
{
	const struct recipe *recipe = student->options->recipe;

	return recipe->batch / recipe->shards;
}

/* ---- the batch ---- */

static int create_batch_with(struct distill_student *student,
			     const struct graph_shape *inputs, bool *seeded)
{
	struct batch_options options = {
		.shards = (int)student->options->recipe->shards,
		.workers = student->options->workers,
		.loss = distill_loss_run,
		.loss_context = &student->loss,
		.tape = { .seeded = seeded },
	};

	if (options.workers > options.shards)
		options.workers = options.shards;
	if (student->fake) {
		options.tape.transform = fake_quantize_transform;
		options.tape.transform_context = student->fake;
		options.tape.transformed = fake_quantize_tensors(student->fake);
	}
	distill_loss_mark(&student->loss, seeded);
	return batch_create(&student->batch, student->graph,
			    &student->parameters, inputs, &options);
}

/* Let the tapes read rounded weights where there are such. */
static void use_rounded(struct distill_student *student)
{
	for (int t = 0; t < student->graph->tensor_count; t++) {
		const float *rounded = fake_quantize_rounded(student->fake, t);

		if (rounded)
			batch_replace_constant(student->batch, t, rounded);
	}
}

/* A tape is made for what it does: rounding, or not. */
static int create_batch(struct distill_student *student)
{
	size_t count = (size_t)student->graph->input_count + 1;
	struct graph_shape *inputs = calloc(count, sizeof(*inputs));
	bool *seeded = calloc((size_t)student->graph->tensor_count + 1,
			      sizeof(*seeded));
	int ret = no_memory();

	batch_destroy(student->batch);
	student->batch = NULL;
	for (int i = 0; inputs && i < student->graph->input_count; i++)
		inputs[i] = distill_data_shape(student->data, i,
					       shard_size(student));
	if (inputs && seeded)
		ret = create_batch_with(student, inputs, seeded);
	if (!ret && student->fake)
		use_rounded(student);
	free(inputs);
	free(seeded);
	return ret;
}

int distill_student_create(struct distill_student *student, struct graph *graph,
			   const struct graph *const *teachers,
			   const struct distill_data *data,
			   const struct distill_options *options)
{
	int ret;

	*student = (struct distill_student){ .graph = graph,
					     .data = data,
					     .options = options };
	ret = distill_loss_create(&student->loss, options->recipe, graph,
				  teachers, data, options->output_range);
	if (ret)
		return ret;
	ret = parameters_find(&student->parameters, graph);
	if (!ret) {
		student->gradient =
			malloc((student->parameters.total + 1) * sizeof(float));
		ret = student->gradient ? create_batch(student) : no_memory();
	}
	if (ret)
		distill_student_release(student);
	return ret;
}

void distill_student_release(struct distill_student *student)
{
	batch_destroy(student->batch);
	fake_quantize_destroy(student->fake);
	distill_loss_release(&student->loss);
	parameters_release(&student->parameters);
	free(student->gradient);
	*student = (struct distill_student){ 0 };
}

void distill_student_set(struct distill_student *student, const float *values)
{
	parameters_store(&student->parameters, student->graph, values);
	if (student->fake)
		fake_quantize_weights(student->fake);
}

/* ---- int8 ---- */

int distill_student_calibrate(struct distill_student *student,
			      struct quantize_range *ranges)
{
	const struct calibration_options known = {
		.input_range = student->options->input_range,
		.output_range = student->options->output_range,
	};

	return calibration_run(student->graph, student->options->calibration,
			       &known, ranges, NULL);
}

int distill_student_quantize(struct distill_student *student,
			     const struct quantize_range *ranges)
{
	const struct fake_quantize_options options = {
		.ranges = ranges,
		.input_range = student->options->input_range,
		.output_range = student->options->output_range,
	};
	int ret;

	if (student->fake) {
		ret = fake_quantize_update(student->fake, &options);
		if (!ret)
			fake_quantize_weights(student->fake);
		return ret;
	}
	ret = fake_quantize_create(&student->fake, student->graph, &options);
	if (ret)
		return ret;
	fake_quantize_enable(student->fake, true);
	fake_quantize_weights(student->fake);
	return create_batch(student);
}

int distill_student_unquantize(struct distill_student *student)
{
	if (!student->fake)
		return 0;
	fake_quantize_destroy(student->fake);
	student->fake = NULL;
	return create_batch(student);
}

/* ---- batches ---- */

static void fill(struct distill_student *student, enum distill_stream stream,
		 uint64_t number)
{
	const struct recipe *recipe = student->options->recipe;
	uint64_t first = number * (uint64_t)recipe->batch;
	int64_t count = shard_size(student);

	for (int64_t s = 0; s < recipe->shards; s++)
		distill_data_fill(student->data, stream,
				  first + (uint64_t)(s * count), count,
				  student->loss.inputs +
					  s * student->graph->input_count);
}

int distill_student_run(struct distill_student *student, uint64_t number,
			double progress, double *loss)
{
	fill(student, DISTILL_TRAINING, number);
	student->loss.progress = progress;
	student->loss.measures = false;
	return batch_run(student->batch,
			 (const float *const *)student->loss.inputs,
			 student->gradient, loss);
}

int distill_student_measure(struct distill_student *student, double *quality)
{
	const struct recipe *recipe = student->options->recipe;
	int64_t batches =
		(recipe->validation + recipe->batch - 1) / recipe->batch;
	double sum = 0;

	student->loss.measures = true;
	for (int64_t i = 0; i < batches; i++) {
		double error;
		int ret;

		fill(student, DISTILL_VALIDATION, (uint64_t)i);
		ret = batch_run(student->batch,
				(const float *const *)student->loss.inputs,
				NULL, &error);
		if (ret)
			return ret;
		sum += error / (double)batches;
	}
	*quality = -10 * log10(sum);
	return 0;
}
