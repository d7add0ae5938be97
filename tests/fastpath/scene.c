/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <errno.h>
#include <plain_device.h>
#include <pthread.h>
#include <published.h>
#include <sample_model.h>
#include <spmm/registers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <transport/transport.h>
#include <unistd.h>

#define ROUNDS 500
/* All that is done once is done before: rings have wrapped, symbols are bound. */
#define WARM_UP_ROUNDS 50
#define BATCH_MAX SCENE_DEPTH
#define BYTES 4096
/* A scene that does not end is killed. */
#define SECONDS_MAX 60

/**
 * struct stage - what a scene works on
 * @scene: that is run
 * @outcome: shared with the parent
 * @device: of the scene, as for the rest
 * @operations: one batch
 */
struct stage {
	const struct scene *scene;
	struct outcome *outcome;
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_model *model;
	struct accel_buffer *source;
	struct accel_buffer *destination;
	struct accel_operation operations[BATCH_MAX];
	struct accel_completion completions[BATCH_MAX];
};

/* The child's end: nothing but one system call, which the filter allows. */
static _Noreturn void leave(struct stage *stage, int status)
{
	watch_end();
	stage->outcome->status = status;
	if (status)
		snprintf(stage->outcome->text, sizeof(stage->outcome->text),
			 "%s", accel_last_error());
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static void device_prepare(struct stage *stage)
{
	const struct accel_queue_options options = { .size = sizeof(options),
						     .depth = SCENE_DEPTH };
	int ret = 0;

	watch_doorbells = stage->scene->counts_doorbells;
	if (strcmp(stage->scene->uri, PLAIN_URI))
		ret = accel_device_open(stage->scene->uri, NULL,
					&stage->device);
	else
		stage->device = plain_device_open();
	if (!ret && !stage->device)
		ret = -EIO;
	if (!ret)
		ret = accel_queue_create(stage->device, &options,
					 &stage->queue);
	if (ret)
		leave(stage, ret);
}

static void copy_prepare(struct stage *stage, struct accel_operation *operation)
{
	int ret = 0;

	if (!stage->source)
		ret = accel_buffer_create(stage->device, ACCEL_MEMORY_HOST,
					  BYTES, &stage->source);
	if (!ret && !stage->destination)
		ret = accel_buffer_create(stage->device, ACCEL_MEMORY_DEVICE,
					  BYTES, &stage->destination);
	if (ret)
		leave(stage, ret);
	operation->copy.source = stage->source;
	operation->copy.destination = stage->destination;
	operation->copy.length = BYTES;
}

static void run_prepare(struct stage *stage, struct accel_operation *operation)
{
	const struct accel_plan_options options = {
		.size = sizeof(options), .batch = 2, .height = 6, .width = 6
	};
	int ret;

	if (!stage->model)
		stage->model = model_publish(sample_model());
	ret = accel_plan_create(stage->device, stage->model, &options,
				&operation->run.plan);
	if (ret)
		leave(stage, ret);
}

static void operations_prepare(struct stage *stage)
{
	for (uint32_t i = 0; i < stage->scene->batch; i++) {
		struct accel_operation *operation = &stage->operations[i];

		operation->opcode = stage->scene->opcode;
		operation->user_data = i;
		if (operation->opcode == ACCEL_OPERATION_COPY)
			copy_prepare(stage, operation);
		else if (operation->opcode == ACCEL_OPERATION_RUN)
			run_prepare(stage, operation);
	}
}

static int completions_take(struct stage *stage, uint32_t taken)
{
	const struct scene *scene = stage->scene;
	uint32_t left = scene->batch - taken;

	if (scene->waits)
		return accel_queue_wait(stage->queue,
					stage->completions + taken, left, left,
					ACCEL_SECOND);
	return accel_queue_reap(stage->queue, stage->completions + taken, left);
}

static void round_run(struct stage *stage)
{
	uint32_t batch = stage->scene->batch;
	int ret = accel_queue_submit(stage->queue, stage->operations, batch);

	if (ret != (int)batch)
		leave(stage, ret < 0 ? ret : -EAGAIN);
	for (uint32_t taken = 0; taken < batch; taken += (uint32_t)ret) {
		ret = completions_take(stage, taken);
		if (ret < 0)
			leave(stage, ret);
	}
	for (uint32_t i = 0; i < batch; i++)
		if (stage->completions[i].status ||
		    stage->completions[i].user_data != i)
			leave(stage, -EIO);
}

static void violate(const struct stage *stage)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct transport *transport = watch_transport;
	void *memory;

	switch (stage->scene->violation) {
	case VIOLATION_NONE:
		break;
	case VIOLATION_SYSTEM_CALL:
		syscall(SYS_getpid);
		break;
	case VIOLATION_ALLOCATION:
		memory = malloc(1);
		__asm__ volatile("" : : "r"(memory) : "memory");
		free(memory);
		break;
	case VIOLATION_LOCK:
		pthread_mutex_lock(&lock);
		break;
	case VIOLATION_REGISTER_READ:
		transport->operations->read32(transport, SPMM_REG_VERSION);
		break;
	case VIOLATION_DOORBELL:
		/* Of a queue that does not exist. */
		transport->operations->write32(transport,
					       SPMM_DOORBELL_BASE + 0x1000, 0);
		break;
	}
}

static void stats_read(struct stage *stage, struct accel_queue_stats *stats)
{
	int ret;

	*stats = (struct accel_queue_stats){ .size = sizeof(*stats) };
	ret = accel_queue_get_stats(stage->queue, stats);
	if (ret)
		leave(stage, ret);
}

static void fast_path_run(struct stage *stage)
{
	struct outcome *outcome = stage->outcome;
	struct accel_queue_stats before, after;
	int ret = 0;

	for (int i = 0; i < WARM_UP_ROUNDS; i++)
		round_run(stage);
	stats_read(stage, &before);
	if (!stage->scene->counts_doorbells)
		ret = watch_forbid_system_calls(stage->scene->messages);
	if (ret)
		leave(stage, ret);
	watch_begin();
	for (int i = 0; i < ROUNDS; i++) {
		round_run(stage);
		if (i == ROUNDS / 2)
			violate(stage);
	}
	watch_end();
	stats_read(stage, &after);
	outcome->watch = watch;
	outcome->batches = ROUNDS;
	outcome->operations = ROUNDS * (uint64_t)stage->scene->batch;
	outcome->stats.doorbells = after.doorbells - before.doorbells;
	outcome->stats.batches = after.batches - before.batches;
	outcome->stats.reports = after.reports - before.reports;
}

static _Noreturn void child_run(const struct scene *scene,
				struct outcome *outcome)
{
	static struct stage stage;
	const struct rlimit no_core = { 0, 0 };

	stage.scene = scene;
	stage.outcome = outcome;
	outcome->status = -ECANCELED;
	setrlimit(RLIMIT_CORE, &no_core);
	alarm(SECONDS_MAX);
	device_prepare(&stage);
	operations_prepare(&stage);
	fast_path_run(&stage);
	leave(&stage, 0);
}

/* The child opens the device: memory that a device works in does not survive a fork. */
void scene_run(const struct scene *scene, struct outcome *outcome)
{
	struct outcome *shared = mmap(NULL, sizeof(*shared),
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t child;

	*outcome = (struct outcome){ .status = -ENOMEM };
	if (shared == MAP_FAILED)
		return;
	fflush(stdout);
	child = fork();
	if (!child)
		child_run(scene, shared);
	if (child > 0 && waitpid(child, &status, 0) == child) {
		*outcome = *shared;
		if (WIFSIGNALED(status))
			outcome->signal = WTERMSIG(status);
		else if (WEXITSTATUS(status) && !outcome->status)
			outcome->status = -EIO;
	}
	munmap(shared, sizeof(*shared));
}
