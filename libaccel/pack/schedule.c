/* SPDX-License-Identifier: MIT */
#include "pack/schedule.h"

/*
 * What a lane sees, bit i for symbol head + i: which of them have not issued,
 * and which start a row.
 */
struct view {
	const uint8_t *head;
	size_t left;
	uint64_t pending;
	uint64_t new_rows;
};

bool schedule_limits_from(const struct geometry *geometry,
			  uint32_t vector_width, struct schedule_limits *limits)
{
	uint32_t split;

	if (!vector_width || !geometry->lanes || !geometry->banks ||
	    !geometry->accumulators || !geometry->decoder_rate)
		return false;
	if (vector_width != geometry->vector_width &&
	    vector_width * 2 != geometry->vector_width)
		return false;
	if (!geometry->schedule_window ||
	    geometry->schedule_window > SCHEDULE_WINDOW_MAX)
		return false;
	split = geometry->vector_width / vector_width;
	if (geometry->lanes > SCHEDULE_LANES_MAX / split ||
	    geometry->banks > SCHEDULE_BANKS_MAX / split)
		return false;
	*limits = (struct schedule_limits){
		.lanes = geometry->lanes * split,
		.banks = geometry->banks * split,
		.window = geometry->schedule_window,
		.accumulators = geometry->accumulators,
		.rate = geometry->decoder_rate,
	};
	return true;
}

/* Let the symbols [from, window) into view. */
static void view_extend(struct view *view, uint32_t from, uint32_t window)
{
	uint32_t end = view->left < window ? (uint32_t)view->left : window;

	for (uint32_t i = from; i < end; i++) {
		view->pending |= 1ull << i;
		if (view->head[i] & SCHEDULE_NEW_ROW)
			view->new_rows |= 1ull << i;
	}
}

/* Move on to the oldest symbol that has not issued. */
static void view_advance(struct view *view, uint32_t window)
{
	uint32_t seen = view->left < window ? (uint32_t)view->left : window;
	uint32_t step =
		view->pending ? (uint32_t)__builtin_ctzll(view->pending) : seen;

	view->head += step;
	view->left -= step;
	/* A shift by all 64 bits is undefined; two of them are not. */
	view->pending = view->pending >> (step - 1) >> 1;
	view->new_rows = view->new_rows >> (step - 1) >> 1;
	view_extend(view, window - step, window);
}

/* The symbols whose row has an accumulator: all before the nth next row. */
static uint64_t view_eligible(const struct view *view, uint32_t accumulators)
{
	uint64_t rows = view->new_rows & ~1ull;

	for (uint32_t i = 1; i < accumulators && rows; i++)
		rows &= rows - 1;
	return rows ? view->pending & ((rows & -rows) - 1) : view->pending;
}

/* The index of the symbol that issues, or −1; takes its bank. */
static int view_choose(const struct view *view, uint32_t accumulators,
		       uint64_t *taken)
{
	uint64_t eligible = view_eligible(view, accumulators);

	while (eligible) {
		int i = __builtin_ctzll(eligible);
		uint64_t bank = 1ull << (view->head[i] & SCHEDULE_BANK_MASK);

		if (view->head[i] & SCHEDULE_FILLER)
			return i;
		if (!(*taken & bank)) {
			*taken |= bank;
			return i;
		}
		eligible &= eligible - 1;
	}
	return -1;
}

/* One cycle of the cluster; returns the lanes that are not done after it. */
static uint32_t issue(const struct schedule_limits *limits,
		      const struct schedule_lane *lanes, struct view *views,
		      struct schedule_result *result)
{
	uint64_t taken = 0;
	uint32_t busy = 0, issued = 0;

	for (uint32_t l = 0; l < limits->lanes; l++) {
		struct view *view = &views[l];
		int i = -1;

		if (!view->left)
			continue;
		if (issued < limits->rate)
			i = view_choose(view, limits->accumulators, &taken);
		if (i < 0) {
			result->stalls++;
			busy++;
			continue;
		}
		issued++;
		if (lanes[l].cycles)
			lanes[l].cycles[view->head - lanes[l].symbols + i] =
				(uint32_t)result->cycles;
		view->pending &= ~(1ull << i);
		if (i == 0)
			view_advance(view, limits->window);
		busy += view->left > 0;
		if (!view->left && lanes[l].end)
			*lanes[l].end = result->cycles + 1;
	}
	return busy;
}

struct schedule_result schedule_run(const struct schedule_limits *limits,
				    const struct schedule_lane *lanes)
{
	struct view views[SCHEDULE_LANES_MAX] = { 0 };
	struct schedule_result result = { 0 };
	uint32_t busy = 0;

	for (uint32_t l = 0; l < limits->lanes; l++) {
		views[l].head = lanes[l].symbols;
		views[l].left = lanes[l].count;
		view_extend(&views[l], 0, limits->window);
		busy += lanes[l].count > 0;
	}
	while (busy) {
		busy = issue(limits, lanes, views, &result);
		result.cycles++;
	}
	return result;
}
