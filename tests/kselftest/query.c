// SPDX-License-Identifier: MIT
/*
 * What a process learns by asking: sizes are negotiated, and the counters are of its own
 * work alone.
 */
#include "jobs.h"

#include <spmm/registers.h>

#include <kselftest_harness.h>

#define COMMANDS 5

static int query(int fd, uint32_t kind, void *data, uint32_t *size)
{
	struct drm_spmm_query query = {
		.kind = kind,
		.size = *size,
		.pointer = (uintptr_t)data,
	};
	int ret = call(fd, DRM_IOCTL_SPMM_QUERY, &query);

	*size = query.size;
	return ret;
}

static uint64_t counter(int fd, enum spmm_counter which)
{
	uint64_t counters[SPMM_COUNTER_COUNT] = { 0 };
	uint32_t size = sizeof(counters);

	if (query(fd, DRM_SPMM_QUERY_COUNTERS, counters, &size))
		return UINT64_MAX;
	return counters[which];
}

static int run_nops(int fd)
{
	struct spmm_sqe commands[COMMANDS] = { 0 };
	uint32_t queue;
	uint64_t job;
	int ret = queue_create(fd, &queue);

	if (!ret)
		ret = job_submit(fd, queue, commands, COMMANDS, &job);
	if (!ret)
		ret = job_result(fd, queue, job);
	return ret ? ret : queue_destroy(fd, queue);
}

FIXTURE(query)
{
	int fd;
	int other;
};

FIXTURE_SETUP(query)
{
	self->fd = node_open();
	self->other = node_open();
	if (self->fd < 0 || self->other < 0)
		SKIP(return, "there is no device");
}

FIXTURE_TEARDOWN(query)
{
	close(self->fd);
	close(self->other);
}

TEST_F(query, size_is_told_with_no_room)
{
	uint32_t size = 0;

	ASSERT_EQ(0, query(self->fd, DRM_SPMM_QUERY_DEVICE, NULL, &size));
	EXPECT_EQ(sizeof(struct drm_spmm_device_info), size);
}

TEST_F(query, less_room_gets_the_beginning)
{
	struct drm_spmm_device_info whole, part;
	uint32_t size = sizeof(whole);

	ASSERT_EQ(0, query(self->fd, DRM_SPMM_QUERY_DEVICE, &whole, &size));
	memset(&part, 0xa5, sizeof(part));
	size = 16;
	ASSERT_EQ(0, query(self->fd, DRM_SPMM_QUERY_DEVICE, &part, &size));
	EXPECT_EQ(0, memcmp(&whole, &part, 16));
	EXPECT_EQ(0xa5, ((unsigned char *)&part)[16]);
}

TEST_F(query, more_room_is_zeroed)
{
	unsigned char info[sizeof(struct drm_spmm_context_info) + 8];
	uint32_t size = sizeof(info);

	memset(info, 0xa5, sizeof(info));
	ASSERT_EQ(0, query(self->fd, DRM_SPMM_QUERY_CONTEXT, info, &size));
	EXPECT_EQ(sizeof(struct drm_spmm_context_info), size);
	EXPECT_EQ(0, info[sizeof(info) - 1]);
}

TEST_F(query, unknown_kind_is_refused)
{
	uint32_t size = 0;

	EXPECT_EQ(-EINVAL, query(self->fd, 99, NULL, &size));
}

TEST_F(query, fresh_context_has_no_history)
{
	struct drm_spmm_context_info info;
	uint32_t size = sizeof(info);

	ASSERT_EQ(0, query(self->fd, DRM_SPMM_QUERY_CONTEXT, &info, &size));
	EXPECT_EQ(0, info.state);
	EXPECT_EQ(0, info.faults);
	EXPECT_EQ(0, info.resets);
}

TEST_F(query, counters_are_of_own_work)
{
	uint64_t before;

	ASSERT_EQ(0, run_nops(self->fd));
	before = counter(self->fd, SPMM_COUNTER_COMMANDS);
	EXPECT_LE(COMMANDS, before);
	EXPECT_EQ(0, counter(self->other, SPMM_COUNTER_COMMANDS));

	ASSERT_EQ(0, run_nops(self->other));
	EXPECT_EQ(before, counter(self->fd, SPMM_COUNTER_COMMANDS));
}

TEST_F(query, counters_survive_the_queue)
{
	uint64_t before;

	ASSERT_EQ(0, run_nops(self->fd));
	before = counter(self->fd, SPMM_COUNTER_COMMANDS);
	ASSERT_EQ(0, run_nops(self->fd));
	EXPECT_EQ(2 * before, counter(self->fd, SPMM_COUNTER_COMMANDS));
}

TEST_HARNESS_MAIN
