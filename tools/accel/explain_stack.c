/* SPDX-License-Identifier: MIT */
#include "explain_plot.h"

#define BAR_LEFT 210
#define PLOT_WIDTH 720
#define BAR_WIDTH 450
#define BAR_HEIGHT 16
#define BAR_PITCH 22
#define NAME_MAX_SHOWN 28
#define LEGEND_COLUMNS 4
#define LEGEND_PITCH 176

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

static void add_name(struct markup *markup, const char *name, int y)
{
	markup_add(markup, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		   BAR_LEFT - 8, y + BAR_HEIGHT - 4);
	markup_escape_end(markup, name, NAME_MAX_SHOWN);
	markup_add(markup, "</text>\n");
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
