/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_POOL_H
#define ACCEL_POOL_H

#include <accel/plan.h>
#include <accel/run.h>
#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Several devices and one model, planned on each: a batch is spread over them. The thread
 * that calls drives all of them, through their queues. A pool is for one thread at a time.
 */

/**
 * struct accel_pool_options - how to make a pool
 * @size: sizeof(struct accel_pool_options)
 * @plan: of an item, on every device; NULL as for accel_plan_create()
 */
struct accel_pool_options {
	size_t size;
	const struct accel_plan_options *plan;
};

/**
 * accel_pool_create() - plan a model on several devices
 * @devices: open; of any kinds, and each may be in use otherwise. The pool keeps them open
 * @count: of @devices, at least 1
 * @model: any
 * @options: NULL for the defaults
 * @pool: the result, to be destroyed by accel_pool_destroy()
 *
 * Return: 0; -EINVAL; what accel_plan_create() and accel_queue_create() return for one of
 * the devices, which the text names.
 * Thread-safe.
 */
int accel_pool_create(struct accel_device *const *devices, uint32_t count,
		      struct accel_model *model,
		      const struct accel_pool_options *options,
		      struct accel_pool **pool);

/**
 * accel_pool_destroy() - free the plans on all devices
 * @pool: or NULL
 */
void accel_pool_destroy(struct accel_pool *pool);

/**
 * accel_pool_run() - run items on all devices and wait for them
 * @pool: of the calling thread
 * @inputs: as for accel_run(), but each holds those of @items, one behind another; its
 *	count is that of all of them
 * @input_count: the rest of the model's inputs are zero
 * @outputs: likewise
 * @output_count: at most the model's
 * @items: how many; each has the batch of the plan
 * @timeout_ns: for all of them; when it is over what runs is cancelled
 *
 * An item goes to the device that is expected to be done with it first, by the time that
 * items took before. A device that fails an item gets no more, in later calls either, and
 * the item is run again on another: results are those of any one of the devices, bit for
 * bit, whatever the spread.
 *
 * Return: 0; -EINVAL; -ETIMEDOUT, and outputs hold what was done until then; -ENODEV if
 * no device is left, the text says what the last one failed with; -ENOMEM.
 */
int accel_pool_run(struct accel_pool *pool, const struct accel_input *inputs,
		   uint32_t input_count, const struct accel_output *outputs,
		   uint32_t output_count, uint32_t items, int64_t timeout_ns);

/**
 * struct accel_pool_info - one device of a pool, since the pool was created
 * @size: sizeof(struct accel_pool_info)
 * @uri: of the device; belongs to it
 * @items: that it has done
 * @item_ns: that it takes for one, as the last ones did; 0: not known
 * @failures: items that it failed
 * @error: 0, or the negative errno value with which it was left out
 */
struct accel_pool_info {
	size_t size;
	const char *uri;
	uint64_t items;
	uint64_t item_ns;
	uint32_t failures;
	int32_t error;
};

/**
 * accel_pool_get_info() - what a device of a pool has done
 * @pool: any
 * @index: of the device, in the order of accel_pool_create()
 * @info: @size set by the caller
 *
 * Return: 0; -EINVAL for an index or size that does not exist.
 */
int accel_pool_get_info(const struct accel_pool *pool, uint32_t index,
			struct accel_pool_info *info);

#ifdef __cplusplus
}
#endif

#endif
