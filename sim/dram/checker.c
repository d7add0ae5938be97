/* SPDX-License-Identifier: MIT */
#include "sim/dram/checker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define CLOSED (-1)

struct dram_checker {
	const struct dram_standard *standard;
	/* Clock + 1 of the last command of a kind at a bank; 0: never. */
	uint64_t last[DRAM_COMMAND_COUNT][DRAM_BANKS_MAX];
	int64_t row[DRAM_BANKS_MAX];
	uint64_t activates[DRAM_RANKS_MAX][4];
	uint64_t bus_clock; /* of the last command on the bus */
	int bus_columns; /* column commands at that clock */
	int bus_rows;
	uint64_t violations;
	char first[160];
};

int dram_checker_create(const struct dram_standard *standard,
			struct dram_checker **out)
{
	struct dram_checker *checker = calloc(1, sizeof(*checker));

	if (!checker)
		return accel_error(-ENOMEM, "no memory for a DRAM checker");
	checker->standard = standard;
	for (int i = 0; i < DRAM_BANKS_MAX; i++)
		checker->row[i] = CLOSED;
	*out = checker;
	return 0;
}

void dram_checker_destroy(struct dram_checker *checker)
{
	free(checker);
}

uint64_t dram_checker_violations(const struct dram_checker *checker)
{
	return checker->violations;
}

const char *dram_checker_first(const struct dram_checker *checker)
{
	return checker->first;
}

static void complain(struct dram_checker *checker, enum dram_command command,
		     uint32_t bank, uint64_t clock, const char *what)
{
	if (!checker->violations++)
		snprintf(checker->first, sizeof(checker->first),
			 "clock %llu: %s at bank %u: %s",
			 (unsigned long long)clock, dram_command_name(command),
			 bank, what);
}

/* Does a gap of @scope relate a command at bank @a to one at bank @b? */
static bool related(const struct dram_standard *standard, enum dram_scope scope,
		    uint32_t a, uint32_t b)
{
	uint32_t group_a = a / standard->banks_per_group;
	uint32_t group_b = b / standard->banks_per_group;
	bool same_rank = group_a / standard->groups_per_rank ==
			 group_b / standard->groups_per_rank;

	switch (scope) {
	case DRAM_SAME_BANK:
		return a == b;
	case DRAM_SAME_GROUP:
		return group_a == group_b;
	case DRAM_OTHER_GROUP:
		return same_rank && group_a != group_b;
	case DRAM_SAME_RANK:
		return same_rank;
	case DRAM_SAME_RANK_OTHER_BANK:
		return same_rank && a != b;
	default:
		return !same_rank;
	}
}

static void check_gap(struct dram_checker *checker, const struct dram_gap *gap,
		      uint32_t bank, uint64_t clock)
{
	char what[80];

	for (uint32_t b = 0; b < dram_standard_banks(checker->standard); b++) {
		uint64_t last = checker->last[gap->after][b];

		if (!last || !related(checker->standard, gap->scope, b, bank) ||
		    clock + 1 >= last + gap->clocks)
			continue;
		snprintf(what, sizeof(what),
			 "%u clocks after the %s at bank %u, needs %u",
			 (unsigned int)(clock + 1 - last),
			 dram_command_name(gap->after), b, gap->clocks);
		complain(checker, gap->before, bank, clock, what);
	}
}

static void check_row(struct dram_checker *checker, enum dram_command command,
		      const struct dram_address *address, uint64_t clock)
{
	int64_t row = checker->row[address->bank];

	switch (command) {
	case DRAM_ACTIVATE:
		if (row != CLOSED)
			complain(checker, command, address->bank, clock,
				 "the bank is open");
		break;
	case DRAM_READ:
	case DRAM_WRITE:
		if (row != address->row)
			complain(checker, command, address->bank, clock,
				 "another row is open, or none");
		break;
	case DRAM_PRECHARGE:
		if (row == CLOSED)
			complain(checker, command, address->bank, clock,
				 "the bank is closed");
		break;
	default:
		break;
	}
}

static void check_rank_closed(struct dram_checker *checker, uint32_t bank,
			      uint64_t clock)
{
	for (uint32_t b = 0; b < dram_standard_banks(checker->standard); b++)
		if (related(checker->standard, DRAM_SAME_RANK, bank, b) &&
		    checker->row[b] != CLOSED)
			complain(checker, DRAM_REFRESH, b, clock,
				 "the bank is open");
}

static void check_activates(struct dram_checker *checker, uint32_t rank,
			    uint32_t bank, uint64_t clock)
{
	uint64_t *activates = checker->activates[rank];

	if (activates[0] &&
	    clock + 1 <
		    activates[0] + checker->standard->activate_window_clocks)
		complain(checker, DRAM_ACTIVATE, bank, clock,
			 "a fifth activate in the window");
	memmove(&activates[0], &activates[1], 3 * sizeof(activates[0]));
	activates[3] = clock + 1;
}

static void check_bus(struct dram_checker *checker, enum dram_command command,
		      uint32_t bank, uint64_t clock)
{
	bool column = command == DRAM_READ || command == DRAM_WRITE;

	if (clock < checker->bus_clock)
		complain(checker, command, bank, clock, "out of order");
	if (clock != checker->bus_clock) {
		checker->bus_clock = clock;
		checker->bus_columns = 0;
		checker->bus_rows = 0;
	}
	if (column)
		checker->bus_columns++;
	else
		checker->bus_rows++;
	if (checker->bus_columns > 1 || checker->bus_rows > 1 ||
	    (checker->bus_columns + checker->bus_rows > 1 &&
	     !checker->standard->second_command))
		complain(checker, command, bank, clock,
			 "the command bus is taken");
}

void dram_checker_command(struct dram_checker *checker,
			  enum dram_command command,
			  const struct dram_address *address, uint64_t clock)
{
	const struct dram_standard *standard = checker->standard;
	uint32_t bank = address->bank;
	uint32_t per_rank =
		standard->groups_per_rank * standard->banks_per_group;

	check_bus(checker, command, bank, clock);
	check_row(checker, command, address, clock);
	if (command == DRAM_REFRESH)
		check_rank_closed(checker, bank, clock);
	if (command == DRAM_ACTIVATE)
		check_activates(checker, bank / per_rank, bank, clock);
	for (uint32_t i = 0; i < standard->gap_count; i++)
		if (standard->gaps[i].before == command)
			check_gap(checker, &standard->gaps[i], bank, clock);
	checker->last[command][bank] = clock + 1;
	if (command == DRAM_ACTIVATE)
		checker->row[bank] = address->row;
	if (command == DRAM_PRECHARGE)
		checker->row[bank] = CLOSED;
}
