/* SPDX-License-Identifier: MIT */
/* Scores that look at one layer at work, and not at what comes after it. */
#ifndef COMPRESS_SCORE_LAYER_H
#define COMPRESS_SCORE_LAYER_H

#include <compress/prune_method.h>

/*
 * w²·E[x²]: what a layer's result loses with the weight, if the inputs are independent:
 * the diagonal of the layer's own Hessian (LeCun et al., 1990; Dong et al., 2017).
 */
int score_obd(const struct prune_method_context *context, float **scores);

/*
 * All weights of a neuron, channel or hidden unit alike: its mean magnitude, as part of
 * the layer's. Whole rows go, and one in part.
 */
int score_activation(const struct prune_method_context *context,
		     float **scores);

#endif
