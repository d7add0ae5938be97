/* SPDX-License-Identifier: MIT */
/* N of M: of each M neighbours along the input's channels, N stay. */
#ifndef COMPRESS_PRUNE_PATTERN_H
#define COMPRESS_PRUNE_PATTERN_H

#include <compress/graph.h>
#include <compress/prune.h>

/* "2:4". 0 or −EINVAL, with a text. */
int prune_pattern_parse(const char *text, struct prune_pattern *pattern);

/*
 * Keep the best @pattern->keep of each group, and of equal ones the first; a last group
 * that is not full keeps as many, or all that it has. Groups lie in one row of the
 * matrix and in one tap of a kernel.
 */
void prune_pattern_select(const struct graph *graph, const float *const *scores,
			  const struct prune_pattern *pattern,
			  struct prune_mask *mask);

#endif
