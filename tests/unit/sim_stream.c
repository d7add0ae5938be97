/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "folder.h"
#include "random.h"
#include "sim_layer.h"
#include "sim_stream.h"

#include <formats/file.h>
#include <sim/checkpoint.h>

#include <string.h>

#define SECOND 1000000000ull
#define QUEUES STREAM_QUEUES /* the last two of one context */
#define ENTRIES 6 /* of a queue */
#define LIST_MAX 5
#define LAYERS 4
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

struct test_host *stream_prepare(uint64_t seed)
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

void stream_repeat(struct test_host *host)
{
	for (uint16_t queue = 1; queue <= QUEUES; queue++) {
		host_repeat(host, queue, ENTRIES);
		host_ring(host, queue);
	}
}

void stream_finish(struct test_host *host, unsigned int rounds,
		   const char *path)
{
	struct spmm_cqe cqe;

	for (uint16_t queue = 1; queue <= QUEUES; queue++)
		while (host->cq_head[queue] < rounds * ENTRIES) {
			cqe = host_wait(host, queue);
			assert_int_not_equal(cqe_status(&cqe),
					     SPMM_SC_INTERNAL);
		}
	assert_int_equal(sim_device_pause(host->device, 20 * SECOND), 0);
	assert_int_equal(sim_device_save(host->device, path), 0);
}

unsigned long stream_accesses(const char *folder, uint64_t seed)
{
	struct test_host *host = stream_prepare(seed);
	unsigned long before = host->accesses, after;

	sim_device_resume(host->device);
	stream_finish(host, 1, folder_path(folder, "whole"));
	after = host->accesses;
	host_stop(host);
	return after - before;
}

void stream_expect_equal(const char *a, const char *b)
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
