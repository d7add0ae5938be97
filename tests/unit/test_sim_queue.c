/* SPDX-License-Identifier: MIT */
/* Bring-up, rings, contexts and faults of the simulated device. */
#include "unit.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "sim_host.h"

#include <core/deadline.h>

#define DATA_VIRTUAL HOST_VIRTUAL_HOST
#define DATA_OFFSET (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

static struct spmm_sqe nop(uint16_t id)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_NOP, .id = id };
}

static struct spmm_sqe copy(uint64_t from, uint64_t to, uint64_t length)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_COPY,
				  .id = 7,
				  .address = from,
				  .destination = to,
				  .length = length };
}

static void device_reports_its_configuration(void **state)
{
	struct test_host *host = host_start(NULL);

	(void)state;
	assert_int_equal(host_read32(host, SPMM_REG_VERSION), SPMM_VERSION_1_0);
	assert_int_equal(host_read64(host, SPMM_REG_CAP) &
				 SPMM_CAP_QUEUE_ENTRIES_MASK,
			 4095);
	assert_int_equal(host_read32(host, SPMM_REG_CLUSTERS), 16);
	assert_int_equal(host_read64(host, SPMM_REG_SRAM_BYTES), 8 << 20);
	/* Two halves and the whole agree. */
	assert_int_equal(host_read64(host, SPMM_REG_MEMORY_BYTES), 16ull << 30);
	assert_int_equal(host_read32(host, SPMM_REG_MEMORY_BYTES + 4), 4);
	assert_int_equal(host_read32(host, 0x3f8), 0);
	host_stop(host);
}

static void device_comes_up_after_every_kind_of_reset(void **state)
{
	struct test_host *host = host_start(NULL);

	(void)state;
	host_open_queue(host, 1);
	assert_int_equal(host_run(host, 1, nop(1), NULL), 0);
	host_write32(host, SPMM_REG_CONTROL, 0);
	host_enable(host);
	host_open_queue(host, 1);
	assert_int_equal(host_run(host, 1, nop(2), NULL), 0);
	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	host_enable(host);
	host_open_queue(host, 1);
	*(uint8_t *)host_device(host, 5) = 5;
	sim_device_reset(host->device);
	assert_int_equal(host_read32(host, SPMM_REG_STATUS), 0);
	assert_int_equal(*(uint8_t *)host_device(host, 5), 0);
	host_enable(host);
	host_open_queue(host, 1);
	assert_int_equal(host_run(host, 1, nop(3), NULL), 0);
	host_stop(host);
}

static void impossible_admin_queue_is_fatal_until_reset(void **state)
{
	struct test_host *host = host_start(NULL);
	uint64_t deadline = deadline_after(5000000000ull);

	(void)state;
	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	while (host_read32(host, SPMM_REG_STATUS))
		assert_false(deadline_expired(deadline));
	host_write64(host, SPMM_REG_ADMIN_SQ_ADDRESS, 123);
	host_write32(host, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	while (host_read32(host, SPMM_REG_STATUS) != SPMM_STATUS_FATAL)
		assert_false(deadline_expired(deadline));
	/* Neither disabling nor a better address helps. */
	host_write32(host, SPMM_REG_CONTROL, 0);
	host_write64(host, SPMM_REG_ADMIN_SQ_ADDRESS, 0);
	while (host_read32(host, SPMM_REG_STATUS) & SPMM_STATUS_BUSY)
		assert_false(deadline_expired(deadline));
	assert_int_equal(host_read32(host, SPMM_REG_STATUS), SPMM_STATUS_FATAL);
	host_write32(host, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	while (host_read32(host, SPMM_REG_STATUS) & SPMM_STATUS_BUSY)
		assert_false(deadline_expired(deadline));
	assert_int_equal(host_read32(host, SPMM_REG_STATUS), SPMM_STATUS_FATAL);
	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	host_enable(host);
	host_stop(host);
}

static void rings_wrap_and_the_phase_flips(void **state)
{
	struct test_host *host = host_start(NULL);
	unsigned int before;

	(void)state;
	host_open_queue(host, 1);
	for (uint16_t i = 0; i < 5 * HOST_ENTRIES + 3; i++) {
		struct spmm_cqe cqe;

		assert_int_equal(host_run(host, 1, nop(i), &cqe), 0);
		assert_int_equal(cqe.sq_head, (i + 1) % HOST_ENTRIES);
	}
	before = __atomic_load_n(&host->interrupts[1], __ATOMIC_SEQ_CST);
	assert_in_range(before, 5 * HOST_ENTRIES + 2, 5 * HOST_ENTRIES + 3);
	host_stop(host);
}

static void full_completion_queue_holds_work_back(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_sqe entries[HOST_ENTRIES - 1];

	(void)state;
	host_open_queue(host, 1);
	for (uint16_t round = 0; round < 6; round++) {
		for (uint16_t i = 0; i < HOST_ENTRIES - 1; i++)
			entries[i] = nop((uint16_t)(100 * round + i));
		host_submit(host, 1, entries, HOST_ENTRIES - 1);
		for (uint16_t i = 0; i < HOST_ENTRIES - 1; i++)
			assert_int_equal(host_wait(host, 1).id,
					 100 * round + i);
	}
	host_stop(host);
}

static void copies_go_through_page_tables(void **state)
{
	struct test_host *host = host_start(NULL);
	uint8_t *data = host->memory + DATA_OFFSET;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	for (unsigned int i = 0; i < 100000; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(
		host_run(host, 1,
			 copy(DATA_VIRTUAL + 3, host_virtual(4097), 99000),
			 NULL),
		0);
	assert_memory_equal(host_device(host, 4097), data + 3, 99000);
	/* The same virtual address of another context is other memory. */
	memset(data, 9, 100000);
	assert_int_equal(host_run(host, 2,
				  copy(DATA_VIRTUAL, host_virtual(4097), 1000),
				  NULL),
			 0);
	assert_int_equal(
		*(uint8_t *)host_device(host, HOST_VIRTUAL_DEVICE_BYTES + 4097),
		9);
	assert_int_not_equal(*(uint8_t *)host_device(host, 4098), 9);
	assert_int_equal(host_run(host, 1,
				  copy(host_virtual(4097), DATA_VIRTUAL, 99000),
				  NULL),
			 0);
	assert_memory_equal(host_device(host, 4097), data, 99000);
	host_stop(host);
}

static void page_fault_kills_its_context_only(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_fault_record *log = (void *)(host->memory + DATA_OFFSET);
	struct spmm_admin_sqe get = { .opcode = SPMM_ADMIN_GET_LOG,
				      .address = HOST_BUS_ADDRESS + DATA_OFFSET,
				      .length = 4096 };
	struct spmm_admin_sqe reset = { .opcode = SPMM_ADMIN_RESET_CONTEXT,
					.context = 1 };
	struct spmm_cqe cqe;
	uint64_t count;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	assert_int_equal(host_run(host, 1,
				  copy(host_virtual(0), 0x123456789000, 64),
				  &cqe),
			 SPMM_SC_PAGE_FAULT_WRITE);
	assert_int_equal(cqe.result, 0x123456789000);
	assert_int_equal(host_run(host, 1, nop(1), NULL),
			 SPMM_SC_CONTEXT_RESET);
	assert_int_equal(host_run(host, 2, nop(1), NULL), 0);
	assert_int_equal(host_admin(host, get, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(log->status, SPMM_SC_PAGE_FAULT_WRITE);
	assert_int_equal(log->address, 0x123456789000);
	assert_int_equal(log->context, 1);
	assert_int_equal(log->queue, 1);
	assert_int_equal(log->id, 7);
	assert_int_equal(host_admin(host, get, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(host_admin(host, reset, NULL), 0);
	assert_int_equal(host_run(host, 1, nop(1), NULL), 0);
	assert_int_equal(host_run(host, 1, copy(1ull << 60, 0, 64), NULL),
			 SPMM_SC_DESCRIPTOR_ADDRESS);
	host_stop(host);
}

static void list_runs_in_order_and_names_the_bad_entry(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_sqe *list = (void *)(host->memory + DATA_OFFSET);
	struct spmm_sqe entry = { .opcode = SPMM_IO_LIST,
				  .id = 9,
				  .address = DATA_VIRTUAL,
				  .length = 3,
				  .stats_address = host_virtual(8192) };
	struct spmm_command_stats *stats;
	struct spmm_cqe cqe;

	(void)state;
	host_open_queue(host, 1);
	strcpy((char *)list + 4096, "one after the other");
	list[0] = copy(DATA_VIRTUAL + 4096, host_virtual(0), 20);
	list[1] = copy(host_virtual(0), host_virtual(100), 20);
	list[2] = copy(host_virtual(100), DATA_VIRTUAL + 5000, 20);
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	assert_string_equal((char *)list + 5000, "one after the other");
	stats = host_device(host, 8192);
	assert_int_equal(stats->pcie_read_bytes, 20);
	assert_int_equal(stats->pcie_write_bytes, 20);
	assert_true(stats->end_cycle > stats->start_cycle);
	list[1].opcode = 0x77;
	assert_int_equal(host_run(host, 1, entry, &cqe),
			 SPMM_SC_INVALID_OPCODE);
	assert_int_equal(cqe.list_index, 1);
	host_stop(host);
}

static void semaphores_order_two_queues(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_sqe wait = { .opcode = SPMM_IO_SEMAPHORE_WAIT,
				 .id = 1,
				 .address = DATA_VIRTUAL,
				 .value = 5 };
	struct spmm_sqe signal = { .opcode = SPMM_IO_SEMAPHORE_SIGNAL,
				   .id = 2,
				   .address = DATA_VIRTUAL,
				   .value = 5 };
	struct spmm_cqe cqe;

	(void)state;
	host_open_queue(host, 1);
	host_create_queue(host, 2, 1);
	host_submit(host, 1, &wait, 1);
	assert_int_equal(host_run(host, 2, nop(3), NULL), 0);
	assert_false(host_poll(host, 1, &cqe));
	assert_int_equal(host_run(host, 2, signal, NULL), 0);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe_status(&cqe), 0);
	/* A wait without end has one. */
	wait.value = 6;
	wait.deadline_cycles = 1000000;
	assert_int_equal(host_run(host, 1, wait, NULL), SPMM_SC_TIMEOUT);
	host_stop(host);
}

static void abort_ends_what_waits(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_sqe wait = { .opcode = SPMM_IO_SEMAPHORE_WAIT,
				 .id = 1,
				 .address = DATA_VIRTUAL,
				 .value = 5 };
	struct spmm_admin_sqe abort_one = { .opcode = SPMM_ADMIN_ABORT,
					    .queue = 1,
					    .command = 2 };
	struct spmm_sqe entries[3] = { wait, nop(2), nop(3) };
	struct spmm_cqe cqe;

	(void)state;
	host_open_queue(host, 1);
	host_submit(host, 1, entries, 3);
	assert_int_equal(host_admin(host, abort_one, NULL), 0);
	abort_one.command = 1;
	assert_int_equal(host_admin(host, abort_one, NULL), 0);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe.id, 1);
	assert_int_equal(cqe_status(&cqe), SPMM_SC_ABORTED);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe.id, 2);
	assert_int_equal(cqe_status(&cqe), SPMM_SC_ABORTED);
	cqe = host_wait(host, 1);
	assert_int_equal(cqe.id, 3);
	assert_int_equal(cqe_status(&cqe), 0);
	host_submit(host, 1, entries, 3);
	abort_one.command = SPMM_ABORT_ALL;
	assert_int_equal(host_admin(host, abort_one, NULL), 0);
	for (unsigned int i = 0; i < 3; i++) {
		cqe = host_wait(host, 1);
		assert_int_equal(cqe_status(&cqe), SPMM_SC_ABORTED);
	}
	host_stop(host);
}

/* From the first cycle of a list to its last one. */
static uint64_t list_cycles(struct test_host *host)
{
	struct spmm_command_stats *stats = host_device(host, 16384);
	struct spmm_sqe *entries = host_device(host, 8192);
	struct spmm_sqe list = { .opcode = SPMM_IO_LIST,
				 .address = host_virtual(8192),
				 .length = 2,
				 .stats_address = host_virtual(16384) };

	entries[0] = copy(host_virtual(0), host_virtual(4096), 64);
	entries[1] = nop(0);
	assert_int_equal(host_run(host, 1, list, NULL), 0);
	return stats->end_cycle - stats->start_cycle;
}

/* What comes after a wait that was aborted is as if there had been none. */
static void an_aborted_wait_leaves_nothing(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_sqe wait = { .opcode = SPMM_IO_SEMAPHORE_WAIT,
				 .id = 1,
				 .address = DATA_VIRTUAL,
				 .value = 5 };
	struct spmm_admin_sqe abort_one = { .opcode = SPMM_ADMIN_ABORT,
					    .queue = 1,
					    .command = 1 };
	uint64_t progress, cycles;

	(void)state;
	host_open_queue(host, 1);
	list_cycles(host);
	cycles = list_cycles(host);
	progress = host_read64(host, SPMM_REG_CYCLES);
	host_submit(host, 1, &wait, 1);
	/* Time passes once it waits. */
	while (host_read64(host, SPMM_REG_CYCLES) == progress)
		;
	assert_int_equal(host_admin(host, abort_one, NULL), 0);
	host_wait(host, 1);
	/* Where the memory's refresh stands is another matter. */
	assert_in_range(list_cycles(host), cycles / 2, cycles * 2);
	host_stop(host);
}

static void invalidate_makes_a_new_translation_hold(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_admin_sqe invalidate = { .opcode = SPMM_ADMIN_INVALIDATE,
					     .context = 1,
					     .address = DATA_VIRTUAL,
					     .length = 4096 };
	uint64_t *root_table, *level;

	(void)state;
	host_open_queue(host, 1);
	assert_int_equal(host_run(host, 1,
				  copy(DATA_VIRTUAL, host_virtual(0), 64),
				  NULL),
			 0);
	/* Tables of context 1 are at pages 8… after the rings; level 0 is the
	 * fifth of them.
	 */
	root_table = (uint64_t *)(host->memory + 17 * 0x2000);
	level = root_table + (8 + 4) * 512;
	assert_true(level[0] & SPMM_PTE_LEAF);
	__atomic_store_n(&level[0], 0, __ATOMIC_RELEASE);
	assert_int_equal(host_admin(host, invalidate, NULL), 0);
	assert_int_equal(host_run(host, 1,
				  copy(DATA_VIRTUAL, host_virtual(0), 64),
				  NULL),
			 SPMM_SC_PAGE_FAULT_READ);
	host_stop(host);
}

static const struct {
	struct spmm_admin_sqe command;
	int status;
} nonsense[] = {
	{ { .opcode = 0x7f }, SPMM_SC_INVALID_OPCODE },
	{ { .opcode = SPMM_ADMIN_CREATE_CONTEXT }, SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_CREATE_CONTEXT, .context = 64 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_CREATE_CONTEXT, .context = 1 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_CREATE_CONTEXT, .context = 3, .flags = 1 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_DELETE_CONTEXT, .context = 1 }, SPMM_SC_BUSY },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ,
	    .queue = 65,
	    .context = 1,
	    .entries = 3 },
	  SPMM_SC_INVALID_QUEUE },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ,
	    .queue = 2,
	    .context = 9,
	    .entries = 3 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ, .queue = 2, .context = 1 },
	  SPMM_SC_INVALID_ENTRIES },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ,
	    .queue = 2,
	    .context = 1,
	    .entries = 4096 },
	  SPMM_SC_INVALID_ENTRIES },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ,
	    .queue = 2,
	    .context = 1,
	    .entries = 3,
	    .address = 64 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_CREATE_CQ,
	    .queue = 2,
	    .context = 1,
	    .entries = 3,
	    .vector = 65 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_DELETE_CQ, .queue = 1 }, SPMM_SC_BUSY },
	{ { .opcode = SPMM_ADMIN_DELETE_CQ, .queue = 2 },
	  SPMM_SC_INVALID_QUEUE },
	{ { .opcode = SPMM_ADMIN_CREATE_SQ,
	    .queue = 2,
	    .context = 2,
	    .entries = 3,
	    .cq = 1 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_CREATE_SQ,
	    .queue = 2,
	    .context = 1,
	    .entries = 3,
	    .cq = 5 },
	  SPMM_SC_INVALID_QUEUE },
	{ { .opcode = SPMM_ADMIN_CREATE_SQ,
	    .queue = 2,
	    .context = 1,
	    .entries = 3,
	    .cq = 1,
	    .priority = 4 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_DELETE_SQ, .queue = 4 },
	  SPMM_SC_INVALID_QUEUE },
	{ { .opcode = SPMM_ADMIN_SET_PAGE_TABLE,
	    .context = 1,
	    .address = SPMM_PTE_LEAF },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_INVALIDATE, .context = 7 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_ABORT, .queue = 9 }, SPMM_SC_INVALID_QUEUE },
	{ { .opcode = SPMM_ADMIN_ABORT, .queue = 1, .command = 0x10001 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_RESET_CONTEXT, .context = 5 },
	  SPMM_SC_INVALID_CONTEXT },
	{ { .opcode = SPMM_ADMIN_SET_PRIORITY, .queue = 1, .priority = 4 },
	  SPMM_SC_INVALID_FIELD },
	{ { .opcode = SPMM_ADMIN_SET_PRIORITY, .queue = 1, .priority = 3 },
	  SPMM_SC_SUCCESS },
	{ { .opcode = SPMM_ADMIN_DELETE_SQ, .queue = 1 }, SPMM_SC_SUCCESS },
	{ { .opcode = SPMM_ADMIN_DELETE_CQ, .queue = 1 }, SPMM_SC_SUCCESS },
	{ { .opcode = SPMM_ADMIN_DELETE_CONTEXT, .context = 1 },
	  SPMM_SC_SUCCESS },
};

static void admin_refuses_what_makes_no_sense(void **state)
{
	struct test_host *host = host_start(NULL);

	(void)state;
	host_open_queue(host, 1);
	host_open_context(host, 2);
	for (unsigned int i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]);
	     i++)
		assert_int_equal(host_admin(host, nonsense[i].command, NULL),
				 nonsense[i].status);
	host_stop(host);
}

static void entry_with_reserved_bits_is_refused(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_admin_sqe reset = { .opcode = SPMM_ADMIN_RESET_CONTEXT,
					.context = 1 };
	struct spmm_sqe cases[5] = { nop(1), nop(1), nop(1), nop(1), nop(1) };

	(void)state;
	cases[0].flags = 2;
	cases[1].reserved = 1;
	cases[2].pad = 1;
	cases[3].stats_address = 4;
	cases[4] = copy(host_virtual(0), host_virtual(64), 0);
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(host_run(host, 1, cases[i], NULL),
				 SPMM_SC_INVALID_FIELD);
		assert_int_equal(host_admin(host, reset, NULL), 0);
	}
	host_stop(host);
}

static void impossible_doorbell_kills_its_context(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_admin_sqe reset = { .opcode = SPMM_ADMIN_RESET_CONTEXT,
					.context = 1 };

	struct spmm_fault_record *log = (void *)(host->memory + DATA_OFFSET);
	struct spmm_admin_sqe get = { .opcode = SPMM_ADMIN_GET_LOG,
				      .address = HOST_BUS_ADDRESS + DATA_OFFSET,
				      .length = 4096 };
	uint64_t count;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	for (unsigned int i = 0; i < 2; i++) {
		host_write32(host, SPMM_DOORBELL_BASE + 65536 + 4 * i, 1000);
		assert_int_equal(host_run(host, 2, nop(1), NULL), 0);
		assert_int_equal(host_admin(host, get, &count), 0);
		assert_int_equal(count, 1);
		assert_int_equal(log->status, SPMM_SC_INVALID_ENTRIES);
		assert_int_equal(log->address, 1000);
		assert_int_equal(host_admin(host, reset, NULL), 0);
		assert_int_equal(host_run(host, 1, nop(1), NULL), 0);
	}
	host_stop(host);
}

static void masked_interrupt_comes_when_unmasked(void **state)
{
	struct test_host *host = host_start(NULL);
	uint64_t deadline = deadline_after(5000000000ull);

	(void)state;
	host_open_queue(host, 1);
	host_write64(host, SPMM_REG_INTERRUPT_MASK_SET, 2);
	assert_int_equal(host_run(host, 1, nop(1), NULL), 0);
	assert_int_equal(host_run(host, 1, nop(1), NULL), 0);
	assert_int_equal(
		__atomic_load_n(&host->interrupts[1], __ATOMIC_SEQ_CST), 0);
	host_write64(host, SPMM_REG_INTERRUPT_MASK_CLEAR, 2);
	while (!__atomic_load_n(&host->interrupts[1], __ATOMIC_SEQ_CST))
		assert_false(deadline_expired(deadline));
	host_stop(host);
}

static void memory_that_does_not_answer_is_a_bus_error(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_admin_sqe invalidate = { .opcode = SPMM_ADMIN_INVALIDATE,
					     .context = 1 };
	struct spmm_cqe cqe;
	uint64_t *level = (uint64_t *)(host->memory + 17 * 0x2000);

	(void)state;
	host_open_queue(host, 1);
	level += (8 + 4) * 512;
	__atomic_store_n(&level[3],
			 0xdead000 | SPMM_PTE_VALID | SPMM_PTE_LEAF |
				 SPMM_PTE_READ | SPMM_PTE_WRITE,
			 __ATOMIC_RELEASE);
	assert_int_equal(host_admin(host, invalidate, NULL), 0);
	assert_int_equal(
		host_run(host, 1,
			 copy(DATA_VIRTUAL + 2 * 4096, host_virtual(0), 8192),
			 &cqe),
		SPMM_SC_BUS_ERROR);
	assert_int_equal(cqe.result, DATA_VIRTUAL + 3 * 4096);
	host_stop(host);
}

static void priority_is_a_share(void **state)
{
	enum { COMMANDS = 12, HIGH = 2, LOW = 1 };
	struct test_host *host = host_start(NULL);
	struct spmm_sqe entry = { .opcode = SPMM_IO_SEMAPHORE_WAIT,
				  .address = DATA_VIRTUAL,
				  .value = 1 };
	struct spmm_admin_sqe priority = { .opcode = SPMM_ADMIN_SET_PRIORITY,
					   .queue = HIGH,
					   .priority = 3 };
	const uint64_t *times = host_device(host, 0);
	unsigned int earlier = 0;

	(void)state;
	host_open_queue(host, LOW);
	host_create_queue(host, HIGH, 1);
	host_create_queue(host, 3, 1);
	assert_int_equal(host_admin(host, priority, NULL), 0);
	/* Both wait for the third queue, then have the same work. */
	host_put(host, LOW, &entry);
	host_put(host, HIGH, &entry);
	for (unsigned int i = 0; i < COMMANDS; i++) {
		entry.opcode = SPMM_IO_TIMESTAMP;
		entry.address = host_virtual(8 * i);
		host_put(host, LOW, &entry);
		entry.address = host_virtual(8 * (COMMANDS + i));
		host_put(host, HIGH, &entry);
	}
	host_ring(host, LOW);
	host_ring(host, HIGH);
	entry.opcode = SPMM_IO_SEMAPHORE_SIGNAL;
	entry.address = DATA_VIRTUAL;
	assert_int_equal(host_run(host, 3, entry, NULL), 0);
	for (unsigned int i = 0; i <= COMMANDS; i++) {
		host_wait(host, LOW);
		host_wait(host, HIGH);
	}
	/* When the last of the high queue ran, few of the low one had. */
	for (unsigned int i = 0; i < COMMANDS; i++)
		earlier += times[i] < times[2 * COMMANDS - 1];
	assert_in_range(earlier, 1, 3);
	host_stop(host);
}

#define THREAD_COMMANDS 2000

static void *queue_thread(void *argument)
{
	struct test_host *host = argument;
	uint16_t queue = (uint16_t)__atomic_add_fetch(&host->threads, 1,
						      __ATOMIC_SEQ_CST);
	uint64_t at = queue * 8192u;

	for (uint16_t i = 0; i < THREAD_COMMANDS; i++) {
		struct spmm_sqe entry =
			copy(host_virtual(at), host_virtual(at + 4096), 100);
		struct spmm_cqe cqe;

		entry.id = i;
		if (host_run(host, queue, entry, &cqe) || cqe.id != i)
			return NULL;
	}
	return host;
}

static void threads_have_queues_of_their_own(void **state)
{
	struct test_host *host = host_start(NULL);
	pthread_t threads[4];
	void *result;

	(void)state;
	for (uint16_t i = 1; i <= 4; i++)
		host_open_queue(host, i);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, queue_thread,
						host),
				 0);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, host);
	}
	host_stop(host);
}

static void strided_copy_transposes(void **state)
{
	struct test_host *host = host_start(NULL);
	struct spmm_copy_descriptor *d = host_device(host, 0);
	struct spmm_sqe entry = { .opcode = SPMM_IO_COPY_STRIDED,
				  .address = host_virtual(0),
				  .length = sizeof(*d) };
	uint16_t *from = host_device(host, 4096), *to = host_device(host, 8192);

	(void)state;
	host_open_queue(host, 1);
	*d = (struct spmm_copy_descriptor){
		.version = 1,
		.element = 2,
		.source = host_virtual(4096),
		.destination = host_virtual(8192) + 2 * 6,
		.count = { 1, 1, 1, 5, 7 },
		.source_stride = { 0, 0, 0, 14, 2 },
		.destination_stride = { 0, 0, 0, 2 * 7, (uint64_t)-2 },
	};
	for (unsigned int i = 0; i < 35; i++)
		from[i] = (uint16_t)(i * 1000);
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	for (unsigned int y = 0; y < 5; y++)
		for (unsigned int x = 0; x < 7; x++)
			assert_int_equal(to[y * 7 + 6 - x], from[y * 7 + x]);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_reports_its_configuration),
		cmocka_unit_test(device_comes_up_after_every_kind_of_reset),
		cmocka_unit_test(impossible_admin_queue_is_fatal_until_reset),
		cmocka_unit_test(rings_wrap_and_the_phase_flips),
		cmocka_unit_test(full_completion_queue_holds_work_back),
		cmocka_unit_test(copies_go_through_page_tables),
		cmocka_unit_test(page_fault_kills_its_context_only),
		cmocka_unit_test(list_runs_in_order_and_names_the_bad_entry),
		cmocka_unit_test(semaphores_order_two_queues),
		cmocka_unit_test(abort_ends_what_waits),
		cmocka_unit_test(an_aborted_wait_leaves_nothing),
		cmocka_unit_test(invalidate_makes_a_new_translation_hold),
		cmocka_unit_test(admin_refuses_what_makes_no_sense),
		cmocka_unit_test(entry_with_reserved_bits_is_refused),
		cmocka_unit_test(impossible_doorbell_kills_its_context),
		cmocka_unit_test(masked_interrupt_comes_when_unmasked),
		cmocka_unit_test(memory_that_does_not_answer_is_a_bus_error),
		cmocka_unit_test(priority_is_a_share),
		cmocka_unit_test(threads_have_queues_of_their_own),
		cmocka_unit_test(strided_copy_transposes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
