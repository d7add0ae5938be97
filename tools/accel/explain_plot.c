/* SPDX-License-Identifier: MIT */
#include "explain_plot.h"

#include <math.h>
#include <string.h>

/* ---- roofline ---- */

#define PLOT_WIDTH 720
#define PLOT_HEIGHT 380
#define PLOT_LEFT 62
#define PLOT_RIGHT 24
#define PLOT_TOP 14
#define PLOT_BOTTOM 46

/**
 * struct plot_axes - both logarithmic, whole decades
 * @x_low: log10 of the left end
 * @x_high: of the right end
 * @y_low: of the lower end
 * @y_high: of the upper end
 */
struct plot_axes {
	double x_low;
	double x_high;
	double y_low;
	double y_high;
};

static double plot_x(const struct plot_axes *axes, double value)
{
	return PLOT_LEFT + (PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT) *
				   (log10(value) - axes->x_low) /
				   (axes->x_high - axes->x_low);
}

static double plot_y(const struct plot_axes *axes, double value)
{
	return PLOT_HEIGHT - PLOT_BOTTOM -
	       (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM) *
		       (log10(value) - axes->y_low) /
		       (axes->y_high - axes->y_low);
}

/* Of the network the operands are weights, inputs and results. */
static double intensity(const struct accel_layer_info *cost)
{
	uint64_t bytes =
		cost->bytes_weights + cost->bytes_input + cost->bytes_output;

	return bytes ? (double)cost->macs / (double)bytes : 0;
}

static double rate(const struct accel_layer_info *cost)
{
	return cost->cycles ? (double)cost->macs / (double)cost->cycles : 0;
}

static double peak_rate(const struct accel_device_info *device)
{
	return (double)device->clusters * device->lanes * device->vector_width;
}

static double bytes_per_cycle(const struct accel_device_info *device)
{
	return device->clock_hz ?
		       (double)device->memory_bandwidth / device->clock_hz :
		       0;
}

static bool is_plotted(const struct explained_layer *layer)
{
	return intensity(&layer->cost) > 0 && rate(&layer->cost) > 0;
}

static void include_point(struct plot_axes *axes, double x, double y)
{
	axes->x_low = fmin(axes->x_low, floor(log10(x)));
	axes->x_high = fmax(axes->x_high, ceil(log10(x)));
	axes->y_low = fmin(axes->y_low, floor(log10(y)));
	axes->y_high = fmax(axes->y_high, ceil(log10(y)));
}

/* The knee of the roof and all layers. */
static struct plot_axes axes_of(const struct explanation *explanation)
{
	double peak = peak_rate(&explanation->device);
	double knee = peak / bytes_per_cycle(&explanation->device);
	struct plot_axes axes = { floor(log10(knee)), ceil(log10(knee)) + 1,
				  floor(log10(peak)) - 1, ceil(log10(peak)) };

	for (uint32_t i = 0; i < explanation->count; i++)
		if (is_plotted(&explanation->layers[i]))
			include_point(&axes,
				      intensity(&explanation->layers[i].cost),
				      rate(&explanation->layers[i].cost));
	if (is_plotted(&explanation->total))
		include_point(&axes, intensity(&explanation->total.cost),
			      rate(&explanation->total.cost));
	return axes;
}

static void add_grid(struct markup *markup, const struct plot_axes *axes)
{
	for (double d = axes->x_low; d <= axes->x_high; d++) {
		double x = plot_x(axes, pow(10, d));

		markup_add(
			markup,
			"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			x, x, PLOT_TOP, PLOT_HEIGHT - PLOT_BOTTOM, x,
			PLOT_HEIGHT - PLOT_BOTTOM + 16, pow(10, d));
	}
	for (double d = axes->y_low; d <= axes->y_high; d++) {
		double y = plot_y(axes, pow(10, d));

		markup_add(
			markup,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, y, y, PLOT_LEFT - 6,
			y + 4, pow(10, d));
	}
	markup_add(
		markup,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">multiplications per byte of operands</text>"
		"<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">multiplications per cycle</text>\n",
		(PLOT_WIDTH + PLOT_LEFT) / 2, PLOT_HEIGHT - 8,
		(PLOT_HEIGHT - PLOT_BOTTOM) / 2);
}

/* The slope of the memory, from where it enters the plot, and the array's peak. */
static void add_roof(struct markup *markup, const struct plot_axes *axes,
		     const struct accel_device_info *device)
{
	double peak = peak_rate(device);
	double bandwidth = bytes_per_cycle(device);
	double start =
		fmax(pow(10, axes->x_low), pow(10, axes->y_low) / bandwidth);

	markup_add(
		markup,
		"<polyline class=\"roof\" points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f\"/>"
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g multipliers</text>\n",
		plot_x(axes, start), plot_y(axes, start * bandwidth),
		plot_x(axes, peak / bandwidth), plot_y(axes, peak),
		plot_x(axes, pow(10, axes->x_high)), plot_y(axes, peak),
		PLOT_WIDTH - PLOT_RIGHT - 4, plot_y(axes, peak) - 6, peak);
}

static void add_point(struct markup *markup, const struct plot_axes *axes,
		      const struct explained_layer *layer, const char *class)
{
	const struct accel_layer_info *cost = &layer->cost;

	if (!is_plotted(layer))
		return;
	markup_add(
		markup,
		"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>",
		class, plot_x(axes, intensity(cost)), plot_y(axes, rate(cost)));
	markup_escape(markup, cost->name);
	markup_add(markup, ": %.4g per byte, %.4g per cycle</title></circle>\n",
		   intensity(cost), rate(cost));
}

void plot_roofline(struct markup *markup, const struct explanation *explanation)
{
	struct plot_axes axes = axes_of(explanation);

	markup_add(
		markup,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Roofline\">\n",
		PLOT_WIDTH, PLOT_HEIGHT);
	add_grid(markup, &axes);
	add_roof(markup, &axes, &explanation->device);
	for (uint32_t i = 0; i < explanation->count; i++)
		add_point(markup, &axes, &explanation->layers[i], "layer");
	add_point(markup, &axes, &explanation->total, "total");
	markup_add(markup, "</svg>\n");
}

/* ---- stall stack ---- */

#define BAR_LEFT 210
#define BAR_WIDTH 494
#define BAR_HEIGHT 16
#define BAR_PITCH 22
#define NAME_MAX_SHOWN 28
#define LEGEND_COLUMNS 4
#define LEGEND_PITCH 176

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

/* The end of a long name tells layers apart better than its beginning. */
static void add_name(struct markup *markup, const char *name, int y)
{
	size_t length = strlen(name);
	size_t skip = length > NAME_MAX_SHOWN ? length - NAME_MAX_SHOWN : 0;

	/* not from within a character of UTF-8 */
	while (skip && ((unsigned char)name[skip] & 0xc0) == 0x80)
		skip++;
	markup_add(markup, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		   BAR_LEFT - 8, y + BAR_HEIGHT - 4);
	if (skip)
		markup_add(markup, "&#8230;");
	markup_escape(markup, name + skip);
	markup_add(markup, "</text>\n");
}

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
	int y = 12 + rows * BAR_PITCH;

	markup_add(
		markup,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Stall stack\">\n",
		PLOT_WIDTH, y + BAR_PITCH * ((int)explanation->count + 1));
	add_legend(markup);
	for (uint32_t i = 0; i < explanation->count; i++, y += BAR_PITCH)
		add_bar(markup, explanation->layers[i].cost.name,
			&explanation->layers[i], y);
	add_bar(markup, "total", &explanation->total, y);
	markup_add(markup, "</svg>\n");
}
