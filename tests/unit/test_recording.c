/* SPDX-License-Identifier: MIT */
/*
 * Records of whole runs: what they show is what the plan reports of its layers, and
 * recording changes nothing.
 */
#include "published.h"
#include "random_model.h"

#include "folder.h"
#include "trace_events.h"
#include "wave_dump.h"

#include <core/integer.h>
#include <spmm/queue.h>

#define PATIENCE (60 * ACCEL_SECOND)

/* What the plan says of a layer, by name; commands of several bands are summed. */
static void layer_read(const struct accel_plan *plan, const char *name,
		       struct accel_layer_info *layer)
{
	struct accel_plan_info info = { .size = sizeof(info) };

	assert_int_equal(accel_plan_get_info(plan, &info), 0);
	for (uint32_t i = 0; i < info.layer_count; i++) {
		*layer = (struct accel_layer_info){ .size = sizeof(*layer) };
		assert_int_equal(accel_plan_get_layer(plan, i, layer), 0);
		if (!strcmp(layer->name, name))
			return;
	}
	fail_msg("no layer %s", name);
}

/* The event of a command on the commands' rows. */
static const json_t *command_find(const json_t *events, int64_t command)
{
	const json_t *event;
	size_t index = 0;

	while ((event = events_next(events, "X", "commands", &index)))
		if (event_argument(event, "command") == command)
			return event;
	fail_msg("no command %lld", (long long)command);
	return NULL;
}

/* Nothing of a command is shown on a cluster before it begins or after it ends. */
static void check_clusters(const json_t *events)
{
	static const char *const stages[] = { "load", "lanes", "store" };

	for (int stage = 0; stage < 3; stage++) {
		const json_t *event;
		size_t index = 0;

		while ((event = events_next(events, "X", stages[stage],
					    &index))) {
			const json_t *command = command_find(
				events, event_argument(event, "command"));
			int64_t begin = event_argument(event, "cycle");
			int64_t first = event_argument(command, "cycle");

			assert_string_equal(event_text(event, "name"),
					    event_text(command, "name"));
			assert_true(begin >= first);
			assert_true(begin + event_argument(event, "cycles") <=
				    first + event_argument(command, "cycles"));
		}
	}
}

/* Lane-cycles that the clusters' rows say a layer has waited for a reason. */
static uint64_t waited(const json_t *events, const char *layer,
		       const char *reason, uint32_t lanes)
{
	const json_t *event;
	uint64_t sum = 0;
	size_t index = 0;

	while ((event = events_next(events, "X", "waits", &index))) {
		const json_t *command =
			command_find(events, event_argument(event, "command"));

		if (!strcmp(event_text(event, "name"), reason) &&
		    !strcmp(event_text(command, "name"), layer))
			sum += (uint64_t)event_argument(event, "cycles") *
			       lanes;
	}
	return sum;
}

/*
 * A layer begins with the fetch of its first command, and ends before its last one is
 * retired.
 */
static void check_times(const json_t *events,
			const struct accel_layer_info *layer)
{
	uint64_t first = UINT64_MAX, last = 0;
	const json_t *event;
	size_t index = 0;

	while ((event = events_next(events, "X", "commands", &index))) {
		uint64_t begin = (uint64_t)event_argument(event, "cycle");

		if (strcmp(event_text(event, "name"), layer->name))
			continue;
		first = min_u64(first, begin);
		last = max_u64(last, begin + (uint64_t)event_argument(
						     event, "cycles"));
	}
	assert_true(layer->first_cycle <= first);
	assert_in_range(layer->last_cycle, first, last);
}

static void check_stalls(const json_t *events, const struct accel_plan *plan,
			 uint32_t lanes)
{
	static const struct {
		unsigned int cause;
		const char *reason;
	} reasons[] = {
		{ SPMM_STALL_WEIGHTS, "waits for weights" },
		{ SPMM_STALL_ACTIVATIONS, "waits for activations" },
		{ SPMM_STALL_EPILOGUE, "waits for the epilogue" },
		{ SPMM_STALL_DRAM, "waits for DRAM" },
	};
	const json_t *event;
	size_t index = 0;

	while ((event = events_next(events, "X", "commands", &index))) {
		const char *name = event_text(event, "name");
		struct accel_layer_info layer;

		if (strcmp(event_text(json_object_get(event, "args"), "opcode"),
			   "SPMM"))
			continue;
		layer_read(plan, name, &layer);
		check_times(events, &layer);
		for (int i = 0; i < 4; i++)
			assert_int_equal(waited(events, name, reasons[i].reason,
						lanes),
					 layer.stall[reasons[i].cause]);
	}
}

/* Memory is not among them: the SRAM may hold all of a small network. */
static void check_tracks(const json_t *events)
{
	static const char *const tracks[] = {
		"host",	    "interrupts",  "doorbells",	    "fetch",
		"commands", "to the host", "to the device", "DMA",
		"load",	    "lanes",	   "store",
	};

	for (size_t i = 0; i < sizeof(tracks) / sizeof(*tracks); i++)
		if (!events_count(events, "X", tracks[i]))
			fail_msg("nothing on %s", tracks[i]);
	assert_int_equal(events_count(events, "s", "flow"),
			 events_count(events, "f", "flow"));
	assert_true(events_count(events, "C", NULL) > 0);
}

/* In the end nothing is under way but posted writes, which may stay in the queues. */
static void check_waves(const char *path, const json_t *events)
{
	const json_t *event;
	struct dump dump;
	uint64_t last = 0;
	size_t index = 0;

	dump_read(&dump, path);
	for (uint32_t i = 0; i < dump.count; i++)
		if (dump.waves[i].value &&
		    !strstr(dump.waves[i].name, ".queue"))
			fail_msg("%s ends at %llu", dump.waves[i].name,
				 (unsigned long long)dump.waves[i].value);
	while ((event = events_next(events, "X", "commands", &index)))
		last = max_u64(last,
			       (uint64_t)(event_argument(event, "cycle") +
					  event_argument(event, "cycles")));
	assert_true(
		dump.waves[dump_find(&dump, "device.cluster[0].state", true)]
			.changes > 1);
	assert_true(dump.last >= last);
}

static uint64_t run_once(const char *uri, struct accel_model *model,
			 const struct accel_plan_options *options,
			 struct accel_plan **plan, struct accel_device **device)
{
	struct accel_layer_info total = { .size = sizeof(total) };

	*device = device_open(uri);
	*plan = plan_create(*device, model, options);
	if (accel_run(*plan, NULL, 0, NULL, 0, PATIENCE) ||
	    accel_device_end_trace(*device))
		fail_msg("%s", accel_last_error());
	assert_int_equal(accel_plan_get_total(*plan, &total), 0);
	return total.cycles;
}

static void compare(const char *folder, struct accel_model *model,
		    const struct accel_plan_options *options)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device;
	struct accel_plan *plan;
	char uri[2 * FOLDER_PATH + 32];
	uint64_t cycles;
	json_t *events;

	snprintf(uri, sizeof(uri), "sim:?trace=%s/t.json&vcd=%s/w.vcd", folder,
		 folder);
	cycles = run_once("sim:", model, options, &plan, &device);
	accel_plan_destroy(plan);
	accel_device_close(device);
	assert_int_equal(run_once(uri, model, options, &plan, &device), cycles);
	assert_int_equal(accel_device_get_info(device, &info), 0);
	events = events_load(folder_path(folder, "t.json"));
	events_check_format(events);
	events_check_rows(events);
	check_tracks(events);
	check_clusters(events);
	check_stalls(events, plan, info.lanes);
	check_waves(folder_path(folder, "w.vcd"), events);
	json_decref(events);
	accel_plan_destroy(plan);
	accel_device_close(device);
}

static void random_networks_are_shown(void **state)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct accel_plan_options options = { .size = sizeof(options) };
		struct accel_model *model;

		sample_state = seed;
		model = model_publish(
			random_model((uint32_t)sample_int(2, 12),
				     (uint32_t)sample_int(2, 12)));
		options.batch = (uint32_t)sample_int(1, 40);
		compare(*state, model, &options);
		accel_model_free(model);
	}
}

static void every_operation_is_shown(void **state)
{
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct accel_plan_options options = { .size = sizeof(options) };
		struct accel_model *model;

		sample_state = seed;
		model = model_publish(sample_model());
		options.batch = (uint32_t)sample_int(1, 9);
		options.height = (uint32_t)sample_int(5, 11);
		options.width = (uint32_t)sample_int(5, 11);
		compare(*state, model, &options);
		accel_model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(random_networks_are_shown),
		folder_test(every_operation_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
