/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME_WIDTH 26
#define ACTION_WIDTH 28

/*
 * One line a layer, in the order of `accel run`, and what explain adds: 200 columns are for
 * files and wide terminals, and --html for all others.
 */
static void print_costs_head(void)
{
	printf("%-*s %-8s %6s %5s %6s %7s %8s %11s %9s %9s %9s %6s %6s %10s %9s %9s %9s %9s\n",
	       NAME_WIDTH, "layer", "op", "dens.", "M", "K", "N", "nnz", "MACs",
	       "cycles", "hard", "struct.", "util.", "sched.", "DRAM", "PCIe",
	       "CPU us", "dense us", "est. uJ");
}

/* A time that was not taken is no zero. */
static void print_microseconds(double seconds)
{
	if (seconds > 0)
		printf(" %9.1f", 1e6 * seconds);
	else
		printf(" %9s", "-");
}

static void print_costs(const struct explained_layer *layer)
{
	const struct accel_layer_info *cost = &layer->cost;

	printf("%-*.*s %-8s %5.1f%% %5" PRIu64 " %6" PRIu64 " %7" PRIu64
	       " %8" PRIu64 " %11" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
	       " %5.1f%%",
	       NAME_WIDTH, NAME_WIDTH, cost->name, cost->op,
	       100 * layer->density, cost->m, cost->k, cost->n, cost->nnz,
	       cost->macs, cost->cycles, cost->roof_hard_cycles,
	       cost->roof_structural_cycles, 100 * cost->utilization);
	if (layer->schedule > 0)
		printf(" %6.3f", layer->schedule);
	else
		printf(" %6s", "-");
	printf(" %10" PRIu64 " %9" PRIu64, cost->bytes_dram, cost->bytes_pcie);
	print_microseconds(layer->cpu_seconds);
	print_microseconds(layer->dense_seconds);
	if (layer->energy.total > 0)
		printf(" %9.3f\n", 1e6 * layer->energy.total);
	else
		printf(" %9s\n", "-");
}

/* Of the run's own time, whatever the device did before it. */
static void print_moment(const struct accel_layer_info *run, uint64_t cycle)
{
	if (cycle)
		printf(" %9" PRIu64, cycle - run->first_cycle);
	else
		printf(" %9s", "-");
}

static void print_shares(const struct explained_layer *layer,
			 const struct accel_layer_info *run)
{
	const struct accel_layer_info *cost = &layer->cost;

	printf("%-*.*s", NAME_WIDTH, NAME_WIDTH, cost->name);
	print_moment(run, cost->first_cycle);
	print_moment(run, cost->work_cycle);
	print_moment(run, cost->last_cycle);
	for (int i = 0; i < ACCEL_STALL_CAUSES - 1; i++)
		printf(" %*.1f", i ? 8 : 7,
		       100.0 * layer->shares[i] / STALL_WHOLE);
	printf("\n");
}

/* The cause that is reserved takes no column: nothing is ever counted under it. */
static void print_stalls(const struct explanation *explanation)
{
	struct explained_layer total = explanation->total;

	printf("\nfrom cycle to cycle, and the lane-cycles in percent, each line 100\n"
	       "%-*s %9s %9s %9s",
	       NAME_WIDTH, "layer", "start", "work", "end");
	for (int i = 0; i < ACCEL_STALL_CAUSES - 1; i++)
		printf(" %*.8s", i ? 8 : 7, stall_causes()[i].key);
	printf("\n");
	for (uint32_t i = 0; i < explanation->count; i++)
		print_shares(&explanation->layers[i], &explanation->total.cost);
	total.cost.name = "total";
	print_shares(&total, &total.cost);
}

static void print_verdicts(const struct explanation *explanation)
{
	printf("\nworth offloading?\n");
	for (uint32_t i = 0; i < explanation->count; i++)
		printf("%-*.*s %s\n", NAME_WIDTH, NAME_WIDTH,
		       explanation->layers[i].cost.name,
		       explanation->layers[i].verdict.text);
}

/* Each figure with its source: nobody shall take the estimate for a measurement. */
static void print_energy(const struct explanation *explanation)
{
	const struct energy_action *actions = explanation->table.actions;
	const struct energy *energy = &explanation->total.energy;

	printf("\nenergy, an estimate from published figures of other chips, with %s\n",
	       explanation->table.memory);
	for (int i = 0; i < ENERGY_KINDS; i++)
		printf("%-*s %10.3f uJ  at %.4g pJ each: %s\n", ACTION_WIDTH,
		       actions[i].name, 1e6 * energy->joules[i],
		       actions[i].picojoules, actions[i].source);
	printf("%-*s %10.3f uJ\n", ACTION_WIDTH, "total", 1e6 * energy->total);
}

void explanation_print(const struct explanation *explanation)
{
	struct explained_layer total = explanation->total;

	total.cost.name = "total";
	total.cost.op = "";
	print_costs_head();
	for (uint32_t i = 0; i < explanation->count; i++)
		print_costs(&explanation->layers[i]);
	print_costs(&total);
	if (explanation->total.cost.cycles)
		print_stalls(explanation);
	print_verdicts(explanation);
	if (explanation->total.energy.total > 0)
		print_energy(explanation);
	printf("\n%s\n", explanation->summary);
}
