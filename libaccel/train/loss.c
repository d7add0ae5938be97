/* SPDX-License-Identifier: MIT */
#include <train/loss.h>

#include <math.h>

double loss_squared(const float *prediction, const float *target, size_t count,
		    double scale, float *gradient)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double difference = (double)prediction[i] - (double)target[i];

		sum += difference * difference;
		if (gradient)
			gradient[i] += (float)(2 * scale * difference);
	}
	return scale * sum;
}

double loss_absolute(const float *prediction, const float *target, size_t count,
		     double scale, float *gradient)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double difference = (double)prediction[i] - (double)target[i];

		sum += fabs(difference);
		if (gradient)
			gradient[i] += (float)(difference > 0 ? scale :
					       difference < 0 ? -scale :
								0);
	}
	return scale * sum;
}

/* ln Σ exp(scores / temperature) */
static double log_sum(const float *scores, size_t classes, double temperature)
{
	double largest = (double)scores[0];
	double sum = 0;

	for (size_t i = 1; i < classes; i++)
		if ((double)scores[i] > largest)
			largest = (double)scores[i];
	for (size_t i = 0; i < classes; i++)
		sum += exp(((double)scores[i] - largest) / temperature);
	return largest / temperature + log(sum);
}

static double divergence_row(const float *prediction, const float *target,
			     size_t classes, double t, double scale,
			     float *gradient)
{
	double predicted = log_sum(prediction, classes, t);
	double wanted = log_sum(target, classes, t);
	double sum = 0;

	for (size_t i = 0; i < classes; i++) {
		double log_p = (double)target[i] / t - wanted;
		double log_q = (double)prediction[i] / t - predicted;
		double p = exp(log_p);

		sum += p * (log_p - log_q);
		if (gradient)
			gradient[i] += (float)(scale * t * (exp(log_q) - p));
	}
	return t * t * sum;
}

double loss_divergence(const float *prediction, const float *target,
		       size_t rows, size_t classes, float temperature,
		       double scale, float *gradient)
{
	double sum = 0;

	for (size_t row = 0; row < rows; row++)
		sum += divergence_row(
			prediction + row * classes, target + row * classes,
			classes, (double)temperature, scale,
			gradient ? gradient + row * classes : NULL);
	return scale * sum;
}

static double cross_entropy_row(const float *scores, int64_t label,
				size_t classes, double smoothing, double scale,
				float *gradient)
{
	double normalizer = log_sum(scores, classes, 1);
	double sum = 0;

	for (size_t i = 0; i < classes; i++) {
		double log_q = (double)scores[i] - normalizer;
		double p = smoothing / (double)classes;

		if ((int64_t)i == label)
			p += 1 - smoothing;
		sum -= p * log_q;
		if (gradient)
			gradient[i] += (float)(scale * (exp(log_q) - p));
	}
	return sum;
}

double loss_cross_entropy(const float *scores, const int64_t *labels,
			  size_t rows, size_t classes, float smoothing,
			  double scale, float *gradient)
{
	double sum = 0;

	for (size_t row = 0; row < rows; row++)
		sum += cross_entropy_row(scores + row * classes, labels[row],
					 classes, (double)smoothing, scale,
					 gradient ? gradient + row * classes :
						    NULL);
	return scale * sum;
}

double loss_binary(const float *scores, const float *target, size_t count,
		   double scale, float *gradient)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double x = (double)scores[i], t = (double)target[i];

		/* ln(1 + eˣ) − t·x, without overflow */
		sum += fmax(x, 0) - x * t + log1p(exp(-fabs(x)));
		if (gradient)
			gradient[i] += (float)(scale * (1 / (1 + exp(-x)) - t));
	}
	return scale * sum;
}

double loss_gaussian(const float *mean, const float *log_variance, size_t count,
		     double scale, float *mean_gradient,
		     float *log_variance_gradient)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double m = (double)mean[i], l = (double)log_variance[i];
		double variance = exp(l);

		sum += (m * m + variance - 1 - l) / 2;
		if (mean_gradient)
			mean_gradient[i] += (float)(scale * m);
		if (log_variance_gradient)
			log_variance_gradient[i] +=
				(float)(scale * (variance - 1) / 2);
	}
	return scale * sum;
}
