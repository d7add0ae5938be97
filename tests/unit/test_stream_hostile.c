/* SPDX-License-Identifier: MIT */
/* Streams that lie are refused with the status that says how. */
#include "matrix.h"

#include <endian.h>
#include <string.h>

#include <pack/bits.h>
#include <pack/stream.h>
#include <spmm/status.h>
#include <spmm/stream.h>

#define ROWS 4
#define COLUMNS 32
#define LANES 2
#define DATA                                 \
	(sizeof(struct spmm_stream_header) + \
	 LANES * sizeof(struct spmm_stream_lane))

static const struct geometry small = {
	.clusters = 2,
	.lanes = LANES,
	.vector_width = 32,
	.banks = 4,
	.accumulators = 4,
	.decoder_rate = 2,
	.schedule_window = 16,
	.epilogue_rate = 1,
};

/* A stream with one lane in use, whose bits the test writes. */
struct forgery {
	struct spmm_stream_header header;
	struct spmm_stream_lane lanes[LANES];
	struct bit_writer bits;
};

static struct forgery forgery_create(void)
{
	struct forgery forgery = {
		.header = {
			.magic = htole32(SPMM_STREAM_MAGIC),
			.version = SPMM_STREAM_VERSION,
			.lanes = LANES,
			.vector_width = htole16(32),
			.row_groups = htole16(1),
			.column_groups = htole16(1),
			.rows = htole32(ROWS),
			.columns = htole32(COLUMNS),
		},
	};

	forgery.lanes[1].row = htole32(ROWS);
	return forgery;
}

static void put_block(struct forgery *forgery, uint32_t format,
		      uint32_t parameter, uint32_t count)
{
	bits_put(&forgery->bits, format, 2);
	bits_put(&forgery->bits, parameter, 6);
	bits_put(&forgery->bits, count - 1, 8);
	forgery->header.nonzeros =
		htole64(le64toh(forgery->header.nonzeros) + count);
}

/* One of the weights of a block with a Rice code. */
static void put_gap(struct forgery *forgery, uint32_t rice, uint32_t gap)
{
	for (; gap >= 16u << rice; gap -= 16u << rice)
		bits_put(&forgery->bits, 0, 16);
	bits_put(&forgery->bits, 0, gap >> rice);
	bits_put(&forgery->bits, 1, 1);
	bits_put(&forgery->bits, gap & ((1u << rice) - 1), rice);
	bits_put(&forgery->bits, 0x55, 8);
}

/* Decode, and release what the forgery holds. */
static int forgery_status(struct forgery *forgery, size_t *offset)
{
	struct stream_decoded decoded;
	uint8_t *bytes;
	size_t length;
	int status;

	bits_align(&forgery->bits);
	length = DATA + forgery->bits.length;
	if (!forgery->lanes[0].length)
		forgery->lanes[0].length =
			htole32((uint32_t)forgery->bits.length);
	/* Exactly as long as it is, so that a sanitizer sees what goes beyond. */
	bytes = malloc(length);
	memcpy(bytes, &forgery->header, sizeof(forgery->header));
	memcpy(bytes + sizeof(forgery->header), forgery->lanes,
	       sizeof(forgery->lanes));
	if (forgery->bits.length)
		memcpy(bytes + DATA, forgery->bits.bytes, forgery->bits.length);
	status = stream_decode(bytes, length, ROWS, COLUMNS, &small, &decoded,
			       offset);
	stream_decoded_free(&decoded);
	free(bytes);
	free(forgery->bits.bytes);
	return status;
}

static void an_honest_forgery_passes(void **state)
{
	struct forgery forgery = forgery_create();
	size_t offset;

	(void)state;
	put_block(&forgery, SPMM_BLOCK_DELTA, 1, 3);
	put_gap(&forgery, 1, 31);
	put_gap(&forgery, 1, 0);
	put_gap(&forgery, 1, 94);
	assert_int_equal(forgery_status(&forgery, &offset), SPMM_SC_SUCCESS);
}

static void headers_are_checked(void **state)
{
	static const struct {
		uint8_t offset, value;
		enum spmm_status status;
	} cases[] = {
		{ 0, 0x54, SPMM_SC_STREAM_HEADER }, /* magic */
		{ 4, 2, SPMM_SC_STREAM_HEADER }, /* version */
		{ 5, 3, SPMM_SC_STREAM_GEOMETRY }, /* lanes */
		{ 6, 8, SPMM_SC_STREAM_GEOMETRY }, /* vector_width */
		{ 6, 0, SPMM_SC_STREAM_GEOMETRY },
		{ 8, 0, SPMM_SC_STREAM_HEADER }, /* row_groups */
		{ 8, 3, SPMM_SC_STREAM_GEOMETRY }, /* more than clusters */
		{ 8, 2, SPMM_SC_STREAM_TRUNCATED }, /* no second table */
		{ 10, 0, SPMM_SC_STREAM_HEADER }, /* column_groups */
		{ 10, 3, SPMM_SC_STREAM_GEOMETRY },
		{ 14, 1, SPMM_SC_STREAM_HEADER }, /* pad */
		{ 16, ROWS + 1, SPMM_SC_STREAM_HEADER },
		{ 20, COLUMNS + 1, SPMM_SC_STREAM_HEADER },
		{ 24, 1, SPMM_SC_STREAM_HEADER }, /* nonzeros */
		{ 31, 255, SPMM_SC_STREAM_HEADER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct forgery forgery = forgery_create();
		size_t offset;

		((uint8_t *)&forgery.header)[cases[i].offset] = cases[i].value;
		assert_int_equal(forgery_status(&forgery, &offset),
				 cases[i].status);
	}
}

static void lanes_are_checked(void **state)
{
	static const struct {
		uint32_t lane, row, column, length;
		enum spmm_status status;
	} cases[] = {
		{ 0, 0, COLUMNS, 0, SPMM_SC_STREAM_COLUMN },
		{ 0, ROWS + 1, 0, 0, SPMM_SC_STREAM_ROW },
		{ 1, ROWS, 1, 0, SPMM_SC_STREAM_ROW },
		{ 1, 0, 0, 0, SPMM_SC_STREAM_ROW }, /* before lane 0's end */
		{ 1, ROWS, 0, 1, SPMM_SC_STREAM_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct forgery forgery = forgery_create();
		struct spmm_stream_lane *lane = &forgery.lanes[cases[i].lane];
		size_t offset;

		put_block(&forgery, SPMM_BLOCK_DENSE, 0, 1);
		bits_put(&forgery.bits, 1, 8);
		lane->row = htole32(cases[i].row);
		lane->column = htole32(cases[i].column);
		lane->length = htole32(cases[i].length);
		assert_int_equal(forgery_status(&forgery, &offset),
				 cases[i].status);
	}
}

static void bytes_of_no_lane_are_refused(void **state)
{
	struct forgery forgery = forgery_create();
	size_t offset;

	(void)state;
	forgery.lanes[0].length = htole32(3);
	put_block(&forgery, SPMM_BLOCK_DENSE, 0, 1);
	bits_put(&forgery.bits, 1, 16);
	assert_int_equal(forgery_status(&forgery, &offset),
			 SPMM_SC_STREAM_HEADER);
}

static void blocks_are_checked(void **state)
{
	static const struct {
		uint32_t format, parameter, count;
	} cases[] = {
		{ SPMM_BLOCK_DENSE, 1, 1 },
		{ SPMM_BLOCK_BITMAP, 1, 1 },
		{ SPMM_BLOCK_DELTA, 0, 1 },
		{ SPMM_BLOCK_DELTA, 16, 1 },
		{ SPMM_BLOCK_DELTA, 63, 1 },
		{ SPMM_BLOCK_STRUCTURED, 5, 1 },
		{ SPMM_BLOCK_STRUCTURED, SPMM_PATTERN_2_4, 1 }, /* half */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct forgery forgery = forgery_create();
		size_t offset;

		put_block(&forgery, cases[i].format, cases[i].parameter,
			  cases[i].count);
		bits_put(&forgery.bits, 0, 32);
		assert_int_equal(forgery_status(&forgery, &offset),
				 SPMM_SC_STREAM_BLOCK);
		assert_int_equal(offset, DATA + 2);
	}
}

static void pairs_that_do_not_exist_are_refused(void **state)
{
	struct forgery forgery = forgery_create();
	size_t offset;

	(void)state;
	put_block(&forgery, SPMM_BLOCK_STRUCTURED, SPMM_PATTERN_2_4, 2);
	bits_put(&forgery.bits, 6, 3);
	bits_put(&forgery.bits, 0, 16);
	assert_int_equal(forgery_status(&forgery, &offset),
			 SPMM_SC_STREAM_BLOCK);
}

static void rows_end_with_the_matrix(void **state)
{
	struct forgery weight = forgery_create(), filler = forgery_create();
	struct forgery group = forgery_create();
	size_t offset;

	(void)state;
	put_block(&weight, SPMM_BLOCK_DELTA, 1, 2);
	put_gap(&weight, 1, ROWS * COLUMNS - 1);
	put_gap(&weight, 1, 0);
	assert_int_equal(forgery_status(&weight, &offset), SPMM_SC_STREAM_ROW);

	put_block(&filler, SPMM_BLOCK_DELTA, 1, 1);
	put_gap(&filler, 1, ROWS * COLUMNS);
	assert_int_equal(forgery_status(&filler, &offset), SPMM_SC_STREAM_ROW);

	group.lanes[0].row = htole32(ROWS - 1);
	group.lanes[0].column = htole32(COLUMNS - 3);
	put_block(&group, SPMM_BLOCK_STRUCTURED, SPMM_PATTERN_1_4, 1);
	bits_put(&group.bits, 0, 10);
	assert_int_equal(forgery_status(&group, &offset), SPMM_SC_STREAM_ROW);
}

static void a_lane_ends_with_zeros(void **state)
{
	struct forgery forgery = forgery_create();
	size_t offset;

	(void)state;
	put_block(&forgery, SPMM_BLOCK_BITMAP, 0, 1);
	put_gap(&forgery, 0, 0);
	bits_put(&forgery.bits, 1 << 6, 7);
	assert_int_equal(forgery_status(&forgery, &offset),
			 SPMM_SC_STREAM_BLOCK);
	assert_int_equal(offset, DATA + 3);
}

static struct stream good_stream(uint64_t *seed, enum matrix_kind kind,
				 uint32_t rows, uint32_t columns)
{
	const struct mapping mapping = {
		.row_groups = 2,
		.column_groups = 1,
		.vector_width = 32,
	};
	struct model_csr matrix = matrix_random(
		kind, rows, columns,
		kind == MATRIX_PATTERN || kind == MATRIX_NEARLY ? 2 : 0.1,
		seed);
	struct stream stream;

	assert_int_equal(stream_pack(&matrix, &small, &mapping, &stream), 0);
	matrix_free(&matrix);
	return stream;
}

/* A copy of its own for each length, so that a sanitizer sees reads beyond. */
static void cut_streams_are_refused(void **state)
{
	uint64_t seed = 21;
	struct stream stream = good_stream(&seed, MATRIX_UNIFORM, 9, 40);

	(void)state;
	for (size_t length = 0; length < stream.length; length++) {
		uint8_t *cut = malloc(length + !length);
		struct stream_decoded decoded;
		size_t offset;

		memcpy(cut, stream.bytes, length);
		assert_int_equal(stream_decode(cut, length, 9, 40, &small,
					       &decoded, &offset),
				 SPMM_SC_STREAM_TRUNCATED);
		assert_int_equal(offset, length);
		assert_null(decoded.parts);
		free(cut);
	}
	stream_free(&stream);
}

/* What is decoded from damaged bytes is still within the matrix. */
static void damage_stays_within_bounds(void **state)
{
	uint64_t seed = 22;

	(void)state;
	for (enum matrix_kind kind = 0; kind < MATRIX_KINDS; kind++) {
		struct stream stream = good_stream(&seed, kind, 9, 48);

		for (size_t bit = 0; bit < stream.length * 8; bit++) {
			struct stream_decoded decoded;
			size_t offset = 0;

			stream.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			stream_decode(stream.bytes, stream.length, 9, 48,
				      &small, &decoded, &offset);
			assert_true(offset <= stream.length);
			for (size_t i = 0; i < decoded.nonzeros; i++) {
				assert_true(decoded.slots[i].row < 9);
				assert_true(decoded.slots[i].column < 48);
			}
			stream_decoded_free(&decoded);
			stream.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		stream_free(&stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_forgery_passes),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(lanes_are_checked),
		cmocka_unit_test(bytes_of_no_lane_are_refused),
		cmocka_unit_test(blocks_are_checked),
		cmocka_unit_test(pairs_that_do_not_exist_are_refused),
		cmocka_unit_test(rows_end_with_the_matrix),
		cmocka_unit_test(a_lane_ends_with_zeros),
		cmocka_unit_test(cut_streams_are_refused),
		cmocka_unit_test(damage_stays_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
