/* SPDX-License-Identifier: MIT */
/* What variational autoencoders have in common (Kingma and Welling, 2014). */
#ifndef TRAIN_LATENT_H
#define TRAIN_LATENT_H

#include <train/network.h>
#include <train/task.h>

/**
 * struct latent - the two heads of an encoder, and the sample between the parts
 * @size: of a latent vector
 * @mean: tensor, [N, size]
 * @log_variance: tensor, [N, size]
 * @noise: graph input, [N, size]; numbers from N(0, 1) in training, else 0
 * @sample: tensor, mean + exp(log_variance / 2) · noise
 * @weight: of the divergence from N(0, 1) in the loss
 */
struct latent {
	int64_t size;
	int mean;
	int log_variance;
	int noise;
	int sample;
	float weight;
};

/* Read "latent" and "kl". 0 or −EINVAL with a text. */
int latent_read(struct latent *latent, const struct task *task);

/* Add heads, noise and sample behind an encoder's features, [N, F]. The heads
 * become outputs of the graph. 0 or -errno. */
int latent_add(struct latent *latent, struct network *network, int features);

/* Its part of a shard's loss; gradients go to the tape. */
double latent_loss(const struct latent *latent, const struct task *task,
		   struct tape *tape);

/* The whole from one tensor on without noise: sample becomes the mean. */
int latent_part(const struct latent *latent, const struct graph *graph,
		int input, int output, const char *name, struct graph **part);

#endif
