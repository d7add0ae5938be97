/* SPDX-License-Identifier: MIT */
#ifndef METRICS_CLASSIFIER_FEATURES_H
#define METRICS_CLASSIFIER_FEATURES_H

#include <stddef.h>

#include <compress/graph.h>
#include <compress/quantize.h>

/**
 * struct classifier_pictures - what is looked at
 * @values: [count][size], in order of rows
 * @count: pictures
 * @size: values of each
 * @range: black and white; the classifier sees them as 0 and 1
 */
struct classifier_pictures {
	const float *values;
	size_t count;
	size_t size;
	struct quantize_range range;
};

/**
 * classifier_features() - what a classifier's last layer decides from
 * @classifier: a network of one input, that ends in a linear layer, or that and a
 *	softmax
 * @pictures: any number, of as many values as it takes
 * @features: result, [count][size], to be freed
 * @size: result
 *
 * Return: 0; −EINVAL for pictures that do not fit or no classifier, with a text;
 * −ENOMEM, −EOVERFLOW, −ENOSYS.
 */
int classifier_features(const struct graph *classifier,
			const struct classifier_pictures *pictures,
			float **features, size_t *size);

#endif
