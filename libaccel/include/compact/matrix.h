/* SPDX-License-Identifier: MIT */
/* A sparse matrix: row by row, where its weights are and what they are. */
#ifndef COMPACT_MATRIX_H
#define COMPACT_MATRIX_H

#include <stdint.h>

#include <compact/coder.h>
#include <compact/mixer.h>
#include <compact/number.h>
#include <compact/positions.h>
#include <compact/values.h>

struct model_csr;

/**
 * struct matrix_model - those so far
 * @odds: shared
 * @positions: mixer
 * @values: shared
 * @nonzeros: how many weights they had
 */
struct matrix_model {
	const struct odds *odds;
	struct mixer positions;
	struct values_model values;
	struct number_model nonzeros;
};

/* −ENOMEM; matrix_model_release() is due in any case. */
int matrix_model_create(struct matrix_model *model, const struct odds *odds);
void matrix_model_release(struct matrix_model *model);

/*
 * A matrix whose rows and columns, scales and shape are known, @shape->columns excepted. An
 * encoder is given its arrays; a decoder makes them, for free(). Return: 0 or −errno.
 */
int matrix_code(struct matrix_model *model, struct coder *coder,
		const struct positions_shape *shape, const float *scale,
		struct model_csr *csr);

#endif
