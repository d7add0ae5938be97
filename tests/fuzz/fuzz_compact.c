/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are the arrays of a layer or are refused, whatever sizes its graph claims; and
 * what they are has the form that its validation expects. (Behind the text of a whole file,
 * which a changed byte makes unreadable, a fuzzer would hardly ever get here.)
 */
#include <compact/matrix.h>
#include <compact/rows.h>
#include <compact/table.h>
#include <model/model.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a graph claims. */
struct claim {
	uint32_t rows;
	uint32_t columns;
	uint32_t taps;
	uint32_t phases;
};

struct layer {
	struct model_csr csr;
	float *scale;
	int32_t *bias;
	int8_t *tables;
};

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_csr(const struct model_csr *csr)
{
	int64_t nonzeros = csr->row_start[csr->rows];

	require(csr->row_start[0] == 0);
	for (uint32_t row = 0; row < csr->rows; row++) {
		require(csr->row_start[row] <= csr->row_start[row + 1]);
		for (int64_t i = csr->row_start[row];
		     i < csr->row_start[row + 1]; i++) {
			require(i < nonzeros && csr->column[i] >= 0);
			require((uint32_t)csr->column[i] < csr->columns);
			require(i == csr->row_start[row] ||
				csr->column[i - 1] < csr->column[i]);
		}
	}
}

static int decode(struct matrix_model *matrix, struct coder *coder,
		  const struct claim *claim, struct layer *layer)
{
	static struct opinion entries[TABLE_OPINIONS];
	static struct rows_model rows;
	const struct positions_shape shape = {
		.taps = claim->taps,
		.phases = claim->phases,
	};
	int ret;

	rows_reset(&rows);
	opinions_reset(entries, TABLE_OPINIONS, CODER_HALF, 0);
	ret = rows_code(&rows, matrix->odds, coder, layer->csr.rows,
			&layer->scale, &layer->bias);
	if (!ret)
		ret = matrix_code(matrix, coder, &shape, layer->scale,
				  &layer->csr);
	if (!ret)
		check_csr(&layer->csr);
	return ret ? ret :
		     table_code(entries, matrix->odds, coder, 1,
				&layer->tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct matrix_model matrix;
	static struct odds odds;
	struct layer layer = { .scale = NULL };
	struct claim claim;
	struct coder coder;

	if (size < sizeof(claim))
		return 0;
	memcpy(&claim, data, sizeof(claim));
	layer.csr.rows = claim.rows;
	layer.csr.columns = claim.columns;
	odds_create(&odds);
	coder_decode(&coder, data + sizeof(claim), size - sizeof(claim));
	if (!matrix_model_create(&matrix, &odds) &&
	    !decode(&matrix, &coder, &claim, &layer))
		coder_finish(&coder);
	matrix_model_release(&matrix);
	free(layer.csr.row_start);
	free(layer.csr.column);
	free(layer.csr.value);
	free(layer.scale);
	free(layer.bias);
	free(layer.tables);
	return 0;
}
