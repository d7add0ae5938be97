/* SPDX-License-Identifier: MIT */
/* Which part of the values that a tensor takes gets codes: the rest is clipped. */
#ifndef COMPRESS_CALIBRATION_METHOD_H
#define COMPRESS_CALIBRATION_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include <compress/quantize.h>

/**
 * enum calibration_kind - how a range is found
 * @CALIBRATION_EXTREMES: all that was seen
 * @CALIBRATION_PERCENTILE: all but a part of it, half at each end
 * @CALIBRATION_ENTROPY: where the codes' distribution is nearest to that of the values
 *	(Kullback and Leibler's divergence; Migacz, 2017)
 * @CALIBRATION_ERROR: where the squared error of rounding and clipping is least
 */
enum calibration_kind {
	CALIBRATION_EXTREMES,
	CALIBRATION_PERCENTILE,
	CALIBRATION_ENTROPY,
	CALIBRATION_ERROR,
};

/**
 * struct calibration_method - zeroed is the default
 * @kind: of the method
 * @percentile: that stays, 50 … 100
 */
struct calibration_method {
	enum calibration_kind kind;
	double percentile;
};

/* minmax, percentile[:P] (99.99), kl or mse. −EINVAL with a text for anything else. */
int calibration_method_parse(const char *text,
			     struct calibration_method *method);

#define CALIBRATION_BINS 2048

/**
 * struct calibration_histogram - of the values that a tensor took
 * @range: from the least to the largest, 0 in it
 * @counts: of each part of it
 */
struct calibration_histogram {
	struct quantize_range range;
	uint64_t counts[CALIBRATION_BINS];
};

/* Values beyond its range count at its ends. */
void calibration_histogram_add(struct calibration_histogram *histogram,
			       const float *values, size_t count);

/* A part of the histogram's range, 0 in it; all of it where it is empty. */
struct quantize_range
calibration_histogram_range(const struct calibration_histogram *histogram,
			    const struct calibration_method *method);

#endif
