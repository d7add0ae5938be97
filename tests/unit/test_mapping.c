/* SPDX-License-Identifier: MIT */
/* Which row and column groups a layer gets. */
#include "default_geometry.h"
#include "unit.h"

#include <pack/mapping.h>

#include "random.h"

static void assert_mapping(const struct geometry *geometry,
			   struct mapping_layer layer, uint32_t row_groups,
			   uint32_t column_groups, uint32_t vector_width)
{
	struct mapping mapping = mapping_choose(geometry, &layer);

	assert_int_equal(mapping.row_groups, row_groups);
	assert_int_equal(mapping.column_groups, column_groups);
	assert_int_equal(mapping.vector_width, vector_width);
}

static void columns_are_split_before_rows(void **state)
{
	(void)state;
	/* A convolution has vectors enough for every cluster. */
	assert_mapping(&default_geometry,
		       (struct mapping_layer){ 64, 576, 16384, 7000, 3 }, 1, 16,
		       32);
	/* Few vectors: rows make up for it. */
	assert_mapping(&default_geometry,
		       (struct mapping_layer){ 3136, 256, 256, 80000, 1 }, 2, 8,
		       32);
	assert_mapping(&default_geometry,
		       (struct mapping_layer){ 2048, 512, 1, 1048576, 1 }, 16,
		       1, 32);
}

static void half_vectors_need_a_faster_decoder(void **state)
{
	const struct mapping_layer layer = { 512, 1024, 48, 100000, 1 };
	struct geometry fast = default_geometry;

	(void)state;
	fast.decoder_rate = 16;
	assert_mapping(&default_geometry, layer, 8, 2, 32);
	assert_mapping(&fast, layer, 16, 1, 16);
}

static void nothing_is_divided_by_zero(void **state)
{
	const struct geometry broken = { .clusters = 1, .vector_width = 1 };

	(void)state;
	assert_mapping(&broken, (struct mapping_layer){ 1, 1, 0, 0, 0 }, 1, 1,
		       1);
}

/* No mapping that fits the clusters has fewer cycles by the documented formula. */
static void the_choice_is_the_least(void **state)
{
	uint64_t seed = 31;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct mapping_layer layer = {
			.rows = 1 + random_below(&seed, 4000),
			.inner = 9 * (1 + random_below(&seed, 200)),
			.columns = 1 + random_below(&seed, 600),
			.nonzeros = random_below(&seed, 200000),
			.kernel_width = random_below(&seed, 2) ? 3 : 1,
		};
		struct mapping best = mapping_choose(&default_geometry, &layer);
		uint64_t least =
			mapping_cycles(&default_geometry, &layer, &best);

		assert_true(best.row_groups * best.column_groups <= 16);
		for (uint32_t r = 1; r <= 16; r++) {
			for (uint32_t c = 1; r * c <= 16; c++) {
				struct mapping other = { r, c, 32 };

				assert_true(mapping_cycles(&default_geometry,
							   &layer,
							   &other) >= least);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_split_before_rows),
		cmocka_unit_test(half_vectors_need_a_faster_decoder),
		cmocka_unit_test(nothing_is_divided_by_zero),
		cmocka_unit_test(the_choice_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
