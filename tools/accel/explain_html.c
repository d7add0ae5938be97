/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include "explain_plot.h"
#include "page.h"

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void add_tile(struct markup *markup, const char *label,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A figure to be seen first, and what it is. */
static void add_tile(struct markup *markup, const char *label,
		     const char *format, ...)
{
	char text[64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	markup_add(markup, "<div><b>%s</b><span>%s</span></div>\n", text,
		   label);
}

/* Milliseconds of what may take seconds and may take a microsecond. */
static void add_time_tile(struct markup *markup, const char *label,
			  double seconds)
{
	if (seconds < 999.5e-6)
		add_tile(markup, label, "%.3g &#181;s", 1e6 * seconds);
	else if (seconds < 999.5e-3)
		add_tile(markup, label, "%.3g ms", 1e3 * seconds);
	else
		add_tile(markup, label, "%.3g s", seconds);
}

static void add_tiles(struct markup *markup,
		      const struct explanation *explanation)
{
	const struct explained_layer *total = &explanation->total;

	if (!total->cost.cycles)
		return;
	markup_add(markup, "<div class=\"tiles\">\n");
	add_time_tile(markup, "on the device", total->device_seconds);
	if (total->cpu_seconds > 0)
		add_time_tile(markup, "golden arithmetic, one CPU thread",
			      total->cpu_seconds);
	if (total->dense_seconds > 0)
		add_time_tile(markup, "dense float network, one CPU thread",
			      total->dense_seconds);
	add_tile(markup, "of the hard roof", "%.1f %%",
		 100 * total->cost.utilization);
	add_tile(markup, "of the lane-cycles are useful", "%.1f %%",
		 100.0 * total->shares[0] / STALL_WHOLE);
	add_tile(markup, "of the dense multiplications", "%.1f %%",
		 100 * total->density);
	add_tile(markup, "energy, an estimate", "%.3g mJ",
		 1e3 * total->energy.total);
	markup_add(markup, "</div>\n");
}

/* The page has no links and no scripts: it can be mailed, and opens anywhere. */
static void add_head(struct markup *markup,
		     const struct explanation *explanation)
{
	page_begin(markup, explanation->model, "on the accelerator");
	markup_add(markup, "<p class=\"note\">");
	markup_escape(markup, explanation->device.uri);
	markup_add(markup, " &#8211; ");
	markup_escape(markup, explanation->device.name);
	markup_add(markup, ", batch %" PRIu32 "</p>\n", explanation->batch);
	add_tiles(markup, explanation);
	markup_add(markup, "<p class=\"summary\">");
	markup_escape(markup, explanation->summary);
	markup_add(markup, "</p>\n");
}

/* A row's first cell; the total of a run is named as such. */
static void begin_row(struct markup *markup,
		      const struct explanation *explanation,
		      const struct explained_layer *layer)
{
	if (layer == &explanation->total) {
		markup_add(markup, "<tr class=\"total\"><td>total</td>");
		return;
	}
	markup_add(markup, "<tr><td>");
	markup_escape(markup, layer->cost.name);
	markup_add(markup, "</td>");
}

/* A dash instead of a zero: nothing of the kind was there. */
static void add_count(struct markup *markup, uint64_t count)
{
	markup_add(markup, "<td>");
	if (count)
		markup_count(markup, count);
	else
		markup_add(markup, "&#8211;");
	markup_add(markup, "</td>");
}

static void add_number(struct markup *markup, double value, int decimals,
		       const char *unit)
{
	if (value > 0)
		markup_add(markup, "<td>%.*f%s</td>", decimals, value, unit);
	else
		markup_add(markup, "<td>&#8211;</td>");
}

/* The matrix product as one cell: three columns of sizes would be too wide. */
static void add_shape(struct markup *markup,
		      const struct accel_layer_info *cost)
{
	markup_add(markup, "<td>");
	if (cost->m)
		markup_add(markup,
			   "%" PRIu64 " &#215; %" PRIu64 " &#215; %" PRIu64,
			   cost->m, cost->k, cost->n);
	else
		markup_add(markup, "&#8211;");
	markup_add(markup, "</td>");
}

static void add_cost_row(struct markup *markup,
			 const struct explanation *explanation,
			 const struct explained_layer *layer)
{
	const struct accel_layer_info *cost = &layer->cost;

	begin_row(markup, explanation, layer);
	markup_add(markup, "<td>%s</td>",
		   layer == &explanation->total ? "" : cost->op);
	add_number(markup, 100 * layer->density, 1, " %");
	add_shape(markup, cost);
	add_count(markup, cost->nnz);
	add_count(markup, cost->macs);
	add_count(markup, cost->cycles);
	add_count(markup, cost->roof_hard_cycles);
	add_count(markup, cost->roof_structural_cycles);
	add_number(markup, 100 * cost->utilization, 1, " %");
	add_number(markup, layer->schedule, 3, "");
	add_count(markup, cost->bytes_dram);
	add_count(markup, cost->bytes_pcie);
	add_number(markup, 1e6 * layer->device_seconds, 1, "");
	add_number(markup, 1e6 * layer->cpu_seconds, 1, "");
	if (explanation->has_dense)
		add_number(markup, 1e6 * layer->dense_seconds, 1, "");
	add_number(markup, 1e6 * layer->energy.total, 3, "");
	markup_add(markup, "</tr>\n");
}

static void add_costs(struct markup *markup,
		      const struct explanation *explanation)
{
	markup_add(
		markup,
		"<h2>Layers</h2>\n<div class=\"wide\"><table>\n<tr><th>layer</th><th>op</th>"
		"<th>density</th><th>M &#215; K &#215; N</th><th>non-zeros</th>"
		"<th>MACs</th><th>cycles</th><th>hard roof</th><th>structural</th>"
		"<th>of hard</th><th>schedule &#247; optimum</th><th>DRAM bytes</th>"
		"<th>PCIe bytes</th><th>device &#181;s</th><th>CPU &#181;s</th>%s"
		"<th>energy, estimate &#181;J</th></tr>\n",
		explanation->has_dense ? "<th>dense CPU &#181;s</th>" : "");
	for (uint32_t i = 0; i < explanation->count; i++)
		add_cost_row(markup, explanation, &explanation->layers[i]);
	add_cost_row(markup, explanation, &explanation->total);
	markup_add(markup, "</table></div>\n");
}

/* First of the tables, since it is what was asked; the figures behind it come after. */
static void add_verdicts(struct markup *markup,
			 const struct explanation *explanation)
{
	markup_add(
		markup,
		"<h2>Worth offloading?</h2>\n<div class=\"wide\"><table>\n"
		"<tr><th>layer</th><th>worth it</th><th>bound by</th><th class=\"text\">why</th></tr>\n");
	for (uint32_t i = 0; i <= explanation->count; i++) {
		const struct explained_layer *layer =
			i < explanation->count ? &explanation->layers[i] :
						 &explanation->total;

		begin_row(markup, explanation, layer);
		markup_add(
			markup,
			"<td class=\"%s\">%s</td><td>%s</td><td class=\"text\">",
			verdict_worth_key(layer->verdict.worth),
			verdict_worth_key(layer->verdict.worth),
			verdict_reason_key(layer->verdict.reason));
		markup_escape(markup, layer->verdict.text);
		markup_add(markup, "</td></tr>\n");
	}
	markup_add(markup, "</table></div>\n");
}

/* Both say how they are to be read: who opens the page need not know this tool. */
static void add_plots(struct markup *markup,
		      const struct explanation *explanation)
{
	markup_add(
		markup,
		"<h2>Roofline</h2>\n<p class=\"note\">Each dot is a layer, the larger the "
		"longer it takes; the ring is the whole run. Layers whose operands are in SRAM may lie above the slope of "
		"the memory; none lies above the multipliers.</p>\n");
	plot_roofline(markup, explanation);
	markup_add(
		markup,
		"<h2>When layers run</h2>\n<p class=\"note\">Light: something is "
		"brought or fetched for the layer while others still compute; dark: from its "
		"first lane to its last result.</p>\n");
	plot_times(markup, explanation);
	markup_add(
		markup,
		"<h2>Where the lane-cycles go</h2>\n<p class=\"note\">Each bar is 100 %% "
		"of the lane-cycles that belong to the layer.</p>\n");
	plot_stalls(markup, explanation);
}

static void add_energy(struct markup *markup,
		       const struct explanation *explanation)
{
	const struct energy *energy = &explanation->total.energy;

	markup_add(
		markup,
		"<h2>Energy: an estimate</h2>\n<p class=\"note\">Counted actions, each at a "
		"figure published for another chip, with %s; clock trees, wires between "
		"clusters and the host are left out.</p>\n<div class=\"wide\"><table>\n"
		"<tr><th>action</th><th>estimate &#181;J</th><th>pJ each</th>"
		"<th class=\"text\">source</th></tr>\n",
		explanation->table.memory);
	for (int i = 0; i < ENERGY_KINDS; i++) {
		const struct energy_action *action =
			&explanation->table.actions[i];

		markup_add(
			markup,
			"<tr><td>%s</td><td>%.3f</td><td>%.4g</td><td class=\"text\">",
			action->name, 1e6 * energy->joules[i],
			action->picojoules);
		markup_escape(markup, action->source);
		markup_add(markup, "</td></tr>\n");
	}
	markup_add(
		markup,
		"<tr class=\"total\"><td>total</td><td>%.3f</td><td></td><td></td></tr>\n"
		"</table></div>\n",
		1e6 * energy->total);
}

int explanation_write_html(const struct explanation *explanation,
			   const char *path)
{
	struct markup markup = { .text = NULL };
	int ret;

	add_head(&markup, explanation);
	add_verdicts(&markup, explanation);
	if (explanation->total.cost.cycles)
		add_plots(&markup, explanation);
	add_costs(&markup, explanation);
	if (explanation->total.energy.total > 0)
		add_energy(&markup, explanation);
	page_end(&markup);
	ret = markup.failed ?
		      accel_error(-ENOMEM, "%s: no memory for it", path) :
		      atomic_file_save(path, markup.text, markup.length);
	markup_release(&markup);
	return ret;
}
