/* SPDX-License-Identifier: MIT */
#include <compress/floats.h>
#include <core/error.h>
#include <train/batch.h>
#include <train/team.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Floats of a sum that stay in the first cache until all shards are in. */
#define SUM_BLOCK ((size_t)2048)

/**
 * struct shard - what became of one part of the batch
 * @gradient: over all parameters
 * @loss: of it
 * @status: 0 or -errno
 * @error: text, if the status is none; owned
 */
struct shard {
	float *gradient;
	double loss;
	int status;
	char *error;
};

/**
 * struct batch - shards, and the workers that take them
 * @graph: not owned
 * @parameters: not owned
 * @options: as given
 * @wanted: the tapes': that of the options, and the parameters
 * @shards: one for each
 * @tapes: one for each worker
 * @team: the workers; NULL if there is one
 * @inputs: of the run
 * @gradient: of the run; NULL if it wants none
 */
struct batch {
	const struct graph *graph;
	const struct parameters *parameters;
	struct batch_options options;
	bool *wanted;
	struct shard *shards;
	struct tape **tapes;
	struct team *team;
	const float *const *inputs;
	float *gradient;
};

/* Where the tape leaves them nobody has to fetch them from. */
static void place_gradient(const struct batch *batch, struct tape *tape,
			   float *gradient)
{
	for (int p = 0; p < batch->parameters->count; p++) {
		const struct parameter *parameter = &batch->parameters->list[p];

		tape_place_gradient(tape, parameter->tensor,
				    gradient + parameter->first);
	}
}

static int run_shard(struct batch *batch, struct tape *tape, int index)
{
	struct shard *shard = &batch->shards[index];
	size_t inputs = (size_t)batch->graph->input_count;
	int ret;

	place_gradient(batch, tape, shard->gradient);
	ret = tape_forward(tape, batch->inputs + (size_t)index * inputs);
	if (ret)
		return ret;
	shard->loss =
		batch->options.loss(batch->options.loss_context, index, tape);
	if (!batch->gradient || !isfinite(shard->loss))
		return 0;
	return tape_backward(tape);
}

/* The text belongs to this thread; the caller of the batch wants it too. */
static void run_shards(void *context, int worker)
{
	struct batch *batch = context;

	for (int s = worker; s < batch->options.shards;
	     s += batch->options.workers) {
		struct shard *shard = &batch->shards[s];

		shard->status = run_shard(batch, batch->tapes[worker], s);
		if (shard->status)
			shard->error = strdup(accel_last_error());
	}
}

static int create_shards(struct batch *batch)
{
	size_t shards = (size_t)batch->options.shards;
	int64_t total = (int64_t)batch->parameters->total;

	batch->shards = calloc(shards, sizeof(*batch->shards));
	if (!batch->shards)
		return accel_error(-ENOMEM, "no memory for %zu shards", shards);
	for (size_t s = 0; s < shards; s++) {
		batch->shards[s].gradient = floats_allocate(total);
		if (!batch->shards[s].gradient)
			return accel_error(
				-ENOMEM, "no memory for %zu gradients", shards);
	}
	return 0;
}

static int create_tapes(struct batch *batch, const struct graph_shape *inputs)
{
	struct tape_options options = batch->options.tape;
	size_t workers = (size_t)batch->options.workers;
	size_t tensors = (size_t)batch->graph->tensor_count;
	int ret = 0;

	batch->tapes = calloc(workers, sizeof(struct tape *));
	batch->wanted = calloc(tensors + 1, sizeof(*batch->wanted));
	if (!batch->tapes || !batch->wanted)
		return accel_error(-ENOMEM, "no memory for %zu workers",
				   workers);
	for (size_t t = 0; t < tensors; t++)
		batch->wanted[t] = options.wanted && options.wanted[t];
	for (int p = 0; p < batch->parameters->count; p++)
		batch->wanted[batch->parameters->list[p].tensor] = true;
	options.wanted = batch->wanted;
	for (size_t w = 0; w < workers && !ret; w++)
		ret = tape_create(&batch->tapes[w], batch->graph, inputs,
				  &options);
	return ret;
}

static int check_options(const struct batch_options *options)
{
	if (options->shards < 1)
		return accel_error(-EINVAL, "a batch has at least one shard");
	if (options->workers < 1 || options->workers > options->shards)
		return accel_error(-EINVAL,
				   "%d workers for %d shards: 1 to %d can work",
				   options->workers, options->shards,
				   options->shards);
	return 0;
}

int batch_create(struct batch **out, const struct graph *graph,
		 const struct parameters *parameters,
		 const struct graph_shape *inputs,
		 const struct batch_options *options)
{
	struct batch *batch;
	int ret = check_options(options);

	if (ret)
		return ret;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return accel_error(-ENOMEM, "no memory for a batch");
	batch->graph = graph;
	batch->parameters = parameters;
	batch->options = *options;
	ret = create_shards(batch);
	if (!ret)
		ret = create_tapes(batch, inputs);
	if (!ret && options->workers > 1)
		ret = team_create(&batch->team, options->workers);
	if (ret) {
		batch_destroy(batch);
		return ret;
	}
	*out = batch;
	return 0;
}

void batch_replace_constant(struct batch *batch, int tensor,
			    const float *values)
{
	for (int w = 0; w < batch->options.workers; w++)
		tape_replace_constant(batch->tapes[w], tensor, values);
}

struct team *batch_team(const struct batch *batch)
{
	return batch->team;
}

static void forget_errors(struct batch *batch)
{
	for (int s = 0; s < batch->options.shards; s++) {
		free(batch->shards[s].error);
		batch->shards[s].error = NULL;
		batch->shards[s].status = 0;
	}
}

static int first_error(const struct batch *batch)
{
	for (int s = 0; s < batch->options.shards; s++) {
		const struct shard *shard = &batch->shards[s];

		if (shard->status)
			return accel_error(shard->status, "%s",
					   shard->error ? shard->error :
							  "out of memory");
	}
	return 0;
}

/* In the order of the shards, whoever made them. */
static void add_up(void *context, int worker)
{
	const struct batch *batch = context;
	struct team_span own = team_part(batch->team, worker,
					 batch->parameters->total, SUM_BLOCK);

	for (size_t first = own.begin; first < own.end; first += SUM_BLOCK) {
		size_t count = own.end - first < SUM_BLOCK ? own.end - first :
							     SUM_BLOCK;
		float *restrict sum = batch->gradient + first;

		memcpy(sum, batch->shards[0].gradient + first,
		       count * sizeof(*sum));
		for (int s = 1; s < batch->options.shards; s++) {
			const float *restrict part =
				batch->shards[s].gradient + first;

			for (size_t i = 0; i < count; i++)
				sum[i] += part[i];
		}
	}
}

static double add_losses(const struct batch *batch)
{
	double loss = 0;

	for (int s = 0; s < batch->options.shards; s++)
		loss += batch->shards[s].loss;
	return loss;
}

int batch_run(struct batch *batch, const float *const *inputs, float *gradient,
	      double *loss)
{
	int ret;

	forget_errors(batch);
	batch->inputs = inputs;
	batch->gradient = gradient;
	team_run(batch->team, run_shards, batch);
	ret = first_error(batch);
	if (ret)
		return ret;
	*loss = add_losses(batch);
	if (gradient && isfinite(*loss))
		team_run(batch->team, add_up, batch);
	else if (gradient)
		memset(gradient, 0,
		       batch->parameters->total * sizeof(*gradient));
	return 0;
}

void batch_destroy(struct batch *batch)
{
	if (!batch)
		return;
	team_destroy(batch->team);
	for (int w = 0; batch->tapes && w < batch->options.workers; w++)
		tape_destroy(batch->tapes[w]);
	for (int s = 0; batch->shards && s < batch->options.shards; s++) {
		free(batch->shards[s].gradient);
		free(batch->shards[s].error);
	}
	free(batch->tapes);
	free(batch->shards);
	free(batch->wanted);
	free(batch);
}
