/* SPDX-License-Identifier: MIT */
/*
 * The golden executor: a model in plain C, straight from its CSR matrices, with the
 * golden arithmetic and nothing else. Every other way to run a model is compared
 * with this one, bit by bit.
 */
#ifndef BACKEND_CPU_H
#define BACKEND_CPU_H

#include <model/model.h>

/**
 * struct cpu_observer - who looks on
 * @layer_done: called after each layer for each output that it has, with the
 *	tensor's values as [channel][row][column][batch], valid during the call;
 *	NULL for nobody
 * @cancelled: called every few milliseconds of work; NULL for never
 * @context: passed to both
 *
 * Both return 0 to go on; a negative errno stops the run, which returns it.
 */
struct cpu_observer {
	int (*layer_done)(void *context, uint32_t layer, int32_t tensor,
			  const void *values, size_t size);
	int (*cancelled)(void *context);
	void *context;
};

/**
 * cpu_tensor_size() - bytes of a tensor's values
 *
 * Return: 0, or −EOVERFLOW.
 */
int cpu_tensor_size(const struct model_tensor *tensor,
		    const struct model_extent *extent, uint32_t batch,
		    size_t *size);

/**
 * cpu_model_run() - run a model
 * @model: valid
 * @extents: of all tensors, from model_infer_extents()
 * @batch: B, ≥ 1
 * @inputs: values of the model's inputs, [channel][row][column][batch]: int8 codes
 *	or, for states, float32; NULL in it stands for zeros
 * @outputs: where the model's outputs go; NULL in it: not wanted
 * @observer: or NULL
 *
 * A tensor's memory is freed after its last use. Any number of threads may run one
 * model. The result depends on nothing but the arguments.
 *
 * Return: 0; −EINVAL, −ENOMEM, −EOVERFLOW with a text; what @observer returned.
 */
int cpu_model_run(const struct model *model, const struct model_extent *extents,
		  uint32_t batch, const void *const *inputs,
		  void *const *outputs, const struct cpu_observer *observer);

#endif
