/* SPDX-License-Identifier: MIT */
#include <compact/positions.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Claimed for a column in a phase, which has opinions of its own. */
#define COLUMN_WORK 16
#define COLUMNS_MAX ((uint64_t)1 << 40)

/* For how many bits the density counts in an opinion that is new. */
#define ROW_SEEN 6
#define COLUMN_SEEN 1

/* No density is certain. */
#define DENSITY_MIN 64u

/* Situations of an opinion. */
#define NEAR_LEFT 3 /* positions to the left, and as many above */
#define FILL_KEPT 8 /* kept in the channel, less one */
#define FILL_TAPS 16 /* taps, less one */
#define FILL_LEFT \
	8 /* positions to the left, of which every two kept ones count */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What the graph says may be anything; a shape that does not fit only costs bits. */
static struct positions_shape shape_of(const struct positions_shape *shape)
{
	struct positions_shape result = *shape;

	if (!result.taps || result.taps > result.columns ||
	    result.columns % result.taps)
		result.taps = 1;
	/* without columns nothing is claimed, and so nothing may be allocated */
	if (!result.phases || !result.columns)
		result.phases = 1;
	return result;
}

static uint32_t density_of(uint64_t nonzeros, uint64_t all)
{
	uint32_t density;

	/* the product stays below 1 << 64 */
	for (; all >> 40; all >>= 1)
		nonzeros >>= 1;
	density = all ? (uint32_t)((nonzeros << CODER_BITS) / all) : 0;
	if (density < DENSITY_MIN)
		return DENSITY_MIN;
	return least(density, (1u << CODER_BITS) - DENSITY_MIN);
}

static int arrays_create(struct positions *positions)
{
	const struct positions_shape *shape = &positions->shape;
	size_t columns = (size_t)shape->phases * shape->columns;
	size_t taps = (size_t)shape->phases * shape->taps * POSITIONS_TAP;
	uint32_t density = positions->density;

	positions->column = malloc(columns * sizeof(*positions->column) + 1);
	positions->tap = malloc(taps * sizeof(*positions->tap) + 1);
	positions->above = calloc(columns + 1, 1);
	positions->kept = malloc((size_t)shape->columns + 1);
	if (!positions->column || !positions->tap || !positions->above ||
	    !positions->kept)
		return -ENOMEM;
	opinions_reset(positions->column, columns, density, COLUMN_SEEN);
	opinions_reset(positions->tap, taps, density, COLUMN_SEEN);
	return 0;
}

int positions_create(struct positions *positions, const struct odds *odds,
		     struct mixer *mixer, struct coder *coder,
		     const struct positions_shape *shape, uint64_t nonzeros,
		     uint64_t all)
{
	uint32_t density = density_of(nonzeros, all);
	uint64_t columns;

	*positions = (struct positions){
		.odds = odds,
		.mixer = mixer,
		.shape = shape_of(shape),
		.density = density,
	};
	opinions_reset(positions->near, POSITIONS_NEAR, density, COLUMN_SEEN);
	opinions_reset(positions->fill, POSITIONS_FILL, density, COLUMN_SEEN);
	opinions_reset(positions->empty, 2, CODER_HALF, 0);
	columns = (uint64_t)positions->shape.phases * positions->shape.columns;
	if (columns > COLUMNS_MAX)
		coder_fail(coder, -EBADMSG);
	else if (coder_claim(coder, columns * COLUMN_WORK) &&
		 arrays_create(positions))
		coder_fail(coder, -ENOMEM);
	return coder->error;
}

void positions_release(struct positions *positions)
{
	free(positions->column);
	free(positions->tap);
	free(positions->above);
	free(positions->kept);
}

/**
 * struct place - in a row
 * @phase: of the row
 * @age: of the matrix
 * @tap: of the column
 * @in_channel: kept in the channel so far
 * @left: the positions before, the last one lowest
 */
struct place {
	uint32_t phase;
	uint32_t age;
	uint32_t tap;
	uint32_t in_channel;
	uint32_t left;
};

static uint32_t near_of(const struct positions *positions,
			const struct place *place, uint32_t column,
			const uint8_t *above)
{
	const uint32_t mask = (1u << NEAR_LEFT) - 1;
	uint32_t right = column + 1 < positions->shape.columns ? above[1] & 1 :
								 0;

	return (place->left & mask) | (*above & mask) << NEAR_LEFT |
	       right << (2 * NEAR_LEFT);
}

static uint32_t fill_of(const struct place *place)
{
	uint32_t left = place->left & ((1u << FILL_LEFT) - 1);
	uint32_t pairs = (uint32_t)__builtin_popcount(left) / 2;
	uint32_t kept = least(place->in_channel, FILL_KEPT - 1);
	uint32_t tap = least(place->tap, FILL_TAPS - 1);

	return (pairs * FILL_TAPS + tap) * FILL_KEPT + kept;
}

/* By the same tap of the channel before, and by the tap before. */
static size_t tap_of(const struct positions *positions,
		     const struct place *place, uint32_t column)
{
	const struct positions_shape *shape = &positions->shape;
	uint32_t channel = column >= shape->taps ?
				   positions->kept[column - shape->taps] :
				   0;
	uint32_t before = place->tap ? positions->kept[column - 1] : 0;

	return ((size_t)place->phase * shape->taps + place->tap) *
		       POSITIONS_TAP +
	       channel * 2 + before;
}

static uint32_t position_code(struct positions *positions, struct coder *coder,
			      struct place *place, uint32_t column,
			      uint32_t bit)
{
	size_t at = (size_t)place->phase * positions->shape.columns + column;
	uint8_t *above = &positions->above[at];
	struct opinion *const opinions[POSITIONS_INPUTS] = {
		&positions->column[at],
		&positions->row,
		&positions->near[near_of(positions, place, column, above)],
		&positions->fill[fill_of(place)],
		&positions->tap[tap_of(positions, place, column)],
	};

	bit = mixer_bit(positions->mixer, coder, place->age, opinions, bit);
	positions->kept[column] = (uint8_t)bit;
	*above = (uint8_t)(*above << 1 | bit);
	place->left = place->left << 1 | bit;
	place->in_channel += bit;
	if (++place->tap == positions->shape.taps) {
		place->tap = 0;
		place->in_channel = 0;
	}
	return bit;
}

static struct place place_of(const struct positions *positions, uint32_t row)
{
	uint32_t age = row ? 32 - (uint32_t)__builtin_clz(row) : 0;

	return (struct place){
		.phase = row % positions->shape.phases,
		.age = least(age, POSITIONS_AGES - 1),
	};
}

uint32_t positions_code_row(struct positions *positions, struct coder *coder,
			    uint32_t row, int32_t *columns, uint64_t most)
{
	struct place place = place_of(positions, row);
	uint32_t width = positions->shape.columns, count = 0;

	positions->was_empty =
		opinion_bit(&positions->empty[positions->was_empty],
			    positions->odds, coder, !most);
	if (positions->was_empty) {
		memset(positions->above + (size_t)place.phase * width, 0,
		       width);
		return 0;
	}
	if (!coder_claim(coder, width))
		return 0;
	opinions_reset(&positions->row, 1, positions->density, ROW_SEEN);
	for (uint32_t column = 0; column < width; column++) {
		bool is_kept = !coder->decodes && count < most &&
			       columns[count] == (int32_t)column;

		if (!position_code(positions, coder, &place, column, is_kept))
			continue;
		if (count == most) {
			coder_fail(coder, -EBADMSG);
			return 0;
		}
		if (coder->decodes)
			columns[count] = (int32_t)column;
		count++;
	}
	return count;
}
