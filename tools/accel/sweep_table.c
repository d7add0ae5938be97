/* SPDX-License-Identifier: MIT */
#include "sweep_table.h"

#include "csv.h"

#include <inttypes.h>

/* What depends on the host comes last: all before it is the same on each run. */
#define COLUMNS                                                              \
	"status,cycles,roof_hard_cycles,roof_structural_cycles,utilization," \
	"bytes_dram,bytes_pcie,device_seconds,energy_estimate_joules,host_seconds\n"

uint32_t sweep_table_refused(const struct sweep_table *table)
{
	uint32_t points = grid_points(table->grid), refused = 0;

	for (uint32_t i = 0; i < points; i++)
		refused += table->results[i].refusal != NULL;
	return refused;
}

/* Empty cells where nothing was measured: a zero would be taken for a figure. */
static void print_result(const struct sweep_result *result, FILE *stream)
{
	if (result->refusal) {
		csv_field(stream, result->refusal);
		fputs(",,,,,,,,,\n", stream);
		return;
	}
	fprintf(stream,
		"ok,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.6f,%" PRIu64
		",%" PRIu64 ",%.9f,%.9f,%.6f\n",
		result->cycles, result->roof_hard_cycles,
		result->roof_structural_cycles, result->utilization,
		result->bytes_dram, result->bytes_pcie, result->device_seconds,
		result->energy_joules, result->host_seconds);
}

void sweep_table_print_names(const struct sweep_table *table, FILE *stream)
{
	for (uint32_t i = 0; i < table->grid->axis_count; i++)
		fprintf(stream, "%s,", table->grid->axes[i].key);
	fputs(COLUMNS, stream);
}

void sweep_table_print_row(const struct sweep_table *table, uint32_t point,
			   FILE *stream)
{
	for (uint32_t i = 0; i < table->grid->axis_count; i++)
		fprintf(stream, "%s,", grid_value(table->grid, i, point)->text);
	print_result(&table->results[point], stream);
}
