// SPDX-License-Identifier: MIT
#include <compress/grid_search.h>

#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Points of one grid; a finer one is beyond what anybody waits for. */
#define GRID_MAX (1 << 24)

/** struct grid_point - that has been looked at */
struct grid_point {
	double at[POINT_SEARCH_DIMENSIONS_MAX];
};

/**
 * struct grid - the search
 * @search: what all kinds begin with
 * @generator: of the order
 * @intervals: of a side: 1, 2, 4 …; 0: not begun
 * @order: the grid's points as they will be looked at
 * @count: of @order
 * @next: of @order
 * @seen: what has been looked at
 * @seen_count: of @seen
 */
struct grid {
	struct point_search search;
	struct sample_generator generator;
	int intervals;
	uint32_t *order;
	uint32_t count;
	uint32_t next;
	struct grid_point *seen;
	size_t seen_count;
};

static struct point_search *create(int dimensions, uint64_t seed)
{
	struct grid *grid = calloc(1, sizeof(*grid));

	(void)dimensions;
	if (!grid)
		return NULL;
	sample_seed(&grid->generator, seed);
	return &grid->search;
}

static void destroy(struct point_search *search)
{
	struct grid *grid = (struct grid *)search;

	free(grid->order);
	free(grid->seen);
	free(grid);
}

static int observe(struct point_search *search, const double *point,
		   double value)
{
	struct grid *grid = (struct grid *)search;
	struct grid_point *seen =
		realloc(grid->seen, (grid->seen_count + 1) * sizeof(*seen));

	(void)value;
	if (!seen)
		return accel_error(-ENOMEM, "no memory for a search");
	grid->seen = seen;
	memcpy(seen[grid->seen_count++].at, point,
	       (size_t)search->dimensions * sizeof(*point));
	return 0;
}

/* ---- the points of a grid ---- */

static void locate(const struct grid *grid, uint32_t number, double *point)
{
	uint32_t side = (uint32_t)grid->intervals + 1;

	for (int d = 0; d < grid->search.dimensions; d++, number /= side)
		point[d] = 2.0 * (number % side) / grid->intervals - 1;
}

/* Those of even steps in all directions were on the grid before. */
static bool is_new(const struct grid *grid, uint32_t number)
{
	uint32_t side = (uint32_t)grid->intervals + 1;

	if (grid->intervals == 1)
		return true;
	for (int d = 0; d < grid->search.dimensions; d++, number /= side)
		if (number % side % 2)
			return true;
	return false;
}

/* A fair shuffle (Fisher and Yates 1938). */
static void shuffle(struct grid *grid)
{
	for (uint32_t i = grid->count; i > 1; i--) {
		uint32_t j = (uint32_t)sample_below(&grid->generator, i);
		uint32_t number = grid->order[i - 1];

		grid->order[i - 1] = grid->order[j];
		grid->order[j] = number;
	}
}

static int refine(struct grid *grid)
{
	int intervals = grid->intervals ? 2 * grid->intervals : 1;
	int64_t points = 1;
	uint32_t *order;

	for (int d = 0; d < grid->search.dimensions; d++)
		points *= intervals + 1;
	order = points > GRID_MAX ? NULL :
				    calloc((size_t)points, sizeof(*order));
	if (!order)
		return accel_error(-ENOMEM, "no memory for a finer grid");
	free(grid->order);
	grid->order = order;
	grid->intervals = intervals;
	grid->count = 0;
	grid->next = 0;
	for (uint32_t i = 0; i < points; i++)
		if (is_new(grid, i))
			grid->order[grid->count++] = i;
	shuffle(grid);
	return 0;
}

static bool was_seen(const struct grid *grid, const double *point)
{
	for (size_t i = 0; i < grid->seen_count; i++) {
		bool same = true;

		for (int d = 0; d < grid->search.dimensions; d++)
			same = same && grid->seen[i].at[d] == point[d];
		if (same)
			return true;
	}
	return false;
}

static int propose(struct point_search *search, double *point)
{
	struct grid *grid = (struct grid *)search;

	do {
		while (grid->next == grid->count) {
			int ret = refine(grid);

			if (ret)
				return ret;
		}
		locate(grid, grid->order[grid->next++], point);
	} while (was_seen(grid, point));
	return 0;
}

const struct point_search_kind grid_search = {
	.name = "grid",
	.create = create,
	.propose = propose,
	.observe = observe,
	.destroy = destroy,
};
