/* SPDX-License-Identifier: MIT */
/* What a fault script makes the simulated device do, and what ends it. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim_host.h"

#include <accel/error.h>
#include <core/deadline.h>
#include <sim/checkpoint.h>
#include <sim/inject.h>

#define MS 1000000ull

/* Long enough for a device that does answer. */
#define SILENCE (200 * MS)

static const struct spmm_sqe nop = { .opcode = SPMM_IO_NOP, .id = 5 };

static void copy_set(struct spmm_sqe *entry, uint16_t id)
{
	*entry = (struct spmm_sqe){ .opcode = SPMM_IO_COPY,
				    .id = id,
				    .address = host_virtual(0),
				    .destination = host_virtual(4096),
				    .length = 64 };
}

static void pause_ns(uint64_t ns)
{
	const struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000),
					.tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&pause, NULL);
}

static uint32_t fired(struct test_host *host, unsigned int fault)
{
	struct inject_fault state;

	assert_true(sim_device_fault(host->device, fault, &state));
	return state.fired;
}

static bool silent(struct test_host *host, uint16_t queue)
{
	uint64_t deadline = deadline_after(SILENCE);
	struct spmm_cqe cqe;

	while (!deadline_expired(deadline)) {
		if (host_poll(host, queue, &cqe))
			return false;
		pause_ns(MS);
	}
	return true;
}

static void wait_fired(struct test_host *host, unsigned int fault)
{
	uint64_t deadline = deadline_after(10000 * MS);

	while (!fired(host, fault)) {
		assert_false(deadline_expired(deadline));
		pause_ns(MS);
	}
}

static void admin_submit(struct test_host *host, uint8_t opcode,
			 uint16_t number)
{
	const struct spmm_admin_sqe command = { .opcode = opcode,
						.id = 9,
						.queue = number,
						.context = number,
						.command = SPMM_ABORT_ALL };
	struct spmm_sqe entry;

	/* GET_LOG alone knows no other context than one that exists. */
	memcpy(&entry, &command, sizeof(entry));
	if (opcode != SPMM_ADMIN_ABORT)
		memset((uint8_t *)&entry +
			       offsetof(struct spmm_admin_sqe, command),
		       0, 4);
	host_submit(host, 0, &entry, 1);
}

static bool admin_answers(struct test_host *host, uint8_t opcode)
{
	admin_submit(host, opcode, 1);
	return !silent(host, 0);
}

static void device_reset(struct test_host *host)
{
	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	host_enable(host);
}

/* It works, with all that a driver does from the beginning. */
static void works(struct test_host *host)
{
	host_open_queue(host, 1);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
}

static struct test_host *hanging(const char *script)
{
	struct test_host *host = host_start_faults(script);
	uint64_t progress;

	works(host);
	sim_device_arm(host->device, 1);
	host_submit(host, 1, &nop, 1);
	wait_fired(host, 1);
	progress = host_read64(host, SPMM_REG_PROGRESS(1));
	assert_true(silent(host, 1));
	assert_int_equal(host_read64(host, SPMM_REG_PROGRESS(1)), progress);
	return host;
}

static void a_hang_ends_with_an_abort(void **state)
{
	struct test_host *host = hanging("h: hang");
	struct spmm_cqe cqe;

	(void)state;
	admin_submit(host, SPMM_ADMIN_ABORT, 1);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe.id, nop.id);
	assert_int_equal(cqe_status(&cqe), SPMM_SC_ABORTED);
	assert_int_equal(host_wait(host, 0).id, 9);
	/* It fires once. */
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	host_stop(host);
}

static void a_hang_ends_with_the_context(void **state)
{
	struct test_host *host = hanging("h: hang until context");

	(void)state;
	assert_false(admin_answers(host, SPMM_ADMIN_ABORT));
	assert_true(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	assert_int_equal(host_wait(host, 1).status >> 1, SPMM_SC_CONTEXT_RESET);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	host_stop(host);
}

static void a_hang_ends_with_the_queue(void **state)
{
	struct test_host *host = hanging("h: hang until queue");

	(void)state;
	assert_false(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	assert_true(admin_answers(host, SPMM_ADMIN_DELETE_SQ));
	assert_int_equal(host_wait(host, 1).status >> 1, SPMM_SC_ABORTED);
	host_stop(host);
}

static void a_hang_ends_with_the_device(void **state)
{
	struct test_host *host = hanging("h: hang until device");

	(void)state;
	assert_false(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	assert_false(admin_answers(host, SPMM_ADMIN_DELETE_SQ));
	device_reset(host);
	works(host);
	host_stop(host);
}

/* A hung queue is no other's business, a hung engine is. */
static void a_hang_stops_its_queue_alone(void **state)
{
	struct test_host *host = hanging("h: hang\ne: hang engine");

	(void)state;
	host_open_queue(host, 2);
	assert_int_equal(host_run(host, 2, nop, NULL), 0);
	assert_true(admin_answers(host, SPMM_ADMIN_ABORT));
	host_wait(host, 1);

	sim_device_arm(host->device, 2);
	host_submit(host, 1, &nop, 1);
	wait_fired(host, 2);
	host_submit(host, 2, &nop, 1);
	assert_true(silent(host, 2));
	assert_true(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	assert_int_equal(host_wait(host, 2).status >> 1, 0);
	host_stop(host);
}

/* Opcode, queue and number select; entries of lists count like others. */
static void rules_select_commands(void **state)
{
	struct test_host *host =
		host_start_faults("m: memory_error on copy queue 2 after 1");
	struct spmm_sqe list = { .opcode = SPMM_IO_LIST,
				 .id = 3,
				 .address = host_virtual(8192),
				 .length = 3 };
	struct spmm_sqe *entries = host_device(host, 64ul << 20 | 8192);
	struct spmm_sqe copy;
	struct spmm_cqe cqe;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	copy_set(&copy, 1);
	sim_device_arm(host->device, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(host_run(host, 1, copy, NULL), 0);
	assert_int_equal(host_run(host, 2, nop, NULL), 0);
	assert_int_equal(fired(host, 1), 0);
	for (int i = 0; i < 3; i++)
		copy_set(&entries[i], 0);
	assert_int_equal(host_run(host, 2, list, &cqe), SPMM_SC_MEMORY_ERROR);
	assert_int_equal(cqe.list_index, 1);
	assert_int_equal(cqe.result, copy.address);
	assert_int_equal(fired(host, 1), 1);
	/* The context is dead, and alive again. */
	assert_int_equal(host_run(host, 2, nop, NULL), SPMM_SC_CONTEXT_RESET);
	admin_submit(host, SPMM_ADMIN_RESET_CONTEXT, 2);
	host_wait(host, 0);
	assert_int_equal(host_run(host, 2, list, NULL), 0);
	host_stop(host);
}

static void nothing_fires_unarmed(void **state)
{
	struct test_host *host =
		host_start_faults("m: memory_error always\ns: slow 1 armed");
	struct inject_fault fault;

	(void)state;
	works(host);
	assert_int_equal(fired(host, 1), 0);
	assert_int_equal(fired(host, 2), 1);
	sim_device_arm(host->device, 1);
	assert_int_equal(host_run(host, 1, nop, NULL), SPMM_SC_MEMORY_ERROR);
	assert_true(sim_device_fault(host->device, 1, &fault));
	assert_true(fault.armed);
	assert_string_equal(fault.name, "m");
	sim_device_arm(host->device, 0);
	assert_true(sim_device_fault(host->device, 1, &fault));
	assert_false(fault.armed);
	assert_int_equal(fault.fired, 1);
	assert_int_equal(sim_device_faults(host->device), 2);
	assert_false(sim_device_fault(host->device, 3, &fault));
	host_stop(host);
}

static void a_slow_command_takes_its_time(void **state)
{
	struct test_host *host = host_start_faults("s: slow 100 times 2");
	uint64_t start;

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	start = monotonic_ns();
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_true(monotonic_ns() - start >= 200 * MS);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_int_equal(fired(host, 1), 2);
	host_stop(host);
}

/* Those behind it wait, other queues do not, and nothing is lost. */
static void a_slow_admin_command_is_answered_late(void **state)
{
	struct test_host *host = host_start_faults("s: slow 2000 on abort");
	uint64_t start;

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	start = monotonic_ns();
	admin_submit(host, SPMM_ADMIN_ABORT, 1);
	admin_submit(host, SPMM_ADMIN_RESET_CONTEXT, 2);
	wait_fired(host, 1);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_true(monotonic_ns() - start < 2000 * MS);
	host_wait(host, 0);
	assert_true(monotonic_ns() - start >= 2000 * MS);
	host_wait(host, 0);
	host_stop(host);
}

/* Whenever the time is over: between two looks at the clock, too. */
static void no_slow_admin_command_is_forgotten(void **state)
{
	struct test_host *host = host_start_faults("s: slow 1 always on abort");

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	for (int i = 0; i < 1000; i++) {
		admin_submit(host, SPMM_ADMIN_ABORT, 1);
		host_wait(host, 0);
	}
	assert_int_equal(fired(host, 1), 1000);
	host_stop(host);
}

static void a_wild_access_is_a_bus_error(void **state)
{
	struct test_host *host =
		host_start_faults("r: dma_read\nw: dma_write 0x1234000");
	struct spmm_cqe cqe;

	(void)state;
	for (unsigned int fault = 1; fault <= 2; fault++) {
		unsigned long before;

		works(host);
		sim_device_arm(host->device, fault);
		before = host->interrupts[0];
		assert_int_equal(host_run(host, 1, nop, &cqe),
				 SPMM_SC_BUS_ERROR);
		assert_int_equal(cqe.result,
				 fault == 1 ? 0xdead00000000 : 0x1234000);
		assert_int_equal(host->interrupts[0], before + 1);
		device_reset(host);
	}
	host_stop(host);
}

static void a_fatal_device_needs_a_reset(void **state)
{
	struct test_host *host = host_start_faults(
		"f: fatal\nnow: fatal now\na: fatal on abort");

	(void)state;
	for (unsigned int fault = 1; fault <= 3; fault++) {
		works(host);
		sim_device_arm(host->device, fault);
		if (fault == 1)
			host_submit(host, 1, &nop, 1);
		if (fault == 3)
			admin_submit(host, SPMM_ADMIN_ABORT, 1);
		wait_fired(host, fault);
		assert_true(silent(host, 1));
		assert_true(host_read32(host, SPMM_REG_STATUS) &
			    SPMM_STATUS_FATAL);
		assert_false(admin_answers(host, SPMM_ADMIN_ABORT));
		device_reset(host);
	}
	works(host);
	host_stop(host);
}

static uint64_t memory_word(struct test_host *host, size_t offset)
{
	const char *memory = sim_device_memory(host->device);

	return *(const uint64_t *)(memory + offset);
}

static void gone_check(struct test_host *host)
{
	unsigned long accesses;
	uint64_t word = 0;

	assert_true(sim_device_gone(host->device));
	assert_int_equal(host_read32(host, SPMM_REG_STATUS), UINT32_MAX);
	assert_int_equal(host_read64(host, SPMM_REG_CAP), UINT64_MAX);
	sim_device_bar_read(host->device, SPMM_BAR_MEMORY, 16, &word, 8);
	assert_int_equal(word, UINT64_MAX);
	/* Also for who has mapped it. */
	assert_int_equal(
		sim_device_settle(host->device, deadline_after(5000 * MS)), 0);
	assert_int_equal(memory_word(host, 0), UINT64_MAX);
	assert_int_equal(memory_word(host, 4088), UINT64_MAX);
	assert_int_equal(memory_word(host, 4096), 0);
	/* Writes are lost, and it reads nothing. */
	accesses = __atomic_load_n(&host->accesses, __ATOMIC_SEQ_CST);
	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	host_ring(host, 0);
	pause_ns(20 * MS);
	assert_int_equal(__atomic_load_n(&host->accesses, __ATOMIC_SEQ_CST),
			 accesses);
}

static void a_device_goes_and_comes_back(void **state)
{
	struct test_host *host = host_start_faults(
		"g: gone on nop\nnow: gone now\nshort: gone 1500 now");

	(void)state;
	for (unsigned int fault = 1; fault <= 3; fault++) {
		works(host);
		sim_device_arm(host->device, fault);
		if (fault == 1)
			host_submit(host, 1, &nop, 1);
		wait_fired(host, fault);
		gone_check(host);
		if (fault < 3)
			sim_device_reset(host->device);
		else
			pause_ns(1500 * MS);
		assert_false(sim_device_gone(host->device));
		assert_int_equal(memory_word(host, 0), 0);
		assert_int_equal(host_read32(host, SPMM_REG_CONTROL), 0);
		host_enable(host);
	}
	works(host);
	host_stop(host);
}

static void a_removed_device_stays_away(void **state)
{
	struct test_host *host = host_start_faults("g: gone now until plug");

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	gone_check(host);
	sim_device_reset(host->device);
	gone_check(host);
	sim_device_replug(host->device);
	assert_int_equal(fired(host, 1), 0);
	host_enable(host);
	works(host);
	host_stop(host);
}

static void completions_are_corrupted(void **state)
{
	struct test_host *host = host_start_faults(
		"id: corrupt id\nhead: corrupt head\nqueue: corrupt queue\n"
		"status: corrupt status\nphase: corrupt phase\n");
	struct spmm_cqe cqe;

	(void)state;
	works(host);
	for (unsigned int fault = 1; fault <= 4; fault++) {
		sim_device_arm(host->device, fault);
		host_submit(host, 1, &nop, 1);
		cqe = host_wait(host, 1);
		assert_int_equal(cqe.id, fault == 1 ? nop.id ^ 0x8000 : nop.id);
		assert_int_equal(cqe.sq_head >= HOST_ENTRIES, fault == 2);
		assert_int_equal(cqe.sq > SPMM_IO_QUEUES_MAX, fault == 3);
		assert_int_equal(cqe_status(&cqe), fault == 4 ? 0x3ff : 0);
	}
	sim_device_arm(host->device, 5);
	host_submit(host, 1, &nop, 1);
	wait_fired(host, 5);
	assert_true(silent(host, 1));
	host_stop(host);
}

static void completions_are_repeated_and_dropped(void **state)
{
	struct test_host *host = host_start_faults(
		"twice: repeat\nnone: drop\nadmin: drop on admin");
	struct spmm_sqe last = nop;
	uint64_t progress;

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_int_equal(host_wait(host, 1).id, nop.id);
	assert_true(silent(host, 1));

	progress = host_read64(host, SPMM_REG_PROGRESS(1));
	sim_device_arm(host->device, 2);
	host_submit(host, 1, &nop, 1);
	wait_fired(host, 2);
	assert_true(silent(host, 1));
	assert_true(host_read64(host, SPMM_REG_PROGRESS(1)) > progress);
	last.id = 6;
	assert_int_equal(host_run(host, 1, last, NULL), 0);

	sim_device_arm(host->device, 3);
	assert_false(admin_answers(host, SPMM_ADMIN_ABORT));
	assert_true(admin_answers(host, SPMM_ADMIN_ABORT));
	host_stop(host);
}

static unsigned int interrupts(struct test_host *host, unsigned int vector)
{
	return __atomic_load_n(&host->interrupts[vector], __ATOMIC_SEQ_CST);
}

/* So many have come, and no more come. */
static void interrupts_reach(struct test_host *host, unsigned int vector,
			     unsigned int count)
{
	uint64_t deadline = deadline_after(10000 * MS);

	while (interrupts(host, vector) < count) {
		assert_false(deadline_expired(deadline));
		pause_ns(MS);
	}
	pause_ns(20 * MS);
	assert_int_equal(interrupts(host, vector), count);
}

static void interrupts_are_lost_and_made_up(void **state)
{
	struct test_host *host = host_start_faults(
		"lost: lose_interrupt\nmore: interrupt\nother: interrupt 7 now times 3");
	unsigned int before;

	(void)state;
	works(host);
	/* Of works() alone. */
	interrupts_reach(host, 1, 1);
	before = interrupts(host, 1);
	sim_device_arm(host->device, 1);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	interrupts_reach(host, 1, before);
	sim_device_arm(host->device, 2);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	interrupts_reach(host, 1, before + 2);
	sim_device_arm(host->device, 3);
	interrupts_reach(host, 7, 3);
	host_stop(host);
}

static void admin_commands_get_no_answer(void **state)
{
	struct test_host *host = host_start_faults(
		"one: ignore on reset_context\nall: hang on admin");

	(void)state;
	works(host);
	sim_device_arm(host->device, 1);
	assert_true(admin_answers(host, SPMM_ADMIN_ABORT));
	assert_false(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	assert_true(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	sim_device_arm(host->device, 2);
	assert_false(admin_answers(host, SPMM_ADMIN_ABORT));
	assert_false(admin_answers(host, SPMM_ADMIN_RESET_CONTEXT));
	/* Other queues do not notice. */
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	device_reset(host);
	works(host);
	host_stop(host);
}

#define COMMANDS 30

/* How commands end, and at which cycle. */
static uint64_t commands_run(enum engine_mode mode, const char *script,
			     int *statuses)
{
	struct test_host *host = host_start_faults_on(mode, script);
	uint64_t cycles;

	host_open_queue(host, 1);
	for (uint16_t i = 0; i < COMMANDS; i++) {
		struct spmm_sqe entry;

		copy_set(&entry, i);
		statuses[i] = host_run(host, 1, entry, NULL);
	}
	/* The last completion is seen before its cycle is over. */
	assert_int_equal(sim_device_pause(host->device, 10000 * MS), 0);
	cycles = host_read64(host, SPMM_REG_CYCLES);
	host_stop(host);
	return cycles;
}

static void the_same_commands_fail_in_the_same_way(void **state)
{
	const char *script = "a: corrupt status on copy after 7 times 5 armed\n"
			     "b: corrupt status on any after 20 armed\n";
	int once[COMMANDS], again[COMMANDS], reference[COMMANDS];
	int none[COMMANDS];
	uint64_t cycles = commands_run(ENGINE_FAST, script, once);

	(void)state;
	assert_int_equal(commands_run(ENGINE_FAST, script, again), cycles);
	assert_int_equal(commands_run(ENGINE_REFERENCE, script, reference),
			 cycles);
	assert_memory_equal(once, again, sizeof(once));
	assert_memory_equal(once, reference, sizeof(once));
	/* What is not armed takes no time. */
	assert_int_equal(commands_run(ENGINE_FAST, "h: hang", none), cycles);
	for (int i = 0; i < COMMANDS; i++) {
		assert_int_equal(none[i], 0);
		assert_int_equal(once[i],
				 (i >= 7 && i < 12) || i == 25 ? 0x3ff : 0);
	}
}

static void a_device_with_a_script_is_not_saved(void **state)
{
	struct test_host *host = host_start_faults("h: hang");
	const char *path = "sim_inject.checkpoint";
	struct sim_options options = { .faults = host->faults };
	struct sim_host calls = host_calls(host);
	struct sim_device *other;

	(void)state;
	assert_int_equal(sim_device_pause(host->device, 10000 * MS), 0);
	assert_int_equal(sim_device_save(host->device, path), -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "fault script"));
	assert_int_not_equal(access(path, F_OK), 0);
	sim_device_resume(host->device);
	assert_int_equal(sim_device_restore(NULL, &calls, &options, path,
					    &other),
			 -ENOTSUP);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hang_ends_with_an_abort),
		cmocka_unit_test(a_hang_ends_with_the_context),
		cmocka_unit_test(a_hang_ends_with_the_queue),
		cmocka_unit_test(a_hang_ends_with_the_device),
		cmocka_unit_test(a_hang_stops_its_queue_alone),
		cmocka_unit_test(rules_select_commands),
		cmocka_unit_test(nothing_fires_unarmed),
		cmocka_unit_test(a_slow_command_takes_its_time),
		cmocka_unit_test(a_slow_admin_command_is_answered_late),
		cmocka_unit_test(no_slow_admin_command_is_forgotten),
		cmocka_unit_test(a_wild_access_is_a_bus_error),
		cmocka_unit_test(a_fatal_device_needs_a_reset),
		cmocka_unit_test(a_device_goes_and_comes_back),
		cmocka_unit_test(a_removed_device_stays_away),
		cmocka_unit_test(completions_are_corrupted),
		cmocka_unit_test(completions_are_repeated_and_dropped),
		cmocka_unit_test(interrupts_are_lost_and_made_up),
		cmocka_unit_test(admin_commands_get_no_answer),
		cmocka_unit_test(the_same_commands_fail_in_the_same_way),
		cmocka_unit_test(a_device_with_a_script_is_not_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
