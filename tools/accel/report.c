/* SPDX-License-Identifier: MIT */
/* The costs of a run, for `accel run`; explain tells more and takes longer. */
#include "report.h"

#include "json_print.h"

#include <inttypes.h>
#include <stdio.h>

typedef int (*layer_function)(void *context,
			      const struct accel_layer_info *layer);

static int for_each_layer(const struct accel_plan *plan,
			  layer_function function, void *context)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	int ret = accel_plan_get_info(plan, &info);

	for (uint32_t i = 0; i < info.layer_count && !ret; i++) {
		struct accel_layer_info layer = { .size = sizeof(layer) };

		ret = accel_plan_get_layer(plan, i, &layer);
		if (!ret)
			ret = function(context, &layer);
	}
	return ret;
}

static int get_total(const struct report *report,
		     struct accel_layer_info *total)
{
	*total = (struct accel_layer_info){ .size = sizeof(*total) };
	return accel_plan_get_total(report->plan, total);
}

/* ---- for people ---- */

static int print_layer(void *context, const struct accel_layer_info *layer)
{
	(void)context;
	printf("%-26.26s %-8s %5" PRIu64 " %6" PRIu64 " %7" PRIu64 " %8" PRIu64
	       " %11" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
	       " %5.1f%% %10" PRIu64 " %9" PRIu64 "\n",
	       layer->name, layer->op, layer->m, layer->k, layer->n, layer->nnz,
	       layer->macs, layer->cycles, layer->roof_hard_cycles,
	       layer->roof_structural_cycles, 100 * layer->utilization,
	       layer->bytes_dram, layer->bytes_pcie);
	return 0;
}

/* What was done, then how long it took in the device's time and in ours. */
static void print_times(const struct report *report,
			const struct accel_layer_info *total)
{
	const struct accel_device_info *device = &report->device;

	if (total->macs)
		printf("\n%" PRIu64 " multiplications performed, %" PRIu64
		       " in the dense network\n",
		       total->macs, total->macs_dense);
	if (device->clock_hz && total->cycles)
		printf("device time %.3f ms (%" PRIu64
		       " cycles at %.0f MHz), %.1f %% of the hard roof\n",
		       1e3 * (double)total->cycles / device->clock_hz,
		       total->cycles, device->clock_hz / 1e6,
		       100 * total->utilization);
	printf("host time %.3f ms on %s (%s)\n", 1e3 * report->host_seconds,
	       device->uri, device->name);
}

int report_print(const struct report *report)
{
	struct accel_layer_info total;
	int ret;

	printf("%-26s %-8s %5s %6s %7s %8s %11s %9s %9s %9s %6s %10s %9s\n",
	       "layer", "op", "M", "K", "N", "nnz", "MACs", "cycles", "hard",
	       "struct.", "util.", "DRAM", "PCIe");
	ret = for_each_layer(report->plan, print_layer, NULL);
	if (!ret)
		ret = get_total(report, &total);
	if (ret)
		return ret;
	total.name = "total";
	total.op = "";
	print_layer(NULL, &total);
	print_times(report, &total);
	return 0;
}

/* ---- for programs ---- */

/* The keys are an interface: see Documentation/accel.rst. */
static json_t *layer_json(const struct accel_layer_info *layer)
{
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I}",
		"name", layer->name, "op", layer->op, "m", (json_int_t)layer->m,
		"k", (json_int_t)layer->k, "n", (json_int_t)layer->n, "nnz",
		(json_int_t)layer->nnz, "macs", (json_int_t)layer->macs,
		"macs_dense", (json_int_t)layer->macs_dense, "cycles",
		(json_int_t)layer->cycles, "roof_hard_cycles",
		(json_int_t)layer->roof_hard_cycles, "roof_structural_cycles",
		(json_int_t)layer->roof_structural_cycles, "utilization",
		layer->utilization, "bytes_dram", (json_int_t)layer->bytes_dram,
		"bytes_pcie", (json_int_t)layer->bytes_pcie);
}

static int append_layer(void *layers, const struct accel_layer_info *layer)
{
	/* what fails here is missing memory, which json_print() will meet */
	json_array_append_new(layers, layer_json(layer));
	return 0;
}

int report_print_json(const struct report *report)
{
	json_t *layers = json_array();
	struct accel_layer_info total;
	int ret = for_each_layer(report->plan, append_layer, layers);

	if (!ret)
		ret = get_total(report, &total);
	if (ret) {
		json_decref(layers);
		return ret;
	}
	return json_print(json_pack("{s:s, s:o, s:o, s:f}", "device",
				    report->device.uri, "total",
				    layer_json(&total), "layers", layers,
				    "host_seconds", report->host_seconds));
}
