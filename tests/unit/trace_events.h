/* SPDX-License-Identifier: MIT */
/* Reading the trace events of a time line. */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#include "unit.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define ROWS_MAX 1024

static inline json_t *events_load(const char *path)
{
	json_error_t error;
	json_t *events = json_load_file(path, 0, &error);

	if (!events)
		fail_msg("%s: line %d: %s", path, error.line, error.text);
	assert_true(json_is_array(events));
	return events;
}

static inline const char *event_text(const json_t *event, const char *key)
{
	const char *value = json_string_value(json_object_get(event, key));

	return value ? value : "";
}

static inline int64_t event_integer(const json_t *event, const char *key)
{
	return json_integer_value(json_object_get(event, key));
}

static inline int64_t event_argument(const json_t *event, const char *key)
{
	return event_integer(json_object_get(event, "args"), key);
}

/* In cycles of the 1 GHz clock. */
static inline uint64_t event_cycles(const json_t *event, const char *key)
{
	return (uint64_t)(json_number_value(json_object_get(event, key)) *
				  1000 +
			  0.5);
}

static inline const json_t *events_next(const json_t *events, const char *phase,
					const char *category, size_t *index)
{
	while (*index < json_array_size(events)) {
		const json_t *event = json_array_get(events, (*index)++);

		if (!strcmp(event_text(event, "ph"), phase) &&
		    (!category || !strcmp(event_text(event, "cat"), category)))
			return event;
	}
	return NULL;
}

static inline size_t events_count(const json_t *events, const char *phase,
				  const char *category)
{
	size_t index = 0, found = 0;

	while (events_next(events, phase, category, &index))
		found++;
	return found;
}

/* The name of a row, which it got before its first span. */
static inline const char *events_row_name(const json_t *events, int64_t row)
{
	size_t index = 0;
	const json_t *event;

	while ((event = events_next(events, "M", NULL, &index)))
		if (event_integer(event, "tid") == row &&
		    !strcmp(event_text(event, "name"), "thread_name"))
			return event_text(json_object_get(event, "args"),
					  "name");
	fail_msg("row %lld has no name", (long long)row);
	return NULL;
}

/* Rows have one process; their spans come in order and do not overlap. */
static inline void events_check_rows(const json_t *events)
{
	uint64_t ends[ROWS_MAX] = { 0 };
	int64_t processes[ROWS_MAX] = { 0 };
	size_t index = 0;
	const json_t *event;

	while ((event = events_next(events, "X", NULL, &index))) {
		int64_t row = event_integer(event, "tid");
		uint64_t begin = event_cycles(event, "ts");

		assert_in_range(row, 1, ROWS_MAX - 1);
		events_row_name(events, row);
		assert_true(begin >= ends[row]);
		ends[row] = begin + event_cycles(event, "dur");
		if (processes[row])
			assert_int_equal(processes[row],
					 event_integer(event, "pid"));
		processes[row] = event_integer(event, "pid");
		assert_in_range(processes[row], 1, 6);
		assert_int_equal(event_cycles(event, "dur"),
				 event_argument(event, "cycles"));
	}
}

/* An arrow's point is in a span of its row, or a viewer drops it. */
static inline bool events_has_span_at(const json_t *events, const json_t *arrow)
{
	const json_t *event;
	size_t index = 0;

	while ((event = events_next(events, "X", NULL, &index)))
		if (event_integer(event, "pid") ==
			    event_integer(arrow, "pid") &&
		    event_integer(event, "tid") ==
			    event_integer(arrow, "tid") &&
		    event_cycles(event, "ts") <= event_cycles(arrow, "ts") &&
		    event_cycles(event, "ts") + event_cycles(event, "dur") >=
			    event_cycles(arrow, "ts"))
			return true;
	return false;
}

/* What the description of the format asks of each kind of event. */
static inline void events_check_format(const json_t *events)
{
	const json_t *event;
	size_t index;

	json_array_foreach(events, index, event)
	{
		const char *phase = event_text(event, "ph");
		const json_t *arguments = json_object_get(event, "args");
		bool arrow = *phase && strchr("stf", *phase);

		assert_int_equal(strlen(phase), 1);
		assert_non_null(strchr("MXCistf", *phase));
		assert_true(json_is_string(json_object_get(event, "name")));
		assert_true(json_is_integer(json_object_get(event, "pid")));
		assert_true(*phase == 'C' ||
			    json_is_integer(json_object_get(event, "tid")));
		assert_true(arrow || json_is_object(arguments));
		if (*phase != 'M')
			assert_true(json_number_value(
					    json_object_get(event, "ts")) >= 0);
		if (*phase == 'X')
			assert_true(json_number_value(json_object_get(
					    event, "dur")) >= 0);
		if (*phase == 'C')
			assert_true(json_is_number(
				json_object_get(arguments, "value")));
		if (*phase == 'i')
			assert_string_equal(event_text(event, "s"), "g");
		if (!arrow)
			continue;
		assert_true(json_is_integer(json_object_get(event, "id")));
		assert_string_equal(event_text(event, "cat"), "flow");
		assert_true(events_has_span_at(events, event));
	}
}

#endif
