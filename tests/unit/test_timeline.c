/* SPDX-License-Identifier: MIT */
/* The time line: what is in the file, read with another JSON library. */
#include "unit.h"

#include "folder.h"
#include "random.h"
#include "trace_events.h"

#include <errno.h>
#include <sys/wait.h>

#include <accel/error.h>
#include <sim/engine/clusters.h>
#include <sim/trace/lanes.h>
#include <sim/trace/timeline.h>

static const struct trace_shape shape = { 1000000000, 4, 2, 2 };
static struct trace_names names;

static struct timeline *start_with(const char *path, uint64_t limit)
{
	struct timeline *timeline;

	assert_int_equal(
		timeline_create(path, &shape, &names, limit, &timeline), 0);
	return timeline;
}

static struct timeline *start(const char *folder)
{
	return start_with(folder_path(folder, "t.json"), 1000000);
}

static json_t *finish(struct timeline *timeline, const char *folder)
{
	json_t *events;

	assert_int_equal(timeline_close(timeline), 0);
	trace_names_free(&names);
	events = events_load(folder_path(folder, "t.json"));
	events_check_format(events);
	return events;
}

static void add(struct timeline *timeline, enum engine_track track,
		uint32_t unit, uint64_t begin, uint64_t end, uint64_t sequence,
		uint64_t detail)
{
	const struct engine_span span = {
		.track = track,
		.unit = unit,
		.begin = begin,
		.end = end,
		.name = "work",
		.sequence = sequence,
		.detail = detail,
	};

	timeline_span(timeline, &span);
}

static void announce(struct timeline *timeline, uint64_t sequence,
		     uint32_t label, bool first, bool last)
{
	const struct engine_command command = {
		.sequence = sequence,
		.opcode = SPMM_IO_SPMM,
		.queue = 1,
		.label = label,
		.completes = last,
		.fetch = { .doorbell = first },
	};

	timeline_command(timeline, &command);
}

/* ---- tests ---- */

static void an_empty_record_is_valid(void **state)
{
	json_t *events = finish(start(*state), *state);

	assert_int_equal(events_count(events, "X", NULL), 0);
	assert_true(events_count(events, "M", NULL) > 0);
	json_decref(events);
}

static void what_continues_a_span_is_one_with_it(void **state)
{
	struct timeline *timeline = start(*state);
	const json_t *event;
	json_t *events;
	size_t index = 0;

	/* passes of tile 7, of tile 8, of tile 8 after a pause */
	add(timeline, ENGINE_TRACK_CLUSTER, 3, 10, 20, 1, 7);
	add(timeline, ENGINE_TRACK_CLUSTER, 3, 20, 35, 1, 7);
	add(timeline, ENGINE_TRACK_CLUSTER, 3, 35, 40, 1, 8);
	add(timeline, ENGINE_TRACK_CLUSTER, 3, 41, 50, 1, 8);
	/* bytes of one command and of the next */
	add(timeline, ENGINE_TRACK_LINK_DOWN, 0, 0, 4, 1, 100);
	add(timeline, ENGINE_TRACK_LINK_DOWN, 0, 4, 8, 1, 28);
	add(timeline, ENGINE_TRACK_LINK_DOWN, 0, 8, 9, 2, 28);
	events = finish(timeline, *state);
	events_check_rows(events);
	assert_int_equal(events_count(events, "X", "lanes"), 3);
	event = events_next(events, "X", "lanes", &index);
	assert_int_equal(event_cycles(event, "ts"), 10);
	assert_int_equal(event_cycles(event, "dur"), 25);
	assert_int_equal(event_argument(event, "tile"), 7);
	assert_string_equal(events_row_name(events,
					    event_integer(event, "tid")),
			    "cluster 3 lanes");
	assert_int_equal(events_count(events, "X", "to the device"), 2);
	index = 0;
	event = events_next(events, "X", "to the device", &index);
	assert_int_equal(event_argument(event, "bytes"), 128);
	json_decref(events);
}

static void what_overlaps_gets_rows_of_its_own(void **state)
{
	struct timeline *timeline = start(*state);
	json_t *events;

	add(timeline, ENGINE_TRACK_COMMAND, 0, 0, 100, 1, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 50, 120, 2, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 100, 130, 3, 0);
	events = finish(timeline, *state);
	events_check_rows(events);
	assert_int_equal(events_count(events, "X", "commands"), 3);
	json_decref(events);
}

/* Merged or moved to another row, nothing is lost and nothing overlaps. */
static void random_spans_keep_their_cycles(void **state)
{
	struct timeline *timeline = start(*state);
	uint64_t now[3] = { 0 }, sums[3] = { 0 }, bytes = 0, end = 0;
	uint64_t random = 7;
	const json_t *event;
	json_t *events;
	size_t index = 0;

	for (int i = 0; i < 5000; i++) {
		uint32_t unit = random_below(&random, 3);
		uint64_t begin = now[unit] + random_below(&random, 2);

		now[unit] = begin + 1 + random_below(&random, 9);
		sums[unit] += now[unit] - begin;
		add(timeline, ENGINE_TRACK_CLUSTER, unit, begin, now[unit],
		    1 + begin / 500, begin / 50);
		end += random_below(&random, 5);
		begin = random_below(&random, 40);
		add(timeline, ENGINE_TRACK_DRAM, 1,
		    end > begin ? end - begin : 0, end,
		    1 + random_below(&random, 3), 64);
		bytes += 64;
	}
	events = finish(timeline, *state);
	events_check_rows(events);
	while ((event = events_next(events, "X", "lanes", &index)))
		sums[events_row_name(events, event_integer(event, "tid"))[8] -
		     '0'] -= event_cycles(event, "dur");
	for (int unit = 0; unit < 3; unit++)
		assert_int_equal(sums[unit], 0);
	index = 0;
	while ((event = events_next(events, "X", "channel", &index)))
		bytes -= (uint64_t)event_argument(event, "bytes");
	assert_int_equal(bytes, 0);
	json_decref(events);
}

static void commands_are_called_like_their_layers(void **state)
{
	struct timeline *timeline = start(*state);
	json_t *events;
	size_t index = 0;

	assert_int_equal(trace_names_set(&names, 5, "/conv\"1\"\\\n\x01 µ\xff"),
			 0);
	announce(timeline, 1, 5, true, false);
	announce(timeline, 2, 6, false, true);
	add(timeline, ENGINE_TRACK_CLUSTER_LOAD, 0, 0, 9, 1, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 0, 10, 1, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 0, 20, 2, 0);
	events = finish(timeline, *state);
	assert_string_equal(event_text(events_next(events, "X", "load", &index),
				       "name"),
			    "/conv\"1\"\\\n\x01 µ\xef\xbf\xbd");
	index = 0;
	assert_string_equal(
		event_text(events_next(events, "X", "commands", &index),
			   "name"),
		"/conv\"1\"\\\n\x01 µ\xef\xbf\xbd");
	assert_string_equal(
		event_text(events_next(events, "X", "commands", &index),
			   "name"),
		"SPMM");
	json_decref(events);
}

static void arrows_lead_from_submission_to_completion(void **state)
{
	struct timeline *timeline = start(*state);
	const char *const phases[] = { "s", "t", "t", "t", "t", "f" };
	const uint64_t times[] = { 1, 2, 5, 20, 41, 45 };
	json_t *events;

	announce(timeline, 8, 0, true, false);
	announce(timeline, 9, 0, false, false);
	announce(timeline, 10, 0, false, true);
	add(timeline, ENGINE_TRACK_HOST, 0, 1, 2, 8, 0);
	add(timeline, ENGINE_TRACK_DOORBELL, 0, 2, 3, 8, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 5, 10, 8, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 10, 20, 9, 0);
	add(timeline, ENGINE_TRACK_COMMAND, 0, 20, 40, 10, 0);
	add(timeline, ENGINE_TRACK_INTERRUPT, 0, 41, 45, 10, 0);
	add(timeline, ENGINE_TRACK_HOST, 0, 45, 46, 10, 0);
	events = finish(timeline, *state);
	assert_int_equal(events_count(events, "s", "flow"), 1);
	assert_int_equal(events_count(events, "t", "flow"), 4);
	assert_int_equal(events_count(events, "f", "flow"), 1);
	for (int i = 0; i < 6; i++) {
		bool found = false;
		const json_t *event;
		size_t index = 0;

		while ((event = events_next(events, phases[i], "flow",
					    &index))) {
			assert_int_equal(event_integer(event, "id"), 8);
			found |= event_cycles(event, "ts") == times[i];
		}
		assert_true(found);
	}
	json_decref(events);
}

static void waits_are_spans_too(void **state)
{
	struct timeline *timeline = start(*state);
	const json_t *event;
	json_t *events;
	size_t index = 0;

	timeline_change(timeline, ENGINE_SIGNAL_CLUSTER_COMMAND, 2, 10, 3);
	timeline_change(timeline, ENGINE_SIGNAL_CLUSTER_STATE, 2, 10,
			CLUSTER_WAITS_DRAM);
	timeline_change(timeline, ENGINE_SIGNAL_CLUSTER_STATE, 2, 60,
			CLUSTER_COMPUTES);
	timeline_change(timeline, ENGINE_SIGNAL_CLUSTER_STATE, 2, 90,
			CLUSTER_NO_WORK);
	events = finish(timeline, *state);
	events_check_rows(events);
	event = events_next(events, "X", "waits", &index);
	assert_string_equal(event_text(event, "name"), "waits for DRAM");
	assert_int_equal(event_cycles(event, "ts"), 10);
	assert_int_equal(event_cycles(event, "dur"), 50);
	assert_int_equal(event_argument(event, "command"), 3);
	assert_null(events_next(events, "X", "waits", &index));
	json_decref(events);
}

/* The mean of a microsecond, which is 1000 cycles, stands for all of its changes. */
static void a_counter_has_few_points(void **state)
{
	const struct {
		uint64_t at;
		double value;
	} wanted[] = { { 0, 4 }, { 1000, 8 }, { 5000, 4 }, { 6000, 0 } };
	struct timeline *timeline = start(*state);
	const json_t *event;
	json_t *events;
	size_t index = 0;
	unsigned int point = 0;

	for (uint64_t now = 0; now < 1000; now += 2)
		timeline_change(timeline, ENGINE_SIGNAL_LINK_TAGS, 0, now,
				now % 4 ? 0 : 8);
	timeline_change(timeline, ENGINE_SIGNAL_LINK_TAGS, 0, 1000, 8);
	timeline_change(timeline, ENGINE_SIGNAL_LINK_TAGS, 0, 5500, 0);
	events = finish(timeline, *state);
	while ((event = events_next(events, "C", NULL, &index))) {
		const json_t *value = json_object_get(
			json_object_get(event, "args"), "value");

		if (strcmp(event_text(event, "name"), "tags in use"))
			continue;
		assert_in_range(point, 0, 3);
		assert_int_equal(event_cycles(event, "ts"), wanted[point].at);
		assert_true(json_number_value(value) == wanted[point].value);
		point++;
	}
	assert_int_equal(point, 4);
	json_decref(events);
}

static void a_limit_is_kept_and_told(void **state)
{
	struct timeline *timeline =
		start_with(folder_path(*state, "t.json"), 100);
	const json_t *event;
	json_t *events;
	size_t index = 0;

	for (uint64_t i = 0; i < 1000; i++)
		add(timeline, ENGINE_TRACK_CLUSTER, 0, 2 * i, 2 * i + 1, 1, i);
	events = finish(timeline, *state);
	assert_int_equal(events_count(events, "X", NULL), 100);
	event = events_next(events, "i", NULL, &index);
	assert_non_null(event);
	/* also the last points of the five counters */
	assert_string_equal(event_text(event, "name"),
			    "905 events left out from here on");
	assert_int_equal(event_cycles(event, "ts"), 200);
	json_decref(events);
}

/* A process that is killed leaves whole events: a viewer adds the bracket. */
static void an_early_end_leaves_whole_events(void **state)
{
	const char *path = folder_path(*state, "t.json");
	struct timeline *timeline = start_with(path, 1000000);
	json_t *events;
	int status;
	pid_t child;
	FILE *file;

	child = fork();
	if (!child) {
		for (uint64_t i = 0; i < 30000; i++)
			add(timeline, ENGINE_TRACK_DRAM, 0, 2 * i, 2 * i + 1, 1,
			    i);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_true(ftell(file) > 1000000);
	fputs("]", file);
	fclose(file);
	events = events_load(path);
	assert_true(events_count(events, "X", NULL) > 4000);
	json_decref(events);
	timeline_close(timeline);
}

static void files_that_cannot_be_written_are_errors(void **state)
{
	struct timeline *timeline;

	assert_int_equal(timeline_create(folder_path(*state, "no/t.json"),
					 &shape, &names, 10, &timeline),
			 -ENOENT);
	assert_non_null(strstr(accel_last_error(), "no/t.json"));
	assert_null(timeline);
	if (access("/dev/full", W_OK))
		return;
	timeline = start_with("/dev/full", 10);
	add(timeline, ENGINE_TRACK_DRAM, 0, 0, 1, 1, 1);
	assert_int_equal(timeline_close(timeline), -ENOSPC);
	assert_non_null(strstr(accel_last_error(), "/dev/full"));
}

/* At 1.2 GHz a cycle is no whole number of nanoseconds: neighbours still meet. */
static void neighbours_meet_at_any_clock(void **state)
{
	const struct trace_shape odd = { 1200000000, 1, 1, 1 };
	uint64_t end = 0;
	struct timeline *timeline;
	const json_t *event;
	json_t *events;
	size_t index = 0;

	assert_int_equal(timeline_create(folder_path(*state, "t.json"), &odd,
					 &names, 1000, &timeline),
			 0);
	for (uint64_t i = 0; i < 100; i++)
		add(timeline, ENGINE_TRACK_CLUSTER, 0, 7 * i, 7 * i + 7, 1, i);
	events = finish(timeline, *state);
	while ((event = events_next(events, "X", "lanes", &index))) {
		assert_int_equal(event_cycles(event, "ts"), end);
		end += event_cycles(event, "dur");
	}
	assert_int_equal(end, 700 * 10 / 12);
	json_decref(events);
}

static void units_that_do_not_exist_are_left_out(void **state)
{
	struct timeline *timeline = start(*state);
	json_t *events;

	add(timeline, ENGINE_TRACK_CLUSTER, 4, 0, 1, 1, 0);
	add(timeline, ENGINE_TRACK_DRAM, 99, 0, 1, 1, 0);
	timeline_change(timeline, ENGINE_SIGNAL_DRAM_QUEUE, 2, 0, 1);
	timeline_change(timeline, ENGINE_SIGNAL_CLUSTER_STATE, 4, 0, 1);
	events = finish(timeline, *state);
	assert_int_equal(events_count(events, "X", NULL), 0);
	assert_int_equal(events_count(events, "i", NULL), 1);
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(an_empty_record_is_valid),
		folder_test(what_continues_a_span_is_one_with_it),
		folder_test(what_overlaps_gets_rows_of_its_own),
		folder_test(random_spans_keep_their_cycles),
		folder_test(commands_are_called_like_their_layers),
		folder_test(arrows_lead_from_submission_to_completion),
		folder_test(waits_are_spans_too),
		folder_test(a_counter_has_few_points),
		folder_test(a_limit_is_kept_and_told),
		folder_test(an_early_end_leaves_whole_events),
		folder_test(files_that_cannot_be_written_are_errors),
		folder_test(neighbours_meet_at_any_clock),
		folder_test(units_that_do_not_exist_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
