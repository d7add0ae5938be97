// SPDX-License-Identifier: MIT
#include <compress/parallel.h>

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

/* More threads than this bring nothing where BLAS does the work. */
#define WORKERS_MAX 64

/**
 * struct pool - what the threads of one call share
 * @function: does a part
 * @context: handed to it
 * @parts: how many
 * @next: part that nobody has begun
 * @lock: guards what follows
 * @failed: first part that failed, INT_MAX if none did
 * @result: its failure
 */
struct pool {
	parallel_function function;
	void *context;
	int parts;
	atomic_int next;
	pthread_mutex_t lock;
	int failed;
	int result;
};

static void note_failure(struct pool *pool, int part, int result)
{
	pthread_mutex_lock(&pool->lock);
	if (part < pool->failed) {
		pool->failed = part;
		pool->result = result;
	}
	pthread_mutex_unlock(&pool->lock);
	atomic_store(&pool->next, pool->parts);
}

static void *work(void *argument)
{
	struct pool *pool = argument;

	for (;;) {
		int part = atomic_load(&pool->next);
		int ret;

		while (part < pool->parts &&
		       !atomic_compare_exchange_weak(&pool->next, &part,
						     part + 1))
			;
		if (part >= pool->parts)
			return NULL;
		ret = pool->function(pool->context, part);
		if (ret)
			note_failure(pool, part, ret);
	}
}

int parallel_processors(void)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	return CPU_COUNT(&allowed) ? CPU_COUNT(&allowed) : 1;
}

/* Schedulers let two threads share a processor while another is idle. */
static void pin(pthread_attr_t *attributes, int worker)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || worker--)
			continue;
		CPU_SET(cpu, &one);
		pthread_attr_setaffinity_np(attributes, sizeof(one), &one);
		return;
	}
}

/* A thread that cannot be had is no failure: the others do its parts. */
static int start(struct pool *pool, int workers, pthread_t *threads)
{
	int started = 0;

	for (int i = 0; i < workers; i++) {
		pthread_attr_t attributes;

		if (pthread_attr_init(&attributes))
			break;
		pin(&attributes, i);
		started += !pthread_create(&threads[started], &attributes, work,
					   pool);
		pthread_attr_destroy(&attributes);
	}
	return started;
}

int parallel_run(int workers, int parts, parallel_function function,
		 void *context)
{
	struct pool pool = {
		.function = function,
		.context = context,
		.parts = parts,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.failed = INT_MAX,
	};
	pthread_t threads[WORKERS_MAX];
	int started = 0;

	workers = workers < parts ? workers : parts;
	workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
	if (workers > 1)
		started = start(&pool, workers, threads);
	if (!started)
		work(&pool);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&pool.lock);
	return pool.result;
}
