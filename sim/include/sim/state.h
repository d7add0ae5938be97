/* SPDX-License-Identifier: MIT */
/*
 * The inside of a simulated device, shared by the simulator's files.
 *
 * One thread, the device's own, executes everything and owns all that is not
 * marked otherwise. Threads of the host touch only
 *	- atomics (doorbells, status, progress, cycles, ...), and
 *	- what @lock protects.
 * @lock is a leaf: nothing is called with it held, no callback of the host in
 * particular.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pack/geometry.h>
#include <sim/device.h>
#include <sim/hazard.h>
#include <spmm/descriptor.h>
#include <spmm/page_table.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <spmm/status.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the simulator reads the device's little-endian structures as they are"
#endif

#define SIM_QUEUES (SPMM_IO_QUEUES_MAX + 1) /* with the admin queue */
#define SIM_FAULT_LOG_ENTRIES 256
#define SIM_TLB_ENTRIES 4096
#define SIM_ABORTS_MAX 16

struct inject;
struct sim_flight;
struct sim_sram;
struct sim_tlb;
struct sim_stream_cache;

/* One translated page, also of the admin context. */
struct sim_translation {
	uint64_t page; /* virtual page number, 4 KiB */
	uint64_t address; /* of the page: bus address or DRAM offset */
	uint16_t context;
	bool valid;
	bool large; /* of a page of 2 MiB */
	bool device;
	bool readable;
	bool writable;
};

struct sim_context {
	bool exists;
	bool dead;
	uint64_t root; /* a page-table entry */
};

struct sim_cq {
	bool valid;
	bool phase;
	uint16_t context;
	uint16_t vector;
	uint32_t entries;
	uint32_t tail;
	uint32_t users; /* submission queues */
	uint32_t reserved; /* completions of commands that have started */
	uint64_t address;
};

/**
 * struct sim_retirement - of a queue: what of its commands has retired
 * @entry: sums of the present entry, of a list's one of its entries
 * @list: sums of the queue's entry
 * @last_end: end of the entry before
 * @failed: ticket of the latest one that failed while it retired
 */
struct sim_retirement {
	bool entry_begun;
	bool list_begun;
	struct spmm_command_stats entry;
	struct spmm_command_stats list;
	uint64_t last_end;
	uint64_t failed;
};

/**
 * struct sim_hold - what a fault script does to the entry of a queue (inject_hooks.c)
 * @asked: for the entry with this index of a list, plus one; else 1; 0: not yet
 * @until: monotonic ns before which it is not executed, or 0
 * @hung: it is never executed
 * @engine: nor is any of another queue
 * @ignored: it gets no answer, of the admin queue
 * @end: enum inject_end: what ends a hang
 */
struct sim_hold {
	uint64_t asked;
	uint64_t until;
	bool hung;
	bool engine;
	bool ignored;
	unsigned int end;
};

struct sim_sq {
	bool valid;
	bool active; /* @current has started and not completed */
	bool broken; /* its ring cannot be read */
	bool waiting; /* @current waits for a semaphore */
	uint16_t id;
	uint16_t context;
	uint16_t cq;
	uint16_t priority;
	uint32_t credit; /* of the weighted round robin */
	uint32_t entries;
	uint32_t head;
	uint32_t drain; /* entries that complete with @drain_status */
	int drain_status;
	uint64_t address;
	struct spmm_sqe current;
	uint64_t started; /* cycle */
	uint32_t list_index; /* next entry of a LIST */
	uint64_t ticket; /* of @current: how many have started */
	bool announced; /* the next entry is the first that a doorbell tells of */
	uint32_t block_left; /* entries that were read with the last one */
	uint64_t semaphore; /* sequence of a signal that came for a wait */
	struct sim_retirement retirement;
	struct sim_hold hold;
	uint32_t aborts;
	uint16_t abort_id[SIM_ABORTS_MAX];
};

/**
 * struct sim_completion - how an entry of a queue ended
 * @opcode: of the entry
 * @id: likewise
 * @list_index: where it failed, of a LIST
 * @result: see struct spmm_cqe
 * @reserved: room in the completion queue was set aside
 */
struct sim_completion {
	uint8_t opcode;
	uint16_t id;
	uint32_t list_index;
	int status;
	uint64_t result;
	bool reserved;
};

struct sim_doorbell {
	_Atomic uint32_t sq_tail; /* as far as the device has come: doorbell.c */
	_Atomic uint32_t cq_head;
};

#define SIM_DOORBELL_LOG 64

/* Tails that the host has written and the device has not come to, in order. */
struct sim_doorbell_log {
	uint32_t tails[SIM_DOORBELL_LOG];
	uint32_t first;
	uint32_t count;
};

#define SIM_SIGNALS 16

/* A word that a queue has stored, for those that wait for it. */
struct sim_signal {
	uint64_t address; /* after translation */
	uint64_t sequence;
	bool device;
};

/* What the host asked for; bits of sim_device.request. */
#define SIM_REQUEST_RESET 0x1
#define SIM_REQUEST_DISABLE 0x2
#define SIM_REQUEST_ENABLE 0x4
#define SIM_REQUEST_DESTROY 0x8

struct sim_execution;

struct sim_device {
	struct sim_config config;
	struct sim_host host;
	struct sim_options options;
	struct geometry geometry;
	uint8_t *memory; /* DRAM, plain memory for all threads */
	int memory_file; /* of @memory when it is shared, else −1 */
	struct inject *inject; /* a fault script at work, or NULL: inject.c */

	/* Atomics. */
	struct sim_doorbell doorbells[SIM_QUEUES];
	_Atomic uint64_t progress[SIM_QUEUES];
	_Atomic uint64_t cycles;
	_Atomic uint32_t status;
	_Atomic uint32_t request; /* SIM_REQUEST_* */

	pthread_t thread;
	/* A leaf: neither a callback nor anything that waits runs under it. */
	pthread_mutex_t lock;
	pthread_cond_t wake; /* the device's thread waits here */
	pthread_cond_t done; /* resets, pauses and who wants it idle wait here */

	/* Under @lock. */
	uint64_t kicks; /* requests and doorbells so far */
	uint64_t kicks_settled; /* of these, all that was to be done is */
	uint64_t resets_asked, resets_done;
	uint32_t pauses; /* nobody executes while there are any */
	uint32_t holds; /* of the thread, while it is parked: see pause.h */
	bool parked; /* the thread sleeps because of a pause */
	uint32_t control;
	uint32_t admin_size;
	uint64_t admin_sq_address, admin_cq_address;
	uint64_t interrupt_mask, interrupt_pending;
	uint64_t counters[SPMM_CONTEXTS_MAX][SPMM_COUNTER_COUNT];
	uint64_t latched[SPMM_COUNTER_COUNT];
	uint8_t msix[SPMM_MSIX_VECTORS * 16];
	struct sim_doorbell_log doorbell_logs[SIM_QUEUES];

	/* The device's thread. */
	bool enabled;
	struct sim_context contexts[SPMM_CONTEXTS_MAX];
	struct sim_cq cqs[SIM_QUEUES];
	struct sim_sq sqs[SIM_QUEUES];
	struct sim_translation tlb[SIM_TLB_ENTRIES];
	struct spmm_fault_record faults[SIM_FAULT_LOG_ENTRIES];
	uint32_t fault_count;
	uint32_t next_queue; /* of the round robin */
	struct sim_sram *sram;
	struct sim_tlb *timing_tlb;
	struct engine *engine;
	struct sim_flight *flights; /* commands that have not retired */
	struct hazard_log hazards;
	struct sim_signal signals[SIM_SIGNALS];
	uint32_t next_signal;
	struct sim_stream_cache *streams;
	struct sim_execution *running; /* or NULL */
};

#endif
