/* SPDX-License-Identifier: MIT */
/* A context's counters are what its own commands cost, also while others work. */
#include "unit.h"

#include "sim_layer.h"

#include <sim/checkpoint.h>

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull

/* Offsets in device memory, of either context: statistics, data. */
#define STATS 4096
#define DATA (1u << 20)
#define LAYERS_AT (2u << 20)

/* Offset of what HOST_VIRTUAL_HOST maps; lists are there. */
#define SHARED (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

#define ENTRIES 3
#define LIST_ENTRIES 2

typedef uint64_t counters[SPMM_COUNTER_COUNT];

static void counters_read(struct test_host *host, uint32_t context,
			  counters out)
{
	host_write32(host, SPMM_REG_COUNTER_LATCH, context);
	for (unsigned int i = 0; i < SPMM_COUNTER_COUNT; i++)
		out[i] = host_read64(host, SPMM_REG_COUNTER_BASE + 8 * i);
}

static uint64_t stats_address(unsigned int slot)
{
	return host_virtual(STATS + slot * sizeof(struct spmm_command_stats));
}

static struct spmm_command_stats stats_read(struct test_host *host,
					    uint16_t context, unsigned int slot)
{
	struct spmm_command_stats stats;

	memcpy(&stats,
	       host_device(host, (context - 1ul) * HOST_VIRTUAL_DEVICE_BYTES +
					 STATS + slot * sizeof(stats)),
	       sizeof(stats));
	return stats;
}

/* What one entry adds, but for its lane-cycles. */
static void entry_add(counters sum, const struct spmm_command_stats *stats)
{
	sum[SPMM_COUNTER_BUSY_CYCLES] += stats->end_cycle - stats->start_cycle;
	sum[SPMM_COUNTER_COMMANDS]++;
	sum[SPMM_COUNTER_MACS] += stats->macs;
	sum[SPMM_COUNTER_DRAM_READ_BYTES] += stats->dram_read_bytes;
	sum[SPMM_COUNTER_DRAM_WRITE_BYTES] += stats->dram_write_bytes;
	sum[SPMM_COUNTER_PCIE_READ_BYTES] += stats->pcie_read_bytes;
	sum[SPMM_COUNTER_PCIE_WRITE_BYTES] += stats->pcie_write_bytes;
	sum[SPMM_COUNTER_PADDING_MACS] += stats->padding_macs;
	sum[SPMM_COUNTER_SRAM_BYTES] += stats->sram_bytes;
}

/* Idleness is in the statistics, and nobody's. */
static void lanes_add(counters sum, const struct spmm_command_stats *stats)
{
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		if (i != SPMM_STALL_IDLE)
			sum[SPMM_COUNTER_LANE_CYCLES + i] += stats->stall[i];
}

/* A layer, a list of two layers, a layer: slots 0, 1 to 3 (the list's), 4. */
static void layers_put(struct test_host *host, struct spmm_sqe layer)
{
	struct spmm_sqe list = { .opcode = SPMM_IO_LIST,
				 .address = HOST_VIRTUAL_HOST,
				 .length = LIST_ENTRIES,
				 .stats_address = stats_address(3) };

	for (unsigned int i = 0; i < LIST_ENTRIES; i++) {
		layer.stats_address = stats_address(1 + i);
		memcpy(host->memory + SHARED + i * sizeof(layer), &layer,
		       sizeof(layer));
	}
	layer.stats_address = stats_address(0);
	host_put(host, 1, &layer);
	host_put(host, 1, &list);
	layer.stats_address = stats_address(4);
	host_put(host, 1, &layer);
	host_ring(host, 1);
}

/* From the host, within the device, to the host: slots 0 to 2. */
static void copies_put(struct test_host *host)
{
	const uint64_t places[ENTRIES + 1] = { HOST_VIRTUAL_HOST + 65536,
					       host_virtual(DATA),
					       host_virtual(2 * DATA),
					       HOST_VIRTUAL_HOST + 131072 };

	for (uint16_t i = 0; i < ENTRIES; i++) {
		const struct spmm_sqe copy = {
			.opcode = SPMM_IO_COPY,
			.address = places[i],
			.destination = places[i + 1],
			.length = 30000,
			.stats_address = stats_address(i),
		};

		host_put(host, 2, &copy);
	}
	host_ring(host, 2);
}

/* Both at once. */
static struct test_host *work_done(void)
{
	const struct layer_shape shape = {
		.rows = 24,
		.channels = 16,
		.batch = 1,
		.kernel_height = 3,
		.kernel_width = 3,
		.stride_height = 1,
		.stride_width = 1,
		.dilation_height = 1,
		.dilation_width = 1,
		.pad_top = 1,
		.pad_left = 1,
		.height = 24,
		.width = 24,
		.result_height = 24,
		.result_width = 24,
		.shuffle_height = 1,
		.shuffle_width = 1,
		.replicate_height = 1,
		.replicate_width = 1,
		.percent = 30,
	};
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, LAYERS_AT };
	uint64_t random = 9;
	struct layer layer;

	host_open_queue(host, 1);
	host_open_queue(host, 2);
	layer_create(&memory, &random, &shape, &layer);
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	layers_put(host, layer_entry(&layer));
	copies_put(host);
	sim_device_resume(host->device);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		struct spmm_cqe one = host_wait(host, 1);
		struct spmm_cqe two = host_wait(host, 2);

		assert_int_equal(cqe_status(&one), 0);
		assert_int_equal(cqe_status(&two), 0);
	}
	layer_free(&layer);
	return host;
}

static void counters_are_sums_of_the_statistics(void **state)
{
	static const unsigned int entries[] = { 0, 1, 2, 4 };
	static const unsigned int whole[] = { 0, 3, 4 };
	struct test_host *host = work_done();
	struct spmm_command_stats stats;
	counters layers = { 0 }, copies = { 0 }, read;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		stats = stats_read(host, 1, entries[i]);
		entry_add(layers, &stats);
	}
	for (unsigned int i = 0; i < 3; i++) {
		stats = stats_read(host, 1, whole[i]);
		lanes_add(layers, &stats);
		stats = stats_read(host, 2, i);
		entry_add(copies, &stats);
		lanes_add(copies, &stats);
	}
	counters_read(host, 1, read);
	assert_memory_equal(read, layers, sizeof(read));
	assert_true(read[SPMM_COUNTER_MACS] && read[SPMM_COUNTER_SRAM_BYTES] &&
		    read[SPMM_COUNTER_LANE_CYCLES + SPMM_STALL_ISSUE]);
	counters_read(host, 2, read);
	assert_memory_equal(read, copies, sizeof(read));
	assert_true(read[SPMM_COUNTER_PCIE_READ_BYTES] >= 30000 &&
		    read[SPMM_COUNTER_PCIE_WRITE_BYTES] >= 30000 &&
		    !read[SPMM_COUNTER_MACS]);
	host_stop(host);
}

/* However the contexts overlap, the device has so many lanes and no more. */
static void contexts_share_the_lanes(void **state)
{
	struct test_host *host = work_done();
	uint64_t lanes = (uint64_t)host_read32(host, SPMM_REG_CLUSTERS) *
			 host_read32(host, SPMM_REG_LANES);
	uint64_t sum = 0;
	counters read;

	(void)state;
	for (uint32_t context = 1; context <= 2; context++) {
		counters_read(host, context, read);
		for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
			sum += read[SPMM_COUNTER_LANE_CYCLES + i];
		assert_int_equal(
			read[SPMM_COUNTER_LANE_CYCLES + SPMM_STALL_IDLE], 0);
	}
	assert_in_range(sum, 1, lanes * host_read64(host, SPMM_REG_CYCLES));
	host_stop(host);
}

/* Also of a context that is no more. */
static void context_0_counts_everybodys(void **state)
{
	struct spmm_admin_sqe again = { .opcode = SPMM_ADMIN_DELETE_SQ,
					.queue = 2 };
	struct test_host *host = work_done();
	counters one, two, all;

	(void)state;
	counters_read(host, 1, one);
	counters_read(host, 2, two);
	assert_int_equal(host_admin(host, again, NULL), 0);
	again.opcode = SPMM_ADMIN_DELETE_CQ;
	assert_int_equal(host_admin(host, again, NULL), 0);
	again = (struct spmm_admin_sqe){ .opcode = SPMM_ADMIN_DELETE_CONTEXT,
					 .context = 2 };
	assert_int_equal(host_admin(host, again, NULL), 0);
	again.opcode = SPMM_ADMIN_CREATE_CONTEXT;
	assert_int_equal(host_admin(host, again, NULL), 0);
	counters_read(host, 0, all);
	for (unsigned int i = 0; i < SPMM_COUNTER_COUNT; i++)
		assert_int_equal(all[i], one[i] + two[i]);
	counters_read(host, 2, two);
	assert_int_equal(two[SPMM_COUNTER_COMMANDS], 0);
	host_stop(host);
}

/* What fails is a fault, and none of the commands. */
static void failures_are_counted_as_faults(void **state)
{
	const struct spmm_sqe lost = { .opcode = SPMM_IO_COPY,
				       .address = 0x1234,
				       .length = 64 };
	struct test_host *host = work_done();
	counters before, after;

	(void)state;
	counters_read(host, 2, before);
	assert_int_not_equal(host_run(host, 2, lost, NULL), 0);
	counters_read(host, 2, after);
	assert_int_equal(after[SPMM_COUNTER_FAULTS],
			 before[SPMM_COUNTER_FAULTS] + 1);
	assert_int_equal(after[SPMM_COUNTER_COMMANDS],
			 before[SPMM_COUNTER_COMMANDS]);
	counters_read(host, 1, after);
	assert_int_equal(after[SPMM_COUNTER_FAULTS], 0);
	host_stop(host);
}

/* The array holds still, read in halves too, until another latch or a reset. */
static void latched_counters_hold_still(void **state)
{
	const uint32_t macs = SPMM_REG_COUNTER_BASE + 8 * SPMM_COUNTER_MACS;
	const struct spmm_sqe nop = { .opcode = SPMM_IO_NOP };
	struct test_host *host = work_done();
	counters before, after;

	(void)state;
	counters_read(host, 1, before);
	assert_int_equal(host_run(host, 1, nop, NULL), 0);
	assert_int_equal(host_read64(host, SPMM_REG_COUNTER_BASE +
						   8 * SPMM_COUNTER_COMMANDS),
			 before[SPMM_COUNTER_COMMANDS]);
	assert_int_equal(host_read32(host, macs) |
				 (uint64_t)host_read32(host, macs + 4) << 32,
			 before[SPMM_COUNTER_MACS]);
	counters_read(host, 1, after);
	assert_int_equal(after[SPMM_COUNTER_COMMANDS],
			 before[SPMM_COUNTER_COMMANDS] + 1);
	sim_device_reset(host->device);
	assert_int_equal(host_read64(host, macs), 0);
	counters_read(host, 1, after);
	assert_int_equal(after[SPMM_COUNTER_MACS], 0);
	counters_read(host, 1000, after);
	assert_int_equal(after[SPMM_COUNTER_MACS], 0);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_are_sums_of_the_statistics),
		cmocka_unit_test(contexts_share_the_lanes),
		cmocka_unit_test(context_0_counts_everybodys),
		cmocka_unit_test(failures_are_counted_as_faults),
		cmocka_unit_test(latched_counters_hold_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
