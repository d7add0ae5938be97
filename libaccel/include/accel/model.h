/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_MODEL_H
#define ACCEL_MODEL_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum accel_model_kind - what a model's inputs are
 * @ACCEL_MODEL_GENERIC: anything
 * @ACCEL_MODEL_LATENT: latents, sampled from N(0, 1)
 * @ACCEL_MODEL_IMAGE: a picture
 * @ACCEL_MODEL_SEQUENCE: a sequence, such as strokes
 */
enum accel_model_kind {
	ACCEL_MODEL_GENERIC = 0,
	ACCEL_MODEL_LATENT = 1,
	ACCEL_MODEL_IMAGE = 2,
	ACCEL_MODEL_SEQUENCE = 3,
};

/**
 * struct accel_model_info - what a model is
 * @size: sizeof(struct accel_model_info)
 * @name: of the model
 * @kind: of its inputs
 * @input_count: its inputs, recurrent states included
 * @output_count: its outputs
 * @layer_count: fused layers
 * @weights: of the dense network's matrices
 * @nonzeros: kept positions of them
 * @dense_bytes: fp32 parameters of the network it was made from
 * @provenance: JSON text of how it was compressed, or NULL
 */
struct accel_model_info {
	size_t size;
	const char *name;
	enum accel_model_kind kind;
	uint32_t input_count;
	uint32_t output_count;
	uint32_t layer_count;
	uint64_t weights;
	uint64_t nonzeros;
	uint64_t dense_bytes;
	const char *provenance;
};

/**
 * accel_model_load() - read a compressed model
 * @path: a file that `accel compress` wrote
 * @model: the result, to be freed by accel_model_free()
 *
 * Return: 0; -EINVAL or -EBADMSG for a file that is no model or is damaged;
 * -ENOENT, -EACCES, -EIO as the file system says; -ENOMEM.
 * Thread-safe.
 */
int accel_model_load(const char *path, struct accel_model **model);

/**
 * accel_model_free() - drop the caller's reference
 * @model: or NULL; plans made from it stay valid
 *
 * Thread-safe, as long as no other thread uses this reference.
 */
void accel_model_free(struct accel_model *model);

/**
 * accel_model_get_info() - describe a model
 * @model: any
 * @info: @size set by the caller; strings hold until the model is freed
 *
 * Return: 0 or -EINVAL.
 * Thread-safe, like the next two.
 */
int accel_model_get_info(const struct accel_model *model,
			 struct accel_model_info *info);

/**
 * accel_model_get_input() - describe an input
 * @model: any
 * @index: below @input_count
 * @info: @size set by the caller
 *
 * Return: 0 or -EINVAL.
 */
int accel_model_get_input(const struct accel_model *model, uint32_t index,
			  struct accel_port_info *info);

/**
 * accel_model_get_output() - describe an output
 * @model: any
 * @index: below @output_count
 * @info: @size set by the caller
 *
 * Return: 0 or -EINVAL.
 */
int accel_model_get_output(const struct accel_model *model, uint32_t index,
			   struct accel_port_info *info);

#ifdef __cplusplus
}
#endif

#endif
