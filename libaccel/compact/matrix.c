/* SPDX-License-Identifier: MIT */
#include <compact/matrix.h>

#include <model/model.h>

#include <errno.h>
#include <stdlib.h>

/* Claimed for a weight. */
#define WEIGHT_WORK 8
#define WEIGHTS_MAX ((uint64_t)1 << 40)

int matrix_model_create(struct matrix_model *model, const struct odds *odds)
{
	int ret = mixer_create(&model->positions, odds, POSITIONS_INPUTS,
			       POSITIONS_AGES);
	int second = values_model_create(&model->values, odds);

	model->odds = odds;
	number_reset(&model->nonzeros);
	return ret ? ret : second;
}

void matrix_model_release(struct matrix_model *model)
{
	mixer_release(&model->positions);
	values_model_release(&model->values);
}

static bool arrays_create(struct model_csr *csr, uint64_t nonzeros)
{
	csr->row_start = calloc((size_t)csr->rows + 1, sizeof(*csr->row_start));
	csr->column = malloc(nonzeros * sizeof(*csr->column) + 1);
	csr->value = malloc(nonzeros + 1);
	return csr->row_start && csr->column && csr->value;
}

/* Ends in what it fails with, and without any array where the number is a lie. */
static uint64_t begin(struct matrix_model *model, struct coder *coder,
		      struct model_csr *csr)
{
	uint64_t nonzeros = coder->decodes ? 0 :
					     (uint64_t)model_csr_nonzeros(csr);

	nonzeros = number_code(&model->nonzeros, model->odds, coder, nonzeros);
	if (nonzeros > (uint64_t)csr->rows * csr->columns ||
	    nonzeros > WEIGHTS_MAX)
		coder_fail(coder, -EBADMSG);
	else if (coder_claim(coder, nonzeros * WEIGHT_WORK) && coder->decodes &&
		 !arrays_create(csr, nonzeros))
		coder_fail(coder, -ENOMEM);
	return nonzeros;
}

static void rows_walk(struct positions *positions, struct values *values,
		      struct coder *coder, const float *scale,
		      struct model_csr *csr, uint64_t nonzeros)
{
	uint64_t at = 0;

	for (uint32_t row = 0; !coder->error && row < csr->rows; row++) {
		uint64_t most = coder->decodes ?
					nonzeros - at :
					(uint64_t)csr->row_start[row + 1] - at;
		uint32_t count = positions_code_row(positions, coder, row,
						    csr->column + at, most);

		values_code_row(values, coder, scale[row], csr->column + at,
				csr->value + at, count);
		at += count;
		if (coder->decodes)
			csr->row_start[row + 1] = (int64_t)at;
	}
	if (at != nonzeros)
		coder_fail(coder, -EBADMSG);
}

int matrix_code(struct matrix_model *model, struct coder *coder,
		const struct positions_shape *shape, const float *scale,
		struct model_csr *csr)
{
	uint64_t nonzeros = begin(model, coder, csr);
	struct positions_shape whole = *shape;
	struct positions positions;
	struct values *values;

	if (coder->error)
		return coder->error;
	whole.columns = csr->columns;
	if (!positions_create(&positions, model->odds, &model->positions, coder,
			      &whole, nonzeros,
			      (uint64_t)csr->rows * csr->columns)) {
		values = values_create(&model->values, csr->columns);
		if (values)
			rows_walk(&positions, values, coder, scale, csr,
				  nonzeros);
		else
			coder_fail(coder, -ENOMEM);
		values_destroy(values);
	}
	positions_release(&positions);
	return coder->error;
}
