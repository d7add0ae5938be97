/* SPDX-License-Identifier: MIT */
/*
 * A variational autoencoder over sequences: an image's rows, or strokes. The decoder is
 * given the steps so far and tells the next one (as Ha and Eck's, 2017, but with a plain
 * output); in training they are the true ones.
 */
#include <train/task.h>

#include <core/error.h>
#include <train/latent.h>
#include <train/reconstruction.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inputs of the graph, before the noise. */
enum { SEQUENCE, PREVIOUS };

/**
 * struct recurrent_autoencoder - private part of the task
 * @latent: between encoder and decoder
 * @reconstruction: of the sequence
 * @previous: graph input: the sequence a step later, its first step zero
 * @state: the decoder's at the start, a function of the latent sample
 * @sample: room for one sample
 */
struct recurrent_autoencoder {
	struct latent latent;
	struct reconstruction reconstruction;
	int previous;
	int state;
	float *sample;
};

/* [T, N, F] from samples of [T, F]. */
static void fill(const struct task *task, const struct dataset_part *part,
		 const size_t *indices, size_t count, float *const *inputs)
{
	const struct recurrent_autoencoder *autoencoder = task->private;
	size_t steps = (size_t)task->sample.dims[0];
	size_t features = (size_t)task->sample.dims[1];

	for (size_t n = 0; n < count; n++) {
		dataset_sample(part, indices[n], autoencoder->sample);
		for (size_t t = 0; t < steps; t++)
			memcpy(inputs[SEQUENCE] + (t * count + n) * features,
			       autoencoder->sample + t * features,
			       features * sizeof(float));
	}
	memset(inputs[PREVIOUS], 0, count * features * sizeof(float));
	memcpy(inputs[PREVIOUS] + count * features, inputs[SEQUENCE],
	       (steps - 1) * count * features * sizeof(float));
}

static double loss(void *context, int shard, struct tape *tape)
{
	const struct task *task = context;
	const struct recurrent_autoencoder *autoencoder = task->private;

	return reconstruction_loss(&autoencoder->reconstruction, task,
				   feed_shard(&task->feed, shard)[SEQUENCE],
				   tape) +
	       latent_loss(&autoencoder->latent, task, tape);
}

/* What the decoder begins with, if it begins with a layer that has a state. */
static int add_state(struct recurrent_autoencoder *autoencoder,
		     struct network *network, const json_t *decoder)
{
	const json_t *first = json_array_get(decoder, 0);
	json_int_t hidden =
		json_integer_value(json_object_get(first, "hidden"));
	int ret;

	if (hidden < 1)
		return accel_error(
			-EINVAL,
			"the description's \"decoder\" begins with lstm or gru");
	ret = network_add_state(network, "start", autoencoder->latent.sample,
				hidden);
	autoencoder->state = network->state;
	return ret;
}

static int add_decoder(struct task *task, struct network *network)
{
	struct recurrent_autoencoder *autoencoder = task->private;
	const json_t *decoder = json_object_get(task->description, "decoder");
	int ret = add_state(autoencoder, network, decoder);
	int tensor;

	if (ret)
		return ret;
	network->sequence = true;
	tensor = network_add_layers(network, "decoder", autoencoder->previous,
				    decoder);
	if (tensor < 0)
		return tensor;
	return reconstruction_add(&autoencoder->reconstruction, network,
				  network->graph->inputs[SEQUENCE], tensor);
}

static int add_parts(struct task *task, struct network *network)
{
	struct recurrent_autoencoder *autoencoder = task->private;
	int tensor = network_add_input(network, "input", &task->sample, true);
	int ret;

	autoencoder->previous = tensor < 0 ?
					tensor :
					network_add_input(network, "previous",
							  &task->sample, true);
	if (autoencoder->previous < 0)
		return autoencoder->previous;
	tensor = network_add_layers(network, "encoder", tensor,
				    json_object_get(task->description,
						    "encoder"));
	if (tensor < 0)
		return tensor;
	ret = latent_add(&autoencoder->latent, network, tensor);
	return ret ? ret : add_decoder(task, network);
}

static int read_description(struct task *task)
{
	struct recurrent_autoencoder *autoencoder = task->private;
	int ret = latent_read(&autoencoder->latent, task);

	if (!ret)
		ret = reconstruction_read(&autoencoder->reconstruction, task);
	if (!ret && (task->sample.rank != 2 || task->sample.dims[0] < 2))
		ret = accel_error(
			-EINVAL,
			"the description's \"input\" is [steps, features], two steps at least");
	if (ret)
		return ret;
	autoencoder->sample = calloc((size_t)graph_shape_count(&task->sample),
				     sizeof(*autoencoder->sample));
	return autoencoder->sample ? 0 : accel_error(-ENOMEM, "no memory");
}

static int build(struct task *task)
{
	struct network network;
	struct graph *graph;
	int ret;

	task->private = calloc(1, sizeof(struct recurrent_autoencoder));
	if (!task->private)
		return accel_error(-ENOMEM, "no memory");
	ret = read_description(task);
	if (ret)
		return ret;
	ret = network_begin(&network, "recurrent_autoencoder", task->seed);
	if (!ret)
		ret = add_parts(task, &network);
	graph = network.graph;
	if (!ret)
		network.graph = NULL;
	network_release(&network);
	return ret ? ret :
		     task_add_learner(task, graph, (int)task->settings.shards,
				      task_shard_samples(task), "", loss);
}

static int measure(const struct task *task, size_t samples,
		   struct task_quality *quality)
{
	const struct recurrent_autoencoder *autoencoder = task->private;

	return reconstruction_measure(&autoencoder->reconstruction, task,
				      samples, quality);
}

static const char *const keys[] = { "encoder", "decoder", "latent",
				    "kl",      "loss",	  NULL };
static const char *const parts[] = { "decoder", "encoder", "start", NULL };

/* decoder: previous steps and a state to the next steps; start: a latent vector to
 * that state. */
static int part(const struct task *task, const char *name,
		struct graph **result)
{
	const struct recurrent_autoencoder *autoencoder = task->private;
	const struct latent *latent = &autoencoder->latent;
	const struct graph *graph = task->graphs[0];
	const int decoder[2] = { autoencoder->previous, autoencoder->state };
	int state;

	if (name == parts[0])
		return network_part(graph, decoder, 2,
				    &autoencoder->reconstruction.result, 1,
				    name, result);
	if (name == parts[1])
		return network_part(graph, &graph->inputs[SEQUENCE], 1,
				    &latent->mean, 1, name, result);
	/* [N, H]: the axis that makes a state of it is one that devices cannot add */
	state = graph->nodes[graph->tensors[autoencoder->state].producer]
			.inputs[0];
	return network_part(graph, &latent->sample, 1, &state, 1, name, result);
}

static void release(struct task *task)
{
	struct recurrent_autoencoder *autoencoder = task->private;

	if (autoencoder)
		free(autoencoder->sample);
	free(autoencoder);
}

const struct task_operations recurrent_autoencoder_operations = {
	.name = "recurrent_autoencoder",
	.keys = keys,
	.noise_learner = -1,
	.parts = parts,
	.build = build,
	.fill = fill,
	.measure = measure,
	.part = part,
	.release = release,
};
