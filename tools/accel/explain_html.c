/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include "explain_plot.h"

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <inttypes.h>

/* Colours follow the reader's setting; the causes' are legible on both grounds. */
static const char style[] =
	":root{color-scheme:light dark;--ground:#fcfcfb;--ink:#16181d;--soft:#5d6470;"
	"--line:#d9dce1;--mark:#2a78d6}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#15171b;--ink:#e9ebee;"
	"--soft:#a3a9b3;--line:#353a43;--mark:#5598e7}}\n"
	"body{margin:2rem auto;max-width:75rem;padding:0 1rem;background:var(--ground);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}\n"
	".note{color:var(--soft);max-width:48rem}.summary{max-width:48rem}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
	"white-space:nowrap}\n"
	"th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}\n"
	"th:first-child,td:first-child,.text{text-align:left}\n"
	"td.text{white-space:normal;min-width:24rem}tr.total td{font-weight:600}\n"
	"svg{display:block;width:100%;max-width:60rem;height:auto}\n"
	"svg text{fill:var(--soft);font:11px system-ui,sans-serif}\n"
	".grid{stroke:var(--line)}.roof{fill:none;stroke:var(--ink);stroke-width:2}\n"
	".layer{fill:var(--mark);stroke:var(--ground)}"
	".total{fill:var(--ground);stroke:var(--mark);stroke-width:2.5}\n"
	".cause0{fill:#2a78d6}.cause1{fill:#eb6834}.cause2{fill:#1baf7a}"
	".cause3{fill:#eda100}.cause4{fill:#e87ba4}.cause5{fill:#8a8f98}"
	".cause6{fill:#7b68d9}.cause7{fill:#008300}.cause8{fill:#d63b3a}"
	".cause9{fill:#8f6a45}.cause10{fill:#b9bdc4}.cause11{fill:#000}\n";

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
	markup_add(markup, "</p>\n<p class=\"summary\">");
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

static void add_microseconds(struct markup *markup, double seconds)
{
	if (seconds > 0)
		markup_add(markup, "<td>%.1f</td>", 1e6 * seconds);
	else
		markup_add(markup, "<td>&#8211;</td>");
}

static void add_cost_row(struct markup *markup,
			 const struct explanation *explanation,
			 const struct explained_layer *layer)
{
	const struct accel_layer_info *cost = &layer->cost;

	begin_row(markup, explanation, layer);
	markup_add(markup,
		   "<td>%s</td><td>%.1f %%</td><td>%" PRIu64 "</td><td>%" PRIu64
		   "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
		   "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
		   "</td><td>%.1f %%</td>",
		   cost->op, 100 * layer->density, cost->m, cost->k, cost->n,
		   cost->nnz, cost->macs, cost->cycles, cost->roof_hard_cycles,
		   cost->roof_structural_cycles, 100 * cost->utilization);
	if (layer->schedule > 0)
		markup_add(markup, "<td>%.3f</td>", layer->schedule);
	else
		markup_add(markup, "<td>&#8211;</td>");
	markup_add(markup, "<td>%" PRIu64 "</td><td>%" PRIu64 "</td>",
		   cost->bytes_dram, cost->bytes_pcie);
	add_microseconds(markup, layer->device_seconds);
	add_microseconds(markup, layer->cpu_seconds);
	if (explanation->has_dense)
		add_microseconds(markup, layer->dense_seconds);
	if (layer->energy.total > 0)
		markup_add(markup, "<td>%.3f</td></tr>\n",
			   1e6 * layer->energy.total);
	else
		markup_add(markup, "<td>&#8211;</td></tr>\n");
}

static void add_costs(struct markup *markup,
		      const struct explanation *explanation)
{
	markup_add(
		markup,
		"<h2>Layers</h2>\n<div class=\"wide\"><table>\n<tr><th>layer</th><th>op</th>"
		"<th>density</th><th>M</th><th>K</th><th>N</th><th>non-zeros</th>"
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
		markup_add(markup, "<td>%s</td><td>%s</td><td class=\"text\">",
			   verdict_worth_key(layer->verdict.worth),
			   verdict_reason_key(layer->verdict.reason));
		markup_escape(markup, layer->verdict.text);
		markup_add(markup, "</td></tr>\n");
	}
	markup_add(markup, "</table></div>\n");
}

static void add_plots(struct markup *markup,
		      const struct explanation *explanation)
{
	markup_add(
		markup,
		"<h2>Roofline</h2>\n<p class=\"note\">Each dot is a layer, the ring the "
		"whole run. Layers whose operands are in SRAM may lie above the slope of "
		"the memory; none lies above the multipliers.</p>\n");
	plot_roofline(markup, explanation);
	markup_add(
		markup,
		"<h2>Where the lane-cycles go</h2>\n<p class=\"note\">Each bar is 100 %% "
		"of the lanes' time from the layer's start to its end.</p>\n");
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
