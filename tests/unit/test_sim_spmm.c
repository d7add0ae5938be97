/* SPDX-License-Identifier: MIT */
/* SPMM commands of the simulated device against a naive reference. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sim_layer.h"

#include <plan/roof.h>

#define LAYERS 120
#define FIRST_OFFSET 4096 /* statistics are before it */

static uint64_t lane_cycles(struct test_host *host,
			    const struct spmm_command_stats *stats)
{
	return (uint64_t)host_read32(host, SPMM_REG_CLUSTERS) *
	       host_read32(host, SPMM_REG_LANES) *
	       (stats->end_cycle - stats->start_cycle);
}

static void account_closes(struct test_host *host, const struct layer *layer)
{
	const struct spmm_command_stats *stats = host_device(host, 0);
	const struct spmm_descriptor *d = &layer->d;
	struct geometry geometry;
	uint64_t sum = 0;

	layer_geometry(host, &geometry);
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sum += stats->stall[i];
	assert_int_equal(sum, lane_cycles(host, stats));
	assert_int_equal(stats->nonzeros, layer->nonzeros);
	assert_int_equal(stats->macs,
			 layer->nonzeros * d->height * d->width * d->batch);
	assert_true(stats->end_cycle - stats->start_cycle >=
		    roof_hard_cycles(&geometry, stats->macs, 0));
	assert_true(stats->stall[SPMM_STALL_ISSUE] <= sum);
}

static void layer_check(struct test_host *host, const struct layer *layer)
{
	uint8_t *expected = malloc(layer->output_bytes);
	uint8_t *output = host_device(host, layer->output_offset);

	assert_non_null(expected);
	/* Bytes that are no elements must stay as they are. */
	memcpy(expected, output, layer->output_bytes);
	layer_reference(host, layer, expected);
	assert_int_equal(host_run(host, 1, layer_entry(layer), NULL), 0);
	assert_memory_equal(output, expected, layer->output_bytes);
	account_closes(host, layer);
	free(expected);
}

static void random_layers_are_exact_on(const char *preset, uint64_t seed,
				       unsigned int count)
{
	struct sim_config config;
	struct test_host *host;
	uint64_t state = seed;

	assert_int_equal(sim_config_preset(preset, &config), 0);
	host = host_start(&config);
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < count; i++) {
		struct layer_memory memory = { host, FIRST_OFFSET };
		struct layer_shape shape;
		struct layer layer;

		layer_shape_random(&state, &shape);
		layer_create(&memory, &state, &shape, &layer);
		layer_check(host, &layer);
		layer_free(&layer);
	}
	host_stop(host);
}

static void random_layers_are_exact(void **state)
{
	(void)state;
	random_layers_are_exact_on("default", 1, LAYERS);
}

static void random_layers_are_exact_on_other_geometries(void **state)
{
	(void)state;
	random_layers_are_exact_on("small", 2, LAYERS / 8);
	random_layers_are_exact_on("hbm2e", 3, LAYERS / 8);
}

static void operands_may_be_in_host_memory(void **state)
{
	struct test_host *host = host_start(NULL);
	struct layer_memory memory = { host, FIRST_OFFSET };
	struct layer_shape shape = layer_shape_plain(5, 3, 40, 37, 40);
	const struct spmm_command_stats *stats = host_device(host, 0);
	uint64_t random = 4;
	struct layer layer;
	uint8_t *at;

	(void)state;
	shape.batch = 2;
	host_open_queue(host, 1);
	layer_create(&memory, &random, &shape, &layer);
	layer_check(host, &layer);
	assert_int_equal(stats->pcie_read_bytes, 0);
	/* The same from host memory: the result does not change. */
	at = host->memory + HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES;
	memcpy(at, host_device(host, layer.d.input.address - host_virtual(0)),
	       3 * 40 * 37 * 2);
	layer.d.input.address = HOST_VIRTUAL_HOST;
	memcpy(host_device(host, layer.descriptor_offset), &layer.d,
	       sizeof(layer.d));
	{
		uint8_t *before = malloc(layer.output_bytes);
		uint8_t *output = host_device(host, layer.output_offset);

		assert_non_null(before);
		memcpy(before, output, layer.output_bytes);
		memset(output, 0x55, layer.output_bytes);
		assert_int_equal(host_run(host, 1, layer_entry(&layer), NULL),
				 0);
		assert_memory_equal(before, output, layer.output_bytes);
		free(before);
	}
	assert_int_equal(stats->pcie_read_bytes, 3 * 40 * 37 * 2);
	layer_free(&layer);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_layers_are_exact),
		cmocka_unit_test(random_layers_are_exact_on_other_geometries),
		cmocka_unit_test(operands_may_be_in_host_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
