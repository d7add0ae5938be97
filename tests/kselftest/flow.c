// SPDX-License-Identifier: MIT
/*
 * Keeps the device at work while something happens to it: three processes, each with a
 * queue, that copy and compare.
 *
 * usage: flow SECONDS [lost] [gone]
 * Makes the files /tmp/flow.0 to /tmp/flow.2 when each of them has done something.
 * Jobs succeed, each with what it copied; or, if that is said, are lost with -ECANCELED; or,
 * likewise, end with -ENODEV, after which nothing succeeds any more. Every job ends.
 */
#include <stdbool.h>
#include <sys/wait.h>

#include "jobs.h"

#define PROCESSES 3
#define BATCH 8
#define LENGTH 0x4000

/* What may become of a job. */
struct expectation {
	bool lost;
	bool gone;
};

struct flow {
	int fd;
	uint32_t queue;
	uint8_t *memory;
	unsigned long done, lost, gone;
};

static int flow_open(struct flow *flow)
{
	int ret;

	flow->fd = node_open();
	if (flow->fd < 0)
		return -errno;
	flow->memory = memory_map(flow->fd, (BATCH + 1) * LENGTH);
	if (flow->memory == MAP_FAILED)
		return -ENOMEM;
	ret = queue_create(flow->fd, &flow->queue);
	return ret;
}

/* Return: 0; 1: the device is gone; or what went wrong. */
static int judge(struct flow *flow, const struct expectation *expected, int ret)
{
	if (!ret)
		flow->done++;
	else if (ret == -ECANCELED && expected->lost)
		flow->lost++;
	else if (ret == -ENODEV && expected->gone)
		flow->gone++;
	else
		return ret;
	if (flow->gone && !ret) {
		printf("# a device that was gone has come back\n");
		return -EPROTO;
	}
	return flow->gone ? 1 : 0;
}

/* A few jobs that are on the device together; results are compared when all are done. */
static int batch(struct flow *flow, const struct expectation *expected,
		 uint8_t value)
{
	int results[BATCH], refused = 0, ret = 0;
	uint64_t jobs[BATCH];
	uint32_t i, count;

	memset(flow->memory, value, LENGTH);
	for (count = 0; count < BATCH; count++) {
		struct spmm_sqe command =
			copy(MAPPED, MAPPED + (count + 1) * LENGTH, LENGTH);

		refused = job_submit(flow->fd, flow->queue, &command, 1,
				     &jobs[count]);
		if (refused)
			break;
	}
	for (i = 0; i < count; i++) {
		int verdict;

		results[i] = job_result(flow->fd, flow->queue, jobs[i]);
		verdict = judge(flow, expected, results[i]);
		ret = verdict < 0 || !ret ? verdict : ret;
		if (!results[i] &&
		    memcmp(flow->memory, flow->memory + (i + 1) * LENGTH,
			   LENGTH)) {
			printf("# a job succeeded and did nothing\n");
			return -EILSEQ;
		}
	}
	/* In the order of time: a job before it may have been done. */
	if (refused && ret >= 0) {
		int verdict = judge(flow, expected, refused);

		ret = verdict < 0 || !ret ? verdict : ret;
	}
	return ret;
}

static void tell_started(int number)
{
	char path[32];

	snprintf(path, sizeof(path), "/tmp/flow.%d", number);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int run(int number, const struct expectation *expected, int64_t end)
{
	struct flow flow = { 0 };
	uint8_t value = (uint8_t)getpid();
	int ret;

	ret = flow_open(&flow);
	/* On a machine that is slow enough, one batch takes longer. */
	while (!ret) {
		ret = batch(&flow, expected, ++value);
		if (flow.done)
			tell_started(number);
		if (now_ns() >= end)
			break;
	}
	printf("# %lu jobs done, %lu lost, %lu of a device that was gone: %s\n",
	       flow.done, flow.lost, flow.gone,
	       ret < 0 ? strerror(-ret) : "as expected");
	fflush(stdout);
	close(flow.fd);
	return ret < 0 || !flow.done;
}

int main(int argc, char **argv)
{
	struct expectation expected = { 0 };
	int failed = 0, status, i;
	int64_t end;

	if (argc < 2)
		return 2;
	for (i = 2; i < argc; i++) {
		expected.lost |= !strcmp(argv[i], "lost");
		expected.gone |= !strcmp(argv[i], "gone");
	}
	end = now_ns() + atoi(argv[1]) * SECOND;
	for (i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			_exit(run(i, &expected, end));
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
