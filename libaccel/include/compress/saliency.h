/* SPDX-License-Identifier: MIT */
/*
 * What the network's output loses with each weight: w²·E[(∂(r·y)/∂w)²] with random
 * signs r, a sampled diagonal of the Gauss–Newton matrix of the squared error. One
 * threshold over all layers then spends the weights where they show.
 *
 * A decoder of sketches (sketches_apply()) has a distribution for its output, and r·y
 * is the log-likelihood of strokes drawn from it: the Fisher information, which is the
 * same for the divergence of distributions. It leaves a third of the divergence that
 * the squared error of the outputs would.
 */
#ifndef COMPRESS_SALIENCY_H
#define COMPRESS_SALIENCY_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

struct compress_progress;

/**
 * struct saliency_options - 0 stands for the default
 * @passes: backward passes, each over one sample, in turn, with signs of its own
 *	(every sample at least SALIENCY_ROUNDS times, and SALIENCY_PASSES in all; of
 *	strokes every sample, and SALIENCY_STROKE_PASSES)
 * @seed: of the signs
 * @workers: threads (1); the result does not depend on it
 * @progress: told of passes, or NULL
 */
struct saliency_options {
	int passes;
	uint64_t seed;
	int workers;
	const struct compress_progress *progress;
};

#define SALIENCY_PASSES 32
#define SALIENCY_ROUNDS 2
#define SALIENCY_STROKE_PASSES 16

/*
 * scores: for each tensor of the graph, an array of its size, or NULL if it is no
 * prunable weight (see struct prune_mask); all results, all ≥ 0. Same bits for the
 * same arguments. 0, −ENOMEM, −EINVAL for values that are not finite.
 */
int saliency_gauss_newton(const struct graph *graph,
			  const struct calibration_data *data,
			  const struct saliency_options *options,
			  float **scores);

/*
 * The first order instead: |w|·E[|g|], g the gradient of ½|y|², the loss of
 * reconstructing the outputs y from nothing (that of reconstructing them from themselves
 * has none); of strokes, of their −log-likelihood (Molchanov et al., 2017). Arguments and
 * results as above.
 */
int saliency_taylor(const struct graph *graph,
		    const struct calibration_data *data,
		    const struct saliency_options *options, float **scores);

/* An array for every prunable weight; NULL without memory. */
float **saliency_create(const struct graph *graph);

/* NULL is allowed. */
void saliency_destroy(float **scores, const struct graph *graph);

#endif
