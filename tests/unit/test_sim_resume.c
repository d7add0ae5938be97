/* SPDX-License-Identifier: MIT */
/*
 * A restored device goes on as the saved one does: random streams over several queues
 * are interrupted at a random place, in the middle of lists too; at the end host
 * memory and a checkpoint of the whole device must be the same, byte by byte, also
 * from another process.
 */
#include "unit.h"

#include "folder.h"
#include "random.h"
#include "sim_layer.h"

#include <core/deadline.h>
#include <formats/file.h>
#include <sim/checkpoint.h>

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND 1000000000ull
#define QUEUES 3 /* the last two of one context */
#define ENTRIES 6 /* of a queue */
#define LIST_MAX 5
#define LAYERS 4
#define STREAMS 24
#define FILE_BYTES_MAX (256u << 20)

/* Offsets in device memory: statistics, data of copies, layers. */
#define STATS 4096
#define DATA (1u << 20)
#define DATA_BYTES (256u << 10)
#define LAYERS_AT (2u << 20)

/* Lists lie in host memory, where every entry that is read is an access. */
#define LISTS (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

struct stream {
	struct test_host *host;
	uint64_t random;
	struct spmm_sqe layers[LAYERS];
	unsigned int stats;
	unsigned int lists;
};

extern char **environ;

static uint32_t between(struct stream *stream, uint32_t low, uint32_t high)
{
	return low + random_below(&stream->random, high - low + 1);
}

static uint64_t data_random(struct stream *stream)
{
	uint64_t at = between(stream, 0, DATA_BYTES / 2);

	return between(stream, 0, 3) ? host_virtual(DATA + at) :
				       HOST_VIRTUAL_HOST + 65536 + at;
}

static struct spmm_sqe copy_random(struct stream *stream)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_COPY,
				  .address = data_random(stream),
				  .destination = data_random(stream),
				  .length = between(stream, 1, 60000) };
}

/* One whose value the word has long had. */
static struct spmm_sqe semaphore_random(struct stream *stream)
{
	bool wait = between(stream, 0, 1);

	return (struct spmm_sqe){ .opcode = wait ? SPMM_IO_SEMAPHORE_WAIT :
						   SPMM_IO_SEMAPHORE_SIGNAL,
				  .address = host_virtual(DATA - 64),
				  .value = wait ? 0 : between(stream, 1, 9) };
}

static uint64_t stats_next(struct stream *stream)
{
	return host_virtual(STATS + stream->stats++ *
					    sizeof(struct spmm_command_stats));
}

/* The weights are in the memory of context 1 alone: elsewhere it is an error. */
static struct spmm_sqe entry_random(struct stream *stream, uint16_t queue)
{
	uint32_t kind = between(stream, 0, 15);
	struct spmm_sqe entry;

	if (kind < 6 && queue == 1)
		entry = stream->layers[between(stream, 0, LAYERS - 1)];
	else if (kind < 10)
		entry = copy_random(stream);
	else if (kind < 12)
		entry = semaphore_random(stream);
	else if (kind < 14)
		entry = (struct spmm_sqe){ .opcode = SPMM_IO_TIMESTAMP,
					   .address =
						   host_virtual(DATA - 128) };
	else
		entry = (struct spmm_sqe){ .opcode = SPMM_IO_NOP };
	if (queue == 2 && !between(stream, 0, 12))
		entry = (struct spmm_sqe){ .opcode = SPMM_IO_COPY,
					   .address = 0x1000,
					   .length = 8 };
	entry.stats_address = host_virtual(
		STATS + stream->stats++ * sizeof(struct spmm_command_stats));
	return entry;
}

static struct spmm_sqe list_random(struct stream *stream, uint16_t queue)
{
	uint32_t count = between(stream, 1, LIST_MAX);
	uint64_t at = stream->lists * LIST_MAX * sizeof(struct spmm_sqe);

	for (uint32_t i = 0; i < count; i++) {
		struct spmm_sqe entry = entry_random(stream, queue);

		memcpy(stream->host->memory + LISTS + at + i * sizeof(entry),
		       &entry, sizeof(entry));
	}
	stream->lists++;
	return (struct spmm_sqe){ .opcode = SPMM_IO_LIST,
				  .address = HOST_VIRTUAL_HOST + at,
				  .length = count,
				  .stats_address = stats_next(stream) };
}

static void layers_create(struct stream *stream)
{
	struct layer_memory memory = { stream->host, LAYERS_AT };
	struct layer_shape shape;
	struct layer layer;

	for (unsigned int i = 0; i < LAYERS; i++) {
		layer_shape_random(&stream->random, &shape);
		layer_create(&memory, &stream->random, &shape, &layer);
		stream->layers[i] = layer_entry(&layer);
		layer_free(&layer);
	}
}

static void priority_set(struct stream *stream, uint16_t queue)
{
	struct spmm_admin_sqe set = { .opcode = SPMM_ADMIN_SET_PRIORITY,
				      .queue = queue,
				      .priority =
					      (uint16_t)between(stream, 0, 2) };

	assert_int_equal(host_admin(stream->host, set, NULL), 0);
}

/*
 * A paused device with a stream. All doorbells are rung while nothing runs, so that
 * time depends on nobody.
 */
static struct test_host *stream_prepare(uint64_t seed)
{
	struct stream stream = { .random = seed * 2654435761u + 1 };
	struct sim_config config;
	struct test_host *host;

	assert_int_equal(sim_config_preset("small", &config), 0);
	config.sram_bytes = 1 << 16 << between(&stream, 0, 3);
	config.prefetch_bytes = 65536;
	host = host_start(&config);
	stream.host = host;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	host_create_queue(host, 3, 2);
	for (uint16_t queue = 1; queue <= QUEUES; queue++)
		priority_set(&stream, queue);
	for (size_t i = 0; i < DATA_BYTES; i++)
		((uint8_t *)host_device(host, DATA))[i] =
			(uint8_t)random_next(&stream.random);
	layers_create(&stream);
	assert_int_equal(sim_device_pause(host->device, 20 * SECOND), 0);
	for (uint16_t queue = 1; queue <= QUEUES; queue++) {
		for (uint16_t id = 0; id < ENTRIES; id++) {
			struct spmm_sqe entry =
				between(&stream, 0, 1) ?
					list_random(&stream, queue) :
					entry_random(&stream, queue);

			entry.id = id;
			host_put(host, queue, &entry);
		}
		host_ring(host, queue);
	}
	return host;
}

/* Takes the completions that are still to come, and saves what there is then. */
static void stream_finish(struct test_host *host, const char *path)
{
	for (uint16_t queue = 1; queue <= QUEUES; queue++)
		while (host->cq_head[queue] < ENTRIES)
			host_wait(host, queue);
	assert_int_equal(sim_device_pause(host->device, 20 * SECOND), 0);
	assert_int_equal(sim_device_save(host->device, path), 0);
}

/* How many accesses of host memory a stream makes. */
static unsigned long stream_accesses(const char *folder, uint64_t seed)
{
	struct test_host *host = stream_prepare(seed);
	unsigned long before = host->accesses, after;

	sim_device_resume(host->device);
	stream_finish(host, folder_path(folder, "whole"));
	after = host->accesses;
	host_stop(host);
	return after - before;
}

static void files_expect_equal(const char *a, const char *b)
{
	size_t a_size, b_size;
	void *a_bytes, *b_bytes;

	assert_int_equal(file_read(a, FILE_BYTES_MAX, &a_bytes, &a_size), 0);
	assert_int_equal(file_read(b, FILE_BYTES_MAX, &b_bytes, &b_size), 0);
	assert_int_equal(a_size, b_size);
	assert_memory_equal(a_bytes, b_bytes, a_size);
	free(a_bytes);
	free(b_bytes);
}

/* Registers and every context's counters. */
static void registers_expect_equal(struct test_host *a, struct test_host *b)
{
	for (uint32_t context = 0; context <= QUEUES; context++) {
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

	host->pause_at = host->accesses + 1 + seed * 7919 % total;
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
		struct test_host *b = host_restore(a, paths.device);

		/* One after the other, and the second not at once. */
		sim_device_resume(a->device);
		stream_finish(a, paths.a);
		sim_device_resume(b->device);
		stream_finish(b, paths.b);
		hosts_expect_equal(a, b);
		registers_expect_equal(a, b);
		files_expect_equal(paths.a, paths.b);
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
	b = host_restore(a, paths.device);
	c = host_restore(a, paths.device);
	sim_device_resume(a->device);
	sim_device_resume(b->device);
	sim_device_resume(c->device);
	stream_finish(a, paths.a);
	stream_finish(b, paths.b);
	files_expect_equal(paths.a, paths.b);
	stream_finish(c, paths.b);
	files_expect_equal(paths.a, paths.b);
	hosts_expect_equal(a, b);
	hosts_expect_equal(a, c);
	host_stop(a);
	host_stop(b);
	host_stop(c);
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

/* The other process: FOLDER has "device" and "host", and gets "b" and a new "host". */
static int other_process(const char *folder)
{
	struct test_host from = { 0 }, *host;
	struct paths paths;

	paths_make(&paths, folder);
	host_load(&from, paths.host);
	host = host_restore(&from, paths.device);
	free(from.memory);
	sim_device_resume(host->device);
	stream_finish(host, paths.b);
	host_save(host, paths.host);
	host_stop(host);
	return 0;
}

static void other_process_run(const char *folder)
{
	char name[] = "test_sim_resume", argument[FOLDER_PATH];
	char *arguments[] = { name, argument, NULL };
	pid_t pid;
	int status;

	strcpy(argument, folder);
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
		other_process_run(*state);
		sim_device_resume(a->device);
		stream_finish(a, paths.a);
		host_load(&b, paths.host);
		hosts_expect_equal(a, &b);
		files_expect_equal(paths.a, paths.b);
		free(b.memory);
		host_stop(a);
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
	other = host_restore(host, path);
	sim_device_resume(other->device);
	assert_int_equal(host_run(other, 2,
				  (struct spmm_sqe){ .opcode = SPMM_IO_NOP },
				  NULL),
			 0);
	assert_false(host_poll(other, 1, &cqe));
	__atomic_store_n((uint64_t *)(other->memory + LISTS), 5,
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
		folder_test(another_process_goes_on_alike),
		folder_test(waiting_queue_waits_on),
	};

	if (argc == 2)
		return other_process(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
