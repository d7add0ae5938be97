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

static void only_the_oldest_command_completes(void **state)
{
	struct ring sq = { .entries = 8, .head = 22, .tail = 25 };
	struct spmm_cqe entry = { .id = 300 };

	(void)state;
	/* Of entries 6, 7 and 0 the device has read one, two or three. */
	for (uint16_t head = 0; head < 20; head++) {
		entry.sq_head = head;
		assert_int_equal(ring_is_oldest(&sq, 300, &entry),
				 head == 7 || head == 0 || head == 1);
	}
	entry.sq_head = 7;
	assert_false(ring_is_oldest(&sq, 301, &entry));
	sq.tail = sq.head;
	assert_false(ring_is_oldest(&sq, 300, &entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_entry_stays_free),
		cmocka_unit_test(counters_pass_the_end_of_32_bits),
		cmocka_unit_test(
			the_phase_starts_at_one_and_flips_with_each_pass),
		cmocka_unit_test(only_the_oldest_command_completes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
