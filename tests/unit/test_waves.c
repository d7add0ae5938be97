/* SPDX-License-Identifier: MIT */
/* Waves: a reader of value change dumps finds what was told, in order. */
#include "unit.h"

#include "folder.h"
#include "random.h"
#include "wave_dump.h"

#include <errno.h>

#include <accel/error.h>
#include <sim/trace/waves.h>

static const struct trace_shape shape = { 1000000000, 3, 2, 2 };

static void read_dump(const char *folder, struct dump *dump)
{
	dump_read(dump, folder_path(folder, "w.vcd"));
}

static struct waves *start(const char *folder, const struct trace_shape *of,
			   uint64_t limit)
{
	struct waves *waves;

	assert_int_equal(waves_create(folder_path(folder, "w.vcd"), of, limit,
				      &waves),
			 0);
	return waves;
}

static void every_unit_has_its_scope(void **state)
{
	static const char *const names[] = {
		"device.window",
		"device.cluster[0].command",
		"device.cluster[2].command",
		"device.cluster[2].state",
		"device.dram[1].queue",
		"device.link.tags",
		"device.link.posted",
		"device.dma[1].command",
	};
	struct dump dump;

	assert_int_equal(waves_close(start(*state, &shape, 100)), 0);
	read_dump(*state, &dump);
	assert_int_equal(dump.count, 1 + 2 * 3 + 2 + 2 + 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		dump_find(&dump, names[i], true);
	/* identifiers differ, and all waves have a value from the start */
	for (uint32_t i = 0; i < dump.count; i++) {
		assert_int_equal(
			dump_find(&dump, dump.waves[i].identifier, false), i);
		assert_int_equal(dump.waves[i].changes, 1);
		assert_int_equal(dump.waves[i].value, 0);
	}
}

static void the_timescale_divides_the_cycle(void **state)
{
	static const struct {
		uint32_t clock_hz;
		const char *timescale;
		uint64_t ticks; /* of 1000 cycles */
	} clocks[] = {
		{ 1000000000, "1 ns ", 1000 },
		{ 1250000000, "100 ps ", 8000 },
		{ 800000000, "10 ps ", 125000 },
		{ 1200000000, "1 fs ", 833333333 },
		{ 1000000, "1 us ", 1000 },
		{ 1, "1 s ", 1000 },
	};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		const struct trace_shape of = { clocks[i].clock_hz, 1, 1, 1 };
		struct waves *waves = start(*state, &of, 100);
		struct dump dump;

		waves_change(waves, ENGINE_SIGNAL_WINDOW, 0, 1000, 1);
		assert_int_equal(waves_close(waves), 0);
		read_dump(*state, &dump);
		assert_string_equal(dump.timescale, clocks[i].timescale);
		assert_int_equal(dump.time, clocks[i].ticks);
	}
}

static void random_changes_end_as_they_were_told(void **state)
{
	struct waves *waves = start(*state, &shape, 1000000);
	uint64_t queue[2] = { 0 }, command[3] = { 0 }, now = 0, last = 0;
	uint64_t random = 3;
	struct dump dump;

	for (int i = 0; i < 20000; i++) {
		uint32_t unit = random_below(&random, 3);
		uint64_t value = random_below(&random, 1u << 16);

		now += random_below(&random, 3);
		if (unit < 2) {
			last = value == queue[unit] ? last : now;
			queue[unit] = value;
			waves_change(waves, ENGINE_SIGNAL_DRAM_QUEUE, unit, now,
				     value);
		}
		last = value == command[unit] ? last : now;
		command[unit] = value;
		waves_change(waves, ENGINE_SIGNAL_CLUSTER_COMMAND, unit, now,
			     value);
	}
	assert_int_equal(waves_close(waves), 0);
	read_dump(*state, &dump);
	assert_int_equal(dump.last, last);
	for (uint32_t unit = 0; unit < 3; unit++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "device.cluster[%u].command",
			 unit);
		assert_int_equal(dump.waves[dump_find(&dump, name, true)].value,
				 command[unit]);
		snprintf(name, sizeof(name), "device.dram[%u].queue", unit);
		if (unit < 2)
			assert_int_equal(
				dump.waves[dump_find(&dump, name, true)].value,
				queue[unit]);
	}
}

static void what_does_not_change_is_not_written(void **state)
{
	struct waves *waves = start(*state, &shape, 1000000);
	struct dump dump;

	for (uint64_t now = 0; now < 1000; now++)
		waves_change(waves, ENGINE_SIGNAL_WINDOW, 0, now, 3);
	/* no such cluster, no such signal, more than the wave has bits for */
	waves_change(waves, ENGINE_SIGNAL_CLUSTER_STATE, 3, 1000, 1);
	waves_change(waves, ENGINE_SIGNAL_COUNT, 0, 1000, 1);
	waves_change(waves, ENGINE_SIGNAL_CLUSTER_STATE, 1, 1000, 1000);
	assert_int_equal(waves_close(waves), 0);
	read_dump(*state, &dump);
	assert_int_equal(
		dump.waves[dump_find(&dump, "device.window", true)].changes, 2);
	assert_int_equal(
		dump.waves[dump_find(&dump, "device.cluster[1].state", true)]
			.value,
		15);
}

static void a_limit_is_kept(void **state)
{
	struct waves *waves = start(*state, &shape, 10);
	struct dump dump;

	for (uint64_t now = 1; now < 1000; now++)
		waves_change(waves, ENGINE_SIGNAL_LINK_TAGS, 0, now, now);
	assert_int_equal(waves_close(waves), 0);
	read_dump(*state, &dump);
	assert_int_equal(dump.last, 10);
	assert_int_equal(
		dump.waves[dump_find(&dump, "device.link.tags", true)].value,
		10);
}

static void files_that_cannot_be_written_are_errors(void **state)
{
	struct waves *waves;

	assert_int_equal(waves_create(folder_path(*state, "no/w.vcd"), &shape,
				      10, &waves),
			 -ENOENT);
	assert_null(waves);
	if (access("/dev/full", W_OK))
		return;
	assert_int_equal(waves_create("/dev/full", &shape, 10, &waves), 0);
	assert_int_equal(waves_close(waves), -ENOSPC);
	assert_non_null(strstr(accel_last_error(), "/dev/full"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_unit_has_its_scope),
		folder_test(the_timescale_divides_the_cycle),
		folder_test(random_changes_end_as_they_were_told),
		folder_test(what_does_not_change_is_not_written),
		folder_test(a_limit_is_kept),
		folder_test(files_that_cannot_be_written_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
