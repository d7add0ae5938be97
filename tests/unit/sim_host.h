/* SPDX-License-Identifier: MIT */
/*
 * A small host for tests of the simulated device: it drives the device through
 * BARs and DMA alone and shares no code with the userspace driver.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/device.h>
#include <spmm/descriptor.h>
#include <spmm/page_table.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <spmm/status.h>
#include <spmm/stream.h>

#define HOST_MEMORY_BYTES (1ul << 20)
#define HOST_BUS_ADDRESS 0x80000000ull
#define HOST_ENTRIES 16

/* Virtual addresses of a context: device memory, then host memory. */
#define HOST_VIRTUAL_DEVICE 0x40000000ull
#define HOST_VIRTUAL_DEVICE_BYTES (64ul << 20)
#define HOST_VIRTUAL_HOST 0x7000000000ull
#define HOST_VIRTUAL_HOST_BYTES (512ul << 10)

struct test_host {
	struct sim_device *device;
	struct inject_script *faults; /* or NULL */
	uint8_t *memory; /* HOST_MEMORY_BYTES at HOST_BUS_ADDRESS */
	unsigned int interrupts[SPMM_MSIX_VECTORS]; /* atomically */
	unsigned int threads; /* of a test, atomically */
	unsigned long accesses; /* by DMA, atomically */
	unsigned long pause_at; /* of them, when a pause is asked for; 0: none */
	unsigned int stall; /* atomically: DMA takes until it is 0 again */
	uint32_t sq_tail[SPMM_IO_QUEUES_MAX + 1];
	uint32_t cq_head[SPMM_IO_QUEUES_MAX + 1];
	uint16_t phase[SPMM_IO_QUEUES_MAX + 1];
};

/* A device with its admin queue running. The preset may be NULL: "default". */
struct test_host *host_start(const struct sim_config *config);
/* A small one, with a fault script, from its text. */
struct test_host *host_start_faults(const char *script);
struct test_host *host_start_faults_on(enum engine_mode mode,
				       const char *script);
void host_stop(struct test_host *host);

/*
 * A host with the memory and the knowledge of another, and a device restored from a
 * file, which is paused.
 */
struct test_host *host_restore(const struct test_host *from, const char *path,
			       const struct sim_options *options);

/* The callbacks of a host. */
struct sim_host host_calls(struct test_host *host);
void host_enable(struct test_host *host);

uint32_t host_read32(struct test_host *host, uint32_t offset);
uint64_t host_read64(struct test_host *host, uint32_t offset);
void host_write32(struct test_host *host, uint32_t offset, uint32_t value);
void host_write64(struct test_host *host, uint32_t offset, uint64_t value);

/* One admin command; its status. */
int host_admin(struct test_host *host, struct spmm_admin_sqe command,
	       uint64_t *result);

/*
 * Context and queue pair of the same number, with device memory mapped at
 * HOST_VIRTUAL_DEVICE + context · its size and some host memory, rings in host
 * memory.
 */
void host_open_queue(struct test_host *host, uint16_t number);
void host_open_context(struct test_host *host, uint16_t context);
void host_create_queue(struct test_host *host, uint16_t queue,
		       uint16_t context);

/* Write entries and ring; wait for one completion (asserts a time limit). */
void host_submit(struct test_host *host, uint16_t queue,
		 const struct spmm_sqe *entries, unsigned int count);
void host_ring(struct test_host *host, uint16_t queue);
void host_put(struct test_host *host, uint16_t queue,
	      const struct spmm_sqe *entry);
/* Writes the last so many entries once more. */
void host_repeat(struct test_host *host, uint16_t queue, unsigned int count);
struct spmm_cqe host_wait(struct test_host *host, uint16_t queue);
bool host_poll(struct test_host *host, uint16_t queue, struct spmm_cqe *out);

/* Submit and wait; the status. */
int host_run(struct test_host *host, uint16_t queue, struct spmm_sqe entry,
	     struct spmm_cqe *out);

/* Device memory of context 1 as the host sees it, and its virtual address. */
void *host_device(struct test_host *host, uint64_t offset);
uint64_t host_virtual(uint64_t offset);

static inline int cqe_status(const struct spmm_cqe *cqe)
{
	return cqe->status >> 1;
}

#endif
