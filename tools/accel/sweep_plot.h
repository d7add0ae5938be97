/* SPDX-License-Identifier: MIT */
#ifndef TOOL_SWEEP_PLOT_H
#define TOOL_SWEEP_PLOT_H

#include "sweep_table.h"

/*
 * As an SVG that needs nothing else: cycles and utilization over the first key, a
 * line for each combination of the others; points that were refused are gaps. The
 * axis is logarithmic where the key's values span a factor of eight or more.
 */
int sweep_plot_print(const struct sweep_table *table, FILE *stream);

#endif
