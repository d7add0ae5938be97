/* SPDX-License-Identifier: MIT */
/* Cycles, roofs, accounts and counters of the simulated device. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_layer.h"

#include <plan/roof.h>

#define FIRST_OFFSET 4096
#define ROUNDS 200
#define LIST_ENTRIES 6

static struct layer_shape convolution(uint32_t rows, uint32_t channels,
				      uint32_t size, uint32_t percent)
{
	return layer_shape_plain(rows, channels, size, size, percent);
}

static struct layer_shape product(uint32_t rows, uint32_t columns,
				  uint32_t batch, uint32_t percent)
{
	struct layer_shape shape = convolution(rows, columns, 1, percent);

	shape.kernel_height = 1;
	shape.kernel_width = 1;
	shape.pad_top = 0;
	shape.pad_left = 0;
	shape.batch = batch;
	return shape;
}

static void stats_check(struct test_host *host,
			const struct spmm_command_stats *stats)
{
	uint64_t lanes = (uint64_t)host_read32(host, SPMM_REG_CLUSTERS) *
			 host_read32(host, SPMM_REG_LANES);
	uint64_t elapsed = stats->end_cycle - stats->start_cycle;
	struct geometry geometry;
	uint64_t sum = 0;

	layer_geometry(host, &geometry);
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sum += stats->stall[i];
	assert_int_equal(sum, lanes * elapsed);
	assert_true(stats->macs <= lanes * elapsed * geometry.vector_width);
}

/* The roof of the layer with what was not on chip. */
static uint64_t hard_roof(struct test_host *host, const struct layer *layer,
			  const struct spmm_command_stats *stats)
{
	const struct spmm_descriptor *d = &layer->d;
	uint64_t bytes = (uint64_t)d->input.channels * d->input.height *
				 d->input.width * d->batch +
			 (uint64_t)d->rows * d->height * d->width * d->batch +
			 roof_weight_bytes(layer->nonzeros, d->rows, d->columns,
					   d->weights_length);
	struct geometry geometry;

	layer_geometry(host, &geometry);
	bytes = bytes > stats->resident_bytes ? bytes - stats->resident_bytes :
						0;
	return roof_hard_cycles(&geometry, stats->macs, bytes);
}

static struct spmm_command_stats layer_run(struct test_host *host,
					   const struct layer *layer)
{
	const struct spmm_command_stats *stats = host_device(host, 0);

	assert_int_equal(host_run(host, 1, layer_entry(layer), NULL), 0);
	stats_check(host, stats);
	return *stats;
}

static void no_layer_beats_its_roof(void **state)
{
	static const uint8_t hints[] = { SPMM_HINT_KEEP, SPMM_HINT_STREAM,
					 SPMM_HINT_DISCARD };
	struct test_host *host = host_start(NULL);
	uint64_t random = 21;

	(void)state;
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct layer_memory memory = { host, FIRST_OFFSET };
		bool conv = layer_between(&random, 0, 1);
		struct layer_shape shape =
			conv ? convolution(layer_between(&random, 1, 80),
					   layer_between(&random, 1, 40),
					   layer_between(&random, 1, 64),
					   layer_between(&random, 1, 100)) :
			       product(layer_between(&random, 1, 600),
				       layer_between(&random, 1, 600),
				       layer_between(&random, 1, 300),
				       layer_between(&random, 1, 100));
		struct spmm_command_stats stats;
		struct layer layer;

		layer_create(&memory, &random, &shape, &layer);
		layer.d.input.hint = hints[layer_between(&random, 0, 2)];
		layer.d.output.hint = hints[layer_between(&random, 0, 1)];
		memcpy(host_device(host, layer.descriptor_offset), &layer.d,
		       sizeof(layer.d));
		stats = layer_run(host, &layer);
		assert_true(stats.end_cycle - stats.start_cycle >=
			    hard_roof(host, &layer, &stats));
		layer_free(&layer);
	}
	host_stop(host);
}

static void large_dense_layer_comes_close_to_its_roof(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = convolution(64, 64, 128, 20);
	struct spmm_command_stats stats;
	uint64_t random = 22;
	struct layer layer;

	(void)state;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	stats = layer_run(host, &layer);
	/* The fetch of the command and of a cold memory's bytes is in it. */
	assert_true(hard_roof(host, &layer, &stats) * 100 >=
		    88 * (stats.end_cycle - stats.start_cycle));
	layer_free(&layer);
	host_stop(host);
}

static void memory_bound_layer_waits_for_dram(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = product(2000, 2000, 1, 50);
	struct spmm_command_stats cold, warm;
	uint64_t random = 23;
	struct layer layer;

	(void)state;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	cold = layer_run(host, &layer);
	assert_true(cold.dram_read_bytes >= layer.d.weights_length);
	assert_true(cold.stall[SPMM_STALL_DRAM] > 0);
	/* Weights that stayed in SRAM are not read again. */
	warm = layer_run(host, &layer);
	assert_int_equal(warm.dram_read_bytes, 0);
	assert_true(warm.end_cycle - warm.start_cycle <
		    cold.end_cycle - cold.start_cycle);
	layer_free(&layer);
	host_stop(host);
}

static void streamed_output_goes_to_dram(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = convolution(16, 4, 64, 20);
	struct spmm_command_stats stats;
	uint64_t random = 24;
	struct layer layer;

	(void)state;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	layer.d.output.hint = SPMM_HINT_STREAM;
	memcpy(host_device(host, layer.descriptor_offset), &layer.d, 256);
	stats = layer_run(host, &layer);
	assert_int_equal(stats.dram_write_bytes, 16 * 64 * 64);
	layer.d.output.hint = SPMM_HINT_KEEP;
	memcpy(host_device(host, layer.descriptor_offset), &layer.d, 256);
	stats = layer_run(host, &layer);
	assert_int_equal(stats.dram_write_bytes, 0);
	layer_free(&layer);
	host_stop(host);
}

/* The statistics of a list of layers on a fresh device. */
static void list_run(struct spmm_command_stats *stats, bool as_list,
		     unsigned int pause_us)
{
	const struct timespec pause = { .tv_nsec = pause_us * 1000l };
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct spmm_sqe *list = host_device(host, 1024);
	struct spmm_sqe entry = { .opcode = SPMM_IO_LIST,
				  .address = host_virtual(1024),
				  .length = LIST_ENTRIES };
	struct layer layers[LIST_ENTRIES];
	uint64_t random = 25;

	host_open_queue(host, 1);
	for (unsigned int i = 0; i < LIST_ENTRIES; i++) {
		struct layer_shape shape = product(600, 600, 256, 30);

		layer_create(&memory, &random, &shape, &layers[i]);
		list[i] = layer_entry(&layers[i]);
		list[i].stats_address = host_virtual(2048 + i * sizeof(*stats));
		layer_free(&layers[i]);
	}
	if (as_list) {
		assert_int_equal(host_run(host, 1, entry, NULL), 0);
	} else {
		for (unsigned int i = 0; i < LIST_ENTRIES; i++) {
			nanosleep(&pause, NULL);
			assert_int_equal(host_run(host, 1, list[i], NULL), 0);
		}
	}
	for (unsigned int i = 0; i < LIST_ENTRIES; i++)
		memcpy(&stats[i], host_device(host, 2048 + i * sizeof(*stats)),
		       sizeof(*stats));
	host_stop(host);
}

static void time_does_not_depend_on_the_host(void **state)
{
	struct spmm_command_stats a[LIST_ENTRIES], b[LIST_ENTRIES];

	(void)state;
	list_run(a, true, 0);
	list_run(b, true, 0);
	assert_memory_equal(a, b, sizeof(a));
	list_run(a, false, 0);
	list_run(b, false, 3000);
	assert_memory_equal(a, b, sizeof(a));
}

static uint64_t cycles_between(const struct spmm_command_stats *first,
			       const struct spmm_command_stats *last)
{
	return last->end_cycle - first->start_cycle;
}

static void list_prefetches_the_next_weights(void **state)
{
	struct spmm_command_stats list[LIST_ENTRIES], single[LIST_ENTRIES];
	uint64_t alone = 0;

	(void)state;
	list_run(list, true, 0);
	list_run(single, false, 0);
	for (unsigned int i = 1; i < LIST_ENTRIES; i++) {
		assert_true(list[i].end_cycle > list[i - 1].end_cycle);
		assert_int_equal(list[i].dram_read_bytes,
				 single[i].dram_read_bytes);
		/* Its weights come while the one before computes. */
		assert_true(list[i].start_cycle < list[i - 1].end_cycle);
	}
	for (unsigned int i = 0; i < LIST_ENTRIES; i++)
		alone += cycles_between(&single[i], &single[i]);
	assert_true(cycles_between(&list[0], &list[LIST_ENTRIES - 1]) < alone);
}

/* Those of its entries, and what was nobody's. */
static void lists_account_for_every_lane_cycle(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	const struct spmm_command_stats *whole = host_device(host, 0);
	const struct spmm_command_stats *stats = host_device(host, 2048);
	struct spmm_sqe *list = host_device(host, 1024);
	struct spmm_sqe entry = { .opcode = SPMM_IO_LIST,
				  .address = host_virtual(1024),
				  .length = LIST_ENTRIES,
				  .stats_address = host_virtual(0) };
	uint64_t random = 27, issue = 0, macs = 0;

	(void)state;
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < LIST_ENTRIES; i++) {
		struct layer_shape shape = convolution(16, 16, 40, 30);
		struct layer layer;

		layer_create(&memory, &random, &shape, &layer);
		list[i] = layer_entry(&layer);
		list[i].stats_address = host_virtual(2048 + i * sizeof(*stats));
		layer_free(&layer);
	}
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	stats_check(host, whole);
	for (unsigned int i = 0; i < LIST_ENTRIES; i++) {
		assert_true(stats[i].start_cycle >= whole->start_cycle);
		assert_true(stats[i].end_cycle <= whole->end_cycle);
		assert_int_equal(stats[i].stall[SPMM_STALL_IDLE], 0);
		issue += stats[i].stall[SPMM_STALL_ISSUE];
		macs += stats[i].macs;
	}
	assert_int_equal(whole->stall[SPMM_STALL_ISSUE], issue);
	assert_int_equal(whole->macs, macs);
	host_stop(host);
}

static void counters_follow_their_context(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = convolution(8, 8, 16, 50);
	const uint32_t macs = SPMM_REG_COUNTER_BASE + 8 * SPMM_COUNTER_MACS;
	uint64_t random = 26;
	struct spmm_command_stats stats;
	struct layer layer;

	(void)state;
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	layer_create(&memory, &random, &shape, &layer);
	stats = layer_run(host, &layer);
	stats = layer_run(host, &layer);
	assert_int_equal(host_read64(host, macs), 0); /* not latched yet */
	host_write32(host, SPMM_REG_COUNTER_LATCH, 1);
	assert_int_equal(host_read64(host, macs), 2 * stats.macs);
	assert_int_equal(host_read64(host, SPMM_REG_COUNTER_BASE +
						   8 * SPMM_COUNTER_COMMANDS),
			 2);
	host_write32(host, SPMM_REG_COUNTER_LATCH, 2);
	assert_int_equal(host_read64(host, macs), 0);
	layer_free(&layer);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_layer_beats_its_roof),
		cmocka_unit_test(large_dense_layer_comes_close_to_its_roof),
		cmocka_unit_test(memory_bound_layer_waits_for_dram),
		cmocka_unit_test(streamed_output_goes_to_dram),
		cmocka_unit_test(time_does_not_depend_on_the_host),
		cmocka_unit_test(list_prefetches_the_next_weights),
		cmocka_unit_test(lists_account_for_every_lane_cycle),
		cmocka_unit_test(counters_follow_their_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
