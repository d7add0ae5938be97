// SPDX-License-Identifier: MIT
/*
 * A device that fails: what the process learns whose job it was, and that another's next
 * job succeeds. Wants spmm-sim --fault tests/vm/faults/all.fault.
 */
#include "faults.h"
#include "jobs.h"

#include "kselftest_harness.h"

FIXTURE(fault)
{
	int config;
	int fd, innocent;
	uint32_t queue, innocent_queue;
};

/* What a job of so many commands ends with: one of two. */
FIXTURE_VARIANT(fault)
{
	const char *name;
	uint32_t commands;
	int result, or_result;
	int fails_by_itself;
};

#define FAULT(fault_name, count, first, second)                              \
	FIXTURE_VARIANT_ADD(fault, fault_name)                               \
	{                                                                    \
		.name = #fault_name, .commands = (count), .result = (first), \
		.or_result = (second),                                       \
	}

FAULT(hang, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(hang_late, 10, -ETIMEDOUT, -ETIMEDOUT);
FAULT(hang_hard, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(hang_queue, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(hang_engine, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(slow, 8, 0, 0);
FAULT(wrong_sequence, 1, -EIO, -EIO);
FAULT(wrong_head, 1, -EIO, -EIO);
FAULT(wrong_queue, 1, -EIO, -EIO);
FAULT(corrupt_completion, 1, -EIO, -EIO);
FAULT(wrong_phase, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(repeated_completion, 1, 0, 0);
FAULT(lost_completion, 1, -ETIMEDOUT, -ETIMEDOUT);
FAULT(lost_interrupt, 1, 0, 0);
FAULT(spurious_interrupt, 1, 0, 0);
FAULT(interrupt_storm, 1, 0, 0);
FAULT(admin_silent, 1, 0, -ECANCELED);
FAULT(admin_wrong, 1, 0, -ECANCELED);
FAULT(admin_lost, 1, 0, 0);
FAULT(fatal, 1, -ETIMEDOUT, -ECANCELED);
FAULT(wild_dma_read, 1, -EIO, -EIO);
FAULT(wild_dma_write, 1, -EIO, -EIO);
FAULT(memory_error, 1, -EIO, -EIO);

FIXTURE_VARIANT_ADD(fault, reset_silent){
	.name = "reset_silent",
	.commands = 1,
	.result = -EFAULT,
	.or_result = -EFAULT,
	.fails_by_itself = 1,
};

FIXTURE_SETUP(fault)
{
	self->config = fault_open();
	ASSERT_LE(0, self->config);
	if (!fault_find(self->config, variant->name))
		SKIP(return, "the simulator has no script with %s",
			   variant->name);
	self->fd = node_open();
	self->innocent = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->innocent);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0, queue_create(self->innocent, &self->innocent_queue));
}

FIXTURE_TEARDOWN(fault)
{
	fault_disarm(self->config);
	close(self->innocent);
	close(self->fd);
	close(self->config);
}

/* In two tries: one that was on the device may be a victim, the next is not. */
static int innocent_succeeds(int fd, uint32_t queue)
{
	struct spmm_sqe command = nop();
	uint64_t job;
	int try, ret = 0;

	for (try = 0; try < 2; try++) {
		ret = job_submit(fd, queue, &command, 1, &job);
		if (!ret)
			ret = job_result(fd, queue, job);
		if (ret != -ECANCELED)
			break;
	}
	return ret;
}

TEST_F_TIMEOUT(fault, job_fails_and_others_go_on, 120)
{
	struct spmm_sqe commands[16] = {};
	uint64_t job;
	int result;

	if (variant->fails_by_itself)
		commands[0] = fault();
	ASSERT_EQ(1, fault_arm(self->config, variant->name));
	ASSERT_EQ(0, job_submit(self->fd, self->queue, commands,
				variant->commands, &job));
	result = job_result(self->fd, self->queue, job);
	EXPECT_TRUE(result == variant->result || result == variant->or_result)
	{
		TH_LOG("%s: %d", variant->name, result);
	}
	EXPECT_LT(0, fault_fired(self->config, variant->name));
	ASSERT_EQ(1, fault_disarm(self->config));
	EXPECT_EQ(0, innocent_succeeds(self->innocent, self->innocent_queue));
	EXPECT_EQ(0, innocent_succeeds(self->fd, self->queue));
}

TEST_HARNESS_MAIN
