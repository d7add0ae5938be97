/* SPDX-License-Identifier: MIT */
/* How an SPMM's columns are cut into tiles and vectors, and what these cost. */
#include "unit.h"

#include <string.h>

#include "random.h"

#include <sim/traversal.h>

#define ROUNDS 2000
#define PARTS_MAX 16

/* A matrix of which only what timing needs exists. */
struct fixture {
	struct sim_config config;
	struct spmm_descriptor d;
	struct sim_matrix matrix;
	struct sim_part parts[PARTS_MAX];
	struct traversal traversal;
};

static void part_fill(struct fixture *f, struct sim_part *part, uint64_t rows)
{
	const struct spmm_descriptor *d = &f->d;
	uint64_t taps = (uint64_t)d->kernel_height * d->kernel_width;

	*part = (struct sim_part){
		.cycles = rows * d->input.channels * taps / 8 + 1,
		.slots = rows * d->input.channels * taps,
		.bytes = rows * d->input.channels * taps * 3 / 2,
		.columns = d->input.channels * taps,
		.lines = (uint64_t)d->input.channels * d->kernel_height,
		.channels = d->input.channels,
		.rows = (uint32_t)rows,
	};
}

static void fixture_finish(struct fixture *f, uint32_t row_groups,
			   uint32_t column_groups)
{
	assert_int_equal(sim_config_preset("default", &f->config), 0);
	f->d.columns =
		f->d.input.channels * f->d.kernel_height * f->d.kernel_width;
	f->matrix = (struct sim_matrix){
		.rows = f->d.rows,
		.columns = f->d.columns,
		.parts = f->parts,
		.mapping = { row_groups, column_groups, 32 },
	};
	for (uint32_t p = 0; p < row_groups; p++)
		part_fill(f, &f->parts[p], f->d.rows / row_groups + 1);
}

/* A 3 × 3 convolution of an image. */
static void fixture_open(struct fixture *f, uint32_t channels, uint32_t height,
			 uint32_t width, uint32_t rows)
{
	memset(f, 0, sizeof(*f));
	f->d.rows = rows;
	f->d.batch = 1;
	f->d.kernel_height = f->d.kernel_width = 3;
	f->d.stride_height = f->d.stride_width = 1;
	f->d.dilation_height = f->d.dilation_width = 1;
	f->d.replicate_height = f->d.replicate_width = 1;
	f->d.input.channels = channels;
	f->d.input.height = f->d.height = height;
	f->d.input.width = f->d.width = width;
	fixture_finish(f, 1, 16);
}

static uint32_t between(uint64_t *random, uint32_t low, uint32_t high)
{
	return low + random_below(random, high - low + 1);
}

static void fixture_random(struct fixture *f, uint64_t *random)
{
	uint32_t groups = 1u << between(random, 0, 4);

	memset(f, 0, sizeof(*f));
	f->d.rows = between(random, 1, 300);
	f->d.batch = between(random, 0, 1) ? 1 : between(random, 1, 100);
	f->d.kernel_height = (uint16_t)between(random, 1, 4);
	f->d.kernel_width = (uint16_t)between(random, 1, 4);
	f->d.stride_height = (uint16_t)between(random, 1, 3);
	f->d.stride_width = (uint16_t)between(random, 1, 3);
	f->d.dilation_height = (uint16_t)between(random, 1, 2);
	f->d.dilation_width = (uint16_t)between(random, 1, 2);
	f->d.replicate_height = f->d.replicate_width = 1;
	f->d.input.channels = between(random, 1, 60);
	f->d.height = between(random, 1, 90);
	f->d.width = between(random, 1, 90);
	f->d.input.height = f->d.height * f->d.stride_height;
	f->d.input.width = f->d.width * f->d.stride_width;
	fixture_finish(f, groups, 16 / groups);
}

static void choose(struct fixture *f, uint32_t tiles)
{
	traversal_choose(&f->config, &f->d, &f->matrix, tiles, &f->traversal);
}

/* All vectors, all rows, each stored once and after it was touched. */
static void tiles_are_all_there_is(void **state)
{
	uint64_t random = 31;

	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t vectors = 0, touched = 0;
		uint32_t stored = 0;
		struct fixture f;

		fixture_random(&f, &random);
		choose(&f, 16);
		assert_true(f.traversal.tiles >= 1 && f.traversal.tiles <= 16);
		for (uint32_t i = 0; i < f.traversal.tiles; i++) {
			struct traversal_tile tile;

			traversal_tile(&f.traversal, i, &tile);
			assert_true(tile.first <= touched);
			assert_true(tile.first < tile.end || !tile.vectors);
			assert_true(tile.end <= f.d.height);
			assert_true(tile.stored >= stored);
			assert_true(tile.stored <= tile.end);
			vectors += tile.vectors;
			touched = tile.end;
			stored = tile.stored;
		}
		assert_int_equal(vectors, f.traversal.vectors);
		assert_int_equal(touched, f.d.height);
		assert_int_equal(stored, f.d.height);
		assert_true(vectors * 32 >=
			    (uint64_t)f.d.height * f.d.width * f.d.batch);
	}
}

/*
 * 128 columns are 4 strips for 16 column groups: of a tile of 32 rows each group goes
 * down 8, the first of which reads 3 lines of 34 bytes, the others one.
 */
static void lines_are_read_once_on_the_way_down(void **state)
{
	struct engine_pass pass;
	struct fixture f;

	(void)state;
	fixture_open(&f, 16, 128, 128, 64);
	choose(&f, 1);
	assert_true(f.traversal.vertical);
	assert_int_equal(f.traversal.vectors, 4 * 128);
	traversal_pass(&f.traversal, 4 * 32, 0, &pass);
	assert_int_equal(pass.line_bytes, 16 * 34 * (3 + 7) / 8);
	assert_int_equal(pass.fill_cycles, 16 * 9 / 16);
	assert_int_equal(pass.store_bytes, 65 * 32);
}

static void lines_that_do_not_fit_are_read_again(void **state)
{
	struct engine_pass pass;
	struct fixture f;

	(void)state;
	fixture_open(&f, 16, 128, 128, 64);
	f.config.line_buffer = 16 * 3 * 34 - 1;
	choose(&f, 1);
	assert_false(f.traversal.vertical);
	traversal_pass(&f.traversal, f.traversal.vectors, 0, &pass);
	assert_int_equal(pass.line_bytes, 16 * 3 * 34);
}

/* 40 columns are two strips of 20, or 5 vectors for 4 rows. */
static void short_rows_are_taken_as_they_follow(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 4, 40, 40, 256);
	choose(&f, 1);
	assert_false(f.traversal.vertical);
	assert_int_equal(f.traversal.vectors, 50);
	/* Of 39 ends of rows 9 are ends of vectors. */
	assert_int_equal(f.traversal.segments, 50 + 30);
}

/* Where lanes decide there may be many tiles, where the port does, few. */
static void tiles_cost_nearly_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 64, 128, 128, 64);
	choose(&f, 16);
	assert_int_equal(f.traversal.tiles, 16);
	f.parts[0].cycles = f.parts[0].slots = f.parts[0].bytes = 1;
	f.parts[0].rows = 1;
	f.config.sram_port_bytes = 32;
	choose(&f, 16);
	assert_true(f.traversal.tiles < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_are_all_there_is),
		cmocka_unit_test(lines_are_read_once_on_the_way_down),
		cmocka_unit_test(lines_that_do_not_fit_are_read_again),
		cmocka_unit_test(short_rows_are_taken_as_they_follow),
		cmocka_unit_test(tiles_cost_nearly_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
