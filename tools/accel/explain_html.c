/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include "explain_plot.h"

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Colours follow the reader's setting; the causes' are legible on both grounds. */
static const char style[] =
	":root{color-scheme:light dark;--ground:#fcfcfb;--panel:#f2f3f1;--ink:#16181d;"
	"--soft:#5d6470;--line:#d9dce1;--mark:#2a78d6;--good:#12805c;--bad:#c33732}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#15171b;--panel:#1e2127;"
	"--ink:#e9ebee;--soft:#a3a9b3;--line:#353a43;--mark:#5598e7;--good:#3fb68b;"
	"--bad:#ec6a64}}\n"
	"body{margin:2rem auto;max-width:80rem;padding:0 1rem;background:var(--ground);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.2rem;margin-top:2.4rem}\n"
	"h1+.note{margin-top:.2rem}\n"
	".note{color:var(--soft);max-width:48rem}.summary{max-width:48rem}\n"
	".tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\n"
	".tiles div{background:var(--panel);border-radius:.5rem;padding:.6rem 1rem;"
	"min-width:8.5rem}\n"
	".tiles b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}\n"
	".tiles span{color:var(--soft);font-size:13px}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.3rem .45rem;text-align:right;border-bottom:1px solid var(--line);"
	"white-space:nowrap;vertical-align:top}\n"
	"th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}\n"
	"th:first-child,td:first-child,.text{text-align:left}\n"
	"th:first-child,td:first-child{position:sticky;left:0;background:var(--ground)}\n"
	"td.text{white-space:normal;min-width:24rem}tr.total td{font-weight:600}\n"
	".yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}\n"
	"svg{display:block;width:100%;max-width:60rem;height:auto}\n"
	"svg text{fill:var(--soft);font:11px system-ui,sans-serif}"
	"svg .name{fill:var(--ink)}\n"
	".grid{stroke:var(--line)}.roof{fill:none;stroke:var(--ink);stroke-width:2}\n"
	".ahead{fill:var(--mark);fill-opacity:.22}"
	".layer{fill:var(--mark);fill-opacity:.75;stroke:var(--ground)}"
	".total{fill:var(--ground);stroke:var(--mark);stroke-width:2.5}\n"
	".cause0{fill:#2a78d6}.cause1{fill:#eb6834}.cause2{fill:#1baf7a}"
	".cause3{fill:#eda100}.cause4{fill:#e87ba4}.cause5{fill:#8a8f98}"
	".cause6{fill:#7b68d9}.cause7{fill:#008300}.cause8{fill:#d63b3a}"
	".cause9{fill:#8f6a45}.cause10{fill:#b9bdc4}.cause11{fill:#000}\n";

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
	markup_add(
		markup,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
	markup_escape(markup, explanation->model);
	markup_add(markup,
		   " on the accelerator</title>\n<style>\n%s</style>\n</head>\n"
		   "<body>\n<h1>",
		   style);
	markup_escape(markup, explanation->model);
	markup_add(markup, "</h1>\n<p class=\"note\">");
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
	markup_add(&markup, "</body>\n</html>\n");
	ret = markup.failed ?
		      accel_error(-ENOMEM, "%s: no memory for it", path) :
		      atomic_file_save(path, markup.text, markup.length);
	markup_release(&markup);
	return ret;
}
