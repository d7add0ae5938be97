/* SPDX-License-Identifier: MIT */
#include "plan/report.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/integer.h"

/* Entries of copies: two behind those of the layers. */
#define COPY_ENTRIES 2

_Static_assert(ACCEL_STALL_CAUSES == SPMM_STALL_COUNT,
	       "the public stall causes are the device's");

/* Views cost nothing and a concat is at most copies: no entry of their own. */
static bool op_has_entry(enum model_op op)
{
	return op != MODEL_RESHAPE && op != MODEL_SLICE && op != MODEL_CONCAT;
}

static uint64_t extent_columns(const struct model_extent *extent,
			       uint32_t batch)
{
	return (uint64_t)extent->height * extent->width * batch;
}

static int spmm_describe(const struct model_layer *layer,
			 const struct plan_shape *shape,
			 struct accel_layer_info *info)
{
	const struct model_spmm *spmm = &layer->spmm;
	struct model_grid grid;
	int ret =
		model_spmm_grid(spmm, &shape->extents[layer->inputs[0]], &grid);

	if (ret)
		return accel_error_prefix(ret, "%s", layer->name);
	info->m = spmm->weights.rows;
	info->k = spmm->weights.columns;
	info->n = (uint64_t)grid.height * grid.width * shape->batch;
	info->nnz = (uint64_t)model_csr_nonzeros(&spmm->weights);
	info->macs = info->nnz * info->n;
	info->macs_dense = spmm->dense_macs_per_column * info->n;
	return 0;
}

static void recurrent_describe(const struct model_layer *layer,
			       const struct plan_shape *shape,
			       struct accel_layer_info *info)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	const struct model_csr *input = &recurrent->input_weights;
	const struct model_csr *hidden = &recurrent->hidden_weights;

	info->m = input->rows;
	info->k = (uint64_t)input->columns + hidden->columns;
	info->n =
		extent_columns(&shape->extents[layer->inputs[0]], shape->batch);
	info->nnz = (uint64_t)(model_csr_nonzeros(input) +
			       model_csr_nonzeros(hidden));
	info->macs = info->nnz * info->n;
	info->macs_dense = info->m * info->k * info->n;
}

static int layer_describe(const struct model_layer *layer,
			  const struct plan_shape *shape,
			  struct accel_layer_info *info)
{
	info->size = sizeof(*info);
	info->name = layer->name;
	info->op = model_op_name(layer->op);
	switch (layer->op) {
	case MODEL_SPMM:
		return spmm_describe(layer, shape, info);
	case MODEL_LSTM:
	case MODEL_GRU:
		recurrent_describe(layer, shape, info);
		return 0;
	default:
		info->n = extent_columns(&shape->extents[layer->outputs[0]],
					 shape->batch);
		return 0;
	}
}

static void total_describe(const struct model *model,
			   struct plan_report *report)
{
	struct accel_layer_info *total = &report->total;

	total->size = sizeof(*total);
	total->name = model->name;
	total->op = "total";
	for (uint32_t i = 0; i < report->layer_count; i++) {
		total->nnz += report->layers[i].nnz;
		total->macs += report->layers[i].macs;
		total->macs_dense += report->layers[i].macs_dense;
	}
}

static int layers_describe(const struct model *model,
			   const struct plan_shape *shape,
			   struct plan_report *report)
{
	for (uint32_t i = 0; i < model->layer_count; i++) {
		int ret;

		if (!op_has_entry(model->layers[i].op))
			continue;
		report->entry[i] = report->layer_count;
		ret = layer_describe(&model->layers[i], shape,
				     &report->layers[report->layer_count++]);
		if (ret)
			return ret;
	}
	return 0;
}

static uint32_t copies_describe(struct plan_report *report, const char *name)
{
	struct accel_layer_info *copies = &report->layers[report->layer_count];

	copies->size = sizeof(*copies);
	copies->name = name;
	copies->op = "copy";
	return report->layer_count++;
}

int plan_report_create(const struct model *model,
		       const struct plan_shape *shape,
		       struct plan_report *report)
{
	size_t entries = (size_t)model->layer_count + COPY_ENTRIES;
	int ret;

	report->layers = calloc(entries, sizeof(*report->layers));
	report->entry =
		calloc((size_t)model->layer_count + 1, sizeof(*report->entry));
	report->roofs = calloc(entries, sizeof(*report->roofs));
	report->live =
		calloc((size_t)model->layer_count + 1, sizeof(*report->live));
	if (!report->layers || !report->entry || !report->roofs ||
	    !report->live)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i <= model->layer_count; i++)
		report->entry[i] = PLAN_REPORT_NO_ENTRY;
	ret = layers_describe(model, shape, report);
	if (ret)
		return ret;
	total_describe(model, report);
	report->inputs = copies_describe(report, "inputs");
	report->transfers = copies_describe(report, "transfers");
	return 0;
}

void plan_report_free(struct plan_report *report)
{
	free(report->layers);
	free(report->entry);
	free(report->roofs);
	free(report->live);
	memset(report, 0, sizeof(*report));
}

void plan_report_clear(struct plan_report *report)
{
	for (uint32_t i = 0; i <= report->layer_count; i++) {
		struct accel_layer_info *info = i < report->layer_count ?
							&report->layers[i] :
							&report->total;

		info->cycles = 0;
		info->bytes_dram = 0;
		info->bytes_sram = 0;
		info->bytes_pcie = 0;
		info->utilization = 0;
		info->host_ns = 0;
		info->first_cycle = 0;
		info->last_cycle = 0;
		info->work_cycle = 0;
		info->dram_activates = 0;
		memset(info->stall, 0, sizeof(info->stall));
	}
	for (uint32_t i = 0; i < report->layer_count; i++)
		report->roofs[i].resident_bytes = 0;
	report->begun = false;
}

static void stats_add(const struct spmm_command_stats *stats,
		      struct accel_layer_info *info)
{
	info->bytes_dram += le64toh(stats->dram_read_bytes) +
			    le64toh(stats->dram_write_bytes);
	info->dram_activates += le64toh(stats->dram_activates);
	info->bytes_sram += le64toh(stats->sram_bytes);
	info->bytes_pcie += le64toh(stats->pcie_read_bytes) +
			    le64toh(stats->pcie_write_bytes);
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		info->stall[i] += le64toh(stats->stall[i]);
}

/* Nothing has been added before an end: time 0 is before any command. */
static void span_extend(struct accel_layer_info *info, uint64_t start,
			uint64_t end)
{
	if (!info->last_cycle || start < info->first_cycle)
		info->first_cycle = start;
	if (end > info->last_cycle)
		info->last_cycle = end;
}

static void work_extend(struct accel_layer_info *info, uint64_t work)
{
	if (work && (!info->work_cycle || work < info->work_cycle))
		info->work_cycle = work;
}

void plan_report_add(struct plan_report *report, uint32_t model_layer,
		     const struct spmm_command_stats *stats)
{
	uint32_t entry = model_layer == PLAN_REPORT_NO_ENTRY ?
				 PLAN_REPORT_NO_ENTRY :
				 report->entry[model_layer];
	uint64_t start = le64toh(stats->start_cycle);
	uint64_t end = le64toh(stats->end_cycle);
	struct accel_layer_info *info;

	if (entry != PLAN_REPORT_NO_ENTRY)
		report->begun = true;
	else
		entry = report->begun ? report->transfers : report->inputs;
	info = &report->layers[entry];
	span_extend(info, start, end);
	span_extend(&report->total, start, end);
	work_extend(info, le64toh(stats->work_cycle));
	work_extend(&report->total, le64toh(stats->work_cycle));
	report->roofs[entry].resident_bytes += le64toh(stats->resident_bytes);
	stats_add(stats, info);
	stats_add(stats, &report->total);
}

void plan_report_add_host(struct plan_report *report, uint32_t model_layer,
			  uint64_t nanoseconds)
{
	uint32_t entry = report->entry[model_layer];

	if (entry == PLAN_REPORT_NO_ENTRY)
		entry = report->transfers;
	report->layers[entry].host_ns += nanoseconds;
	report->total.host_ns += nanoseconds;
}

static void utilization_set(struct accel_layer_info *info)
{
	if (info->cycles)
		info->utilization =
			(double)info->roof_hard_cycles / (double)info->cycles;
}

static uint64_t stall_sum(const struct accel_layer_info *info)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ACCEL_STALL_CAUSES; i++)
		sum += info->stall[i];
	return sum;
}

/*
 * What no command was charged with was idle. A device that counts lane-cycles twice, or
 * is faster than it can be, tells times that nobody should believe.
 */
static int total_close(struct accel_layer_info *total, uint64_t lanes)
{
	uint64_t sum = stall_sum(total);
	uint64_t all = total->cycles * lanes;

	if (sum > all)
		return accel_error(
			-EIO,
			"%s: the device accounts for %" PRIu64
			" lane-cycles of %" PRIu64
			"; its statistics are wrong, please report this",
			total->name, sum, all);
	if (total->cycles < total->roof_hard_cycles)
		return accel_error(
			-EIO,
			"%s: the device tells %" PRIu64 " cycles, and %" PRIu64
			" is the least that it could "
			"take; its statistics are wrong, please report this",
			total->name, total->cycles, total->roof_hard_cycles);
	total->stall[SPMM_STALL_IDLE] += all - sum;
	return 0;
}

int plan_report_finish(const struct geometry *geometry,
		       struct plan_report *report)
{
	uint64_t lanes = (uint64_t)geometry->clusters * geometry->lanes;
	int ret = 0;

	report->total.cycles =
		report->total.last_cycle - report->total.first_cycle;
	for (uint32_t i = 0; i < report->layer_count; i++) {
		struct accel_layer_info *info = &report->layers[i];

		info->cycles = divide_up(stall_sum(info), lanes);
		/* Bytes that moved while others computed cost it no time. */
		if (report->total.cycles)
			info->roof_hard_cycles =
				min_u64(info->roof_hard_cycles, info->cycles);
		utilization_set(info);
	}
	/* A device that writes no statistics has no times to be wrong. */
	if (report->total.cycles)
		ret = total_close(&report->total, lanes);
	utilization_set(&report->total);
	return ret;
}
