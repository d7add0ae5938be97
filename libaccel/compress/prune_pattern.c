// SPDX-License-Identifier: MIT
#include <compress/prune_pattern.h>
#include <compress/weight_layout.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>

/* Beyond any hardware that asks for such a pattern. */
#define GROUP_MAX 64

int prune_pattern_parse(const char *text, struct prune_pattern *pattern)
{
	char rest;

	if (sscanf(text, "%d:%d%c", &pattern->keep, &pattern->of, &rest) == 2 &&
	    pattern->keep >= 1 && pattern->keep < pattern->of &&
	    pattern->of <= GROUP_MAX)
		return 0;
	return accel_error(
		-EINVAL,
		"%s: it takes N:M, N of M weights stay, such as 2:4; M is at most %d",
		text, GROUP_MAX);
}

/* How many of a group are better than its i-th, or as good and before it. */
static int64_t rank_of(const float *scores, int64_t size, int64_t stride,
		       int64_t i)
{
	int64_t rank = 0;

	for (int64_t j = 0; j < size; j++)
		rank += scores[j * stride] > scores[i * stride] ||
			(scores[j * stride] == scores[i * stride] && j < i);
	return rank;
}

static void select_group(const float *scores, int64_t size, int64_t stride,
			 int64_t kept, uint8_t *keep)
{
	for (int64_t i = 0; i < size; i++)
		keep[i * stride] = rank_of(scores, size, stride, i) < kept;
}

static void select_tensor(const struct weight_layout *layout,
			  const float *scores,
			  const struct prune_pattern *pattern, uint8_t *keep)
{
	int64_t stride = layout->inner;

	for (int64_t line = 0; line < layout->outer * stride; line++) {
		int64_t start =
			line / stride * layout->length * stride + line % stride;

		for (int64_t i = 0; i < layout->length; i += pattern->of) {
			int64_t left = layout->length - i;
			int64_t at = start + i * stride;

			select_group(scores + at,
				     left < pattern->of ? left : pattern->of,
				     stride, pattern->keep, keep + at);
		}
	}
}

void prune_pattern_select(const struct graph *graph, const float *const *scores,
			  const struct prune_pattern *pattern,
			  struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		struct weight_layout layout;

		if (!mask->keep[t])
			continue;
		layout = weight_layout_find(graph, t);
		select_tensor(&layout, scores[t], pattern, mask->keep[t]);
	}
}
