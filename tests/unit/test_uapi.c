/* SPDX-License-Identifier: MIT */
/*
 * The layout of what crosses the boundary: no compiler may pad it, and no edit may
 * move it.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <spmm/descriptor.h>
#include <spmm/page_table.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <spmm/status.h>
#include <spmm/stream.h>
#pragma GCC diagnostic pop

#include <stddef.h>

#include "unit.h"

static void structures_have_the_sizes_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct spmm_sqe), 64);
	assert_int_equal(sizeof(struct spmm_admin_sqe), 64);
	assert_int_equal(sizeof(struct spmm_cqe), 16);
	assert_int_equal(sizeof(struct spmm_tensor), 40);
	assert_int_equal(sizeof(struct spmm_descriptor), 256);
	assert_int_equal(sizeof(struct spmm_eltwise_descriptor), 256);
	assert_int_equal(sizeof(struct spmm_recurrent_descriptor), 256);
	assert_int_equal(sizeof(struct spmm_copy_descriptor), 256);
	assert_int_equal(sizeof(struct spmm_fault_record), 32);
	assert_int_equal(sizeof(struct spmm_command_stats), 208);
	assert_int_equal(sizeof(struct spmm_stream_header), 32);
	assert_int_equal(sizeof(struct spmm_stream_lane), 12);
}

/* Those that no byte of a worked example holds. */
static void members_stay_where_they_are(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct spmm_sqe, stats_address), 48);
	assert_int_equal(offsetof(struct spmm_admin_sqe, command), 32);
	assert_int_equal(offsetof(struct spmm_cqe, list_index), 11);
	assert_int_equal(offsetof(struct spmm_cqe, status), 14);
	assert_int_equal(offsetof(struct spmm_eltwise_descriptor, first), 32);
	assert_int_equal(offsetof(struct spmm_eltwise_descriptor, tables), 168);
	assert_int_equal(offsetof(struct spmm_recurrent_descriptor, input), 96);
	assert_int_equal(
		offsetof(struct spmm_recurrent_descriptor, hidden_scale), 176);
	assert_int_equal(
		offsetof(struct spmm_copy_descriptor, destination_stride), 88);
	assert_int_equal(offsetof(struct spmm_fault_record, list_index), 24);
	assert_int_equal(offsetof(struct spmm_command_stats, stall), 96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			structures_have_the_sizes_of_the_specification),
		cmocka_unit_test(members_stay_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
