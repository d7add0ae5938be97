/* SPDX-License-Identifier: MIT */
/* How often a classifier is right. */
#ifndef METRICS_CLASSIFICATION_H
#define METRICS_CLASSIFICATION_H

#include <stddef.h>
#include <stdint.h>

/* The part of rows of scores whose largest element is at the label's index. */
double metrics_accuracy(const float *scores, size_t rows, size_t classes,
			const int64_t *labels);

/**
 * struct class_figures - of one class
 * @count: rows that are of it
 * @precision: part of the rows taken for it that are of it
 * @recall: part of the rows of it that were taken for it
 * @f1: their harmonic mean; all three are 0 where nothing can be divided by
 */
struct class_figures {
	size_t count;
	double precision;
	double recall;
	double f1;
};

/**
 * struct classification_figures - of all classes
 * @accuracy: part of the rows that are right
 * @precision: mean over the classes that occur or were chosen
 * @recall: likewise
 * @f1: likewise: macro F1
 */
struct classification_figures {
	double accuracy;
	double precision;
	double recall;
	double f1;
};

/*
 * scores: [rows][classes], of which the largest is chosen, of equals the first; each:
 * [classes], or NULL. 0; −EINVAL, with a text, for a label that is no class, for a
 * score that is no number, or no rows; −ENOMEM.
 */
int classification_measure(const float *scores, size_t rows, size_t classes,
			   const int64_t *labels, struct class_figures *each,
			   struct classification_figures *figures);

#endif
