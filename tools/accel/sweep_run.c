/* SPDX-License-Identifier: MIT */
#include "sweep_run.h"

#include "consumption.h"
#include "execute.h"
#include "progress.h"

#include <core/error.h>
#include <runtime/device.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often the caller's thread looks up to show progress. */
#define LOOK_NS 100000000

/**
 * struct pool - the workers and what they share
 * @run: what they run
 * @lock: guards all that follows
 * @changed: a point has its result
 * @done: the points that have
 * @done_count: how many
 * @next: first point that nobody has taken
 * @stop: take no more
 * @no_memory: a refusal could not be kept
 */
struct pool {
	const struct sweep_run *run;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool *done;
	uint32_t done_count;
	uint32_t next;
	bool stop;
	bool no_memory;
};

/* ---- one point ---- */

/* A result is there whole or not at all: a row never mixes two. */
static int run_session(const struct sweep_run *run,
		       const struct session *session,
		       struct sweep_result *result)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_layer_info total = { .size = sizeof(total) };
	struct execution execution = {
		.session = session,
		.repeat = 1,
		.timeout_seconds = run->timeout_seconds,
		.quiet = true,
	};
	struct energy_table table;
	int ret = execute(&execution);

	if (!ret)
		ret = accel_plan_get_total(session->plan, &total);
	if (!ret)
		ret = accel_device_get_info(session->device, &info);
	if (ret)
		return ret;
	energy_table_for(info.memory_kind, &table);
	*result = (struct sweep_result){
		.cycles = total.cycles,
		.roof_hard_cycles = total.roof_hard_cycles,
		.roof_structural_cycles = total.roof_structural_cycles,
		.utilization = total.utilization,
		.bytes_dram = total.bytes_dram,
		.bytes_pcie = total.bytes_pcie,
		.device_seconds = (double)total.cycles / info.clock_hz,
		.energy_joules =
			consumption_estimate(&info, &table, &total).total,
		.host_seconds = execution.host_seconds,
	};
	return 0;
}

/*
 * Each point has a device of its own, so that none finds what another left in memory
 * or caches, and neither the order of the points nor their number at a time matters.
 */
static int run_point(const struct sweep_run *run, uint32_t point,
		     struct sweep_result *result)
{
	const struct workload *workload = run->workload;
	struct session session = { .device = NULL };
	struct sim_config config;
	int ret = grid_config(run->table->grid, point, run->base, &config);

	if (!ret)
		ret = device_open_sim(&config, &session.device);
	if (!ret)
		ret = session_prepare(&session, workload->model,
				      &workload->inputs, 0);
	if (!ret)
		ret = run_session(run, &session, result);
	session_close(&session);
	return ret;
}

/* ---- workers ---- */

static bool take_point(struct pool *pool, uint32_t *point)
{
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = !pool->stop && pool->next < grid_points(pool->run->table->grid);
	if (taken)
		*point = pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

static void finish_point(struct pool *pool, uint32_t point, bool no_memory)
{
	pthread_mutex_lock(&pool->lock);
	pool->done[point] = true;
	pool->done_count++;
	pool->no_memory |= no_memory;
	pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* The other points are worth having even if one is refused: its row says why. */
static void *work(void *context)
{
	struct pool *pool = context;
	uint32_t point;

	while (take_point(pool, &point)) {
		struct sweep_result *result = &pool->run->table->results[point];
		bool no_memory = false;

		if (run_point(pool->run, point, result)) {
			result->refusal = strdup(accel_last_error());
			no_memory = !result->refusal;
		}
		finish_point(pool, point, no_memory);
	}
	return NULL;
}

/* ---- the caller's thread ---- */

/* Sleep until a point is done, but not for long; the pool is locked. */
static void await_change(struct pool *pool)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
}

/* Whether a point has its result; waits for it a moment, and shows progress. */
static bool look_at(struct pool *pool, uint32_t point,
		    struct progress *progress)
{
	uint32_t done_count;
	bool done;

	pthread_mutex_lock(&pool->lock);
	if (!pool->done[point])
		await_change(pool);
	done = pool->done[point];
	done_count = pool->done_count;
	pthread_mutex_unlock(&pool->lock);
	progress_update(progress, done_count,
			grid_points(pool->run->table->grid));
	return done;
}

/* Rows appear in the points' order, however many run at a time. */
static int hand_out_rows(struct pool *pool)
{
	const struct sweep_run *run = pool->run;
	uint32_t points = grid_points(run->table->grid), point = 0;
	struct progress progress;
	int ret = 0;

	progress_start(&progress, "configurations");
	while (point < points && !ret) {
		if (!look_at(pool, point, &progress))
			continue;
		progress_end(&progress);
		if (pool->no_memory)
			ret = accel_error(-ENOMEM, "no memory for the results");
		else
			ret = run->row(run->context, point++);
	}
	progress_end(&progress);
	return ret;
}

static void stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_mutex_unlock(&pool->lock);
}

/* Fewer workers than asked for are as good; none are an error. */
static int run_pool(struct pool *pool, pthread_t *workers, uint32_t count)
{
	uint32_t started = 0;
	int ret = 0;

	while (started < count && !ret) {
		ret = pthread_create(&workers[started], NULL, work, pool);
		started += !ret;
	}
	ret = started ? hand_out_rows(pool) :
			accel_error(-ret, "no thread to run on: %s",
				    strerror(ret));
	stop(pool);
	while (started)
		pthread_join(workers[--started], NULL);
	return ret;
}

int sweep_run(const struct sweep_run *run)
{
	struct pool pool = { .run = run };
	uint32_t points = grid_points(run->table->grid);
	uint32_t count = run->jobs < points ? run->jobs : points;
	pthread_t *workers = calloc(count, sizeof(*workers));
	int ret;

	pool.done = calloc(points, sizeof(*pool.done));
	if (workers && pool.done) {
		pthread_mutex_init(&pool.lock, NULL);
		pthread_cond_init(&pool.changed, NULL);
		ret = run_pool(&pool, workers, count);
		pthread_cond_destroy(&pool.changed);
		pthread_mutex_destroy(&pool.lock);
	} else {
		ret = accel_error(-ENOMEM, "no memory for %u results", points);
	}
	free(pool.done);
	free(workers);
	return ret;
}
