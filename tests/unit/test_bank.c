/* SPDX-License-Identifier: MIT */
/* How rows of X spread over the banks. */
#include "matrix.h"

#include <pack/bank.h>

static uint64_t worst_load(const struct model_csr *matrix, uint32_t banks,
			   uint32_t skew)
{
	uint64_t load[64] = { 0 }, worst = 0;

	for (int64_t i = 0; i < matrix->row_start[matrix->rows]; i++) {
		uint32_t k = (uint32_t)matrix->column[i];
		uint64_t *bank =
			&load[(k + (uint64_t)(k / banks) * skew) % banks];

		worst = ++*bank > worst ? *bank : worst;
	}
	return worst;
}

static void a_round_uses_every_bank_once(void **state)
{
	(void)state;
	for (uint32_t banks = 1; banks <= 33; banks++) {
		for (uint32_t skew = 0; skew < banks; skew++) {
			for (uint32_t round = 0; round < 5; round++) {
				uint64_t used = 0;

				for (uint32_t i = 0; i < banks; i++)
					used |= 1ull
						<< bank_of(round * banks + i,
							   banks, skew);
				assert_int_equal(used, (1ull << banks) - 1);
			}
		}
	}
}

static void the_skew_is_the_best_one(void **state)
{
	uint64_t seed = 13;

	(void)state;
	for (int i = 0; i < 50; i++) {
		uint32_t banks = 1 + random_below(&seed, 32);
		struct model_csr matrix =
			matrix_random(random_below(&seed, MATRIX_KINDS),
				      1 + random_below(&seed, 40),
				      1 + random_below(&seed, 200), 0.2, &seed);
		uint32_t skew = bank_choose_skew(&matrix, banks, 1);

		for (uint32_t other = 0; other < banks; other++)
			assert_true(worst_load(&matrix, banks, skew) <=
				    worst_load(&matrix, banks, other));
		matrix_free(&matrix);
	}
}

/* Columns that all rows keep lie 16 apart: one bank would serve all of them. */
static void popular_columns_get_banks_of_their_own(void **state)
{
	uint64_t seed = 1;
	struct model_csr matrix =
		matrix_random(MATRIX_UNIFORM, 10, 16, 1, &seed);

	(void)state;
	matrix.columns = 256;
	for (int i = 0; i < 160; i++)
		matrix.column[i] = i % 16 * 16;
	assert_int_equal(worst_load(&matrix, 16, 0), 160);
	assert_int_equal(
		worst_load(&matrix, 16, bank_choose_skew(&matrix, 16, 1)), 10);
	matrix_free(&matrix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_uses_every_bank_once),
		cmocka_unit_test(the_skew_is_the_best_one),
		cmocka_unit_test(popular_columns_get_banks_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
