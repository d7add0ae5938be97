/* SPDX-License-Identifier: MIT */
/*
 * The command processor's front and end: times by hand of doorbells, entries,
 * descriptors and interrupts, what overlaps and what does not, queues that are
 * dropped, and the same answer whether every cycle is stepped or few of them.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <core/integer.h>
#include <sim/engine/fetch.h>

#define COMMANDS 64

/* The rest of the engine: it takes what is ready, and posts it some time later. */
struct device {
	struct engine_memory *memory;
	struct engine_link *link;
	struct engine_fetcher *fetcher;
	struct engine_command commands[COMMANDS];
	uint64_t push[COMMANDS]; /* when */
	uint64_t work[COMMANDS]; /* cycles from taking to posting */
	uint64_t ready[COMMANDS];
	uint64_t retired[COMMANDS];
	uint32_t count;
	uint32_t pushed;
	uint32_t taken;
	uint32_t done;
	bool posted[COMMANDS];
	uint64_t now;
	uint64_t steps;
};

static struct sim_config config_default(void)
{
	struct sim_config config;

	assert_int_equal(sim_config_preset("default", &config), 0);
	return config;
}

static void device_open(struct device *device, const struct sim_config *config)
{
	memset(device, 0, sizeof(*device));
	assert_int_equal(sim_config_check(config), 0);
	assert_int_equal(engine_memory_create(config, NULL, &device->memory),
			 0);
	assert_int_equal(engine_link_create(config, NULL, &device->link), 0);
	assert_int_equal(engine_fetcher_create(config, device->memory,
					       device->link, NULL,
					       &device->fetcher),
			 0);
}

static void device_close(struct device *device)
{
	engine_fetcher_destroy(device->fetcher);
	engine_link_destroy(device->link);
	engine_memory_destroy(device->memory);
}

/* A command to be pushed at cycle 0, with nothing to fetch. */
static struct engine_command *command_add(struct device *device, uint16_t queue)
{
	struct engine_command *command = &device->commands[device->count++];

	*command = (struct engine_command){
		.sequence = device->count,
		.queue = queue,
		.completes = true,
		.start_cycle = ENGINE_NEVER,
	};
	return command;
}

/* The first of a doorbell: its block of entries is in the host. */
static struct engine_command *command_ring(struct device *device,
					   uint16_t queue, uint32_t entry_bytes)
{
	struct engine_command *command = command_add(device, queue);

	command->fetch.doorbell = true;
	command->fetch.entry = true;
	command->fetch.entry_bytes = entry_bytes;
	command->fetch.entry_in_host = true;
	command->fetch.entry_address = 0x10000;
	return command;
}

static void descriptor_add(struct engine_command *command, bool in_host)
{
	command->fetch.descriptor_bytes = 256;
	command->fetch.descriptor_in_host = in_host;
	command->fetch.descriptor_address = 0x20000 + 256 * command->sequence;
}

static bool commands_push(struct device *device)
{
	bool changed = false;

	while (device->pushed < device->count &&
	       device->push[device->pushed] <= device->now) {
		assert_int_equal(fetch_push(device->fetcher,
					    &device->commands[device->pushed++],
					    device->now),
				 0);
		changed = true;
	}
	return changed;
}

static bool commands_take(struct device *device)
{
	bool changed = false;

	while (fetch_ready(device->fetcher)) {
		assert_ptr_equal(fetch_ready(device->fetcher),
				 &device->commands[device->taken]);
		assert_ptr_equal(fetch_front(device->fetcher),
				 fetch_ready(device->fetcher));
		fetch_take(device->fetcher);
		device->ready[device->taken++] = device->now;
		changed = true;
	}
	for (uint32_t i = 0; i < device->taken; i++) {
		if (device->posted[i] ||
		    device->now < device->ready[i] + device->work[i])
			continue;
		assert_int_equal(completion_post(device->fetcher,
						 &device->commands[i],
						 device->now),
				 0);
		device->posted[i] = changed = true;
	}
	return changed;
}

static bool commands_retire(struct device *device)
{
	struct engine_command *command;
	bool changed = false;

	while ((command = completion_take(device->fetcher, device->now))) {
		uint64_t index = command->sequence - 1;

		assert_int_equal(device->retired[index], 0);
		device->retired[index] = device->now;
		fetch_retired(device->fetcher, command, device->now);
		device->done++;
		changed = true;
	}
	return changed;
}

static uint64_t device_next(const struct device *device)
{
	uint64_t next = min_u64(link_next(device->link, device->now),
				memory_next(device->memory, device->now));

	next = min_u64(next, fetch_next(device->fetcher, device->now));
	if (device->pushed < device->count)
		next = min_u64(next, device->push[device->pushed]);
	for (uint32_t i = 0; i < device->taken; i++)
		if (!device->posted[i])
			next = min_u64(next,
				       device->ready[i] + device->work[i]);
	return next;
}

/* One cycle, and on to the next that matters. */
static void device_step(struct device *device, bool jump)
{
	bool changed = link_step(device->link, device->now);

	changed |= memory_step(device->memory, device->now);
	changed |= fetch_step(device->fetcher, device->now);
	changed |= commands_take(device);
	changed |= commands_retire(device);
	changed |= commands_push(device);
	device->steps++;
	device->now = changed || !jump ? device->now + 1 : device_next(device);
	assert_true(device->now < 10000000);
}

static void device_run(struct device *device, bool jump)
{
	while (device->done < device->count)
		device_step(device, jump);
	assert_int_equal(fetch_waiting(device->fetcher), 0);
	assert_null(fetch_front(device->fetcher));
	assert_true(link_idle(device->link));
}

static void first_descriptor_takes_its_time(void **state)
{
	const struct sim_config config = config_default();
	struct device device;

	(void)state;
	device_open(&device, &config);
	descriptor_add(command_ring(&device, 1, 64), true);
	device_run(&device, true);
	/*
	 * Doorbell 201.8 ns; the entry's read starts at 203 and takes 807.1 ns; the
	 * descriptor's starts at 1012 and takes 819.3; 64 cycles of checks.
	 */
	assert_int_equal(device.commands[0].start_cycle, 1011);
	assert_int_equal(device.ready[0], 203 + 808 + 1 + 820 + 64);
	/* Posted in that cycle, sent in the next: 304.3 ns. */
	assert_int_equal(device.retired[0], device.ready[0] + 1 + 305);
	device_close(&device);
}

static void checks_follow_one_another(void **state)
{
	const struct sim_config config = config_default();
	struct device device;

	(void)state;
	device_open(&device, &config);
	descriptor_add(command_ring(&device, 1, 8 * 64), true);
	for (int i = 1; i < 8; i++)
		descriptor_add(command_add(&device, 1), true);
	device_run(&device, true);
	/* Descriptors come every 17.8 ns, a check takes 64. */
	for (int i = 1; i < 8; i++)
		assert_int_equal(device.ready[i], device.ready[i - 1] + 64);
	device_close(&device);
}

static void little_prefetch_shows_the_latency(void **state)
{
	struct sim_config config = config_default();
	struct device device;

	(void)state;
	config.command_prefetch = 0;
	device_open(&device, &config);
	descriptor_add(command_ring(&device, 1, 8 * 64), true);
	for (int i = 1; i < 8; i++)
		descriptor_add(command_add(&device, 1), true);
	/* Their completions do not get in the way. */
	for (int i = 0; i < 8; i++)
		device.work[i] = 10000;
	device_run(&device, true);
	/* Opened in the cycle after the one before was taken. */
	for (int i = 1; i < 8; i++)
		assert_int_equal(device.ready[i],
				 device.ready[i - 1] + 1 + 1 + 820 + 64);
	device_close(&device);
}

static void entries_without_descriptor_are_quick(void **state)
{
	const struct sim_config config = config_default();
	struct device device;
	struct engine_command *command;

	(void)state;
	device_open(&device, &config);
	command_ring(&device, 1, 64);
	/* Its descriptor is in SRAM: nothing is read, but it is checked. */
	command = command_add(&device, 1);
	descriptor_add(command, false);
	command->fetch.descriptor_in_sram = true;
	device_run(&device, true);
	assert_int_equal(device.ready[0], 203 + 808 + 1);
	assert_int_equal(device.ready[1], device.ready[0] + 64);
	device_close(&device);
}

static void lists_are_read_from_memory(void **state)
{
	const struct sim_config config = config_default();
	struct memory_counts counts;
	struct device device;
	struct engine_command *command;

	(void)state;
	device_open(&device, &config);
	command_ring(&device, 1, 64);
	/* Across a page: the ranges that the memory gets end there. */
	command = command_add(&device, 1);
	command->fetch.entry = true;
	command->fetch.entry_bytes = 512;
	command->fetch.entry_address = 0x3000 - 128;
	descriptor_add(command, false);
	device_run(&device, true);
	/* The list's block follows the entry that names it, some 100 ns each. */
	assert_in_range(device.ready[1], device.ready[0] + 64 + 2 * 30,
			device.ready[0] + 64 + 2 * 200);
	memory_count(device.memory, &counts);
	assert_int_equal(counts.read_bytes, 512 + 256);
	device_close(&device);
}

static void doorbell_waits_for_what_was_announced(void **state)
{
	const struct sim_config config = config_default();
	struct device device;

	(void)state;
	device_open(&device, &config);
	command_ring(&device, 1, 128);
	command_add(&device, 1);
	device.work[1] = 5000;
	command_ring(&device, 1, 64);
	device_run(&device, true);
	assert_int_equal(device.retired[1], device.ready[1] + 5000 + 306);
	assert_int_equal(device.ready[2], device.retired[1] + 203 + 808 + 1);
	device_close(&device);
}

static void dropped_queue_leaves_the_others(void **state)
{
	const struct sim_config config = config_default();
	struct device device;

	(void)state;
	/* Whatever is under way when queue 1 goes. */
	for (uint64_t when = 1; when < 3000; when += 37) {
		device_open(&device, &config);
		descriptor_add(command_ring(&device, 2, 64), true);
		descriptor_add(command_ring(&device, 1, 64), true);
		descriptor_add(command_add(&device, 1), false);
		command_ring(&device, 1, 64);
		while (device.now < when)
			device_step(&device, false);
		fetch_drop(device.fetcher, 1);
		/* Nobody may look at a dropped command again. */
		for (uint32_t i = 1; i < device.count; i++)
			if (!device.retired[i])
				memset(&device.commands[i], 0xff,
				       sizeof(device.commands[i]));
		device.count = 1;
		if (device.taken > 1)
			device.taken = 1;
		while (!device.retired[0] || !link_idle(device.link))
			device_step(&device, true);
		/* A new start of the queue is not held up by what was. */
		fetch_push(device.fetcher, command_ring(&device, 1, 64),
			   device.now);
		while (device.taken < 2)
			device_step(&device, false);
		assert_null(fetch_front(device.fetcher));
		device_close(&device);
	}
}

static uint64_t seed;

static uint32_t pick(uint32_t bound)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % bound);
}

static void scenario_make(struct device *device, uint64_t number)
{
	struct sim_config config = config_default();
	bool rung[4] = { false };
	uint64_t now = 0;

	seed = number;
	config.command_prefetch = pick(12);
	config.command_cycles = 1 + pick(100);
	config.pcie_tags = 1 + pick(16);
	config.pcie_doorbell_ps = pick(300000);
	device_open(device, &config);
	for (int i = 0; i < COMMANDS; i++) {
		uint16_t queue = (uint16_t)pick(4);
		struct engine_command *command =
			pick(6) && rung[queue] ?
				command_add(device, queue) :
				command_ring(device, queue, 64 + pick(9000));

		rung[queue] = true;
		command->fetch.entry_in_host = pick(2);
		if (!pick(8) && !command->fetch.doorbell) {
			command->fetch.entry = true;
			command->fetch.entry_bytes = 64 * (1 + pick(20));
			command->fetch.entry_address = 64 * pick(1000);
		}
		if (pick(3))
			descriptor_add(command, pick(2));
		command->fetch.descriptor_in_sram = !pick(4);
		device->push[i] = now += pick(3) ? 0 : pick(2000);
		device->work[i] = pick(2) ? pick(20) : pick(3000);
	}
}

static void jumping_changes_nothing(void **state)
{
	static struct device every, jumped;
	struct link_counts counts[2];
	uint64_t steps = 0, jumps = 0;

	(void)state;
	for (uint64_t number = 1; number <= 60; number++) {
		scenario_make(&every, number);
		scenario_make(&jumped, number);
		device_run(&every, false);
		device_run(&jumped, true);
		assert_memory_equal(every.ready, jumped.ready,
				    sizeof(every.ready));
		assert_memory_equal(every.retired, jumped.retired,
				    sizeof(every.retired));
		link_count(every.link, &counts[0]);
		link_count(jumped.link, &counts[1]);
		assert_memory_equal(&counts[0], &counts[1], sizeof(counts[0]));
		assert_int_equal(counts[0].interrupts, COMMANDS);
		steps += every.steps;
		jumps += jumped.steps;
		device_close(&every);
		device_close(&jumped);
	}
	assert_true(jumps < steps / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_descriptor_takes_its_time),
		cmocka_unit_test(checks_follow_one_another),
		cmocka_unit_test(little_prefetch_shows_the_latency),
		cmocka_unit_test(entries_without_descriptor_are_quick),
		cmocka_unit_test(lists_are_read_from_memory),
		cmocka_unit_test(doorbell_waits_for_what_was_announced),
		cmocka_unit_test(dropped_queue_leaves_the_others),
		cmocka_unit_test(jumping_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
