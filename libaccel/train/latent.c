/* SPDX-License-Identifier: MIT */
#include <train/latent.h>

#include <core/error.h>
#include <train/loss.h>

#include <errno.h>

#define LATENT_MAX 4096

int latent_read(struct latent *latent, const struct task *task)
{
	double size = task_number(task, "latent", 0);
	double weight = task_number(task, "kl", 1);

	if (!(size >= 1 && size <= LATENT_MAX) || size != (double)(int64_t)size)
		return accel_error(-EINVAL,
				   "the description's \"latent\" takes 1 to %d",
				   LATENT_MAX);
	if (!(weight >= 0 && weight <= 1e6))
		return accel_error(-EINVAL,
				   "the description's \"kl\" takes 0 to 10⁶");
	latent->size = (int64_t)size;
	latent->weight = (float)weight;
	return 0;
}

/* exp(log_variance / 2); the half is no weight to be trained. */
static int add_deviation(struct latent *latent, struct network *network)
{
	const struct graph_shape one = { .rank = 1, .dims = { 1 } };
	const struct graph_node half = { .op = GRAPH_MULTIPLY,
					 .structural = true };
	const struct graph_node exponential = { .op = GRAPH_EXP };
	const float value = 0.5f;
	int inputs[2] = { latent->log_variance, 0 };
	int tensor;

	inputs[1] = graph_add_constant(network->graph, "half", &one, &value);
	if (inputs[1] < 0)
		return inputs[1];
	tensor = network_add_node(network, &half, "log_deviation", inputs, 2);
	return tensor < 0 ? tensor :
			    network_add_node(network, &exponential, "deviation",
					     &tensor, 1);
}

/* The sample as a function of noise that comes from outside: so gradients go
 * through it, and the graph stays the same in each step. */
static int add_sample(struct latent *latent, struct network *network)
{
	const struct graph_shape shape = { .rank = 1,
					   .dims = { latent->size } };
	const struct graph_node multiply = { .op = GRAPH_MULTIPLY };
	const struct graph_node add = { .op = GRAPH_ADD };
	int scaled[2], sum[2] = { latent->mean, 0 };

	scaled[0] = add_deviation(latent, network);
	if (scaled[0] < 0)
		return scaled[0];
	scaled[1] = network_add_input(network, "noise", &shape, false);
	latent->noise = scaled[1];
	if (scaled[1] < 0)
		return scaled[1];
	sum[1] = network_add_node(network, &multiply, "deviates", scaled, 2);
	if (sum[1] < 0)
		return sum[1];
	latent->sample = network_add_node(network, &add, "latent", sum, 2);
	return latent->sample < 0 ? latent->sample : 0;
}

int latent_add(struct latent *latent, struct network *network, int features)
{
	int ret;

	if (network_shape(network, features)->rank != 2 || network->sequence)
		return accel_error(
			-EINVAL,
			"an encoder ends with features: put flatten or last at its end");
	latent->mean =
		network_add_linear(network, "mean", features, latent->size);
	if (latent->mean < 0)
		return latent->mean;
	latent->log_variance = network_add_linear(network, "log_variance",
						  features, latent->size);
	if (latent->log_variance < 0)
		return latent->log_variance;
	ret = graph_add_output(network->graph, latent->mean);
	if (!ret)
		ret = graph_add_output(network->graph, latent->log_variance);
	return ret ? ret : add_sample(latent, network);
}

double latent_loss(const struct latent *latent, const struct task *task,
		   struct tape *tape)
{
	size_t count = (size_t)(task_shard_samples(task) * latent->size);

	return loss_gaussian(tape_values(tape, latent->mean),
			     tape_values(tape, latent->log_variance), count,
			     (double)latent->weight /
				     (double)task->settings.batch,
			     tape_seed(tape, latent->mean),
			     tape_seed(tape, latent->log_variance));
}

int latent_part(const struct latent *latent, const struct graph *graph,
		int input, int output, const char *name, struct graph **part)
{
	struct graph *clone = graph_clone(graph);
	int ret = clone ? graph_replace_uses(clone, latent->sample,
					     latent->mean) :
			  accel_error(-ENOMEM, "no memory");

	if (!ret)
		ret = network_part(clone, &input, 1, &output, 1, name, part);
	graph_destroy(clone);
	return ret;
}
