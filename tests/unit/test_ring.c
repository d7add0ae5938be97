/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <driver/ring.h>

static void one_entry_stays_free(void **state)
{
	struct ring ring = { .entries = 8 };

	(void)state;
	assert_int_equal(ring_used(&ring), 0);
	assert_int_equal(ring_space(&ring), 7);
	ring.tail += 7;
	assert_int_equal(ring_space(&ring), 0);
	ring.head += 3;
	assert_int_equal(ring_used(&ring), 4);
	assert_int_equal(ring_space(&ring), 3);
}

static void counters_pass_the_end_of_32_bits(void **state)
{
	struct ring ring = { .entries = 16,
			     .head = UINT32_MAX - 2,
			     .tail = UINT32_MAX - 2 };

	(void)state;
	ring.tail += 10;
	assert_int_equal(ring_used(&ring), 10);
	assert_int_equal(ring_space(&ring), 5);
	assert_int_equal(ring_index(&ring, ring.tail), 7);
}

static void the_phase_starts_at_one_and_flips_with_each_pass(void **state)
{
	struct ring ring = { .entries = 4 };
	uint16_t phase = 1;
	uint32_t index = 0;

	(void)state;
	for (uint32_t counter = 0; counter < 1000; counter++) {
		assert_int_equal(ring_phase(&ring, counter), phase);
		assert_int_equal(ring_index(&ring, counter), index);
		if (++index == 4) {
			index = 0;
			phase = !phase;
		}
	}
	/* A counter that overflows begins a pass with the phase of the first. */
	assert_int_equal(ring_phase(&ring, UINT32_MAX), 0);
	assert_int_equal(ring_phase(&ring, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_entry_stays_free),
		cmocka_unit_test(counters_pass_the_end_of_32_bits),
		cmocka_unit_test(
			the_phase_starts_at_one_and_flips_with_each_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
