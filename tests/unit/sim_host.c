/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_host.h"

#include <core/deadline.h>
#include <sim/checkpoint.h>
#include <sim/inject.h>
#include <sim/pause.h>

/* Where things are in host memory: rings of 4 KiB each, tables, then data. */
#define RING_SQ(queue) ((queue)*0x2000ul)
#define RING_CQ(queue) ((queue)*0x2000ul + 0x1000)
#define RINGS_END RING_SQ(17)
#define TABLES RINGS_END
#define TABLES_PER_CONTEXT 8
#define DATA (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

#define WAIT_NS 40000000000ull

/* Before each access by DMA. */
static void access_count(struct test_host *host)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	unsigned long count =
		1 + __atomic_fetch_add(&host->accesses, 1, __ATOMIC_SEQ_CST);

	if (count == host->pause_at)
		pause_ask(host->device);
	while (__atomic_load_n(&host->stall, __ATOMIC_SEQ_CST))
		nanosleep(&pause, NULL);
}

/* Where a bus address is, or NULL. */
static void *bus_find(struct test_host *host, uint64_t address, size_t length)
{
	uint64_t offset = address - HOST_BUS_ADDRESS;

	if (offset > HOST_MEMORY_BYTES || length > HOST_MEMORY_BYTES - offset)
		return NULL;
	return host->memory + offset;
}

/* Words are copied whole, since the other side polls them. */
static int dma_read(void *opaque, uint64_t address, void *to, size_t length)
{
	const void *at = bus_find(opaque, address, length);

	access_count(opaque);
	if (!at)
		return -1;
	if (length == 8 && !((uintptr_t)at & 7) && !((uintptr_t)to & 7))
		*(uint64_t *)to =
			__atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
	else
		memcpy(to, at, length);
	return 0;
}

static int dma_write(void *opaque, uint64_t address, const void *from,
		     size_t length)
{
	void *at = bus_find(opaque, address, length);

	access_count(opaque);
	if (!at)
		return -1;
	if (length == 4 && !((uintptr_t)at & 3))
		__atomic_store_n((uint32_t *)at, *(const uint32_t *)from,
				 __ATOMIC_RELEASE);
	else
		memcpy(at, from, length);
	return 0;
}

static void interrupt(void *opaque, unsigned int vector)
{
	struct test_host *host = opaque;

	__atomic_fetch_add(&host->interrupts[vector], 1, __ATOMIC_SEQ_CST);
}

uint32_t host_read32(struct test_host *host, uint32_t offset)
{
	uint32_t value;

	sim_device_bar_read(host->device, 0, offset, &value, 4);
	return value;
}

uint64_t host_read64(struct test_host *host, uint32_t offset)
{
	uint64_t value;

	sim_device_bar_read(host->device, 0, offset, &value, 8);
	return value;
}

void host_write32(struct test_host *host, uint32_t offset, uint32_t value)
{
	sim_device_bar_write(host->device, 0, offset, &value, 4);
}

void host_write64(struct test_host *host, uint32_t offset, uint64_t value)
{
	sim_device_bar_write(host->device, 0, offset, &value, 8);
}

static void pause_briefly(void)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	nanosleep(&pause, NULL);
}

static void status_wait(struct test_host *host, uint32_t status)
{
	uint64_t deadline = deadline_after(WAIT_NS);

	while (host_read32(host, SPMM_REG_STATUS) != status) {
		assert_false(deadline_expired(deadline));
		pause_briefly();
	}
}

void host_enable(struct test_host *host)
{
	status_wait(host, 0);
	host->sq_tail[0] = 0;
	host->cq_head[0] = 0;
	host->phase[0] = 1;
	memset(host->memory + RING_CQ(0), 0, 0x1000);
	host_write32(host, SPMM_REG_ADMIN_QUEUE_SIZE,
		     (HOST_ENTRIES - 1) | (HOST_ENTRIES - 1) << 16);
	host_write64(host, SPMM_REG_ADMIN_SQ_ADDRESS,
		     HOST_BUS_ADDRESS + RING_SQ(0));
	host_write64(host, SPMM_REG_ADMIN_CQ_ADDRESS,
		     HOST_BUS_ADDRESS + RING_CQ(0));
	host_write32(host, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	status_wait(host, SPMM_STATUS_READY);
}

struct sim_host host_calls(struct test_host *host)
{
	return (struct sim_host){
		.opaque = host,
		.dma_read = dma_read,
		.dma_write = dma_write,
		.interrupt = interrupt,
	};
}

static struct test_host *host_create(void)
{
	struct test_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->memory = aligned_alloc(4096, HOST_MEMORY_BYTES);
	assert_non_null(host->memory);
	memset(host->memory, 0, HOST_MEMORY_BYTES);
	return host;
}

struct test_host *host_restore(const struct test_host *from, const char *path,
			       const struct sim_options *options)
{
	struct test_host *host = host_create();
	struct sim_host calls = host_calls(host);

	memcpy(host->memory, from->memory, HOST_MEMORY_BYTES);
	memcpy(host->interrupts, from->interrupts, sizeof(host->interrupts));
	memcpy(host->sq_tail, from->sq_tail, sizeof(host->sq_tail));
	memcpy(host->cq_head, from->cq_head, sizeof(host->cq_head));
	memcpy(host->phase, from->phase, sizeof(host->phase));
	assert_int_equal(sim_device_restore(NULL, &calls, options, path,
					    &host->device),
			 0);
	return host;
}

struct test_host *host_start(const struct sim_config *config)
{
	struct test_host *host = host_create();
	struct sim_host calls = host_calls(host);
	struct sim_config preset;

	if (!config) {
		assert_int_equal(sim_config_preset("default", &preset), 0);
		config = &preset;
	}
	assert_int_equal(sim_device_create(config, &calls, NULL, &host->device),
			 0);
	host_enable(host);
	return host;
}

struct test_host *host_start_faults(const char *script)
{
	return host_start_faults_on(ENGINE_FAST, script);
}

struct test_host *host_start_faults_on(enum engine_mode mode,
				       const char *script)
{
	struct test_host *host = host_create();
	FILE *file = fmemopen((void *)script, strlen(script), "r");
	struct sim_host calls = host_calls(host);
	struct sim_options options = { .mode = mode, .window = 4096 };
	struct sim_config config;

	assert_non_null(file);
	assert_int_equal(inject_script_read(file, "script", &host->faults), 0);
	fclose(file);
	options.faults = host->faults;
	assert_int_equal(sim_config_preset("small", &config), 0);
	assert_int_equal(
		sim_device_create(&config, &calls, &options, &host->device), 0);
	host_enable(host);
	return host;
}

void host_stop(struct test_host *host)
{
	sim_device_destroy(host->device);
	inject_script_free(host->faults);
	free(host->memory);
	free(host);
}

static uint32_t doorbell(uint16_t queue, uint32_t which)
{
	return SPMM_DOORBELL_BASE + queue * 65536u + which;
}

void host_ring(struct test_host *host, uint16_t queue)
{
	host_write32(host, doorbell(queue, SPMM_DOORBELL_SQ_TAIL),
		     host->sq_tail[queue]);
}

void host_put(struct test_host *host, uint16_t queue,
	      const struct spmm_sqe *entry)
{
	memcpy(host->memory + RING_SQ(queue) + host->sq_tail[queue] * 64, entry,
	       64);
	host->sq_tail[queue] = (host->sq_tail[queue] + 1) % HOST_ENTRIES;
}

void host_repeat(struct test_host *host, uint16_t queue, unsigned int count)
{
	const uint8_t *ring = host->memory + RING_SQ(queue);
	struct spmm_sqe entry;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t slot = (host->sq_tail[queue] + HOST_ENTRIES - count) %
				HOST_ENTRIES;

		memcpy(&entry, ring + slot * sizeof(entry), sizeof(entry));
		host_put(host, queue, &entry);
	}
}

void host_submit(struct test_host *host, uint16_t queue,
		 const struct spmm_sqe *entries, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		host_put(host, queue, &entries[i]);
	host_ring(host, queue);
}

bool host_poll(struct test_host *host, uint16_t queue, struct spmm_cqe *out)
{
	uint32_t head = host->cq_head[queue];
	uint8_t *at = host->memory + RING_CQ(queue) + head * sizeof(*out);
	uint32_t last =
		__atomic_load_n((uint32_t *)(at + 12), __ATOMIC_ACQUIRE);

	if ((last >> 16 & SPMM_CQE_PHASE) != host->phase[queue])
		return false;
	memcpy(out, at, 12);
	memcpy((uint8_t *)out + 12, &last, 4);
	host->cq_head[queue] = (head + 1) % HOST_ENTRIES;
	if (!host->cq_head[queue])
		host->phase[queue] ^= 1;
	host_write32(host, doorbell(queue, SPMM_DOORBELL_CQ_HEAD),
		     host->cq_head[queue]);
	return true;
}

struct spmm_cqe host_wait(struct test_host *host, uint16_t queue)
{
	uint64_t deadline = deadline_after(WAIT_NS);
	struct spmm_cqe cqe;

	while (!host_poll(host, queue, &cqe)) {
		assert_false(deadline_expired(deadline));
		pause_briefly();
	}
	return cqe;
}

int host_run(struct test_host *host, uint16_t queue, struct spmm_sqe entry,
	     struct spmm_cqe *out)
{
	struct spmm_cqe cqe;

	host_submit(host, queue, &entry, 1);
	cqe = host_wait(host, queue);
	assert_int_equal(cqe.id, entry.id);
	assert_int_equal(cqe.sq, queue);
	if (out)
		*out = cqe;
	return cqe_status(&cqe);
}

int host_admin(struct test_host *host, struct spmm_admin_sqe command,
	       uint64_t *result)
{
	struct spmm_sqe entry;
	struct spmm_cqe cqe;
	int status;

	memcpy(&entry, &command, sizeof(entry));
	status = host_run(host, 0, entry, &cqe);
	if (result)
		*result = cqe.result;
	return status;
}

/* The table in host memory, and the entry that points to it. */
static uint64_t *table(struct test_host *host, uint16_t context,
		       unsigned int index, uint64_t *entry)
{
	uint64_t offset = TABLES + (context * TABLES_PER_CONTEXT + index) *
					   SPMM_PAGE_SIZE;

	assert_true(offset + SPMM_PAGE_SIZE <= DATA);
	*entry = (HOST_BUS_ADDRESS + offset) | SPMM_PTE_VALID;
	return (uint64_t *)(host->memory + offset);
}

static unsigned int index_at(uint64_t address, unsigned int level)
{
	return address >> (SPMM_PAGE_SHIFT + 9 * level) & 511;
}

/* Large pages for device memory, small ones for host memory. */
static uint64_t tables_build(struct test_host *host, uint16_t context)
{
	const uint64_t leaf = SPMM_PTE_VALID | SPMM_PTE_LEAF | SPMM_PTE_READ |
			      SPMM_PTE_WRITE;
	uint64_t root, entry, *level3, *level2, *level1, *level0;
	uint64_t at;

	level3 = table(host, context, 0, &root);
	level2 = table(host, context, 1, &entry);
	level3[index_at(HOST_VIRTUAL_DEVICE, 3)] = entry;
	level1 = table(host, context, 2, &entry);
	level2[index_at(HOST_VIRTUAL_DEVICE, 2)] = entry;
	for (at = 0; at < HOST_VIRTUAL_DEVICE_BYTES; at += SPMM_LARGE_PAGE_SIZE)
		level1[index_at(HOST_VIRTUAL_DEVICE + at, 1)] =
			(at + (context - 1ul) * HOST_VIRTUAL_DEVICE_BYTES) |
			leaf | SPMM_PTE_DEVICE;
	level1 = table(host, context, 3, &entry);
	level2[index_at(HOST_VIRTUAL_HOST, 2)] = entry;
	level0 = table(host, context, 4, &entry);
	level1[index_at(HOST_VIRTUAL_HOST, 1)] = entry;
	for (at = 0; at < HOST_VIRTUAL_HOST_BYTES; at += SPMM_PAGE_SIZE)
		level0[index_at(HOST_VIRTUAL_HOST + at, 0)] =
			(HOST_BUS_ADDRESS + DATA + at) | leaf;
	/* The rings, read and written by their bus address. */
	level1 = table(host, context, 5, &entry);
	level2[index_at(HOST_BUS_ADDRESS, 2)] = entry;
	level0 = table(host, context, 6, &entry);
	level1[index_at(HOST_BUS_ADDRESS, 1)] = entry;
	for (at = 0; at < RINGS_END; at += SPMM_PAGE_SIZE)
		level0[index_at(HOST_BUS_ADDRESS + at, 0)] =
			(HOST_BUS_ADDRESS + at) | leaf;
	return root;
}

void host_open_context(struct test_host *host, uint16_t context)
{
	struct spmm_admin_sqe create = { .opcode = SPMM_ADMIN_CREATE_CONTEXT,
					 .context = context };
	struct spmm_admin_sqe root = { .opcode = SPMM_ADMIN_SET_PAGE_TABLE,
				       .context = context };

	assert_int_equal(host_admin(host, create, NULL), 0);
	root.address = tables_build(host, context);
	assert_int_equal(host_admin(host, root, NULL), 0);
}

void host_create_queue(struct test_host *host, uint16_t queue, uint16_t context)
{
	struct spmm_admin_sqe cq = { .opcode = SPMM_ADMIN_CREATE_CQ,
				     .queue = queue,
				     .context = context,
				     .address =
					     HOST_BUS_ADDRESS + RING_CQ(queue),
				     .entries = HOST_ENTRIES - 1,
				     .vector = queue };
	struct spmm_admin_sqe sq = { .opcode = SPMM_ADMIN_CREATE_SQ,
				     .queue = queue,
				     .context = context,
				     .address =
					     HOST_BUS_ADDRESS + RING_SQ(queue),
				     .entries = HOST_ENTRIES - 1,
				     .cq = queue };

	host->sq_tail[queue] = 0;
	host->cq_head[queue] = 0;
	host->phase[queue] = 1;
	memset(host->memory + RING_CQ(queue), 0, 0x1000);
	assert_int_equal(host_admin(host, cq, NULL), 0);
	assert_int_equal(host_admin(host, sq, NULL), 0);
}

void host_open_queue(struct test_host *host, uint16_t number)
{
	host_open_context(host, number);
	host_create_queue(host, number, number);
}

void *host_device(struct test_host *host, uint64_t offset)
{
	return (uint8_t *)sim_device_memory(host->device) + offset;
}

uint64_t host_virtual(uint64_t offset)
{
	return HOST_VIRTUAL_DEVICE + offset;
}
