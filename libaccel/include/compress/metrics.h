/* SPDX-License-Identifier: MIT */
/* How far a compressed network's results are from the dense one's: all of pairs. */
#ifndef COMPRESS_METRICS_H
#define COMPRESS_METRICS_H

#include <metrics/classification.h>
#include <metrics/pixel_error.h>
#include <metrics/stroke_likelihood.h>
#include <metrics/structural_similarity.h>

#endif
