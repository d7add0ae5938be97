/* SPDX-License-Identifier: MIT */
/* How the operations of the CPU backend get at their operands. */
#ifndef BACKEND_CPU_LAYER_H
#define BACKEND_CPU_LAYER_H

#include <backend/cpu.h>

/**
 * struct cpu_run - a model that is being run
 * @values: of each tensor, NULL where it is not made yet or freed again
 */
struct cpu_run {
	const struct model *model;
	const struct model_extent *extents;
	uint32_t batch;
	void **values;
	const struct cpu_observer *observer;
};

static inline int cpu_run_cancelled(const struct cpu_run *run)
{
	if (!run->observer || !run->observer->cancelled)
		return 0;
	return run->observer->cancelled(run->observer->context);
}

/* Elements of one channel: rows, columns and batch are contiguous. */
static inline size_t cpu_channel_elements(const struct cpu_run *run,
					  int32_t tensor)
{
	const struct model_extent *extent = &run->extents[tensor];

	return (size_t)extent->height * extent->width * run->batch;
}

static inline struct golden_quantization
cpu_quantization(const struct cpu_run *run, int32_t tensor)
{
	return run->model->tensors[tensor].quantization;
}

size_t cpu_element_size(enum model_type type);

/* Each computes the outputs of one layer into values that have room for them. */
int cpu_spmm_run(const struct cpu_run *run, const struct model_layer *layer);
int cpu_pool_run(const struct cpu_run *run, const struct model_layer *layer);
int cpu_eltwise_run(const struct cpu_run *run, const struct model_layer *layer);
int cpu_table_run(const struct cpu_run *run, const struct model_layer *layer);
int cpu_move_run(const struct cpu_run *run, const struct model_layer *layer);
int cpu_recurrent_run(const struct cpu_run *run,
		      const struct model_layer *layer);

#endif
