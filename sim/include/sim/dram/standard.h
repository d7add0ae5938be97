/* SPDX-License-Identifier: MIT */
/*
 * A DRAM standard as a controller sees it: geometry, the minimum distances
 * between commands, and the rules of the controller. Read from JSON, so that a
 * standard is data and not code.
 */
#ifndef SIM_DRAM_STANDARD_H
#define SIM_DRAM_STANDARD_H

#include <stdbool.h>
#include <stdint.h>

enum dram_command {
	DRAM_ACTIVATE,
	DRAM_PRECHARGE,
	DRAM_READ,
	DRAM_WRITE,
	DRAM_REFRESH,
	DRAM_COMMAND_COUNT,
};

/* Which banks a gap holds back, seen from the bank of the earlier command. */
enum dram_scope {
	DRAM_SAME_BANK,
	DRAM_SAME_GROUP, /* the bank itself included */
	DRAM_OTHER_GROUP, /* of the same rank */
	DRAM_SAME_RANK,
	DRAM_SAME_RANK_OTHER_BANK,
	DRAM_OTHER_RANK,
	DRAM_SCOPE_COUNT,
};

struct dram_gap {
	enum dram_command after;
	enum dram_command before;
	enum dram_scope scope;
	uint32_t clocks;
};

/**
 * enum dram_policy - how the controller chooses
 * @DRAM_POLICY_REFERENCE: as the oracle's: round robin over the banks
 * @DRAM_POLICY_DEVICE: our own: the oldest that is ready, reads and writes in turn
 */
enum dram_policy {
	DRAM_POLICY_REFERENCE,
	DRAM_POLICY_DEVICE,
	DRAM_POLICY_COUNT,
};

#define DRAM_GAPS_MAX 64
#define DRAM_GAP_CLOCKS_MAX 16384 /* and of the activate window */
#define DRAM_CHANNELS_MAX 32
#define DRAM_RANKS_MAX 4
#define DRAM_BANKS_MAX 64 /* of all ranks */
#define DRAM_QUEUE_MAX 256
#define DRAM_BANK_QUEUE_MAX 64

/**
 * struct dram_standard - one standard with one controller policy
 * @burst_clocks: data bus time of one request
 * @read_done_clocks: from a READ command to the end of its data
 * @write_done_clocks: from a WRITE command to the end of its data
 * @gaps: every minimum distance but the four-activate window
 * @activate_window_clocks: four activates of a rank in this many
 * @refresh_interval_clocks: between two ranks' refreshes
 * @second_command: a row and a column command may share a clock (HBM)
 * @policy: of the controller; a file says nothing of it
 * @drain_full: writes that start a drain
 * @drain_idle: more writes than this start one while all bank queues are empty (the
 *	reference) or no read waits (the device); the device's ends at so many
 * @row_hit_cap: column commands after which the oldest miss may precharge
 */
struct dram_standard {
	char name[32];
	uint32_t channels;
	uint32_t ranks;
	uint32_t groups_per_rank;
	uint32_t banks_per_group;
	uint32_t rows_per_bank;
	uint32_t bursts_per_row;
	uint32_t request_bytes;
	uint32_t burst_clocks;
	uint32_t read_done_clocks;
	uint32_t write_done_clocks;
	struct dram_gap gaps[DRAM_GAPS_MAX];
	uint32_t gap_count;
	uint32_t activate_window_clocks;
	uint32_t refresh_interval_clocks;
	bool second_command;
	enum dram_policy policy;
	uint32_t read_queue_entries;
	uint32_t write_queue_entries;
	uint32_t bank_queue_entries;
	uint32_t drain_full;
	uint32_t drain_idle;
	uint32_t row_hit_cap;
};

static inline uint32_t
dram_standard_groups(const struct dram_standard *standard)
{
	return standard->ranks * standard->groups_per_rank;
}

static inline uint32_t dram_standard_banks(const struct dram_standard *standard)
{
	return dram_standard_groups(standard) * standard->banks_per_group;
}

const char *dram_command_name(enum dram_command command);

/* Refuses a missing, unknown or impossible value with its name. */
int dram_standard_load(const char *path, struct dram_standard *standard);

#endif
