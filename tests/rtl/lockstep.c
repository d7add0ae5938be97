/* SPDX-License-Identifier: MIT */
#include "lockstep.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* No tile of these tests takes longer. */
#define CLOCKS_MAX 10000000

static void *(*rtl_create)(void);
static void (*rtl_destroy)(void *rtl);
static void (*rtl_start)(void *rtl, const struct cluster_task *task);
static void (*rtl_tick)(void *rtl, const struct cluster_write *write,
			struct cluster_signals *signals);

static void *find(void *library, const char *name)
{
	void *symbol = dlsym(library, name);

	if (!symbol)
		fail_msg("%s", dlerror());
	return symbol;
}

static void rtl_open(struct lockstep *lockstep, const char *path)
{
	lockstep->library = dlopen(path, RTLD_NOW);
	if (!lockstep->library)
		fail_msg("%s", dlerror());
	*(void **)&rtl_create = find(lockstep->library, "rtl_create");
	*(void **)&rtl_destroy = find(lockstep->library, "rtl_destroy");
	*(void **)&rtl_start = find(lockstep->library, "rtl_start");
	*(void **)&rtl_tick = find(lockstep->library, "rtl_tick");
	lockstep->rtl = rtl_create();
}

void lockstep_open(struct lockstep *lockstep)
{
	const char *path = getenv("ACCEL_RTL_CLUSTER");

	*lockstep = (struct lockstep){ .model = cluster_create() };
	assert_non_null(lockstep->model);
	if (path)
		rtl_open(lockstep, path);
}

void lockstep_close(struct lockstep *lockstep)
{
	cluster_destroy(lockstep->model);
	if (!lockstep->rtl)
		return;
	rtl_destroy(lockstep->rtl);
	dlclose(lockstep->library);
}

static void compare(const struct lockstep *lockstep,
		    const struct cluster_signals *model,
		    const struct cluster_signals *rtl)
{
	if (!memcmp(model, rtl, sizeof(*model)))
		return;
	print_error("clock %lu: model, RTL: busy %d %d, turn %d %d, "
		    "stalled %d %d, issued %02x %02x, valid %d %d, "
		    "partial %d %d, row %u %u\n",
		    lockstep->clock, model->busy, rtl->busy, model->turn,
		    rtl->turn, model->stalled, rtl->stalled, model->issued,
		    rtl->issued, model->valid, rtl->valid, model->partial,
		    rtl->partial, model->row, rtl->row);
	for (int i = 0; i < CLUSTER_WIDTH; i++)
		if (model->values[i] != rtl->values[i])
			print_error("value %d: %08x %08x\n", i,
				    (uint32_t)model->values[i],
				    (uint32_t)rtl->values[i]);
	fail_msg("the RTL does not what the model does");
}

void lockstep_tick(struct lockstep *lockstep, struct cluster_signals *signals)
{
	const struct cluster_write *write = NULL;
	struct cluster_signals rtl;

	if (lockstep->written < lockstep->write_columns)
		write = &lockstep->writes[lockstep->written++];
	cluster_tick(lockstep->model, write, signals);
	lockstep->clock++;
	if (!lockstep->rtl)
		return;
	rtl_tick(lockstep->rtl, write, &rtl);
	compare(lockstep, signals, &rtl);
}

static void count(struct lockstep_counts *counts, uint64_t *turns,
		  const struct cluster_signals *signals)
{
	if (signals->turn && signals->stalled) {
		counts->stalls++;
		return;
	}
	if (!signals->turn) {
		if (*turns)
			counts->tail++;
		else
			counts->fill++;
		return;
	}
	++*turns;
	counts->tail++;
	if (signals->issued) {
		counts->cycles = *turns;
		counts->tail = 0;
	}
}

struct lockstep_counts
lockstep_run(struct lockstep *lockstep, const struct cluster_task *task,
	     void (*result)(const struct cluster_signals *, void *context),
	     void *context)
{
	struct lockstep_counts counts = { 0 };
	struct cluster_signals signals = { .busy = true };
	uint64_t begin = lockstep->clock, turns = 0;

	assert_int_equal(cluster_start(lockstep->model, task), 0);
	if (lockstep->rtl)
		rtl_start(lockstep->rtl, task);
	while (signals.busy) {
		lockstep_tick(lockstep, &signals);
		count(&counts, &turns, &signals);
		if (signals.valid)
			result(&signals, context);
		assert_true(lockstep->clock - begin < CLOCKS_MAX);
	}
	return counts;
}
