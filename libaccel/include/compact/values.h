/* SPDX-License-Identifier: MIT */
/* The values of a row's kept positions. */
#ifndef COMPACT_VALUES_H
#define COMPACT_VALUES_H

#include <stdint.h>

#include <compact/coder.h>
#include <compact/mixer.h>

#define VALUES_BITS 8 /* of a size: 0 … 128 */
#define VALUES_TREE (1 << VALUES_BITS)
#define VALUES_INPUTS 5
#define VALUES_SIGN_INPUTS 3

/* Situations: see values.c. */
#define VALUES_LEFT 8
#define VALUES_SIZES 18
#define VALUES_SCALES 64
#define VALUES_SIGNS 3

/**
 * struct values_model - those of the matrices so far
 * @odds: shared
 * @sizes: mixer of trees for what a value is without its sign; @signs: likewise
 * @any: sizes of all
 * @last: by how many are left in the row, and whether it has had a largest one
 * @left: by the sizes of the two before
 * @sign: by size; @sign_left and @sign_above: by the sign of neighbours
 */
struct values_model {
	const struct odds *odds;
	struct mixer sizes;
	struct mixer signs;
	struct opinion any[VALUES_TREE];
	struct opinion last[2][VALUES_LEFT][VALUES_TREE];
	struct opinion left[VALUES_SIZES][VALUES_TREE];
	struct opinion sign[VALUES_TREE];
	struct opinion sign_left[VALUES_SIGNS][VALUES_SIGNS];
	struct opinion sign_above[VALUES_SIGNS];
};

/* Of the last value above: its size and one, 0 for none; and its sign. */
struct value_above {
	uint8_t size;
	uint8_t sign;
};

/**
 * struct values - of one matrix
 * @model: shared
 * @scale: trees by the row's scale: what is pruned is small by its real size
 * @column: by the size of the value above
 * @above: for each column
 * @largest: size so far
 */
struct values {
	struct values_model *model;
	struct opinion scale[VALUES_SCALES][VALUES_TREE];
	struct opinion column[VALUES_SIZES][VALUES_TREE];
	struct value_above *above;
	uint32_t largest;
};

/* −ENOMEM; values_model_release() is due in any case. */
int values_model_create(struct values_model *model, const struct odds *odds);
void values_model_release(struct values_model *model);

/* Begin a matrix of so many columns, which were claimed; for values_destroy(). */
struct values *values_create(struct values_model *model, uint32_t columns);
void values_destroy(struct values *values);

/* So many values of one row, in the given columns; a decoder writes them. */
void values_code_row(struct values *values, struct coder *coder, float scale,
		     const int32_t *columns, int8_t *value, uint32_t count);

#endif
