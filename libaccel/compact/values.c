/* SPDX-License-Identifier: MIT */
#include <compact/values.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sizes that one situation stands for. */
#define SIZE_STEP 8

/* An eighth of an octave in the word of binary32. */
#define SCALE_SHIFT 20

/* What a tree knows of other matrices soon yields to what it sees in its own. */
#define SEEN_BEFORE 4

#define OPINIONS(array) (sizeof(array) / sizeof(struct opinion))

enum sign {
	SIGN_NONE,
	SIGN_PLUS,
	SIGN_MINUS,
};

int values_model_create(struct values_model *model, const struct odds *odds)
{
	int ret = mixer_create(&model->sizes, odds, VALUES_INPUTS, VALUES_TREE);
	int second = mixer_create(&model->signs, odds, VALUES_SIGN_INPUTS, 1);

	model->odds = odds;
	opinions_reset(model->any, OPINIONS(model->any), CODER_HALF, 0);
	opinions_reset(model->last[0][0], OPINIONS(model->last), CODER_HALF, 0);
	opinions_reset(model->left[0], OPINIONS(model->left), CODER_HALF, 0);
	opinions_reset(model->sign, OPINIONS(model->sign), CODER_HALF, 2);
	opinions_reset(model->sign_left[0], OPINIONS(model->sign_left),
		       CODER_HALF, 2);
	opinions_reset(model->sign_above, OPINIONS(model->sign_above),
		       CODER_HALF, 2);
	return ret ? ret : second;
}

void values_model_release(struct values_model *model)
{
	mixer_release(&model->sizes);
	mixer_release(&model->signs);
}

static void tree_begin(struct opinion *tree, const struct opinion *any)
{
	memcpy(tree, any, VALUES_TREE * sizeof(*tree));
	for (int i = 0; i < VALUES_TREE; i++)
		if (tree[i].seen > SEEN_BEFORE)
			tree[i].seen = SEEN_BEFORE;
}

struct values *values_create(struct values_model *model, uint32_t columns)
{
	struct values *values = calloc(1, sizeof(*values));

	if (!values)
		return NULL;
	values->model = model;
	values->above = calloc((size_t)columns + 1, sizeof(*values->above));
	if (!values->above) {
		free(values);
		return NULL;
	}
	for (int i = 0; i < VALUES_SCALES; i++)
		tree_begin(values->scale[i], model->any);
	for (int i = 0; i < VALUES_SIZES; i++)
		tree_begin(values->column[i], model->any);
	return values;
}

void values_destroy(struct values *values)
{
	if (values)
		free(values->above);
	free(values);
}

/**
 * struct row - so far
 * @scale: which trees are for its scale
 * @rest: values that are left, the present one, too
 * @has_largest: one of them was as large as any of the matrix
 * @is_begun: there was a value
 * @last: its size
 * @before: size of the one before, or of the same where there is none
 * @sign: of the last
 */
struct row {
	uint32_t scale;
	uint32_t rest;
	uint32_t has_largest;
	bool is_begun;
	uint32_t last;
	uint32_t before;
	enum sign sign;
};

static uint32_t size_code(struct values *values, struct coder *coder,
			  const struct row *row,
			  const struct value_above *above, uint32_t size)
{
	struct values_model *model = values->model;
	uint32_t rest = row->rest < VALUES_LEFT ? row->rest : VALUES_LEFT;
	uint32_t mean = (row->last + row->before) / 2;
	struct opinion *const trees[VALUES_INPUTS] = {
		model->any,
		values->scale[row->scale],
		model->last[row->has_largest][rest - 1],
		model->left[row->is_begun ? 1 + mean / SIZE_STEP : 0],
		values->column[above->size ? 1 + above->size / SIZE_STEP : 0],
	};

	return mixer_tree(&model->sizes, coder, VALUES_BITS, trees, size);
}

static enum sign sign_code(struct values *values, struct coder *coder,
			   const struct row *row,
			   const struct value_above *above, uint32_t size,
			   bool is_negative)
{
	struct values_model *model = values->model;
	struct opinion *const opinions[VALUES_SIGN_INPUTS] = {
		&model->sign[size],
		&model->sign_left[row->sign][above->sign],
		&model->sign_above[above->sign],
	};

	if (!size)
		return SIGN_NONE;
	return mixer_bit(&model->signs, coder, 0, opinions, is_negative) ?
		       SIGN_MINUS :
		       SIGN_PLUS;
}

static int8_t value_code(struct values *values, struct coder *coder,
			 struct row *row, struct value_above *above,
			 int32_t value)
{
	uint32_t size = size_code(values, coder, row, above,
				  (uint32_t)(value < 0 ? -value : value));
	enum sign sign = sign_code(values, coder, row, above, size, value < 0);

	value = sign == SIGN_MINUS ? -(int32_t)size : (int32_t)size;
	if (value != (int8_t)value) {
		coder_fail(coder, -EBADMSG);
		return 0;
	}
	if (size >= values->largest) {
		values->largest = size;
		row->has_largest = 1;
	}
	row->before = row->is_begun ? row->last : size;
	row->is_begun = true;
	row->rest--;
	row->last = size;
	row->sign = sign;
	above->size = (uint8_t)(size + 1);
	above->sign = (uint8_t)sign;
	return (int8_t)value;
}

void values_code_row(struct values *values, struct coder *coder, float scale,
		     const int32_t *columns, int8_t *value, uint32_t count)
{
	struct row row = { .sign = SIGN_NONE };
	uint32_t word;

	memcpy(&word, &scale, sizeof(word));
	row.scale = word >> SCALE_SHIFT & (VALUES_SCALES - 1);
	row.rest = count;
	for (uint32_t i = 0; !coder->error && i < count; i++) {
		int8_t code = value_code(values, coder, &row,
					 &values->above[columns[i]],
					 coder->decodes ? 0 : value[i]);

		if (coder->decodes)
			value[i] = code;
	}
}
