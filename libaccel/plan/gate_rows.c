/* SPDX-License-Identifier: MIT */
#include "plan/gate_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "model/packing.h"

static int rows_allocate(const struct model_csr *csr, struct model_csr *out)
{
	size_t nonzeros = (size_t)model_csr_nonzeros(csr) + 1;

	*out = (struct model_csr){ .rows = csr->rows, .columns = csr->columns };
	out->row_start = calloc(csr->rows + 1ul, sizeof(*out->row_start));
	out->column = calloc(nonzeros, sizeof(*out->column));
	out->value = calloc(nonzeros, sizeof(*out->value));
	if (out->row_start && out->column && out->value)
		return 0;
	gate_rows_free(out);
	return accel_error(-ENOMEM, "out of memory");
}

/* Appends a row of @from to the matrix, as its row @to. */
static void row_append(const struct model_csr *from, uint32_t row,
		       struct model_csr *csr, uint32_t to)
{
	int64_t first = from->row_start[row];
	int64_t at = csr->row_start[to];
	size_t count = (size_t)(from->row_start[row + 1] - first);

	memcpy(csr->column + at, from->column + first,
	       count * sizeof(*csr->column));
	memcpy(csr->value + at, from->value + first, count);
	csr->row_start[to + 1] = at + (int64_t)count;
}

int gate_rows_create(const struct model_csr *csr, uint32_t units,
		     struct model_csr *out)
{
	int ret = rows_allocate(csr, out);

	if (ret)
		return ret;
	for (uint32_t row = 0; row < csr->rows; row++)
		row_append(csr, model_stream_row(row, csr->rows, units), out,
			   row);
	return 0;
}

void gate_rows_free(struct model_csr *csr)
{
	free(csr->row_start);
	free(csr->column);
	free(csr->value);
	memset(csr, 0, sizeof(*csr));
}
