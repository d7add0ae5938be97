/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_PLAN_H
#define ACCEL_PLAN_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A plan is a model made ready for one device and one set of sizes: its weights
 * packed for the geometry and uploaded, its memory laid out, its commands built.
 * A plan may be used by one thread at a time, and one run of it may be
 * outstanding.
 */

/* Every activation keeps memory of its own, for accel_plan_compare(). */
#define ACCEL_PLAN_KEEP_ACTIVATIONS 0x1

/**
 * struct accel_plan_options - the sizes of a run
 * @size: sizeof(struct accel_plan_options)
 * @flags: ACCEL_PLAN_*
 * @batch: 0 means 1
 * @height: of the image inputs; 0: what the model fixes. An error where the
 *	model fixes another, or nothing and this is 0
 * @width: likewise
 * @steps: T of the sequence inputs; likewise
 * @reserved: 0
 */
struct accel_plan_options {
	size_t size;
	uint32_t flags;
	uint32_t batch;
	uint32_t height;
	uint32_t width;
	uint32_t steps;
	uint32_t reserved;
};

/**
 * accel_plan_create() - make a model ready to run
 * @device: open
 * @model: any
 * @options: NULL for a model whose sizes are all fixed, with a batch of 1
 * @plan: the result, to be destroyed by accel_plan_destroy()
 *
 * Return: 0; -EINVAL for sizes that do not fit, the text names the layer;
 * -ENOMEM when host or device memory is short; -EBUSY when the device has no queue left
 * for the upload; -ENOTSUP for a layer that the device has not what it takes for, the text
 * names it; -E2BIG on "dev:" for more commands than a job may have; -EIO, -ETIMEDOUT,
 * -ENODEV from the upload.
 * Thread-safe.
 */
int accel_plan_create(struct accel_device *device, struct accel_model *model,
		      const struct accel_plan_options *options,
		      struct accel_plan **plan);

/**
 * accel_plan_load() - make a model that lies in a file ready to run
 * @device: open
 * @path: of a file that `accel compress` or `accel pack` wrote
 * @options: as for accel_plan_create()
 * @plan: the result, to be destroyed by accel_plan_destroy()
 *
 * The plan is the same as that of accel_model_load() and accel_plan_create(), and is
 * there sooner: matrices are read while those before them are packed. Those that lie in
 * the file as this device wants them, for these sizes, are read into memory that the
 * device copies from, while it copies; they are not decoded, so that a stream which is
 * damaged, and yet has its checksum, shows when the plan runs.
 *
 * Return: 0, or an error of accel_model_load() or accel_plan_create(); -EBADMSG for a
 * file that becomes shorter meanwhile, -ETIMEDOUT if the file system does not answer for
 * 60 s. That is of each read; the upload has its own deadlines. Where the kernel does not
 * allow io_uring, a read() that does not return is waited for.
 * Thread-safe.
 */
int accel_plan_load(struct accel_device *device, const char *path,
		    const struct accel_plan_options *options,
		    struct accel_plan **plan);

/**
 * accel_plan_destroy() - free a plan and its memory
 * @plan: or NULL; no run of it may be outstanding
 *
 * Thread-safe, as long as no other thread uses this plan.
 */
void accel_plan_destroy(struct accel_plan *plan);

/**
 * struct accel_plan_info - what a plan takes
 * @size: sizeof(struct accel_plan_info)
 * @batch: as planned
 * @input_count: as of the model
 * @output_count: as of the model
 * @layer_count: entries of accel_plan_get_layer()
 * @command_count: device commands of one run
 * @weight_bytes: packed weights, scales, biases and tables
 * @activation_bytes: activations, after reuse of dead ones' memory
 * @host_bytes: staging of inputs and outputs
 */
struct accel_plan_info {
	size_t size;
	uint32_t batch;
	uint32_t input_count;
	uint32_t output_count;
	uint32_t layer_count;
	uint32_t command_count;
	uint64_t weight_bytes;
	uint64_t activation_bytes;
	uint64_t host_bytes;
};

/**
 * accel_plan_get_info() - describe a plan
 * @plan: any
 * @info: @size set by the caller
 *
 * Return: 0 or -EINVAL.
 */
int accel_plan_get_info(const struct accel_plan *plan,
			struct accel_plan_info *info);

/**
 * accel_plan_get_input() - sizes of an input's array
 * @plan: any
 * @index: below @input_count
 * @info: @size set by the caller; no dimension is dynamic
 *
 * Return: 0 or -EINVAL.
 */
int accel_plan_get_input(const struct accel_plan *plan, uint32_t index,
			 struct accel_port_info *info);

/**
 * accel_plan_get_output() - sizes of an output's array
 * @plan: any
 * @index: below @output_count
 * @info: @size set by the caller
 *
 * Return: 0 or -EINVAL.
 */
int accel_plan_get_output(const struct accel_plan *plan, uint32_t index,
			  struct accel_port_info *info);

#define ACCEL_STALL_CAUSES 12

/**
 * struct accel_layer_info - what a layer cost in the last run
 * @size: sizeof(struct accel_layer_info)
 * @name: of the layer; of the total, the model's
 * @op: "spmm", "add", "lstm", …, "copy" for transfers; of the total, "total"
 * @m: rows of the weights, 0 for a layer without any
 * @k: columns of the weights
 * @n: columns of the result: height × width × batch
 * @nnz: kept positions
 * @macs: nnz · n, what was performed
 * @macs_dense: what the dense layer would have taken
 * @cycles: the layer's lane-cycles ÷ lanes, rounded up: layers overlap, and each
 *	lane-cycle is one layer's; of the total, the makespan; 0 on devices that
 *	count none
 * @roof_hard_cycles: lower bound for any machine of this size; of the total,
 *	the network's, which is not the sum
 * @roof_structural_cycles: the same with this array's rounding and ports
 * @utilization: roof_hard_cycles / cycles, 0 without cycles
 * @bytes_dram: read from and written to device memory
 * @bytes_sram: between on-chip memory and the clusters
 * @bytes_pcie: moved over the link
 * @stall: lane-cycles by cause, in the order of enum spmm_stall of
 *	spmm/queue.h; the first is useful work. Those of the total are cycles ×
 *	lanes
 * @issue_cycles: that the bank schedule takes to issue the weights once, for one
 *	vector of columns, in the row group that takes longest; of a recurrent
 *	layer, input and hidden weights one after the other; 0 on devices that
 *	need no schedule, and of the total
 * @optimal_cycles: lower bound of the same, by bipartite edge colouring
 * @bytes_weights: of the packed weights; 0 on devices that pack none
 * @bytes_input: of all operands, once
 * @bytes_output: of the results, once; both 0 on devices that plan no memory
 * @host_ns: on "cpu:", how long this processor took; 0 on devices
 * @first_cycle: of the device's counter, when the layer began in the last run
 * @last_cycle: likewise, when its last result was stored; layers overlap
 * @work_cycle: likewise, when its first lane began; what came before was brought
 *	for it while others computed
 * @dram_activates: rows that device memory opened; of one layer, those since the
 *	one before it ended, as layers overlap
 */
struct accel_layer_info {
	size_t size;
	const char *name;
	const char *op;
	uint64_t m;
	uint64_t k;
	uint64_t n;
	uint64_t nnz;
	uint64_t macs;
	uint64_t macs_dense;
	uint64_t cycles;
	uint64_t roof_hard_cycles;
	uint64_t roof_structural_cycles;
	double utilization;
	uint64_t bytes_dram;
	uint64_t bytes_sram;
	uint64_t bytes_pcie;
	uint64_t stall[ACCEL_STALL_CAUSES];
	uint64_t issue_cycles;
	uint64_t optimal_cycles;
	uint64_t bytes_weights;
	uint64_t bytes_input;
	uint64_t bytes_output;
	uint64_t host_ns;
	uint64_t first_cycle;
	uint64_t last_cycle;
	uint64_t work_cycle;
	uint64_t dram_activates;
};

/**
 * accel_plan_get_layer() - what one layer cost in the last run
 * @plan: any
 * @index: below @layer_count
 * @info: @size set by the caller; before the first run the costs are 0
 *
 * Return: 0 or -EINVAL.
 */
int accel_plan_get_layer(const struct accel_plan *plan, uint32_t index,
			 struct accel_layer_info *info);

/**
 * accel_plan_get_total() - what the last run cost
 * @plan: any
 * @info: @size set by the caller
 *
 * Return: 0 or -EINVAL.
 */
int accel_plan_get_total(const struct accel_plan *plan,
			 struct accel_layer_info *info);

#ifdef __cplusplus
}
#endif

#endif
