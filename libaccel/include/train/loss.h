/* SPDX-License-Identifier: MIT */
/*
 * Losses and their gradients. Each adds the gradient by the prediction to @gradient
 * (NULL: not wanted) and returns the loss. Sums are made in binary64, in
 * order. @scale is one over the number of elements (or rows) of the whole batch.
 */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* scale · Σ (prediction − target)² */
double loss_squared(const float *prediction, const float *target, size_t count,
		    double scale, float *gradient);

/* scale · Σ |prediction − target| */
double loss_absolute(const float *prediction, const float *target, size_t count,
		     double scale, float *gradient);

/*
 * Of rows of scores: scale · Σ T²·KL(softmax(target/T) ‖ softmax(prediction/T))
 * (Hinton et al., 2015).
 */
double loss_divergence(const float *prediction, const float *target,
		       size_t rows, size_t classes, float temperature,
		       double scale, float *gradient);

/*
 * Cross-entropy of rows of scores against labels, smoothed: the label gets
 * 1 − smoothing, and every class smoothing / classes (Szegedy et al., 2016).
 */
double loss_cross_entropy(const float *scores, const int64_t *labels,
			  size_t rows, size_t classes, float smoothing,
			  double scale, float *gradient);

/* Bernoulli: −t·ln σ(x) − (1 − t)·ln(1 − σ(x)), on x before the sigmoid. */
double loss_binary(const float *scores, const float *target, size_t count,
		   double scale, float *gradient);

/*
 * KL(N(mean, exp(log_variance)) ‖ N(0, 1)), summed; gradients by both.
 */
double loss_gaussian(const float *mean, const float *log_variance, size_t count,
		     double scale, float *mean_gradient,
		     float *log_variance_gradient);

#endif
