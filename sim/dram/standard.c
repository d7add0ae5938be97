/* SPDX-License-Identifier: MIT */
#include "sim/dram/standard.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static const char *const command_names[DRAM_COMMAND_COUNT] = {
	[DRAM_ACTIVATE] = "ACT", [DRAM_PRECHARGE] = "PRE", [DRAM_READ] = "READ",
	[DRAM_WRITE] = "WRITE",	 [DRAM_REFRESH] = "REF",
};

static const char *const scope_names[DRAM_SCOPE_COUNT] = {
	[DRAM_SAME_BANK] = "same_bank",
	[DRAM_SAME_GROUP] = "same_group",
	[DRAM_OTHER_GROUP] = "other_group",
	[DRAM_SAME_RANK] = "same_rank",
	[DRAM_SAME_RANK_OTHER_BANK] = "same_rank_other_bank",
	[DRAM_OTHER_RANK] = "other_rank",
};

const char *dram_command_name(enum dram_command command)
{
	return command_names[command];
}

static int name_find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (name && !strcmp(names[i], name))
			return i;
	return -1;
}

/* Where a field of the structure stands in the JSON, and what it may be. */
struct field {
	const char *section;
	const char *subsection;
	const char *name;
	size_t offset;
	uint32_t low;
	uint32_t high;
};

#define FIELD(section, subsection, name, member, low, high)                \
	{                                                                  \
		section, subsection, name,                                 \
			offsetof(struct dram_standard, member), low, high, \
	}

static const struct field fields[] = {
	FIELD("geometry", NULL, "channels", channels, 1, DRAM_CHANNELS_MAX),
	FIELD("geometry", NULL, "ranks", ranks, 1, DRAM_RANKS_MAX),
	FIELD("geometry", NULL, "bank_groups_per_rank", groups_per_rank, 1, 8),
	FIELD("geometry", NULL, "banks_per_group", banks_per_group, 1, 16),
	FIELD("geometry", NULL, "rows_per_bank", rows_per_bank, 1, 1u << 24),
	FIELD("geometry", NULL, "bursts_per_row", bursts_per_row, 1, 1u << 16),
	FIELD("geometry", NULL, "request_bytes", request_bytes, 8, 4096),
	FIELD("geometry", NULL, "burst_clocks", burst_clocks, 1, 64),
	FIELD("completion", NULL, "read_done_after_column_clocks",
	      read_done_clocks, 1, 1000),
	FIELD("completion", NULL, "write_data_end_after_column_clocks",
	      write_done_clocks, 1, 1000),
	FIELD("rolling_window", NULL, "window_clocks", activate_window_clocks,
	      0, 10000),
	FIELD("controller", "refresh", "interval_between_requests_clocks",
	      refresh_interval_clocks, 100, 10000000),
	FIELD("controller", NULL, "read_queue_entries", read_queue_entries, 1,
	      DRAM_QUEUE_MAX),
	FIELD("controller", NULL, "write_queue_entries", write_queue_entries, 1,
	      DRAM_QUEUE_MAX),
	FIELD("controller", NULL, "bank_queue_entries", bank_queue_entries, 1,
	      DRAM_BANK_QUEUE_MAX),
	FIELD("controller", "write_drain", "start_when_full", drain_full, 1,
	      DRAM_QUEUE_MAX),
	FIELD("controller", "write_drain", "start_when_more_than", drain_idle,
	      0, DRAM_QUEUE_MAX),
	FIELD("controller", NULL, "row_hit_cap", row_hit_cap, 1, 1u << 16),
};

static int field_load(const json_t *root, const struct field *field,
		      struct dram_standard *standard)
{
	const json_t *section = json_object_get(root, field->section);
	const json_t *value;
	json_int_t number;

	if (field->subsection)
		section = json_object_get(section, field->subsection);
	value = json_object_get(section, field->name);
	if (!json_is_integer(value))
		return accel_error(-EINVAL,
				   "%s.%s is missing or not a whole number",
				   field->section, field->name);
	number = json_integer_value(value);
	if (number < field->low || number > field->high)
		return accel_error(
			-EINVAL, "%s.%s is %lld, but must be between %u and %u",
			field->section, field->name, (long long)number,
			field->low, field->high);
	*(uint32_t *)((char *)standard + field->offset) = (uint32_t)number;
	return 0;
}

static int gap_load(const json_t *entry, struct dram_gap *gap)
{
	const char *after = json_string_value(json_object_get(entry, "after"));
	const char *before =
		json_string_value(json_object_get(entry, "before"));
	const char *scope = json_string_value(json_object_get(entry, "scope"));
	const json_t *clocks = json_object_get(entry, "clocks");
	int a = name_find(command_names, DRAM_COMMAND_COUNT, after);
	int b = name_find(command_names, DRAM_COMMAND_COUNT, before);
	int s = name_find(scope_names, DRAM_SCOPE_COUNT, scope);

	if (a < 0 || b < 0 || s < 0 || !json_is_integer(clocks) ||
	    json_integer_value(clocks) < 0 ||
	    json_integer_value(clocks) > DRAM_GAP_CLOCKS_MAX)
		return accel_error(
			-EINVAL,
			"command_gaps: unknown command or scope, or clocks outside 0 … %d, in %s → %s %s",
			DRAM_GAP_CLOCKS_MAX, after ? after : "?",
			before ? before : "?", scope ? scope : "?");
	gap->after = (enum dram_command)a;
	gap->before = (enum dram_command)b;
	gap->scope = (enum dram_scope)s;
	gap->clocks = (uint32_t)json_integer_value(clocks);
	return 0;
}

static int gaps_load(const json_t *root, struct dram_standard *standard)
{
	const json_t *gaps = json_object_get(root, "command_gaps");
	const json_t *entry;
	size_t i;

	if (!json_is_array(gaps) || json_array_size(gaps) > DRAM_GAPS_MAX)
		return accel_error(
			-EINVAL,
			"command_gaps is missing, or longer than %d entries",
			DRAM_GAPS_MAX);
	json_array_foreach(gaps, i, entry)
	{
		int ret = gap_load(entry, &standard->gaps[i]);

		if (ret)
			return ret;
	}
	standard->gap_count = (uint32_t)json_array_size(gaps);
	return 0;
}

static int standard_fill(const json_t *root, struct dram_standard *standard)
{
	const json_t *controller = json_object_get(root, "controller");
	const char *name = json_string_value(json_object_get(root, "name"));

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		int ret = field_load(root, &fields[i], standard);

		if (ret)
			return ret;
	}
	if (dram_standard_banks(standard) > DRAM_BANKS_MAX)
		return accel_error(-EINVAL, "more than %d banks in a channel",
				   DRAM_BANKS_MAX);
	standard->second_command = json_is_true(
		json_object_get(controller, "second_command_same_clock"));
	snprintf(standard->name, sizeof(standard->name), "%s",
		 name ? name : "unnamed");
	return gaps_load(root, standard);
}

int dram_standard_load(const char *path, struct dram_standard *standard)
{
	json_error_t error;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	int ret;

	if (!root)
		return accel_error(-EINVAL, "%s:%d: %s", path, error.line,
				   error.text);
	memset(standard, 0, sizeof(*standard));
	ret = standard_fill(root, standard);
	json_decref(root);
	return ret;
}
