/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/history.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_FIRST 64

static int grow(struct history *history)
{
	size_t capacity = history->capacity ? 2 * history->capacity :
					      CAPACITY_FIRST;
	struct history_point *points =
		realloc(history->points, capacity * sizeof(*points));

	if (!points)
		return accel_error(-ENOMEM, "no memory for a training's curve");
	history->points = points;
	history->capacity = capacity;
	return 0;
}

int history_add(struct history *history, const struct history_point *point)
{
	int ret;

	/* steps that are made again after a rollback */
	while (history->count &&
	       history->points[history->count - 1].step >= point->step)
		history->count--;
	if (history->count == history->capacity) {
		ret = grow(history);
		if (ret)
			return ret;
	}
	history->points[history->count++] = *point;
	return 0;
}

static void print_point(FILE *stream, const struct history_point *point)
{
	fprintf(stream, "%8llu  %9.3g  %7.2f  %6.2f %%  %9.2g  %s\n",
		(unsigned long long)point->step, point->loss, point->quality,
		100 * point->sparsity, point->rate,
		point->quantized ? "int8" : "float");
}

char *history_format(const struct history *history, size_t lines)
{
	size_t count = history->count;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "    step       loss       dB  sparsity       rate\n");
	lines = lines < 2 ? 2 : lines < count ? lines : count;
	for (size_t i = 0; i < lines && count; i++)
		print_point(stream,
			    &history->points[lines > 1 ? i * (count - 1) /
								 (lines - 1) :
							 0]);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

/* JSON has neither infinity nor NaN. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *point_json(const struct history_point *point)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:b}", "step",
			 (json_int_t)point->step, "loss", number(point->loss),
			 "psnr", number(point->quality), "sparsity",
			 number(point->sparsity), "rate", number(point->rate),
			 "int8", point->quantized != 0);
}

struct json_t *history_json(const struct history *history)
{
	json_t *list = json_array();

	for (size_t i = 0; i < history->count; i++)
		if (json_array_append_new(list,
					  point_json(&history->points[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

void history_release(struct history *history)
{
	free(history->points);
	*history = (struct history){ 0 };
}
