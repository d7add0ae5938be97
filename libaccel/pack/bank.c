/* SPDX-License-Identifier: MIT */
#include "pack/bank.h"

#include "core/integer.h"

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

/* The loads of one part's weights, for each skew; of several parts the worst. */
static void part_loads(const struct model_csr *matrix, int64_t first,
		       int64_t end, uint32_t banks, uint64_t *worst)
{
	uint64_t load[BANK_PERIOD_MAX] = { 0 };

	for (int64_t i = first; i < end; i++)
		load[(uint32_t)matrix->column[i] % bank_period(banks)]++;
	for (uint32_t s = 0; s < banks; s++)
		worst[s] = max_u64(worst[s], worst_load(load, banks, s));
}

uint32_t bank_choose_skew(const struct model_csr *matrix, uint32_t banks,
			  uint32_t parts)
{
	uint64_t count = (uint64_t)matrix->row_start[matrix->rows];
	uint64_t worst[SCHEDULE_BANKS_MAX] = { 0 };
	uint32_t skew = 0;

	for (uint32_t part = 0; part < parts; part++)
		part_loads(matrix, (int64_t)even_share(count, part, parts),
			   (int64_t)even_share(count, part + 1, parts), banks,
			   worst);
	for (uint32_t s = 1; s < banks; s++)
		if (worst[s] < worst[skew])
			skew = s;
	return skew;
}
