/* SPDX-License-Identifier: MIT */
/*
 * What tiles wait for, against a memory that remembers for every byte who touched it:
 * never less than needed, and where rows can be matched, no more.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

#include <sim/hazard.h>

#define MEMORY 4096
#define COMMANDS 24
#define TILES 5
#define ROUNDS 400
#define DEPTH 8

/* A tile that touched a byte, in its command's order. */
struct touch {
	uint64_t sequence;
	uint32_t tile;
	bool write;
};

struct world {
	struct hazard_log log;
	struct touch *touches[MEMORY];
	uint32_t counts[MEMORY];
	uint64_t random;
};

static uint32_t between(struct world *world, uint32_t low, uint32_t high)
{
	return low + random_below(&world->random, high - low + 1);
}

static void world_open(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->random = seed;
	hazard_log_setup(&world->log, DEPTH);
}

static void world_close(struct world *world)
{
	for (unsigned int i = 0; i < MEMORY; i++)
		free(world->touches[i]);
	hazard_clear(&world->log);
}

static bool covers(const struct engine_tile *tile, const struct touch *touch)
{
	for (unsigned int i = 0; i < ENGINE_DEPENDENCIES; i++)
		if (tile->after[i].sequence == touch->sequence &&
		    tile->after[i].tile >= touch->tile)
			return true;
	return false;
}

/* One byte of the present tile: nobody before may be in its way. */
static void byte_check(struct world *world, uint64_t at,
		       const struct touch *now, const struct engine_tile *tile)
{
	for (uint32_t i = 0; i < world->counts[at]; i++) {
		const struct touch *before = &world->touches[at][i];

		if (before->sequence == now->sequence ||
		    before->sequence + DEPTH < now->sequence ||
		    (!before->write && !now->write))
			continue;
		if (!covers(tile, before))
			fail_msg("byte %u: tile %u of %u waits not for tile %u "
				 "of %u",
				 (unsigned int)at, now->tile,
				 (unsigned int)now->sequence, before->tile,
				 (unsigned int)before->sequence);
	}
}

static void byte_touch(struct world *world, uint64_t at,
		       const struct touch *now)
{
	world->touches[at] = realloc(world->touches[at],
				     (world->counts[at] + 1) * sizeof(*now));
	assert_non_null(world->touches[at]);
	world->touches[at][world->counts[at]++] = *now;
}

typedef void (*byte_function)(struct world *world, uint64_t at,
			      const struct touch *now,
			      const struct engine_tile *tile);

static void byte_remember(struct world *world, uint64_t at,
			  const struct touch *now,
			  const struct engine_tile *tile)
{
	(void)tile;
	byte_touch(world, at, now);
}

static void rows_visit(struct world *world, const struct spmm_tensor *tensor,
		       uint64_t row_bytes, struct hazard_rows rows,
		       const struct touch *now, const struct engine_tile *tile,
		       byte_function function)
{
	for (uint32_t c = 0; c < tensor->channels; c++)
		for (uint32_t y = rows.first; y < rows.end; y++)
			for (uint64_t b = 0; b < row_bytes; b++)
				function(world,
					 tensor->address +
						 c * tensor->channel_stride +
						 (uint64_t)y *
							 tensor->row_stride +
						 b,
					 now, tile);
}

/* Few strides, so that many tensors have the same. */
static void tensor_random(struct world *world, struct spmm_tensor *tensor,
			  uint64_t *row_bytes)
{
	do {
		*tensor = (struct spmm_tensor){
			.row_stride = 16u << between(world, 0, 1),
			.channels = between(world, 1, 4),
			.height = between(world, 1, 6),
			.address = 16 * between(world, 0, MEMORY / 16 - 1),
		};
		tensor->channel_stride =
			between(world, 0, 3) ?
				8ull * tensor->row_stride :
				(uint64_t)tensor->height * tensor->row_stride;
		*row_bytes = between(world, 0, 2) ? tensor->row_stride :
						    between(world, 1, 16);
	} while (tensor->address + tensor->channels * tensor->channel_stride >
		 MEMORY);
}

struct operand {
	struct spmm_tensor tensor;
	uint64_t row_bytes;
	bool write;
	uint32_t number;
};

/* Tiles go down the rows; what they read may overlap. */
static struct hazard_rows tile_rows(struct world *world,
				    const struct operand *operand,
				    uint32_t tile, uint32_t tiles)
{
	uint32_t height = operand->tensor.height;
	struct hazard_rows rows = { height * tile / tiles,
				    height * (tile + 1) / tiles };

	if (!operand->write && rows.first)
		rows.first -= between(world, 0, 1);
	if (!operand->write && rows.end < height)
		rows.end += between(world, 0, 1);
	return rows;
}

static void command_run(struct world *world, uint64_t sequence)
{
	struct hazard_record record = { .context = 1 };
	uint32_t tiles = between(world, 1, TILES);
	struct operand operands[3];

	for (unsigned int o = 0; o < 3; o++) {
		struct operand *operand = &operands[o];

		operand->write = o == 2;
		tensor_random(world, &operand->tensor, &operand->row_bytes);
		operand->number = hazard_operand(&record, &operand->tensor,
						 operand->row_bytes,
						 operand->write);
	}
	for (uint32_t t = 0; t < tiles; t++) {
		struct touch now = { sequence, t, false };
		struct engine_tile tile = { 0 };
		struct hazard_rows rows[3];

		for (unsigned int o = 0; o < 3; o++) {
			rows[o] = tile_rows(world, &operands[o], t, tiles);
			assert_int_equal(hazard_touch(&world->log, &record,
						      operands[o].number, t,
						      rows[o], &tile),
					 HAZARD_DONE);
		}
		for (unsigned int o = 0; o < 3; o++) {
			now.write = operands[o].write;
			rows_visit(world, &operands[o].tensor,
				   operands[o].row_bytes, rows[o], &now, &tile,
				   byte_check);
			rows_visit(world, &operands[o].tensor,
				   operands[o].row_bytes, rows[o], &now, &tile,
				   byte_remember);
		}
	}
	hazard_log_add(&world->log, &record, sequence);
}

static void tiles_never_wait_for_too_little(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct world world;

		world_open(&world, round * 7919 + 1);
		for (uint64_t i = 1; i <= COMMANDS; i++)
			command_run(&world, i);
		world_close(&world);
	}
}

#define CHAIN_TILES 8

static const struct spmm_tensor image = { .address = 1 << 20,
					  .channel_stride = 64 * 64,
					  .row_stride = 64,
					  .channels = 16,
					  .height = 64,
					  .width = 64 };

/* A layer that stores an image in bands. */
static void producer_log(struct hazard_log *log,
			 const struct spmm_tensor *tensor, uint64_t sequence)
{
	struct hazard_record record = { .context = 1 };
	uint32_t out = hazard_operand(&record, tensor, 64, true);

	for (uint32_t t = 0; t < CHAIN_TILES; t++) {
		struct engine_tile tile = { 0 };
		const struct hazard_rows rows = { 8 * t, 8 * t + 8 };

		assert_int_equal(hazard_touch(log, &record, out, t, rows,
					      &tile),
				 HAZARD_DONE);
	}
	hazard_log_add(log, &record, sequence);
}

static struct engine_tile read_rows(struct hazard_log *log,
				    const struct spmm_tensor *tensor,
				    struct hazard_rows rows)
{
	struct hazard_record record = { .context = 1 };
	uint32_t in = hazard_operand(&record, tensor, 64, false);
	struct engine_tile tile = { 0 };

	assert_int_equal(hazard_touch(log, &record, in, 0, rows, &tile),
			 HAZARD_DONE);
	hazard_record_free(&record);
	return tile;
}

static void consumer_waits_for_the_bands_that_it_reads(void **state)
{
	struct hazard_log *log = calloc(1, sizeof(*log));
	struct engine_tile tile;

	(void)state;
	assert_non_null(log);
	hazard_log_setup(log, 8);
	producer_log(log, &image, 5);
	tile = read_rows(log, &image, (struct hazard_rows){ 0, 9 });
	assert_int_equal(tile.after[0].sequence, 5);
	assert_int_equal(tile.after[0].tile, 1);
	assert_int_equal(tile.after[1].sequence, 0);
	tile = read_rows(log, &image, (struct hazard_rows){ 15, 33 });
	assert_int_equal(tile.after[0].tile, 4);
	hazard_clear(log);
	free(log);
}

/* A concatenation's members come from layers of their own. */
static void members_of_a_concatenation_have_their_producers(void **state)
{
	struct hazard_log *log = calloc(1, sizeof(*log));
	struct spmm_tensor second = image, both = image;
	struct engine_tile tile;

	(void)state;
	assert_non_null(log);
	second.address += image.channels * image.channel_stride;
	both.channels *= 2;
	hazard_log_setup(log, 8);
	producer_log(log, &image, 5);
	producer_log(log, &second, 6);
	tile = read_rows(log, &both, (struct hazard_rows){ 7, 20 });
	assert_int_equal(tile.after[0].sequence, 6);
	assert_int_equal(tile.after[0].tile, 2);
	assert_int_equal(tile.after[1].sequence, 5);
	assert_int_equal(tile.after[1].tile, 2);
	hazard_clear(log);
	free(log);
}

static void other_planes_wait_for_everything(void **state)
{
	struct hazard_log *log = calloc(1, sizeof(*log));
	struct spmm_tensor flat = image;
	struct engine_tile tile;

	(void)state;
	assert_non_null(log);
	flat.channel_stride /= 2;
	flat.height /= 2;
	hazard_log_setup(log, 8);
	producer_log(log, &image, 5);
	tile = read_rows(log, &flat, (struct hazard_rows){ 0, 1 });
	assert_int_equal(tile.after[0].sequence, 5);
	assert_int_equal(tile.after[0].tile, ENGINE_TILE_ALL);
	hazard_clear(log);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_never_wait_for_too_little),
		cmocka_unit_test(consumer_waits_for_the_bands_that_it_reads),
		cmocka_unit_test(
			members_of_a_concatenation_have_their_producers),
		cmocka_unit_test(other_planes_wait_for_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
