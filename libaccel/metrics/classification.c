/* SPDX-License-Identifier: MIT */
#include <metrics/classification.h>

#include <core/error.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Of equals the first. */
static size_t chosen(const float *scores, size_t classes)
{
	size_t best = 0;

	for (size_t i = 1; i < classes; i++)
		if (scores[i] > scores[best])
			best = i;
	return best;
}

double metrics_accuracy(const float *scores, size_t rows, size_t classes,
			const int64_t *labels)
{
	size_t right = 0;

	for (size_t row = 0; row < rows; row++)
		right += (int64_t)chosen(scores + row * classes, classes) ==
			 labels[row];
	return (double)right / (double)rows;
}

/* ---- of each class ---- */

/** struct tally - rows of a class: that it has, that were taken for it, that are both */
struct tally {
	size_t count;
	size_t chosen;
	size_t right;
};

static int check_row(const float *scores, size_t row, size_t classes,
		     int64_t label)
{
	if (label < 0 || (uint64_t)label >= classes)
		return accel_error(-EINVAL,
				   "label %zu is %" PRId64
				   ", and the network has the classes 0 to %zu",
				   row, label, classes - 1);
	for (size_t i = 0; i < classes; i++)
		if (isnan(scores[i]))
			return accel_error(
				-EINVAL, "score %zu of row %zu is not a number",
				i, row);
	return 0;
}

static int count_all(const float *scores, size_t rows, size_t classes,
		     const int64_t *labels, struct tally *tallies)
{
	for (size_t row = 0; row < rows; row++) {
		const float *own = scores + row * classes;
		int ret = check_row(own, row, classes, labels[row]);
		size_t choice;

		if (ret)
			return ret;
		choice = chosen(own, classes);
		tallies[labels[row]].count++;
		tallies[choice].chosen++;
		tallies[choice].right += (int64_t)choice == labels[row];
	}
	return 0;
}

static double part(size_t count, size_t whole)
{
	return whole ? (double)count / (double)whole : 0;
}

static struct class_figures class_of(const struct tally *tally)
{
	return (struct class_figures){
		.count = tally->count,
		.precision = part(tally->right, tally->chosen),
		.recall = part(tally->right, tally->count),
		.f1 = part(2 * tally->right, tally->count + tally->chosen),
	};
}

static void find_figures(const struct tally *tallies, size_t rows,
			 size_t classes, struct class_figures *each,
			 struct classification_figures *figures)
{
	size_t right = 0, seen = 0;

	*figures = (struct classification_figures){ .accuracy = 0 };
	for (size_t i = 0; i < classes; i++) {
		struct class_figures one = class_of(&tallies[i]);

		if (each)
			each[i] = one;
		if (!tallies[i].count && !tallies[i].chosen)
			continue;
		seen++;
		right += tallies[i].right;
		figures->precision += one.precision;
		figures->recall += one.recall;
		figures->f1 += one.f1;
	}
	figures->accuracy = part(right, rows);
	figures->precision /= (double)seen;
	figures->recall /= (double)seen;
	figures->f1 /= (double)seen;
}

int classification_measure(const float *scores, size_t rows, size_t classes,
			   const int64_t *labels, struct class_figures *each,
			   struct classification_figures *figures)
{
	struct tally *tallies;
	int ret;

	if (!rows || !classes)
		return accel_error(-EINVAL, "no scores to look at");
	tallies = calloc(classes, sizeof(*tallies));
	if (!tallies)
		return accel_error(-ENOMEM, "no memory for %zu classes",
				   classes);
	ret = count_all(scores, rows, classes, labels, tallies);
	if (!ret)
		find_figures(tallies, rows, classes, each, figures);
	free(tallies);
	return ret;
}
