/* SPDX-License-Identifier: MIT */
#include <train/team.h>

#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * As long as it takes to wake a thread in a virtual machine, about: whoever waits
 * this long before it sleeps loses at most twice what the best choice would.
 */
#define SPIN_NS UINT64_C(100000)
#define SPINS_PER_LOOK 32

/**
 * struct member - a thread that is not the caller
 * @team: that it belongs to
 * @thread: valid below team->started
 * @index: 1 … members − 1
 */
struct member {
	struct team *team;
	pthread_t thread;
	int index;
};

/**
 * struct team - the members and what they do
 * @count: of members, with the caller
 * @started: threads that run
 * @spin: there is a processor for each, so that waiting takes time from nobody
 * @members: count − 1
 * @function: of the present round
 * @context: of the present round
 * @lock: guards sleeping: @round and @busy change to their last value under it, and
 *	are read without it only to find out whether sleeping is needed; nothing is
 *	called under it
 * @begun: @round or @stop has changed
 * @ended: @busy has become 0
 * @round: number of runs that began
 * @stop: threads shall end
 * @busy: threads that have not ended the present round; a cache line of its own, as
 *	the caller looks at it while others read the rest
 */
struct team {
	int count;
	int started;
	bool spin;
	struct member *members;
	team_function function;
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t begun;
	pthread_cond_t ended;
	atomic_ulong round;
	atomic_bool stop;
	_Alignas(64) atomic_int busy;
};

/* ---- processors ---- */

/* The n-th processor that may be used, or all if there are none. */
static cpu_set_t one_of(const cpu_set_t *allowed, int n)
{
	int count = CPU_COUNT(allowed);
	cpu_set_t one;

	n = count ? n % count : 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed) || n--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return one;
	}
	return *allowed;
}

/* Schedulers let two threads share a processor while another is idle. */
static void pin(const cpu_set_t *allowed, int n)
{
	cpu_set_t own = one_of(allowed, n);

	pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* ---- rounds ---- */

static bool is_news(struct team *team, unsigned long seen)
{
	return atomic_load(&team->round) != seen || atomic_load(&team->stop);
}

static bool is_over(struct team *team, unsigned long unused)
{
	(void)unused;
	return !atomic_load(&team->busy);
}

/* Look out for what may come at any moment. */
static void spin(struct team *team, bool (*done)(struct team *, unsigned long),
		 unsigned long argument)
{
	uint64_t end = monotonic_ns() + SPIN_NS;

	while (team->spin && !done(team, argument) && monotonic_ns() < end)
		for (int i = 0; i < SPINS_PER_LOOK && !done(team, argument);
		     i++)
			relax();
}

/* Return false when there is no more to do. */
static bool wait_for_round(struct team *team, unsigned long *round)
{
	spin(team, is_news, *round);
	if (!is_news(team, *round)) {
		pthread_mutex_lock(&team->lock);
		while (!is_news(team, *round))
			pthread_cond_wait(&team->begun, &team->lock);
		pthread_mutex_unlock(&team->lock);
	}
	*round = atomic_load(&team->round);
	return !atomic_load(&team->stop);
}

static void end_round(struct team *team)
{
	pthread_mutex_lock(&team->lock);
	if (atomic_fetch_sub(&team->busy, 1) == 1)
		pthread_cond_signal(&team->ended);
	pthread_mutex_unlock(&team->lock);
}

static void *work(void *argument)
{
	struct member *member = argument;
	struct team *team = member->team;
	unsigned long round = 0;
	cpu_set_t allowed;

	if (!sched_getaffinity(0, sizeof(allowed), &allowed))
		pin(&allowed, member->index);
	while (wait_for_round(team, &round)) {
		team->function(team->context, member->index);
		end_round(team);
	}
	return NULL;
}

static void begin_round(struct team *team)
{
	pthread_mutex_lock(&team->lock);
	atomic_store(&team->busy, team->started);
	atomic_fetch_add(&team->round, 1);
	pthread_cond_broadcast(&team->begun);
	pthread_mutex_unlock(&team->lock);
}

static void wait_for_members(struct team *team)
{
	spin(team, is_over, 0);
	if (is_over(team, 0))
		return;
	pthread_mutex_lock(&team->lock);
	while (!is_over(team, 0))
		pthread_cond_wait(&team->ended, &team->lock);
	pthread_mutex_unlock(&team->lock);
}

void team_run(struct team *team, team_function function, void *context)
{
	cpu_set_t allowed;
	bool known;

	if (team_members(team) == 1) {
		function(context, 0);
		return;
	}
	known = !sched_getaffinity(0, sizeof(allowed), &allowed);
	if (known)
		pin(&allowed, 0);
	team->function = function;
	team->context = context;
	begin_round(team);
	function(context, 0);
	wait_for_members(team);
	if (known)
		pthread_setaffinity_np(pthread_self(), sizeof(allowed),
				       &allowed);
}

int team_members(const struct team *team)
{
	return team ? team->count : 1;
}

struct team_span team_part(const struct team *team, int member, size_t count,
			   size_t block)
{
	size_t members = (size_t)team_members(team);
	size_t blocks = count / block + (count % block != 0);
	size_t share = (blocks + members - 1) / members * block;
	size_t begin = share * (size_t)member;

	begin = begin < count ? begin : count;
	return (struct team_span){
		.begin = begin,
		.end = count - begin < share ? count : begin + share,
	};
}

/* ---- the whole ---- */

static int start(struct team *team)
{
	for (int i = 1; i < team->count; i++) {
		struct member *member = &team->members[i - 1];
		int ret;

		*member = (struct member){ .team = team, .index = i };
		ret = pthread_create(&member->thread, NULL, work, member);
		if (ret)
			return accel_error(-ret, "no thread for worker %d: %s",
					   i, strerror(ret));
		team->started++;
	}
	return 0;
}

int team_create(struct team **out, int members)
{
	struct team *team = aligned_alloc(_Alignof(struct team), sizeof(*team));
	cpu_set_t allowed;
	int ret;

	if (!team)
		return accel_error(-ENOMEM, "no memory for workers");
	memset(team, 0, sizeof(*team));
	team->count = members;
	team->spin = !sched_getaffinity(0, sizeof(allowed), &allowed) &&
		     members <= CPU_COUNT(&allowed);
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->begun, NULL);
	pthread_cond_init(&team->ended, NULL);
	team->members = calloc((size_t)members, sizeof(*team->members));
	ret = team->members ?
		      start(team) :
		      accel_error(-ENOMEM, "no memory for %d workers", members);
	if (ret) {
		team_destroy(team);
		return ret;
	}
	*out = team;
	return 0;
}

void team_destroy(struct team *team)
{
	if (!team)
		return;
	pthread_mutex_lock(&team->lock);
	atomic_store(&team->stop, true);
	pthread_cond_broadcast(&team->begun);
	pthread_mutex_unlock(&team->lock);
	for (int i = 0; i < team->started; i++)
		pthread_join(team->members[i].thread, NULL);
	pthread_cond_destroy(&team->ended);
	pthread_cond_destroy(&team->begun);
	pthread_mutex_destroy(&team->lock);
	free(team->members);
	free(team);
}
