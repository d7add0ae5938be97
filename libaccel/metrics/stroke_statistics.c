/* SPDX-License-Identifier: MIT */
#include <metrics/stroke_statistics.h>

#include <core/error.h>
#include <metrics/stroke_likelihood.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>

enum { PEN_DOWN = 2, PEN_UP, PEN_END };

/** struct sketch - what is known of one, while it is drawn */
struct sketch {
	double steps, lifts, ink;
	double x, y;
	double left, right, top, bottom;
	bool down, ended;
};

/* The first stroke starts with the pen down: the beginning is at the origin. */
static void draw(struct sketch *sketch, const float *stroke)
{
	double dx = (double)stroke[0], dy = (double)stroke[1];

	sketch->x += dx;
	sketch->y += dy;
	sketch->left = fmin(sketch->left, sketch->x);
	sketch->right = fmax(sketch->right, sketch->x);
	sketch->top = fmin(sketch->top, sketch->y);
	sketch->bottom = fmax(sketch->bottom, sketch->y);
	if (sketch->down)
		sketch->ink += hypot(dx, dy);
	sketch->down = stroke[PEN_UP] < 0.5f;
	sketch->lifts += !sketch->down;
	sketch->steps++;
	sketch->ended = stroke[PEN_END] >= 0.5f;
}

static void add(struct stroke_figure *figure, double value)
{
	figure->mean += value;
	figure->deviation += value * value;
}

static void add_sketch(struct stroke_statistics *sums,
		       const struct sketch *sketch)
{
	add(&sums->steps, sketch->steps);
	add(&sums->lifts, sketch->lifts);
	add(&sums->width, sketch->right - sketch->left);
	add(&sums->height, sketch->bottom - sketch->top);
	add(&sums->ink, sketch->ink);
	sums->ended += sketch->ended;
}

/* From sums of values and squares; rounding may leave less than nothing. */
static void settle(struct stroke_figure *figure, double count)
{
	figure->mean /= count;
	figure->deviation = sqrt(fmax(0, figure->deviation / count -
						 figure->mean * figure->mean));
}

static int check(const float *strokes, size_t steps, size_t batch)
{
	if (!steps || !batch)
		return accel_error(-EINVAL, "no sketches to look at");
	for (size_t i = 0; i < steps * batch * METRICS_STROKE_SIZE; i++)
		if (!isfinite(strokes[i]))
			return accel_error(
				-EINVAL,
				"sketch %zu: a stroke is not a finite number",
				i / METRICS_STROKE_SIZE % batch);
	return 0;
}

int stroke_statistics_find(const float *strokes, size_t steps, size_t batch,
			   struct stroke_statistics *statistics)
{
	struct stroke_statistics sums = { .ended = 0 };
	int ret = check(strokes, steps, batch);

	if (ret)
		return ret;
	for (size_t i = 0; i < batch; i++) {
		struct sketch sketch = { .down = true };

		for (size_t t = 0; t < steps && !sketch.ended; t++)
			draw(&sketch,
			     strokes + (t * batch + i) * METRICS_STROKE_SIZE);
		add_sketch(&sums, &sketch);
	}
	settle(&sums.steps, (double)batch);
	settle(&sums.lifts, (double)batch);
	settle(&sums.width, (double)batch);
	settle(&sums.height, (double)batch);
	settle(&sums.ink, (double)batch);
	sums.ended /= (double)batch;
	*statistics = sums;
	return 0;
}
