/* SPDX-License-Identifier: MIT */
#include "pack/bank.h"

/* Of the columns' loads, those a period apart added up. */
static uint64_t worst_load(const uint64_t *column_load, uint32_t banks,
			   uint32_t skew)
{
	uint64_t load[SCHEDULE_BANKS_MAX] = { 0 }, worst = 0;

	for (uint32_t column = 0; column < bank_period(banks); column++)
		load[bank_of(column, banks, skew)] += column_load[column];
	for (uint32_t bank = 0; bank < banks; bank++)
		worst = load[bank] > worst ? load[bank] : worst;
	return worst;
}

uint32_t bank_choose_skew(const struct model_csr *matrix, uint32_t banks)
{
	int64_t count = matrix->row_start[matrix->rows];
	uint64_t load[BANK_PERIOD_MAX] = { 0 };
	uint64_t worst, best = UINT64_MAX;
	uint32_t skew = 0;

	for (int64_t i = 0; i < count; i++)
		load[(uint32_t)matrix->column[i] % bank_period(banks)]++;
	for (uint32_t s = 0; s < banks; s++) {
		worst = worst_load(load, banks, s);
		if (worst < best) {
			best = worst;
			skew = s;
		}
	}
	return skew;
}
