/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include "consumption.h"

#include <stdio.h>
#include <string.h>

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

double explanation_part(const struct explanation *explanation,
			const struct explained_layer *layer)
{
	double part = ratio((double)layer->cost.cycles,
			    (double)explanation->total.cost.cycles);

	return part < 1 ? part : 1;
}

/* Both directions of the link work at once. */
static double link_seconds(const struct accel_device_info *device,
			   const struct accel_layer_info *cost)
{
	uint64_t bytes = cost->bytes_input > cost->bytes_output ?
				 cost->bytes_input :
				 cost->bytes_output;

	return ratio((double)bytes, (double)device->link_bandwidth);
}

/* What follows from the costs alone, in the units that people read. */
static void derive(const struct explanation *explanation,
		   struct explained_layer *layer)
{
	const struct accel_device_info *device = &explanation->device;
	const struct accel_layer_info *cost = &layer->cost;

	layer->density = ratio((double)cost->macs, (double)cost->macs_dense);
	layer->device_seconds = ratio((double)cost->cycles, device->clock_hz);
	layer->link_seconds = link_seconds(device, cost);
	layer->schedule =
		ratio((double)cost->issue_cycles, (double)cost->optimal_cycles);
	stall_shares(cost->stall, layer->shares);
	layer->energy = consumption_estimate(device, &explanation->table, cost);
}

static struct verdict_facts facts_of(const struct explained_layer *layer)
{
	const struct accel_layer_info *cost = &layer->cost;
	struct verdict_facts facts = {
		.is_transfer = !strcmp(cost->op, "copy"),
		.rows = cost->m,
		.columns = cost->n,
		.nonzeros = cost->nnz,
		.density = layer->density,
		.device_seconds = layer->device_seconds,
		.cpu_seconds = layer->cpu_seconds,
		.dense_seconds = layer->dense_seconds,
		.link_seconds = layer->link_seconds,
		.weight_bytes = cost->bytes_weights,
		.activation_bytes = cost->bytes_input + cost->bytes_output,
	};

	memcpy(facts.shares, layer->shares, sizeof(facts.shares));
	return facts;
}

static void judge(struct explained_layer *layer, bool is_total)
{
	struct verdict_facts facts = facts_of(layer);

	/* The network's transfers are in its time already. */
	if (is_total)
		facts.link_seconds = 0;
	verdict_judge(&facts, &layer->verdict);
}

static const struct explained_layer *
slowest(const struct explanation *explanation)
{
	const struct explained_layer *slowest = &explanation->layers[0];

	for (uint32_t i = 1; i < explanation->count; i++)
		if (explanation->layers[i].cost.cycles > slowest->cost.cycles)
			slowest = &explanation->layers[i];
	return slowest;
}

/* The paragraph reads without the tables: what, how fast, against what, and what holds it up. */
static void summarize_time(struct explanation *explanation, char *text,
			   size_t size)
{
	const struct explained_layer *total = &explanation->total;
	const struct explained_layer *most = slowest(explanation);

	snprintf(
		text, size,
		"%s performs %.1f %% of the dense network's multiplications. A run of batch %u "
		"takes %.3f ms on the device, %.1f %% of the hard roof; the "
		"longest entry is %s (%.1f %%). %.1f %% of the lane-cycles are "
		"useful work; most of the rest goes to: %s (%.1f %%). ",
		explanation->model, 100 * total->density, explanation->batch,
		1e3 * total->device_seconds, 100 * total->cost.utilization,
		most->cost.name, 100 * explanation_part(explanation, most),
		100.0 * total->shares[0] / STALL_WHOLE,
		stall_causes()[stall_largest(total->shares)].name,
		100.0 * total->shares[stall_largest(total->shares)] /
			STALL_WHOLE);
}

static void summarize(struct explanation *explanation)
{
	const struct explained_layer *total = &explanation->total;
	size_t size = sizeof(explanation->summary);
	int count[VERDICT_COST + 1] = { 0 };
	size_t length;

	explanation->summary[0] = '\0';
	if (total->cost.cycles)
		summarize_time(explanation, explanation->summary, size);
	for (uint32_t i = 0; i < explanation->count; i++)
		count[explanation->layers[i].verdict.worth]++;
	length = strlen(explanation->summary);
	snprintf(
		explanation->summary + length, size - length,
		"%s Of its layers %d are worth offloading, %d only together with their "
		"neighbours, %d not.",
		total->verdict.text, count[VERDICT_YES],
		count[VERDICT_TOGETHER], count[VERDICT_NO]);
	if (total->energy.total > 0) {
		length = strlen(explanation->summary);
		snprintf(explanation->summary + length, size - length,
			 " Energy, an estimate: %.3g mJ.",
			 1e3 * total->energy.total);
	}
}

void explanation_conclude(struct explanation *explanation)
{
	energy_table_for(explanation->device.memory_kind, &explanation->table);
	for (uint32_t i = 0; i < explanation->count; i++) {
		derive(explanation, &explanation->layers[i]);
		judge(&explanation->layers[i], false);
	}
	derive(explanation, &explanation->total);
	judge(&explanation->total, true);
	summarize(explanation);
}
