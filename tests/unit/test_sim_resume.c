/* SPDX-License-Identifier: MIT */
/*
 * A restored device goes on as the saved one does: random streams over several queues
 * are interrupted at a random place, in the middle of lists too; at the end host
 * memory and a checkpoint of the whole device must be the same, byte by byte, also
 * from another process.
 */
#include "unit.h"

#include "folder.h"
#include "sim_stream.h"

#include <core/deadline.h>
#include <sim/checkpoint.h>

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND 1000000000ull
#define STREAMS 16

/* Offset of what HOST_VIRTUAL_HOST maps. */
#define SHARED (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

extern char **environ;

/* Registers and every context's counters. */
static void registers_expect_equal(struct test_host *a, struct test_host *b)
{
	for (uint32_t context = 0; context <= STREAM_QUEUES; context++) {
		host_write32(a, SPMM_REG_COUNTER_LATCH, context);
		host_write32(b, SPMM_REG_COUNTER_LATCH, context);
		for (uint32_t at = 0; at < SPMM_DOORBELL_BASE; at += 8)
			assert_int_equal(host_read64(a, at),
					 host_read64(b, at));
	}
}

static void hosts_expect_equal(const struct test_host *a,
			       const struct test_host *b)
{
	assert_memory_equal(a->memory, b->memory, HOST_MEMORY_BYTES);
	assert_memory_equal(a->interrupts, b->interrupts,
			    sizeof(a->interrupts));
}

/* Until the pause that an access asked for. */
static void pause_wait(struct test_host *host)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	uint64_t deadline = deadline_after(20 * SECOND);

	while (__atomic_load_n(&host->accesses, __ATOMIC_SEQ_CST) <
	       host->pause_at) {
		assert_false(deadline_expired(deadline));
		nanosleep(&pause, NULL);
	}
	assert_int_equal(sim_device_pause(host->device, 20 * SECOND), 0);
	sim_device_resume(host->device);
}

struct paths {
	char device[FOLDER_PATH];
	char host[FOLDER_PATH];
	char a[FOLDER_PATH];
	char b[FOLDER_PATH];
};

static void paths_make(struct paths *paths, const char *folder)
{
	strcpy(paths->device, folder_path(folder, "device"));
	strcpy(paths->host, folder_path(folder, "host"));
	strcpy(paths->a, folder_path(folder, "a"));
	strcpy(paths->b, folder_path(folder, "b"));
}

/* A stream that is paused and saved somewhere on its way. */
static struct test_host *stream_interrupt(const char *folder, uint64_t seed,
					  const char *path)
{
	unsigned long total = stream_accesses(folder, seed);
	struct test_host *host = stream_prepare(seed);

	/* How many there are at the end depends on the host's speed: how entries are fetched. */
	host->pause_at = host->accesses + 1 + seed * 7919 % (total - total / 8);
	sim_device_resume(host->device);
	pause_wait(host);
	assert_int_equal(sim_device_save(host->device, path), 0);
	return host;
}

static void restored_streams_go_on_alike(void **state)
{
	struct paths paths;

	paths_make(&paths, *state);
	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct test_host *a =
			stream_interrupt(*state, seed, paths.device);
		struct test_host *b = host_restore(a, paths.device, NULL);

		/* One after the other, and the second not at once. */
		sim_device_resume(a->device);
		stream_finish(a, 1, paths.a);
		sim_device_resume(b->device);
		stream_finish(b, 1, paths.b);
		hosts_expect_equal(a, b);
		registers_expect_equal(a, b);
		stream_expect_equal(paths.a, paths.b);
		host_stop(a);
		host_stop(b);
	}
}

static void streams_go_on_side_by_side(void **state)
{
	struct paths paths;
	struct test_host *a, *b, *c;

	paths_make(&paths, *state);
	a = stream_interrupt(*state, 1001, paths.device);
	b = host_restore(a, paths.device, NULL);
	c = host_restore(a, paths.device, NULL);
	sim_device_resume(a->device);
	sim_device_resume(b->device);
	sim_device_resume(c->device);
	stream_finish(a, 1, paths.a);
	stream_finish(b, 1, paths.b);
	stream_expect_equal(paths.a, paths.b);
	stream_finish(c, 1, paths.b);
	stream_expect_equal(paths.a, paths.b);
	hosts_expect_equal(a, b);
	hosts_expect_equal(a, c);
	host_stop(a);
	host_stop(b);
	host_stop(c);
}

static void reference_engine_goes_on_alike(void **state)
{
	const struct sim_options options = { .mode = ENGINE_REFERENCE };
	struct paths paths;

	paths_make(&paths, *state);
	for (uint64_t seed = 4001; seed < 4004; seed++) {
		struct test_host *a =
			stream_interrupt(*state, seed, paths.device);
		struct test_host *b = host_restore(a, paths.device, &options);

		sim_device_resume(a->device);
		sim_device_resume(b->device);
		stream_finish(a, 1, paths.a);
		stream_finish(b, 1, paths.b);
		hosts_expect_equal(a, b);
		stream_expect_equal(paths.a, paths.b);
		host_stop(a);
		host_stop(b);
	}
}

/* What the host keeps: its memory and its driver's knowledge. */
static void host_save(const struct test_host *host, const char *path)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(host, sizeof(*host), 1, file), 1);
	assert_int_equal(fwrite(host->memory, HOST_MEMORY_BYTES, 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

static void host_load(struct test_host *host, const char *path)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_int_equal(fread(host, sizeof(*host), 1, file), 1);
	host->memory = malloc(HOST_MEMORY_BYTES);
	assert_non_null(host->memory);
	assert_int_equal(fread(host->memory, HOST_MEMORY_BYTES, 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

/*
 * The other process: FOLDER has "device" and "host", and gets "b" and a new "host".
 * It ends the stream, or runs it once more.
 */
static int other_process(const char *folder, unsigned int rounds)
{
	struct test_host from = { 0 }, *host;
	struct paths paths;

	paths_make(&paths, folder);
	host_load(&from, paths.host);
	host = host_restore(&from, paths.device, NULL);
	free(from.memory);
	if (rounds > 1)
		stream_repeat(host);
	sim_device_resume(host->device);
	stream_finish(host, rounds, paths.b);
	host_save(host, paths.host);
	host_stop(host);
	return 0;
}

static void other_process_run(const char *folder, unsigned int rounds)
{
	char name[] = "test_sim_resume", path[FOLDER_PATH], number[8];
	char *arguments[] = { name, path, number, NULL };
	pid_t pid;
	int status;

	strcpy(path, folder);
	snprintf(number, sizeof(number), "%u", rounds);
	assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL,
				     arguments, environ),
			 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void another_process_goes_on_alike(void **state)
{
	struct paths paths;

	paths_make(&paths, *state);
	for (uint64_t seed = 501; seed < 506; seed++) {
		struct test_host *a =
			stream_interrupt(*state, seed, paths.device);
		struct test_host b;

		host_save(a, paths.host);
		other_process_run(*state, 1);
		sim_device_resume(a->device);
		stream_finish(a, 1, paths.a);
		host_load(&b, paths.host);
		hosts_expect_equal(a, &b);
		stream_expect_equal(paths.a, paths.b);
		free(b.memory);
		host_stop(a);
	}
}

/* Weights and results are where the first run has left them. */
static void second_runs_are_alike(void **state)
{
	struct test_host *a, *b, c;
	struct paths paths;

	paths_make(&paths, *state);
	for (uint64_t seed = 2001; seed < 2007; seed++) {
		a = stream_prepare(seed);
		sim_device_resume(a->device);
		stream_finish(a, 1, paths.device);
		b = host_restore(a, paths.device, NULL);
		host_save(a, paths.host);
		other_process_run(*state, 2);
		host_load(&c, paths.host);
		stream_repeat(a);
		stream_repeat(b);
		sim_device_resume(a->device);
		sim_device_resume(b->device);
		stream_finish(a, 2, paths.a);
		stream_expect_equal(paths.a, paths.b);
		stream_finish(b, 2, paths.b);
		stream_expect_equal(paths.a, paths.b);
		hosts_expect_equal(a, b);
		hosts_expect_equal(a, &c);
		registers_expect_equal(a, b);
		free(c.memory);
		host_stop(a);
		host_stop(b);
	}
}

/* Its time follows the wall clock, so that only what it does can be compared. */
static void waiting_queue_waits_on(void **state)
{
	const char *path = folder_path(*state, "device");
	struct test_host *host = host_start(NULL);
	struct spmm_sqe wait = { .opcode = SPMM_IO_SEMAPHORE_WAIT,
				 .id = 4,
				 .address = HOST_VIRTUAL_HOST,
				 .value = 5 };
	struct test_host *other;
	struct spmm_cqe cqe;

	host_open_queue(host, 1);
	host_open_queue(host, 2);
	host_submit(host, 1, &wait, 1);
	while (__atomic_load_n(&host->accesses, __ATOMIC_SEQ_CST) < 100)
		;
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	assert_int_equal(sim_device_save(host->device, path), 0);
	other = host_restore(host, path, NULL);
	sim_device_resume(other->device);
	assert_int_equal(host_run(other, 2,
				  (struct spmm_sqe){ .opcode = SPMM_IO_NOP },
				  NULL),
			 0);
	assert_false(host_poll(other, 1, &cqe));
	__atomic_store_n((uint64_t *)(other->memory + SHARED), 5,
			 __ATOMIC_SEQ_CST);
	cqe = host_wait(other, 1);
	assert_int_equal(cqe.id, 4);
	assert_int_equal(cqe_status(&cqe), 0);
	host_stop(host);
	host_stop(other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		folder_test(restored_streams_go_on_alike),
		folder_test(streams_go_on_side_by_side),
		folder_test(reference_engine_goes_on_alike),
		folder_test(another_process_goes_on_alike),
		folder_test(second_runs_are_alike),
		folder_test(waiting_queue_waits_on),
	};

	if (argc == 3)
		return other_process(argv[1], (unsigned int)atoi(argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
