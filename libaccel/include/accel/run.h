/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_RUN_H
#define ACCEL_RUN_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As all of a plan's functions, those below are for one thread at a time; threads
 * with plans of their own need not agree, whether or not they share a device.
 */

/**
 * struct accel_input - an array of real numbers to be read
 * @data: of the caller; NULL: zeros, which is how a recurrent state starts
 *	(NaN counts as 0, and what is beyond the codes saturates)
 * @count: elements, as accel_plan_get_input() says
 * @layout: ACCEL_LAYOUT_DEFAULT, the port's own, or NHWC for an NCHW port
 */
struct accel_input {
	const float *data;
	size_t count;
	enum accel_layout layout;
};

/**
 * struct accel_output - an array of real numbers to be written
 * @data: of the caller; NULL: not wanted
 * @count: elements, as accel_plan_get_output() says
 * @layout: as in struct accel_input
 */
struct accel_output {
	float *data;
	size_t count;
	enum accel_layout layout;
};

/**
 * accel_plan_write_input() - give an input of the next run
 * @plan: with no run outstanding
 * @index: of the input; an input that was never written is zero
 * @input: is quantized and permuted; not kept
 *
 * Return: 0; -EINVAL for a wrong count, layout or index; -EBUSY.
 */
int accel_plan_write_input(struct accel_plan *plan, uint32_t index,
			   const struct accel_input *input);

/**
 * accel_plan_read_output() - read an output of the last run
 * @plan: with no run outstanding
 * @index: of the output
 * @output: receives dequantized values in its layout
 *
 * Return: 0; -EINVAL for a wrong count, layout or index; -ENODATA if no run has
 * succeeded; -EBUSY.
 */
int accel_plan_read_output(struct accel_plan *plan, uint32_t index,
			   const struct accel_output *output);

/**
 * accel_run() - run a plan and wait for it
 * @plan: with no run outstanding
 * @inputs: one for each of the first @input_count inputs
 * @input_count: the rest of the model's inputs are zero
 * @outputs: one for each of the first @output_count outputs
 * @output_count: at most the model's
 * @timeout_ns: when it is over the run is cancelled; 0 never suffices
 *
 * Return: 0; -EINVAL; -ETIMEDOUT; -EIO, -EFAULT or another code if the device
 * failed the run, the text names the layer; -ENODEV if it is gone.
 */
int accel_run(struct accel_plan *plan, const struct accel_input *inputs,
	      uint32_t input_count, const struct accel_output *outputs,
	      uint32_t output_count, int64_t timeout_ns);

/**
 * struct accel_difference - where two plans of one model first differ
 * @size: sizeof(struct accel_difference)
 * @values: elements that were compared
 * @differing: elements that differ
 * @layer: name of the first layer with one, or NULL; belongs to the model
 * @tensor: name of its output that differs
 * @channel: of the first value that differs: the row of Y
 * @column: (y · width + x) · batch + b: the column of Y
 * @y: image row
 * @x: image column
 * @batch: number in the batch
 * @first: value in the first plan: an int8 code, or a float32's bits
 * @second: value in the second plan
 */
struct accel_difference {
	size_t size;
	uint64_t values;
	uint64_t differing;
	const char *layer;
	const char *tensor;
	uint32_t channel;
	uint64_t column;
	uint32_t y;
	uint32_t x;
	uint32_t batch;
	int32_t first;
	int32_t second;
};

/**
 * accel_plan_compare() - compare all activations of two plans' last runs
 * @first: made with ACCEL_PLAN_KEEP_ACTIVATIONS and run
 * @second: the same of the same model and sizes, on another device
 * @difference: @size set by the caller
 *
 * Return: 0, also when values differ; -EINVAL if the plans do not match or keep
 * nothing; -ENODATA if one has not run; -EIO and others from reading the device.
 */
int accel_plan_compare(struct accel_plan *first, struct accel_plan *second,
		       struct accel_difference *difference);

#ifdef __cplusplus
}
#endif

#endif
