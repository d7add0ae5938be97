/* SPDX-License-Identifier: MIT */
#ifndef METRICS_STROKE_STATISTICS_H
#define METRICS_STROKE_STATISTICS_H

#include <stddef.h>

/** struct stroke_figure - of one property of all sketches */
struct stroke_figure {
	double mean;
	double deviation;
};

/**
 * struct stroke_statistics - what a set of sketches looks like
 * @steps: strokes of each, up to its end
 * @lifts: how often the pen is lifted
 * @width: of the box around what the pen visits
 * @height: likewise
 * @ink: length of what is drawn while the pen is down
 * @ended: part of the sketches that come to an end
 */
struct stroke_statistics {
	struct stroke_figure steps;
	struct stroke_figure lifts;
	struct stroke_figure width;
	struct stroke_figure height;
	struct stroke_figure ink;
	double ended;
};

/*
 * strokes: [steps][batch][5] (dx, dy, pen down, pen up, end). The pen of a stroke is
 * what comes after it, so that the stroke after a lifted pen draws nothing. 0; −EINVAL,
 * with a text, for no sketches or a value that is not finite.
 */
int stroke_statistics_find(const float *strokes, size_t steps, size_t batch,
			   struct stroke_statistics *statistics);

#endif
