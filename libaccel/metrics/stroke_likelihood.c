/* SPDX-License-Identifier: MIT */
#include <metrics/stroke_likelihood.h>

#include <math.h>

enum { STROKE_PENS = 3 };

/* ln Σ eˣ, without overflow: the largest term becomes 1. */
static double log_sum_exp(const double *terms, size_t count)
{
	double largest = -INFINITY;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, terms[i]);
	for (size_t i = 0; i < count; i++)
		sum += exp(terms[i] - largest);
	return largest + log(sum);
}

/* ln N(dx, dy; μ, σ, ρ) of one component of the mixture. */
static double log_normal(const float *mixture, size_t component,
			 const float *stroke)
{
	const float *p = mixture + METRICS_MIXTURE + component;
	double log_sx = (double)p[2 * METRICS_MIXTURE];
	double log_sy = (double)p[3 * METRICS_MIXTURE];
	double x = ((double)stroke[0] - (double)p[0]) / exp(log_sx);
	double y =
		((double)stroke[1] - (double)p[METRICS_MIXTURE]) / exp(log_sy);
	double rho = tanh((double)p[4 * METRICS_MIXTURE]);
	/* 1 − ρ², which is not 0 where ρ rounds to 1 */
	double rest = pow(cosh((double)p[4 * METRICS_MIXTURE]), -2);

	return -(x * x + y * y - 2 * rho * x * y) / (2 * rest) - log_sx -
	       log_sy - log(2 * M_PI * sqrt(rest));
}

/* −ln Σ π·N. All in logarithms: far from every component the density is 0 in binary64. */
static double mixture_nll(const float *output, const float *next)
{
	const float *mixture = output + STROKE_PENS;
	double weights[METRICS_MIXTURE], joint[METRICS_MIXTURE];

	for (size_t i = 0; i < METRICS_MIXTURE; i++) {
		weights[i] = (double)mixture[i];
		joint[i] = weights[i] + log_normal(mixture, i, next);
	}
	return log_sum_exp(weights, METRICS_MIXTURE) -
	       log_sum_exp(joint, METRICS_MIXTURE);
}

/* Logarithms of the pen's probabilities. */
static void pen_logarithms(const float *output, double *logarithms)
{
	double total;

	for (size_t i = 0; i < STROKE_PENS; i++)
		logarithms[i] = (double)output[i];
	total = log_sum_exp(logarithms, STROKE_PENS);
	for (size_t i = 0; i < STROKE_PENS; i++)
		logarithms[i] -= total;
}

static double step_nll(const float *output, const float *next)
{
	double pens[STROKE_PENS];
	double nll = mixture_nll(output, next);

	pen_logarithms(output, pens);
	for (size_t i = 0; i < STROKE_PENS; i++)
		nll -= (double)next[2 + i] * pens[i];
	return nll;
}

static double step_kl(const float *output, const float *other,
		      const float *next)
{
	double own[STROKE_PENS], others[STROKE_PENS];
	double kl = mixture_nll(other, next) - mixture_nll(output, next);

	pen_logarithms(output, own);
	pen_logarithms(other, others);
	for (size_t i = 0; i < STROKE_PENS; i++)
		kl += exp(own[i]) * (own[i] - others[i]);
	return kl;
}

double metrics_stroke_nll(const float *strokes, const float *outputs,
			  size_t steps, size_t batch)
{
	size_t count = (steps - 1) * batch;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += step_nll(outputs + i * METRICS_STROKE_OUTPUTS,
				strokes + (i + batch) * METRICS_STROKE_SIZE);
	return sum / (double)count;
}

double metrics_stroke_kl(const float *strokes, const float *outputs,
			 const float *other, size_t steps, size_t batch)
{
	size_t count = (steps - 1) * batch;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += step_kl(outputs + i * METRICS_STROKE_OUTPUTS,
			       other + i * METRICS_STROKE_OUTPUTS,
			       strokes + (i + batch) * METRICS_STROKE_SIZE);
	return sum / (double)count;
}
