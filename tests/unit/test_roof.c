/* SPDX-License-Identifier: MIT */
/* Roofs in closed form, against figures worked out by hand. */
#include "unit.h"

#include <plan/roof.h>

static const struct geometry geometry = {
	.clusters = 16,
	.lanes = 8,
	.vector_width = 32,
	.decoder_rate = 8,
	.sram_port_bytes = 64,
	.epilogue_rate = 1,
	.clock_hz = 1000000000,
	.sram_bytes = 8 << 20,
	.memory_bandwidth = 100000000000, /* 100 bytes a cycle */
};

static void hard_roof_is_the_slower_of_macs_and_bytes(void **state)
{
	(void)state;
	assert_int_equal(roof_hard_cycles(&geometry, 0, 0), 0);
	assert_int_equal(roof_hard_cycles(&geometry, 4096, 0), 1);
	assert_int_equal(roof_hard_cycles(&geometry, 4097, 0), 2);
	assert_int_equal(roof_hard_cycles(&geometry, 4096, 101), 2);
}

static void weights_count_at_their_entropy(void **state)
{
	(void)state;
	/* Half of 1000: 8 + 2 bits each. */
	assert_int_equal(roof_weight_bytes(500, 10, 100, 100000), 625);
	/* Dense: 8 bits. */
	assert_int_equal(roof_weight_bytes(1000, 10, 100, 100000), 1000);
	assert_int_equal(roof_weight_bytes(0, 10, 100, 100000), 0);
	/* A pattern that takes less than a random one. */
	assert_int_equal(roof_weight_bytes(250, 10, 100, 300), 300);
}

static void structure_costs_whole_vectors_and_ports(void **state)
{
	struct roof_layer layer = { .rows = 16,
				    .columns = 33,
				    .nonzeros = 1280 };

	(void)state;
	/* Two vectors: 2560 issues on 128 lanes. */
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 20);
	layer.input_bytes = 1024 * 50;
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 50);
	/* Each vector has the weights pass again. */
	layer.stream_bytes = 1024 * 5;
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 60);
	layer.rows = 16 * 1000;
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 1032);
	layer.hard_bytes = 200000;
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 2000);
}

static void recurrent_steps_cannot_share_vectors(void **state)
{
	const struct roof_layer layer = { .rows = 16,
					  .columns = 64,
					  .nonzeros = 128,
					  .state_nonzeros = 128,
					  .steps = 64 };

	(void)state;
	/* Two vectors of inputs at one cycle, 64 steps of one vector each. */
	assert_int_equal(roof_structural_cycles(&geometry, &layer), 66);
}

static void network_pays_for_what_does_not_fit(void **state)
{
	struct roof_network network = { .macs = 4096,
					.input_bytes = 100,
					.output_bytes = 200,
					.weight_bytes = 300,
					.live_bytes = 8 << 20 };

	(void)state;
	assert_int_equal(roof_network_cycles(&geometry, &network), 6);
	network.live_bytes += 1000;
	assert_int_equal(roof_network_cycles(&geometry, &network), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hard_roof_is_the_slower_of_macs_and_bytes),
		cmocka_unit_test(weights_count_at_their_entropy),
		cmocka_unit_test(structure_costs_whole_vectors_and_ports),
		cmocka_unit_test(recurrent_steps_cannot_share_vectors),
		cmocka_unit_test(network_pays_for_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
