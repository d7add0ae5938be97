/* SPDX-License-Identifier: MIT */
#include "explain_plot.h"

#include <math.h>
#include <string.h>

#define PLOT_WIDTH 720
#define PLOT_HEIGHT 380
#define PLOT_LEFT 62
#define PLOT_RIGHT 24
#define PLOT_TOP 14
#define PLOT_BOTTOM 46

/* A dot's radius, and how its area grows with the layer's part of the time. */
#define DOT_LEAST 3.5
#define DOT_GROWTH 11

/* Of a label; its letters' width is a guess that is seldom too small. */
#define LETTER_WIDTH 6.2
#define LETTER_HEIGHT 11
#define LABEL_LETTERS 20
#define BOXES_MAX 256
#define SLOPE_PIECES 24

/* Layers that take so much of the time are named first. */
#define LONG_PART 0.05

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

/** struct roof - as it is drawn: left end of the memory's slope, knee, right end */
struct roof {
	double x[3];
	double y[3];
};

/* The slope of the memory, from where it enters the plot, and the array's peak. */
static struct roof roof_of(const struct plot_axes *axes,
			   const struct accel_device_info *device)
{
	double peak = peak_rate(device);
	double bandwidth = bytes_per_cycle(device);
	double start =
		fmax(pow(10, axes->x_low), pow(10, axes->y_low) / bandwidth);
	struct roof roof = {
		.x = { plot_x(axes, start), plot_x(axes, peak / bandwidth),
		       plot_x(axes, pow(10, axes->x_high)) },
		.y = { plot_y(axes, start * bandwidth), plot_y(axes, peak),
		       plot_y(axes, peak) },
	};

	return roof;
}

static void add_roof(struct markup *markup, const struct roof *roof,
		     const struct accel_device_info *device)
{
	double slope = atan2(roof->y[0] - roof->y[1], roof->x[1] - roof->x[0]);

	markup_add(
		markup,
		"<polyline class=\"roof\" points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f\"/>"
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g multipliers</text>"
		"<text transform=\"translate(%.1f %.1f) rotate(%.1f)\" x=\"10\" y=\"-7\">"
		"%.1f GB/s of memory</text>\n",
		roof->x[0], roof->y[0], roof->x[1], roof->y[1], roof->x[2],
		roof->y[2], PLOT_WIDTH - PLOT_RIGHT - 4, roof->y[2] - 6,
		peak_rate(device), roof->x[0], roof->y[0], -slope * 180 / M_PI,
		(double)device->memory_bandwidth / 1e9);
}

/* ---- dots and their names ---- */

/** struct box - a part of the plot that is taken */
struct box {
	double left;
	double top;
	double right;
	double bottom;
};

/** struct boxes - all that are taken; beyond BOXES_MAX nothing is named */
struct boxes {
	struct box boxes[BOXES_MAX];
	int count;
};

static double radius_of(const struct explanation *explanation,
			const struct explained_layer *layer)
{
	if (layer == &explanation->total)
		return 6;
	return DOT_LEAST +
	       DOT_GROWTH * sqrt(explanation_part(explanation, layer));
}

static void take(struct boxes *boxes, const struct box *box)
{
	if (boxes->count < BOXES_MAX)
		boxes->boxes[boxes->count++] = *box;
}

/* The roof's lines, the slope in pieces that a box does not make too large. */
static void take_roof(struct boxes *boxes, const struct roof *roof)
{
	for (int i = 0; i < SLOPE_PIECES; i++) {
		double from = (double)i / SLOPE_PIECES;
		double to = (double)(i + 1) / SLOPE_PIECES;
		double run = roof->x[1] - roof->x[0];
		double rise = roof->y[1] - roof->y[0];

		take(boxes, &(struct box){ roof->x[0] + from * run,
					   roof->y[0] + to * rise,
					   roof->x[0] + to * run,
					   roof->y[0] + from * rise });
	}
	take(boxes, &(struct box){ roof->x[1], roof->y[1] - 1, roof->x[2],
				   roof->y[2] + 1 });
}

static bool is_free(const struct boxes *boxes, const struct box *box)
{
	if (boxes->count == BOXES_MAX || box->left < PLOT_LEFT + 2 ||
	    box->right > PLOT_WIDTH || box->top < 0 ||
	    box->bottom > PLOT_HEIGHT - PLOT_BOTTOM)
		return false;
	for (int i = 0; i < boxes->count; i++) {
		const struct box *other = &boxes->boxes[i];

		if (box->left < other->right && other->left < box->right &&
		    box->top < other->bottom && other->top < box->bottom)
			return false;
	}
	return true;
}

static void take_dot(struct boxes *boxes, const struct plot_axes *axes,
		     const struct explanation *explanation,
		     const struct explained_layer *layer)
{
	double x, y, r = radius_of(explanation, layer);

	if (!is_plotted(layer))
		return;
	x = plot_x(axes, intensity(&layer->cost));
	y = plot_y(axes, rate(&layer->cost));
	take(boxes, &(struct box){ x - r, y - r, x + r, y + r });
}

/*
 * Right of the dot, left of it, below or above, where there is room; a dot that finds
 * none stays without a name, which it still says when it is pointed at.
 */
static void add_label(struct markup *markup, struct boxes *boxes, double x,
		      double y, double r, const char *name)
{
	size_t length = strlen(name);
	double letters = fmin((double)length, LABEL_LETTERS);
	double width = LETTER_WIDTH * letters, gap = r + 3;
	const double places[][2] = {
		{ x + gap, y + 4 },
		{ x - gap - width, y + 4 },
		{ x - width / 2, y + gap + LETTER_HEIGHT },
		{ x - width / 2, y - gap },
		{ x - width / 2, y + gap + 2 * LETTER_HEIGHT },
		{ x - width / 2, y - gap - LETTER_HEIGHT },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct box box = { places[i][0], places[i][1] - LETTER_HEIGHT,
				   places[i][0] + width, places[i][1] + 2 };

		if (!is_free(boxes, &box))
			continue;
		take(boxes, &box);
		markup_add(markup,
			   "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">",
			   places[i][0], places[i][1]);
		markup_escape_end(markup, name, LABEL_LETTERS);
		markup_add(markup, "</text>\n");
		return;
	}
}

static void add_dot(struct markup *markup, const struct plot_axes *axes,
		    const struct explanation *explanation,
		    const struct explained_layer *layer)
{
	const struct accel_layer_info *cost = &layer->cost;
	bool is_total = layer == &explanation->total;

	if (!is_plotted(layer))
		return;
	markup_add(
		markup,
		"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>",
		is_total ? "total" : "layer", plot_x(axes, intensity(cost)),
		plot_y(axes, rate(cost)), radius_of(explanation, layer));
	markup_escape(markup, is_total ? "the whole run" : cost->name);
	markup_add(
		markup,
		": %.4g multiplications per byte, %.4g per cycle, %.1f %% of the time"
		"</title></circle>\n",
		intensity(cost), rate(cost),
		100 * explanation_part(explanation, layer));
}

static void add_labels(struct markup *markup, const struct plot_axes *axes,
		       const struct explanation *explanation,
		       struct boxes *boxes, bool of_long)
{
	for (uint32_t i = 0; i < explanation->count; i++) {
		const struct explained_layer *layer = &explanation->layers[i];
		bool is_long = explanation_part(explanation, layer) >=
			       LONG_PART;

		if (is_plotted(layer) && is_long == of_long)
			add_label(markup, boxes,
				  plot_x(axes, intensity(&layer->cost)),
				  plot_y(axes, rate(&layer->cost)),
				  radius_of(explanation, layer),
				  layer->cost.name);
	}
}

static void add_points(struct markup *markup, const struct plot_axes *axes,
		       const struct roof *roof,
		       const struct explanation *explanation)
{
	const struct explained_layer *total = &explanation->total;
	struct boxes boxes = { .count = 0 };

	take_roof(&boxes, roof);
	for (uint32_t i = 0; i < explanation->count; i++) {
		const struct explained_layer *layer = &explanation->layers[i];

		add_dot(markup, axes, explanation, layer);
		take_dot(&boxes, axes, explanation, layer);
	}
	add_dot(markup, axes, explanation, total);
	take_dot(&boxes, axes, explanation, total);
	if (is_plotted(total))
		add_label(markup, &boxes, plot_x(axes, intensity(&total->cost)),
			  plot_y(axes, rate(&total->cost)),
			  radius_of(explanation, total), "whole run");
	add_labels(markup, axes, explanation, &boxes, true);
	add_labels(markup, axes, explanation, &boxes, false);
}

void plot_roofline(struct markup *markup, const struct explanation *explanation)
{
	struct plot_axes axes = axes_of(explanation);
	struct roof roof = roof_of(&axes, &explanation->device);

	markup_add(
		markup,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Roofline\">\n",
		PLOT_WIDTH, PLOT_HEIGHT);
	add_grid(markup, &axes);
	add_roof(markup, &roof, &explanation->device);
	add_points(markup, &axes, &roof, explanation);
	markup_add(markup, "</svg>\n");
}
