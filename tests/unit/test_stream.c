/* SPDX-License-Identifier: MIT */
/* Packing and decoding a weight stream gives back exactly what went in. */
#include "default_geometry.h"
#include "matrix.h"

#include <errno.h>
#include <string.h>

#include <pack/stream.h>
#include <spmm/status.h>
#include <spmm/stream.h>

static const struct mapping one_group = {
	.row_groups = 1,
	.column_groups = 1,
	.vector_width = 32,
};

static struct stream pack(const struct model_csr *matrix,
			  const struct geometry *geometry,
			  const struct mapping *mapping)
{
	struct stream stream;

	assert_int_equal(stream_pack(matrix, geometry, mapping, &stream), 0);
	return stream;
}

static struct stream_decoded decode(const struct stream *stream, uint32_t rows,
				    uint32_t columns,
				    const struct geometry *geometry)
{
	struct stream_decoded decoded;
	size_t offset = 0;

	assert_int_equal(stream_decode(stream->bytes, stream->length, rows,
				       columns, geometry, &decoded, &offset),
			 SPMM_SC_SUCCESS);
	return decoded;
}

/* The slots of all parts, in order, are the matrix in order. */
static void check_same(const struct model_csr *matrix,
		       const struct stream_decoded *decoded)
{
	int64_t count = matrix->row_start[matrix->rows], i = 0;
	uint32_t row = 0;

	assert_int_equal(decoded->nonzeros, count);
	for (uint32_t p = 0; p < decoded->part_count; p++) {
		const struct stream_part *part = &decoded->parts[p];

		for (size_t s = 0; s < part->slot_count; s++, i++) {
			while (matrix->row_start[row + 1] <= i)
				row++;
			assert_int_equal(part->slots[s].row, row);
			assert_int_equal(part->slots[s].column,
					 matrix->column[i]);
			assert_int_equal(part->slots[s].weight,
					 matrix->value[i]);
		}
	}
	assert_int_equal(i, count);
}

/* Rows of which a lane has issued some weights and not all of them. */
static uint32_t live_rows(const struct stream_slot *slots, size_t count,
			  uint32_t cycle)
{
	uint32_t live = 0;

	for (size_t i = 0; i < count;) {
		bool before = false, after = false;
		uint32_t row = slots[i].row;

		for (; i < count && slots[i].row == row; i++) {
			before |= slots[i].cycle <= cycle;
			after |= slots[i].cycle > cycle;
		}
		live += before && after;
	}
	return live;
}

static void check_lane(const struct stream_slot *slots, size_t count,
		       const struct geometry *geometry)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			assert_int_not_equal(slots[i].cycle, slots[j].cycle);
			/* Overtaking is bounded by the window. */
			if (slots[j].cycle < slots[i].cycle)
				assert_true(j - i < geometry->schedule_window);
		}
		assert_true(live_rows(slots, count, slots[i].cycle) <=
			    geometry->accumulators);
	}
}

/* One slot for each lane in a cycle, all of them from different banks. */
static void check_legal(const struct stream_part *part, uint32_t skew,
			const struct mapping *mapping,
			const struct geometry *geometry)
{
	uint32_t split = geometry->vector_width / mapping->vector_width;
	uint64_t *taken = calloc(part->cycles + 1, sizeof(*taken));
	uint32_t *issued = calloc(part->cycles + 1, sizeof(*issued));
	uint64_t banks = geometry->banks * split, last = 0;

	for (size_t s = 0; s < part->slot_count; s++) {
		const struct stream_slot *slot = &part->slots[s];
		uint64_t bank =
			1ull
			<< (slot->column + slot->column / banks * skew) % banks;

		assert_true(slot->cycle < part->cycles);
		assert_false(taken[slot->cycle] & bank);
		taken[slot->cycle] |= bank;
		assert_true(++issued[slot->cycle] <= geometry->decoder_rate);
		last = slot->cycle > last ? slot->cycle : last;
	}
	if (part->slot_count)
		assert_int_equal(last + 1, part->cycles);
	for (uint32_t l = 0; l < geometry->lanes * split; l++)
		check_lane(part->slots + part->lane_start[l],
			   part->lane_start[l + 1] - part->lane_start[l],
			   geometry);
	free(taken);
	free(issued);
}

/* Parts share the weights evenly, and their finished rows cover all. */
static void check_shares(const struct stream_decoded *decoded, uint32_t rows,
			 size_t weights)
{
	uint32_t next = 0;

	for (uint32_t p = 0; p < decoded->part_count; p++) {
		const struct stream_part *part = &decoded->parts[p];

		assert_int_equal(part->finish_begin, next);
		next = part->row_end > next ? part->row_end : next;
		if (p + 1 == decoded->part_count)
			next = rows;
		assert_int_equal(part->finish_end, next);
		if (part->slot_count) {
			assert_int_equal(part->row_begin, part->slots[0].row);
			assert_int_equal(part->row_end,
					 part->slots[part->slot_count - 1].row +
						 1);
		}
		assert_true(part->slot_count * decoded->part_count <=
			    weights + decoded->part_count);
	}
	assert_int_equal(next, rows);
}

static struct geometry random_geometry(uint64_t *seed)
{
	struct geometry geometry = default_geometry;

	if (random_below(seed, 2))
		return geometry;
	geometry.lanes = 1 + random_below(seed, 16);
	geometry.banks = 1 + random_below(seed, 32);
	geometry.accumulators = 1 + random_below(seed, 6);
	geometry.schedule_window = 1 + random_below(seed, 64);
	geometry.decoder_rate = 1 + random_below(seed, 32);
	return geometry;
}

static struct mapping random_mapping(const struct geometry *geometry,
				     uint64_t *seed)
{
	struct mapping mapping = one_group;

	mapping.row_groups = 1 + random_below(seed, geometry->clusters);
	mapping.column_groups = geometry->clusters / mapping.row_groups;
	mapping.vector_width = random_below(seed, 3) ? 32 : 16;
	return mapping;
}

static void round_trip(const struct model_csr *matrix,
		       const struct geometry *geometry,
		       const struct mapping *mapping)
{
	struct stream stream = pack(matrix, geometry, mapping);
	struct stream_decoded decoded =
		decode(&stream, matrix->rows, matrix->columns, geometry);
	uint64_t longest = 0, padding = 0;

	assert_int_equal(decoded.part_count, mapping->row_groups);
	assert_memory_equal(&decoded.mapping, mapping, sizeof(*mapping));
	check_same(matrix, &decoded);
	check_shares(&decoded, matrix->rows,
		     (size_t)matrix->row_start[matrix->rows]);
	for (uint32_t p = 0; p < decoded.part_count; p++) {
		check_legal(&decoded.parts[p], decoded.bank_skew, mapping,
			    geometry);
		padding += decoded.parts[p].padding;
		if (decoded.parts[p].cycles > longest)
			longest = decoded.parts[p].cycles;
	}
	assert_int_equal(stream.issue_cycles, longest);
	assert_int_equal(stream.padding, padding);
	assert_true(stream.optimal_cycles <= stream.issue_cycles);
	stream_decoded_free(&decoded);
	stream_free(&stream);
}

static void any_matrix_comes_back(void **state)
{
	static const double densities[] = { 0, 0.01, 0.05, 0.2, 0.5, 0.97, 1 };
	uint64_t seed = 42;

	(void)state;
	for (int i = 0; i < 400; i++) {
		uint32_t rows = 1 + random_below(&seed, 60);
		uint32_t columns = 1 + random_below(&seed, 90);
		enum matrix_kind kind = random_below(&seed, MATRIX_KINDS);
		double density = densities[random_below(&seed, 7)];
		struct geometry geometry = random_geometry(&seed);
		struct mapping mapping = random_mapping(&geometry, &seed);
		struct model_csr matrix;

		if (kind == MATRIX_PATTERN || kind == MATRIX_NEARLY)
			density = 1 + random_below(&seed, 2);
		matrix = matrix_random(kind, rows, columns, density, &seed);
		round_trip(&matrix, &geometry, &mapping);
		matrix_free(&matrix);
	}
}

static void odd_shapes_come_back(void **state)
{
	static const uint32_t shapes[][2] = { { 3, 288 },    { 1, 1 },
					      { 1, 70000 },  { 500, 1 },
					      { 2, 200000 }, { 300, 5 } };
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct model_csr matrix =
			matrix_random(MATRIX_UNIFORM, shapes[i][0],
				      shapes[i][1], 0.003, &seed);
		struct mapping mapping =
			random_mapping(&default_geometry, &seed);

		round_trip(&matrix, &default_geometry, &mapping);
		matrix_free(&matrix);
	}
}

/* One weight in each group of 4; the next lane starts with a second one of a group. */
static void lanes_part_within_a_group(void **state)
{
	struct model_csr matrix = {
		.rows = 8,
		.columns = 400,
		.row_start = calloc(9, sizeof(*matrix.row_start)),
		.column = calloc(801, sizeof(*matrix.column)),
		.value = calloc(801, 1),
	};
	int64_t count = 0;

	(void)state;
	for (uint32_t row = 0; row < 8; row++) {
		for (int32_t group = 0; group < 100; group++)
			matrix.column[count++] = 4 * group + 1;
		if (row == 0)
			matrix.column[count++] = 399;
		matrix.row_start[row + 1] = count;
	}
	round_trip(&matrix, &default_geometry, &one_group);
	matrix_free(&matrix);
}

/* The largest K that a CSR can say. */
static void wide_matrices_come_back(void **state)
{
	int64_t row_start[] = { 0, 2, 3 };
	int32_t columns[] = { 0, INT32_MAX - 1, INT32_MAX - 1 };
	int8_t values[] = { 1, -1, 127 };
	const struct model_csr matrix = { 2, INT32_MAX, row_start, columns,
					  values };

	(void)state;
	round_trip(&matrix, &default_geometry, &one_group);
}

static void empty_rows_are_finished_once(void **state)
{
	uint64_t seed = 3;
	struct model_csr matrix =
		matrix_random(MATRIX_UNIFORM, 40, 16, 0, &seed);
	struct mapping mapping = one_group;

	(void)state;
	mapping.row_groups = 4;
	round_trip(&matrix, &default_geometry, &mapping);
	/* One weight in row 25: the other rows have nothing but a bias. */
	for (uint32_t row = 25; row < 40; row++)
		matrix.row_start[row + 1] = 1;
	matrix.value[0] = -128;
	round_trip(&matrix, &default_geometry, &mapping);
	matrix_free(&matrix);
}

/* Five columns are five banks for eight lanes; even shares take 640 cycles. */
static void lanes_that_wait_get_less(void **state)
{
	uint64_t seed = 11;
	struct model_csr matrix =
		matrix_random(MATRIX_UNIFORM, 512, 5, 1, &seed);
	struct stream stream = pack(&matrix, &default_geometry, &one_group);

	(void)state;
	assert_int_equal(stream.optimal_cycles, 512);
	assert_true(stream.issue_cycles <= 560);
	round_trip(&matrix, &default_geometry, &one_group);
	stream_free(&stream);
	matrix_free(&matrix);
}

/* All weights are in the first half of the rows, which the first part gets. */
static void rows_may_count(void **state)
{
	uint64_t seed = 5;
	struct model_csr matrix =
		matrix_random(MATRIX_UNIFORM, 64, 64, 0.5, &seed);
	const struct mapping mapping = { .row_groups = 2,
					 .column_groups = 8,
					 .vector_width = 32 };
	struct stream stream;
	struct stream_decoded decoded;

	(void)state;
	for (uint32_t row = 33; row <= 64; row++)
		matrix.row_start[row] = matrix.row_start[32];
	assert_int_equal(stream_pack_rows(&matrix, &default_geometry, &mapping,
					  1000, &stream),
			 0);
	decoded = decode(&stream, 64, 64, &default_geometry);
	check_same(&matrix, &decoded);
	assert_in_range(decoded.parts[0].row_end, 28, 33);
	stream_decoded_free(&decoded);
	stream_free(&stream);
	matrix_free(&matrix);
}

static void same_input_same_bytes(void **state)
{
	uint64_t seed = 11;
	struct model_csr matrix =
		matrix_random(MATRIX_SKEWED, 100, 300, 0.3, &seed);
	struct stream first = pack(&matrix, &default_geometry, &one_group);
	struct stream second = pack(&matrix, &default_geometry, &one_group);

	(void)state;
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.bytes, second.bytes, first.length);
	stream_free(&first);
	stream_free(&second);
	matrix_free(&matrix);
}

static void formats_follow_the_weights(void **state)
{
	static const struct {
		enum matrix_kind kind;
		double density;
		enum spmm_block_format format;
		double bits; /* for each weight, at most */
	} cases[] = {
		{ MATRIX_UNIFORM, 1.0, SPMM_BLOCK_DENSE, 8.1 },
		{ MATRIX_PATTERN, 1, SPMM_BLOCK_STRUCTURED, 10.1 },
		{ MATRIX_PATTERN, 2, SPMM_BLOCK_STRUCTURED, 9.6 },
		{ MATRIX_UNIFORM, 0.5, SPMM_BLOCK_BITMAP, 10.1 },
		{ MATRIX_UNIFORM, 0.2, SPMM_BLOCK_DELTA, 12.35 },
		{ MATRIX_UNIFORM, 0.1, SPMM_BLOCK_DELTA, 13.5 },
		{ MATRIX_UNIFORM, 0.05, SPMM_BLOCK_DELTA, 14.6 },
	};
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_csr matrix = matrix_random(
			cases[i].kind, 256, 1024, cases[i].density, &seed);
		struct stream stream =
			pack(&matrix, &default_geometry, &one_group);
		uint64_t blocks = 0;

		for (int f = 0; f < STREAM_BLOCK_FORMATS; f++)
			blocks += stream.block_count[f];
		assert_true(stream.block_count[cases[i].format] * 10 >
			    blocks * 9);
		assert_true((double)stream.length * 8 <
			    cases[i].bits * (double)stream.nonzeros);
		stream_free(&stream);
		matrix_free(&matrix);
	}
}

static void matrices_that_contradict_themselves_are_refused(void **state)
{
	uint64_t seed = 9;
	struct model_csr matrix = matrix_random(MATRIX_UNIFORM, 4, 8, 1, &seed);
	struct mapping mapping = one_group;
	struct stream stream;

	(void)state;
	matrix.column[3] = 2;
	assert_int_equal(stream_pack(&matrix, &default_geometry, &mapping,
				     &stream),
			 -EINVAL);
	matrix.column[3] = 8;
	assert_int_equal(stream_pack(&matrix, &default_geometry, &mapping,
				     &stream),
			 -EINVAL);
	matrix.column[3] = 3;
	mapping.row_groups = 17;
	assert_int_equal(stream_pack(&matrix, &default_geometry, &mapping,
				     &stream),
			 -EINVAL);
	assert_null(stream.bytes);
	matrix_free(&matrix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_matrix_comes_back),
		cmocka_unit_test(odd_shapes_come_back),
		cmocka_unit_test(lanes_part_within_a_group),
		cmocka_unit_test(wide_matrices_come_back),
		cmocka_unit_test(empty_rows_are_finished_once),
		cmocka_unit_test(lanes_that_wait_get_less),
		cmocka_unit_test(rows_may_count),
		cmocka_unit_test(same_input_same_bytes),
		cmocka_unit_test(formats_follow_the_weights),
		cmocka_unit_test(
			matrices_that_contradict_themselves_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
