// SPDX-License-Identifier: MIT
/*
 * The steps of recovery: each is taken when the one before was not answered, and none that
 * is not needed, so that others do not notice. Wants spmm-sim --fault
 * tests/vm/faults/all.fault.
 */
#include "faults.h"
#include "jobs.h"

#include "kselftest_harness.h"

#define RESETS "/sys/class/accel/accel0/device/spmm/resets"

FIXTURE(recovery)
{
	int config;
	int fd, innocent;
	uint32_t queue, innocent_queue;
	int resets;
};

/*
 * The job hangs or fails; then it is left alone, cancelled, or its queue destroyed.
 * @faults: that are armed
 * @resets: of the device that it takes
 */
FIXTURE_VARIANT(recovery)
{
	const char *faults[3];
	int (*end)(int fd, uint32_t queue);
	int result;
	int resets;
	int fails_by_itself;
};

FIXTURE_VARIANT_ADD(recovery, context_is_reset){
	.faults = { "hang" },
	.result = -ETIMEDOUT,
};

FIXTURE_VARIANT_ADD(recovery, queue_is_made_anew){
	.faults = { "hang_hard" },
	.result = -ETIMEDOUT,
};

FIXTURE_VARIANT_ADD(recovery, queue_is_made_anew_after_a_fault){
	.faults = { "reset_silent" },
	.result = -EFAULT,
	.fails_by_itself = 1,
};

FIXTURE_VARIANT_ADD(recovery, device_is_reset){
	.faults = { "hang_queue" },
	.result = -ETIMEDOUT,
	.resets = 1,
};

FIXTURE_VARIANT_ADD(recovery, canceled_work_stops_at_a_tile){
	.faults = { "hang" },
	.end = queue_cancel,
	.result = -ECANCELED,
};

FIXTURE_VARIANT_ADD(recovery, or_its_context_is_reset){
	.faults = { "hang", "abort_silent" },
	.end = queue_cancel,
	.result = -ECANCELED,
};

FIXTURE_VARIANT_ADD(recovery, or_its_queue_is_made_anew){
	.faults = { "hang", "abort_silent", "reset_silent" },
	.end = queue_cancel,
	.result = -ECANCELED,
};

/* What comes too late is told from the answer that is waited for. */
FIXTURE_VARIANT_ADD(recovery, or_its_context_is_reset_before_the_answer){
	.faults = { "hang", "abort_late" },
	.end = queue_cancel,
	.result = -ECANCELED,
};

FIXTURE_VARIANT_ADD(recovery, or_its_queue_is_made_anew_before_both_answers){
	.faults = { "hang", "abort_late", "reset_late" },
	.end = queue_cancel,
	.result = -ECANCELED,
};

FIXTURE_VARIANT_ADD(recovery, or_the_device_is_reset){
	.faults = { "hang_queue" },
	.end = queue_cancel,
	.result = -ECANCELED,
	.resets = 1,
};

static int resets_so_far(void)
{
	FILE *file = fopen(RESETS, "re");
	int count = -1;

	if (file && fscanf(file, "%d", &count) != 1)
		count = -1;
	if (file)
		fclose(file);
	return count;
}

FIXTURE_SETUP(recovery)
{
	self->config = fault_open();
	ASSERT_LE(0, self->config);
	if (!fault_find(self->config, variant->faults[0]))
		SKIP(return, "the simulator has no script with %s",
			   variant->faults[0]);
	self->fd = node_open();
	self->innocent = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->innocent);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0, queue_create(self->innocent, &self->innocent_queue));
	self->resets = resets_so_far();
	ASSERT_LE(0, self->resets);
}

FIXTURE_TEARDOWN(recovery)
{
	fault_disarm(self->config);
	close(self->innocent);
	close(self->fd);
	close(self->config);
}

/* At the first try. */
static int works(int fd, uint32_t queue)
{
	struct spmm_sqe command = nop();
	uint64_t job;
	int ret = job_submit(fd, queue, &command, 1, &job);

	return ret ? ret : job_result(fd, queue, job);
}

/* The commands that are to go wrong have begun. */
static int has_fired(int config, const char *fault)
{
	int i;

	for (i = 0; i < 500 && !fault_fired(config, fault); i++)
		usleep(10000);
	return fault_fired(config, fault) > 0;
}

TEST_F_TIMEOUT(recovery, step, 120)
{
	struct spmm_sqe command = variant->fails_by_itself ? fault() : nop();
	uint64_t job;
	int i;

	for (i = 0; i < 3 && variant->faults[i]; i++)
		ASSERT_EQ(1, fault_arm(self->config, variant->faults[i]));
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	if (!variant->fails_by_itself)
		ASSERT_EQ(1, has_fired(self->config, variant->faults[0]));
	/* One at a time: the hang must not be the innocent's. */
	if (!variant->resets)
		EXPECT_EQ(0, works(self->innocent, self->innocent_queue));
	if (variant->end)
		ASSERT_EQ(0, variant->end(self->fd, self->queue));
	EXPECT_EQ(variant->result, job_result(self->fd, self->queue, job));
	for (i = 0; i < 3 && variant->faults[i]; i++)
		EXPECT_EQ(1, fault_fired(self->config, variant->faults[i]));
	ASSERT_EQ(1, fault_disarm(self->config));
	EXPECT_EQ(0, works(self->innocent, self->innocent_queue));
	EXPECT_EQ(0, works(self->fd, self->queue));
	EXPECT_EQ(self->resets + variant->resets, resets_so_far());
}

TEST_HARNESS_MAIN
