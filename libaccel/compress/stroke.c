// SPDX-License-Identifier: MIT
#include <compress/stroke.h>
#include <metrics/stroke_likelihood.h>

#include <math.h>
#include <string.h>

enum { PEN_DOWN = 2, PENS = 3, COMPONENTS = METRICS_MIXTURE };

/* Parameters of the components, one block for each after the logits. */
enum { MEAN_X, MEAN_Y, SPREAD_X, SPREAD_Y, CORRELATION };

static double parameter(const float *outputs, int block, size_t component)
{
	return (double)outputs[PENS + (1 + block) * COMPONENTS + component];
}

/* ---- drawing ---- */

/* An index by the logarithms of its probabilities, which need not add up to 1. */
static size_t choose(struct sample_generator *generator, const float *logits,
		     size_t count, double temperature)
{
	double total = 0, left;
	size_t i;

	for (i = 0; i < count; i++)
		total += exp((double)logits[i] / temperature);
	left = sample_uniform(generator) * total;
	for (i = 0; i < count - 1; i++) {
		left -= exp((double)logits[i] / temperature);
		if (left < 0)
			break;
	}
	return i;
}

void stroke_draw(struct sample_generator *generator, const float *outputs,
		 double temperature, float *stroke)
{
	size_t pen = choose(generator, outputs, PENS, temperature);
	size_t c = choose(generator, outputs + PENS, COMPONENTS, temperature);
	double spread = sqrt(temperature);
	double x = sample_normal(generator);
	double y = sample_normal(generator);
	double rho = tanh(parameter(outputs, CORRELATION, c));

	y = rho * x + sqrt(1 - rho * rho) * y;
	memset(stroke, 0, METRICS_STROKE_SIZE * sizeof(*stroke));
	stroke[0] = (float)(parameter(outputs, MEAN_X, c) +
			    x * spread * exp(parameter(outputs, SPREAD_X, c)));
	stroke[1] = (float)(parameter(outputs, MEAN_Y, c) +
			    y * spread * exp(parameter(outputs, SPREAD_Y, c)));
	stroke[PEN_DOWN + pen] = 1;
}

/* ---- its log-likelihood ---- */

/**
 * struct normal - a component, seen from a stroke
 * @x: distance in deviations
 * @y: likewise
 * @rho: correlation
 * @rest: 1 − @rho², which is not 0 where @rho rounds to 1
 * @square: Mahalanobis distance, squared, times @rest
 */
struct normal {
	double x;
	double y;
	double rho;
	double rest;
	double square;
};

static struct normal normal_of(const float *outputs, size_t c,
			       const float *stroke)
{
	double correlation = parameter(outputs, CORRELATION, c);
	struct normal normal = {
		.x = ((double)stroke[0] - parameter(outputs, MEAN_X, c)) /
		     exp(parameter(outputs, SPREAD_X, c)),
		.y = ((double)stroke[1] - parameter(outputs, MEAN_Y, c)) /
		     exp(parameter(outputs, SPREAD_Y, c)),
		.rho = tanh(correlation),
		.rest = pow(cosh(correlation), -2),
	};

	normal.square = normal.x * normal.x + normal.y * normal.y -
			2 * normal.rho * normal.x * normal.y;
	return normal;
}

/* Logarithms to probabilities that add up to 1. */
static void normalize(double *values, size_t count)
{
	double largest = -INFINITY, total = 0;

	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, values[i]);
	for (size_t i = 0; i < count; i++) {
		values[i] = exp(values[i] - largest);
		total += values[i];
	}
	for (size_t i = 0; i < count; i++)
		values[i] /= total;
}

static void add_pens(const float *outputs, const float *stroke, double scale,
		     float *gradient)
{
	double pens[PENS];

	for (size_t i = 0; i < PENS; i++)
		pens[i] = (double)outputs[i];
	normalize(pens, PENS);
	for (size_t i = 0; i < PENS; i++)
		gradient[i] += (float)(scale * ((double)stroke[PEN_DOWN + i] -
						pens[i]));
}

/* @part: of the stroke's likelihood, and of the scale */
static void add_component(const float *outputs, size_t c,
			  const struct normal *normal, double part,
			  float *gradient)
{
	float *own = gradient + PENS + COMPONENTS + c;
	double x = (normal->x - normal->rho * normal->y) / normal->rest;
	double y = (normal->y - normal->rho * normal->x) / normal->rest;

	own[MEAN_X * COMPONENTS] +=
		(float)(part * x / exp(parameter(outputs, SPREAD_X, c)));
	own[MEAN_Y * COMPONENTS] +=
		(float)(part * y / exp(parameter(outputs, SPREAD_Y, c)));
	own[SPREAD_X * COMPONENTS] += (float)(part * (normal->x * x - 1));
	own[SPREAD_Y * COMPONENTS] += (float)(part * (normal->y * y - 1));
	own[CORRELATION * COMPONENTS] +=
		(float)(part *
			(normal->x * normal->y +
			 normal->rho * (1 - normal->square / normal->rest)));
}

static void add_mixture(const float *outputs, const float *stroke, double scale,
			float *gradient)
{
	double weights[COMPONENTS], joint[COMPONENTS];
	struct normal normals[COMPONENTS];

	for (size_t c = 0; c < COMPONENTS; c++) {
		const struct normal *normal = &normals[c];

		normals[c] = normal_of(outputs, c, stroke);
		weights[c] = (double)outputs[PENS + c];
		joint[c] = weights[c] - normal->square / (2 * normal->rest) -
			   parameter(outputs, SPREAD_X, c) -
			   parameter(outputs, SPREAD_Y, c) -
			   log(normal->rest) / 2;
	}
	normalize(weights, COMPONENTS);
	normalize(joint, COMPONENTS);
	for (size_t c = 0; c < COMPONENTS; c++) {
		gradient[PENS + c] += (float)(scale * (joint[c] - weights[c]));
		add_component(outputs, c, &normals[c], scale * joint[c],
			      gradient);
	}
}

void stroke_gradient(const float *outputs, const float *stroke, double scale,
		     float *gradient)
{
	add_pens(outputs, stroke, scale, gradient);
	add_mixture(outputs, stroke, scale, gradient);
}
