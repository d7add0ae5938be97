/* SPDX-License-Identifier: MIT */
#include "sweep_plot.h"

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In pixels. */
#define LEFT 90
#define TOP 50
#define WIDTH 560
#define HEIGHT 230
#define GAP 70
#define LEGEND_LEFT (LEFT + WIDTH + 30)
#define LEGEND_LINE 18
#define LETTER_WIDTH 7
#define TICK_DISTANCE 44

#define LOGARITHMIC_SPAN 8
#define LABEL_SIZE 512

/* Okabe and Ito's colours, which the colour-blind can tell apart; no yellow. */
static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73",
				       "#cc79a7", "#e69f00", "#56b4e9",
				       "#000000" };
/* A line that lies upon another lets it show. */
static const char *const dashes[] = { "none", "7 3", "2 3", "8 3 2 3" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** struct position - a value of the first key, from left to right */
struct position {
	double x;
	uint32_t index;
};

/**
 * struct plot - what is drawn
 * @table: the points
 * @positions: one for each value of the first key
 * @count: of them
 * @series: lines
 * @stream: to write to
 */
struct plot {
	const struct sweep_table *table;
	struct position *positions;
	uint32_t count;
	uint32_t series;
	FILE *stream;
};

/** struct panel - one of the plots above each other */
struct panel {
	const char *title;
	double (*value)(const struct sweep_result *result);
	double top;
	double maximum;
	double step;
};

static double cycles_of(const struct sweep_result *result)
{
	return (double)result->cycles;
}

static double percent_of(const struct sweep_result *result)
{
	return 100 * result->utilization;
}

/* The first key changes slowest. */
static uint32_t point_of(const struct plot *plot, uint32_t position,
			 uint32_t series)
{
	return plot->positions[position].index * plot->series + series;
}

static void print_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", stream);
		else if (*text == '>')
			fputs("&gt;", stream);
		else if (*text == '&')
			fputs("&amp;", stream);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, stream);
	}
}

static void series_label(const struct plot *plot, uint32_t series, char *label)
{
	if (plot->table->grid->axis_count > 1)
		grid_label(plot->table->grid, series, 1, label, LABEL_SIZE);
	else
		snprintf(label, LABEL_SIZE, "%s", plot->table->model);
}

/* ---- where things are ---- */

static int by_x(const void *a, const void *b)
{
	double x = ((const struct position *)a)->x;
	double y = ((const struct position *)b)->x;

	return (x > y) - (x < y);
}

/* Presets have no numbers: they stand side by side, in the order given. */
static double scale(const struct plot *plot, uint32_t index, bool logarithmic)
{
	const struct grid *grid = plot->table->grid;
	double number = (double)grid->axes[0].values[index].number;

	if (grid_has_preset(grid))
		return index;
	return logarithmic ? log2(number) : number;
}

/* Sizes of hardware come in powers of two, which a straight axis would crowd. */
static bool is_logarithmic(const struct grid_axis *axis)
{
	uint64_t low = axis->values[0].number, high = low;

	for (uint32_t i = 1; i < axis->count; i++) {
		if (axis->values[i].number < low)
			low = axis->values[i].number;
		if (axis->values[i].number > high)
			high = axis->values[i].number;
	}
	return low && high / low >= LOGARITHMIC_SPAN;
}

/* The outermost positions keep some distance from the frame. */
static void place(struct plot *plot)
{
	bool logarithmic = is_logarithmic(&plot->table->grid->axes[0]);
	double low, span;

	for (uint32_t i = 0; i < plot->count; i++)
		plot->positions[i] =
			(struct position){ scale(plot, i, logarithmic), i };
	qsort(plot->positions, plot->count, sizeof(*plot->positions), by_x);
	low = plot->positions[0].x;
	span = plot->positions[plot->count - 1].x - low;
	for (uint32_t i = 0; i < plot->count; i++) {
		double part = span > 0 ? (plot->positions[i].x - low) / span :
					 0.5;

		plot->positions[i].x = LEFT + WIDTH * (0.04 + 0.92 * part);
	}
}

/* About five steps of 1, 2 or 5 times a power of ten, up to the largest value. */
static void choose_steps(struct panel *panel, double largest)
{
	double raw = largest > 0 ? largest / 5 : 1;
	double power = pow(10, floor(log10(raw)));
	double digit = raw / power;

	panel->step = power * (digit <= 1 ? 1 :
			       digit <= 2 ? 2 :
			       digit <= 5 ? 5 :
					    10);
	panel->maximum = panel->step * ceil(largest / panel->step);
	if (panel->maximum <= 0)
		panel->maximum = panel->step;
}

static double height_of(const struct panel *panel, double value)
{
	return panel->top + HEIGHT * (1 - value / panel->maximum);
}

/* ---- drawing ---- */

static void print_amount(FILE *stream, double value)
{
	if (value >= 1e9)
		fprintf(stream, "%g G", value / 1e9);
	else if (value >= 1e6)
		fprintf(stream, "%g M", value / 1e6);
	else if (value >= 1e4)
		fprintf(stream, "%g k", value / 1e3);
	else
		fprintf(stream, "%g", value);
}

static void draw_rows(const struct plot *plot, const struct panel *panel)
{
	FILE *stream = plot->stream;
	int steps = (int)lround(panel->maximum / panel->step);

	for (int i = 0; i <= steps; i++) {
		double value = i * panel->step;
		double y = height_of(panel, value);

		fprintf(stream,
			"<path class=\"grid\" d=\"M%d %.1fh%d\"/>\n"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			LEFT, y, WIDTH, LEFT - 8, y + 4);
		print_amount(stream, value);
		fputs("</text>\n", stream);
	}
}

/* Every value has its line, and its number where there is room for it. */
static void draw_columns(const struct plot *plot, const struct panel *panel)
{
	const struct grid_axis *axis = &plot->table->grid->axes[0];
	double last = -TICK_DISTANCE;

	for (uint32_t i = 0; i < plot->count; i++) {
		const struct position *position = &plot->positions[i];
		const char *text = axis->values[position->index].text;
		double room = LETTER_WIDTH * (double)strlen(text) + 6;

		fprintf(plot->stream,
			"<path class=\"grid\" d=\"M%.1f %.1fv%d\"/>\n",
			position->x, panel->top, HEIGHT);
		if (position->x - last <
		    (room > TICK_DISTANCE ? room : TICK_DISTANCE))
			continue;
		last = position->x;
		fprintf(plot->stream,
			"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
			position->x, panel->top + HEIGHT + 18, text);
	}
}

static void draw_axes(const struct plot *plot, const struct panel *panel)
{
	double middle = panel->top + HEIGHT / 2.0;

	draw_rows(plot, panel);
	draw_columns(plot, panel);
	fprintf(plot->stream,
		"<rect class=\"frame\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n"
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n"
		"<text transform=\"translate(22 %.1f) rotate(-90)\" "
		"text-anchor=\"middle\">%s</text>\n",
		LEFT, panel->top, WIDTH, HEIGHT, LEFT + WIDTH / 2,
		panel->top + HEIGHT + 38, plot->table->grid->axes[0].key,
		middle, panel->title);
}

static void print_style(const struct plot *plot, uint32_t series)
{
	fprintf(plot->stream, "stroke=\"%s\" stroke-dasharray=\"%s\"",
		colours[series % COUNT(colours)],
		dashes[series % COUNT(dashes)]);
}

/* The mark says its value when it is pointed at. */
static void draw_mark(const struct plot *plot, const struct panel *panel,
		      uint32_t position, uint32_t series)
{
	uint32_t point = point_of(plot, position, series);
	double value = panel->value(&plot->table->results[point]);
	char label[LABEL_SIZE];

	grid_label(plot->table->grid, point, 0, label, sizeof(label));
	fprintf(plot->stream,
		"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\">"
		"<title>%s: %.10g</title></circle>\n",
		plot->positions[position].x, height_of(panel, value),
		colours[series % COUNT(colours)], label, value);
}

/* A point that was refused ends a line; the next one that was not begins another. */
static void draw_series(const struct plot *plot, const struct panel *panel,
			uint32_t series)
{
	bool drawing = false;

	fputs("<path class=\"line\" ", plot->stream);
	print_style(plot, series);
	fputs(" d=\"", plot->stream);
	for (uint32_t i = 0; i < plot->count; i++) {
		const struct sweep_result *result =
			&plot->table->results[point_of(plot, i, series)];

		if (!result->refusal)
			fprintf(plot->stream, "%c%.1f %.1f",
				drawing ? 'L' : 'M', plot->positions[i].x,
				height_of(panel, panel->value(result)));
		drawing = !result->refusal;
	}
	fputs("\"/>\n", plot->stream);
	for (uint32_t i = 0; i < plot->count; i++)
		if (!plot->table->results[point_of(plot, i, series)].refusal)
			draw_mark(plot, panel, i, series);
}

static void draw_panel(const struct plot *plot, struct panel *panel)
{
	double largest = 0;

	for (uint32_t i = 0; i < plot->count * plot->series; i++) {
		const struct sweep_result *result = &plot->table->results[i];

		if (!result->refusal && panel->value(result) > largest)
			largest = panel->value(result);
	}
	choose_steps(panel, largest);
	draw_axes(plot, panel);
	for (uint32_t i = 0; i < plot->series; i++)
		draw_series(plot, panel, i);
}

static void draw_legend(const struct plot *plot)
{
	char label[LABEL_SIZE];

	for (uint32_t i = 0; i < plot->series; i++) {
		unsigned int y = TOP + 8 + LEGEND_LINE * i;

		series_label(plot, i, label);
		fprintf(plot->stream, "<path class=\"line\" d=\"M%d %uh28\" ",
			LEGEND_LEFT, y);
		print_style(plot, i);
		fprintf(plot->stream, "/>\n<text x=\"%d\" y=\"%u\">",
			LEGEND_LEFT + 36, y + 4);
		print_text(plot->stream, label);
		fputs("</text>\n", plot->stream);
	}
}

/* As wide as the longest label of the legend, as high as all of them. */
static void begin(const struct plot *plot)
{
	size_t height = TOP + 2 * (HEIGHT + GAP);
	size_t legend = TOP + (size_t)LEGEND_LINE * (plot->series + 1);
	size_t letters = 0;
	char label[LABEL_SIZE];

	for (uint32_t i = 0; i < plot->series; i++) {
		series_label(plot, i, label);
		if (strlen(label) > letters)
			letters = strlen(label);
	}
	if (legend > height)
		height = legend;
	fprintf(plot->stream,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" "
		"height=\"%zu\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<style>.line{fill:none;stroke-width:1.8}"
		".grid{stroke:#ddd;fill:none}.frame{stroke:#444;fill:none}"
		"</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		"<text x=\"%d\" y=\"28\" font-size=\"15\">",
		LEGEND_LEFT + 36 + LETTER_WIDTH * letters + 16, height, LEFT);
	print_text(plot->stream, plot->table->model);
	fputs("</text>\n", plot->stream);
}

int sweep_plot_print(const struct sweep_table *table, FILE *stream)
{
	struct plot plot = { .table = table,
			     .count = table->grid->axes[0].count,
			     .stream = stream };
	struct panel panels[] = {
		{ .title = "cycles", .value = cycles_of, .top = TOP },
		{ .title = "utilization: hard roof / cycles, %",
		  .value = percent_of,
		  .top = TOP + HEIGHT + GAP },
	};

	plot.series = grid_points(table->grid) / plot.count;
	plot.positions = calloc(plot.count, sizeof(*plot.positions));
	if (!plot.positions)
		return accel_error(-ENOMEM, "no memory for the plot");
	place(&plot);
	begin(&plot);
	for (size_t i = 0; i < COUNT(panels); i++)
		draw_panel(&plot, &panels[i]);
	draw_legend(&plot);
	fputs("</svg>\n", stream);
	free(plot.positions);
	return 0;
}
