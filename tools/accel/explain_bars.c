/* SPDX-License-Identifier: MIT */
/* Plots with a row for each layer. */
#include "explain_plot.h"

#include <inttypes.h>

#define BAR_LEFT 210
#define PLOT_WIDTH 720
#define BAR_WIDTH 450
#define BAR_HEIGHT 16
#define BAR_PITCH 22
#define NAME_MAX_SHOWN 28
#define LEGEND_COLUMNS 4
#define LEGEND_PITCH 176

static void add_name(struct markup *markup, const char *name, int y)
{
	markup_add(markup, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		   BAR_LEFT - 8, y + BAR_HEIGHT - 4);
	markup_escape_end(markup, name, NAME_MAX_SHOWN);
	markup_add(markup, "</text>\n");
}

/* ---- when layers run ---- */

#define TICKS 4

/* In what unit a run's time is told: three digits never make a thousand of it. */
static const char *time_unit(double seconds, double *scale)
{
	bool micro = seconds < 999.5e-6, milli = seconds < 999.5e-3;

	*scale = micro ? 1e6 : milli ? 1e3 : 1;
	return micro ? "&#181;s" : milli ? "ms" : "s";
}

static void add_ticks(struct markup *markup, double seconds, int bottom)
{
	double scale;
	const char *unit = time_unit(seconds, &scale);

	for (int i = 0; i <= TICKS; i++) {
		double x = BAR_LEFT + (double)BAR_WIDTH * i / TICKS;

		markup_add(
			markup,
			"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g %s</text>\n",
			x, x, bottom, x, bottom + 15,
			scale * seconds * i / TICKS, unit);
	}
}

/* A part of a row, between two cycles of the device. */
static void add_part_of_run(struct markup *markup,
			    const struct accel_layer_info *run,
			    const char *class, uint64_t from, uint64_t to,
			    int y)
{
	double scale = BAR_WIDTH / (double)run->cycles;
	double begin = (double)(from - run->first_cycle);

	markup_add(
		markup,
		"<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>",
		class, BAR_LEFT + scale * begin, y, scale * (double)(to - from),
		BAR_HEIGHT);
}

/* Light while something is brought, dark from the first lane to the last result. */
static void add_span(struct markup *markup,
		     const struct explanation *explanation,
		     const struct accel_layer_info *cost, int y)
{
	const struct accel_layer_info *run = &explanation->total.cost;
	uint64_t work = cost->work_cycle ? cost->work_cycle : cost->last_cycle;

	markup_add(markup, "<g>");
	if (work > cost->first_cycle)
		add_part_of_run(markup, run, "ahead", cost->first_cycle, work,
				y);
	add_part_of_run(markup, run, "layer", work, cost->last_cycle, y);
	markup_add(markup,
		   "<title>cycles %" PRIu64 ", work from %" PRIu64
		   ", to %" PRIu64 " of %" PRIu64 "</title></g>\n",
		   cost->first_cycle - run->first_cycle,
		   work - run->first_cycle, cost->last_cycle - run->first_cycle,
		   run->cycles);
}

void plot_times(struct markup *markup, const struct explanation *explanation)
{
	int bottom = 8 + BAR_PITCH * (int)explanation->count, y = 8;

	markup_add(
		markup,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Time line\">\n",
		PLOT_WIDTH, bottom + 20);
	add_ticks(markup, explanation->total.device_seconds, bottom);
	for (uint32_t i = 0; i < explanation->count; i++, y += BAR_PITCH) {
		const struct explained_layer *layer = &explanation->layers[i];

		add_name(markup, layer->cost.name, y);
		if (layer->cost.last_cycle)
			add_span(markup, explanation, &layer->cost, y);
	}
	markup_add(markup, "</svg>\n");
}

/* ---- where their lane-cycles go ---- */

/* All causes, in their order, also those that no layer has: pages compare side by side. */
static void add_legend(struct markup *markup)
{
	for (int i = 0; i < ACCEL_STALL_CAUSES - 1; i++) {
		int x = 8 + LEGEND_PITCH * (i % LEGEND_COLUMNS);
		int y = 6 + BAR_PITCH * (i / LEGEND_COLUMNS);

		markup_add(
			markup,
			"<rect class=\"cause%d\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>"
			"<text x=\"%d\" y=\"%d\">%s</text>\n",
			i, x, y, x + 18, y + 11, stall_causes()[i].name);
	}
}

/* Beside a bar: how much of the run's time it stands for. */
static void add_part(struct markup *markup, double part, int y)
{
	markup_add(
		markup,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f %%</text>\n",
		PLOT_WIDTH - 4, y + BAR_HEIGHT - 4, 100 * part);
}

/* Shares are whole tenths of a percent and sum to 100: bars end at the same place. */
static void add_bar(struct markup *markup, const char *name,
		    const struct explained_layer *layer, int y)
{
	int before = 0;

	add_name(markup, name, y);
	for (int i = 0; i < ACCEL_STALL_CAUSES; i++) {
		int share = layer->shares[i];

		if (!share)
			continue;
		markup_add(
			markup,
			"<rect class=\"cause%d\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\">"
			"<title>%s: %.1f %%</title></rect>\n",
			i, BAR_LEFT + (double)BAR_WIDTH * before / STALL_WHOLE,
			y, (double)BAR_WIDTH * share / STALL_WHOLE, BAR_HEIGHT,
			stall_causes()[i].name, 100.0 * share / STALL_WHOLE);
		before += share;
	}
}

void plot_stalls(struct markup *markup, const struct explanation *explanation)
{
	int rows =
		(ACCEL_STALL_CAUSES - 1 + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
	int y = 26 + rows * BAR_PITCH;

	markup_add(
		markup,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Stall stack\">\n",
		PLOT_WIDTH, y + BAR_PITCH * ((int)explanation->count + 1));
	add_legend(markup);
	markup_add(
		markup,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">of the time</text>\n",
		PLOT_WIDTH - 4, y - 8);
	for (uint32_t i = 0; i < explanation->count; i++, y += BAR_PITCH) {
		const struct explained_layer *layer = &explanation->layers[i];

		add_bar(markup, layer->cost.name, layer, y);
		add_part(markup, explanation_part(explanation, layer), y);
	}
	add_bar(markup, "total", &explanation->total, y);
	markup_add(markup, "</svg>\n");
}
