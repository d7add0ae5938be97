/* SPDX-License-Identifier: MIT */
#include "plan/gate_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static int rows_allocate(const struct model_csr *csr, struct gate_rows *out)
{
	size_t nonzeros = (size_t)model_csr_nonzeros(csr) + 1;

	*out = (struct gate_rows){ .csr.rows = csr->rows,
				   .csr.columns = csr->columns };
	out->csr.row_start =
		calloc(csr->rows + 1ul, sizeof(*out->csr.row_start));
	out->csr.column = calloc(nonzeros, sizeof(*out->csr.column));
	out->csr.value = calloc(nonzeros, sizeof(*out->csr.value));
	out->scale = calloc(csr->rows + 1ul, sizeof(*out->scale));
	out->bias = calloc(csr->rows + 1ul, sizeof(*out->bias));
	if (out->csr.row_start && out->csr.column && out->csr.value &&
	    out->scale && out->bias)
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

int gate_rows_create(const struct model_csr *csr, const float *scale,
		     const int32_t *bias, uint32_t units, struct gate_rows *out)
{
	uint32_t gates = units ? csr->rows / units : 0;
	int ret = rows_allocate(csr, out);

	if (ret)
		return ret;
	for (uint32_t unit = 0; unit < units; unit++) {
		for (uint32_t gate = 0; gate < gates; gate++) {
			uint32_t from = gate * units + unit;
			uint32_t to = unit * gates + gate;

			row_append(csr, from, &out->csr, to);
			out->scale[to] = scale[from];
			out->bias[to] = bias[from];
		}
	}
	return 0;
}

void gate_rows_free(struct gate_rows *rows)
{
	free(rows->csr.row_start);
	free(rows->csr.column);
	free(rows->csr.value);
	free(rows->scale);
	free(rows->bias);
	memset(rows, 0, sizeof(*rows));
}
