/* SPDX-License-Identifier: MIT */
#include <train/learner.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Drop the parameters of other prefixes; vectors are over those that stay. */
static void filter(struct parameters *parameters, const struct graph *graph,
		   const char *prefix)
{
	size_t length = strlen(prefix);
	int kept = 0;

	parameters->total = 0;
	for (int i = 0; i < parameters->count; i++) {
		struct parameter parameter = parameters->list[i];

		if (strncmp(graph->tensors[parameter.tensor].name, prefix,
			    length))
			continue;
		parameter.first = parameters->total;
		parameters->total += parameter.count;
		parameters->list[kept++] = parameter;
	}
	parameters->count = kept;
}

static int find_parameters(struct learner *learner, const char *prefix)
{
	int ret = parameters_find(&learner->parameters, learner->graph);

	if (ret)
		return ret;
	filter(&learner->parameters, learner->graph, prefix);
	if (!learner->parameters.total)
		return accel_error(-EINVAL,
				   "%s: a network without weights to train",
				   learner->graph->name);
	return 0;
}

static int create_batch(struct learner *learner,
			const struct graph_shape *inputs,
			const struct learner_options *options)
{
	size_t count = (size_t)learner->graph->tensor_count;
	bool *seeded = calloc(count, sizeof(*seeded));
	const struct batch_options batch = {
		.shards = options->shards,
		.workers = options->workers,
		.loss = options->loss,
		.loss_context = options->context,
		.tape = { .seeded = seeded },
	};
	int ret;

	if (!seeded)
		return accel_error(-ENOMEM, "no memory for the network");
	for (int i = 0; i < learner->graph->output_count; i++)
		seeded[learner->graph->outputs[i]] = true;
	ret = batch_create(&learner->batch, learner->graph,
			   &learner->parameters, inputs, &batch);
	free(seeded);
	return ret;
}

static int create_vectors(struct learner *learner)
{
	size_t total = learner->parameters.total;

	learner->values = calloc(total, sizeof(*learner->values));
	learner->gradient = calloc(total, sizeof(*learner->gradient));
	if (!learner->values || !learner->gradient)
		return accel_error(-ENOMEM, "no memory for %zu weights", total);
	parameters_load(&learner->parameters, learner->graph, learner->values);
	return 0;
}

int learner_create(struct learner *learner, struct graph *graph,
		   const struct graph_shape *inputs,
		   const struct learner_options *options)
{
	int ret;

	*learner = (struct learner){ .graph = graph };
	ret = find_parameters(learner, options->prefix);
	if (!ret)
		ret = create_vectors(learner);
	if (!ret)
		ret = optimizer_create(&learner->optimizer, &options->optimizer,
				       learner->parameters.total);
	if (!ret)
		ret = create_batch(learner, inputs, options);
	return ret;
}

void learner_release(struct learner *learner)
{
	batch_destroy(learner->batch);
	optimizer_release(&learner->optimizer);
	parameters_release(&learner->parameters);
	free(learner->values);
	free(learner->gradient);
	free(learner->keep);
	graph_destroy(learner->graph);
	*learner = (struct learner){ .graph = NULL };
}

int learner_keep_zeros(struct learner *learner)
{
	const struct parameters *parameters = &learner->parameters;

	learner->keep = malloc(parameters->total);
	if (!learner->keep)
		return accel_error(-ENOMEM, "no memory for a mask");
	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];

		for (size_t i = 0; i < parameter->count; i++) {
			size_t at = parameter->first + i;

			learner->keep[at] = !parameter->prunable ||
					    learner->values[at] != 0;
		}
	}
	return 0;
}

int learner_gradient(struct learner *learner, const float *const *inputs,
		     double *loss)
{
	return batch_run(learner->batch, inputs, learner->gradient, loss);
}

bool learner_update(struct learner *learner, float rate)
{
	double norm = optimizer_step(&learner->optimizer,
				     batch_team(learner->batch),
				     learner->values, learner->gradient,
				     learner->keep, rate);

	if (!isfinite(norm))
		return false;
	parameters_store(&learner->parameters, learner->graph, learner->values);
	return true;
}

void learner_store(struct learner *learner, const float *values)
{
	parameters_store(&learner->parameters, learner->graph, values);
}

/* Before the first step there is nothing that could be averaged. */
const float *learner_result(const struct learner *learner)
{
	const struct optimizer *optimizer = &learner->optimizer;

	return optimizer->average && optimizer->step ? optimizer->average :
						       learner->values;
}
