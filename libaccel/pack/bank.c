/* SPDX-License-Identifier: MIT */
#include "pack/bank.h"

#include <stdlib.h>

#include "pack/schedule.h"

static uint64_t worst_load(const uint32_t *column_load, uint32_t columns,
			   uint32_t banks, uint32_t skew)
{
	uint64_t load[SCHEDULE_BANKS_MAX] = { 0 }, worst = 0;

	for (uint32_t column = 0; column < columns; column++)
		load[bank_of(column, banks, skew)] += column_load[column];
	for (uint32_t bank = 0; bank < banks; bank++)
		worst = load[bank] > worst ? load[bank] : worst;
	return worst;
}

int bank_choose_skew(const struct model_csr *matrix, uint32_t banks)
{
	int64_t count = matrix->row_start[matrix->rows];
	uint64_t worst, best = UINT64_MAX;
	uint32_t *load;
	int skew = 0;

	load = calloc(matrix->columns, sizeof(*load));
	if (!load)
		return -1;
	for (int64_t i = 0; i < count; i++)
		load[matrix->column[i]]++;
	for (uint32_t s = 0; s < banks; s++) {
		worst = worst_load(load, matrix->columns, banks, s);
		if (worst < best) {
			best = worst;
			skew = (int)s;
		}
	}
	free(load);
	return skew;
}
