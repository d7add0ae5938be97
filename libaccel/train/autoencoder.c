/* SPDX-License-Identifier: MIT */
/* A variational autoencoder, measured by the error of what it reconstructs. */
#include <train/task.h>

#include <core/error.h>
#include <train/task_evaluate.h>
#include <train/latent.h>
#include <train/loss.h>
#include <train/reconstruction.h>

#include <errno.h>
#include <stdlib.h>

/** struct autoencoder - private part of the task */
struct autoencoder {
	struct latent latent;
	struct reconstruction reconstruction;
};

static double loss(void *context, int shard, struct tape *tape)
{
	const struct task *task = context;
	const struct autoencoder *autoencoder = task->private;

	return reconstruction_loss(&autoencoder->reconstruction, task,
				   feed_shard(&task->feed, shard)[0], tape) +
	       latent_loss(&autoencoder->latent, task, tape);
}

static int add_parts(struct task *task, struct network *network)
{
	struct autoencoder *autoencoder = task->private;
	int tensor = network_add_input(network, "input", &task->sample, false);
	int ret;

	if (tensor >= 0)
		tensor = network_add_layers(network, "encoder", tensor,
					    json_object_get(task->description,
							    "encoder"));
	if (tensor < 0)
		return tensor;
	ret = latent_add(&autoencoder->latent, network, tensor);
	if (ret)
		return ret;
	tensor = network_add_layers(
		network, "decoder", autoencoder->latent.sample,
		json_object_get(task->description, "decoder"));
	return tensor < 0 ?
		       tensor :
		       reconstruction_add(&autoencoder->reconstruction, network,
					  network->graph->inputs[0], tensor);
}

static int build(struct task *task)
{
	struct autoencoder *autoencoder = calloc(1, sizeof(*autoencoder));
	struct network network;
	struct graph *graph;
	int ret;

	if (!autoencoder)
		return accel_error(-ENOMEM, "no memory");
	task->private = autoencoder;
	ret = latent_read(&autoencoder->latent, task);
	if (!ret)
		ret = reconstruction_read(&autoencoder->reconstruction, task);
	if (ret)
		return ret;
	ret = network_begin(&network, "autoencoder", task->seed);
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
	const struct autoencoder *autoencoder = task->private;

	return reconstruction_measure(&autoencoder->reconstruction, task,
				      samples, quality);
}

static const char *const keys[] = { "encoder", "decoder", "latent",
				    "kl",      "loss",	  NULL };
static const char *const parts[] = { "decoder", "encoder", "autoencoder",
				     NULL };

static int part(const struct task *task, const char *name,
		struct graph **result)
{
	const struct autoencoder *autoencoder = task->private;
	const struct latent *latent = &autoencoder->latent;
	const struct graph *graph = task->graphs[0];
	int input = graph->inputs[0];
	int output = autoencoder->reconstruction.result;

	if (name == parts[0])
		return network_part(graph, &latent->sample, 1, &output, 1, name,
				    result);
	if (name == parts[1])
		return network_part(graph, &input, 1, &latent->mean, 1, name,
				    result);
	return latent_part(latent, graph, input, output, name, result);
}

static void release(struct task *task)
{
	free(task->private);
}

const struct task_operations autoencoder_operations = {
	.name = "autoencoder",
	.keys = keys,
	.noise_learner = -1,
	.parts = parts,
	.build = build,
	.fill = task_fill_plain,
	.measure = measure,
	.part = part,
	.release = release,
};
