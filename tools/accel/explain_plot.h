/* SPDX-License-Identifier: MIT */
/* The pictures of an explanation, as SVG inside a page. */
#ifndef TOOL_EXPLAIN_PLOT_H
#define TOOL_EXPLAIN_PLOT_H

#include "explanation.h"
#include "markup.h"

/* Multiplications a cycle over those per byte of operands, below the roof. */
void plot_roofline(struct markup *markup,
		   const struct explanation *explanation);

/* When each layer runs, from the run's begin on. */
void plot_times(struct markup *markup, const struct explanation *explanation);

/* A bar of 100 % for each layer and the total. */
void plot_stalls(struct markup *markup, const struct explanation *explanation);

#endif
