/* SPDX-License-Identifier: MIT */
/* Every version of the simulator's inner loop gives the same sums. */
#include "unit.h"

#include <stdlib.h>

#include "sim_layer.h"

#include <sim/kernel.h>

#define TAPS 9
#define COLUMNS 200
#define STAGE 4096

static void sums_are_exact(kernel_function kernel, size_t taps, size_t count,
			   uint64_t *random)
{
	static uint8_t stage[STAGE];
	struct sim_taps four[TAPS];
	int32_t out[COLUMNS + KERNEL_SLACK];
	uint32_t start = layer_random(random);

	for (unsigned int i = 0; i < STAGE; i++)
		stage[i] = (uint8_t)layer_random(random);
	for (size_t t = 0; t < 4 * taps; t++) {
		four[t / 4].offset[t % 4] = layer_between(
			random, 0, STAGE - COLUMNS - KERNEL_SLACK);
		four[t / 4].weight[t % 4] = (int8_t)layer_random(random);
	}
	kernel(four, taps, stage, start, count, out);
	for (size_t i = 0; i < count; i++) {
		uint32_t sum = start;

		for (size_t t = 0; t < 4 * taps; t++)
			sum += (uint32_t)(four[t / 4].weight[t % 4] *
					  stage[four[t / 4].offset[t % 4] + i]);
		assert_int_equal((uint32_t)out[i], sum);
	}
}

static void versions_agree(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (unsigned int v = 0; v < kernel_version_count; v++) {
		if (!kernel_versions[v].available()) {
			print_message("%s: not on this processor\n",
				      kernel_versions[v].name);
			continue;
		}
		for (size_t taps = 0; taps <= TAPS; taps++)
			for (size_t count = 1; count <= COLUMNS; count += 7)
				sums_are_exact(kernel_versions[v].row, taps,
					       count, &random);
	}
}

static void staging_adds_the_bias(void **state)
{
	int8_t codes[] = { -128, -1, 0, 127 };
	const uint8_t *staged = (const uint8_t *)codes;

	(void)state;
	kernel_stage(codes, 4);
	assert_int_equal(staged[0], 0);
	assert_int_equal(staged[1], 127);
	assert_int_equal(staged[2], 128);
	assert_int_equal(staged[3], 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_agree),
		cmocka_unit_test(staging_adds_the_bias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
