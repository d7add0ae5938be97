/* SPDX-License-Identifier: MIT */
/*
 * A command goes from list to list: fetching, in the window, ended, retired. In a cycle,
 * what comes from outside is stepped first, so that what arrives is used at once, and
 * retirement last, when nobody is charged to a command any more that its owner may free.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/audit.h>
#include <sim/engine/clusters.h>
#include <sim/engine/dispatch.h>
#include <sim/engine/engine.h>
#include <sim/engine/epoch.h>
#include <sim/engine/fetch.h>

/* So many cycles without a change, and the reference engine asks whether any will come. */
#define QUIET_CYCLES 65536

/**
 * struct engine - everything that has a clock
 * @epoch: since the last rest
 * @now: the next cycle to be stepped, of the epoch
 * @quiet: cycles since anything changed, of the reference engine
 * @fetching: pushed and not dispatched, in order
 * @given_up: dropped, and nobody's any more
 * @error: an account that did not close
 */
struct engine {
	struct sim_config config;
	struct engine_options options;
	struct engine_epoch epoch;
	uint64_t now;
	uint64_t sequence;
	uint64_t quiet;
	uint64_t activates; /* that retired commands were told of */
	int error;
	struct engine_link *link;
	struct engine_memory *memory;
	struct engine_dma *dma;
	struct engine_fetcher *fetcher;
	struct engine_clusters *clusters;
	struct dispatch_list fetching;
	struct dispatch_list given_up;
	struct dispatch dispatch;
};

/* As many again as are in work, since a copy may take long. */
uint32_t engine_reach(const struct sim_config *config)
{
	return 2 * (config->command_window + config->dma_engines);
}

static int parts_create(struct engine *engine)
{
	const struct sim_config *config = &engine->config;
	const struct engine_observer *observer = engine->options.observer;
	int ret = engine_link_create(config, observer, &engine->link);

	if (!ret)
		ret = engine_memory_create(config, observer, &engine->memory);
	if (!ret)
		ret = engine_dma_create(config, engine->memory, engine->link,
					observer, &engine->dma);
	if (!ret)
		ret = engine_fetcher_create(config, engine->memory,
					    engine->link, observer,
					    &engine->fetcher);
	if (!ret)
		ret = engine_clusters_create(
			config, &engine->dispatch, observer,
			engine->options.mode == ENGINE_REFERENCE,
			&engine->clusters);
	engine->dispatch = (struct dispatch){
		.memory = engine->memory,
		.link = engine->link,
		.dma = engine->dma,
		.places = config->command_window,
		.reach = engine_reach(config),
		.tile_prefetch = config->tile_prefetch,
		.prefetch_bytes = config->prefetch_bytes,
	};
	return ret;
}

static void parts_destroy(struct engine *engine)
{
	engine_clusters_destroy(engine->clusters);
	engine_fetcher_destroy(engine->fetcher);
	engine_dma_destroy(engine->dma);
	engine_memory_destroy(engine->memory);
	engine_link_destroy(engine->link);
	engine->clusters = NULL;
	engine->fetcher = NULL;
	engine->dma = NULL;
	engine->memory = NULL;
	engine->link = NULL;
}

int engine_create(const struct sim_config *config,
		  const struct engine_options *options, struct engine **out)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int ret;

	if (!engine)
		return accel_error(-ENOMEM, "no memory for an engine");
	engine->config = *config;
	engine->options = *options;
	epoch_init(&engine->epoch, options->observer);
	engine->options.observer = epoch_observer(&engine->epoch);
	ret = parts_create(engine);
	if (ret) {
		engine_destroy(engine);
		return ret;
	}
	*out = engine;
	return 0;
}

static void list_free(struct dispatch_list *list)
{
	while (list->first)
		free(dispatch_list_take(list, list->first));
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	parts_destroy(engine);
	list_free(&engine->fetching);
	list_free(&engine->dispatch.entries);
	list_free(&engine->dispatch.ended);
	list_free(&engine->given_up);
	free(engine);
}

int engine_push(struct engine *engine, struct engine_command *command)
{
	const struct engine_observer *observer = engine->options.observer;
	struct dispatch_entry *entry;
	int ret = engine->error;

	if (ret)
		return ret;
	command->sequence = engine->sequence + 1;
	command->fetch_cycle = ENGINE_NEVER;
	command->start_cycle = ENGINE_NEVER;
	command->work_cycle = ENGINE_NEVER;
	command->end_cycle = ENGINE_NEVER;
	command->early_bytes = 0;
	command->activates = 0;
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		command->lane_cycles[i] = 0;
	ret = dispatch_entry_create(&engine->config, command, &entry);
	if (ret)
		return ret;
	if (observer && observer->command)
		observer->command(observer->owner, command);
	ret = fetch_push(engine->fetcher, command, engine->now);
	if (ret) {
		free(entry);
		return ret;
	}
	engine->sequence++;
	dispatch_list_add(&engine->fetching, entry);
	return 0;
}

static void window_show(const struct engine *engine)
{
	const struct engine_observer *observer = engine->options.observer;
	const struct dispatch_entry *entry = engine->dispatch.entries.first;
	uint64_t count = 0;

	if (!observer || !observer->change)
		return;
	for (; entry; entry = entry->next)
		count++;
	observer->change(observer->owner, ENGINE_SIGNAL_WINDOW, 0, engine->now,
			 count);
}

/* A fence lets nobody pass before all of its queue have retired. */
static bool fence_holds(const struct engine *engine,
			const struct engine_command *command)
{
	const struct dispatch *dispatch = &engine->dispatch;

	return command->fence &&
	       (dispatch_list_has_queue(&dispatch->entries, command->queue,
					command->sequence) ||
		dispatch_list_has_queue(&dispatch->ended, command->queue,
					command->sequence));
}

/* One command in a cycle goes from the fetcher to the window. */
static bool command_dispatch(struct engine *engine)
{
	struct engine_command *command = fetch_ready(engine->fetcher);
	struct dispatch_entry *entry;

	if (!command || !dispatch_has_room(&engine->dispatch, command) ||
	    fence_holds(engine, command))
		return false;
	fetch_take(engine->fetcher);
	entry = dispatch_list_take(&engine->fetching, engine->fetching.first);
	dispatch_start(&engine->dispatch, entry, engine->now);
	if (command->fetch_cycle > command->start_cycle)
		command->fetch_cycle = command->start_cycle;
	clusters_offer(engine->clusters, entry);
	window_show(engine);
	return true;
}

static void command_show(const struct engine *engine,
			 const struct engine_command *command)
{
	const struct engine_observer *observer = engine->options.observer;
	struct engine_span span = {
		.track = ENGINE_TRACK_COMMAND,
		.begin = command->start_cycle,
		.end = engine->now,
		.name = "command",
		.sequence = command->sequence,
		.detail = command->opcode,
	};

	if (observer && observer->span)
		observer->span(observer->owner, &span);
}

/* What the memory opened since the last time somebody asked. */
static uint64_t take_activates(struct engine *engine)
{
	struct memory_counts counts;
	uint64_t taken;

	memory_count(engine->memory, &counts);
	taken = counts.activates - engine->activates;
	engine->activates = counts.activates;
	return taken;
}

static void command_retire(struct engine *engine, struct dispatch_entry *entry)
{
	struct engine_command *command = entry->command;

	dispatch_list_take(&engine->dispatch.ended, entry);
	engine->dispatch.touched = true;
	if (entry->dropped) {
		dispatch_list_add(&engine->given_up, entry);
		return;
	}
	free(entry);
	/* The host sees it now and rings in the next cycle, as it would in a push. */
	fetch_retired(engine->fetcher, command, engine->now + 1);
	command->activates = take_activates(engine);
	command_show(engine, command);
	epoch_shift(&engine->epoch, command);
	if (engine->options.retired)
		engine->options.retired(engine->options.owner, command);
}

/* In order: no earlier one of its queue is still on its way. */
static bool retires_now(const struct engine *engine,
			const struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;

	if (entry->dropped)
		return true;
	return !command->completes &&
	       !dispatch_list_has_queue(&engine->dispatch.entries,
					command->queue, command->sequence) &&
	       !dispatch_list_has_queue(&engine->dispatch.ended, command->queue,
					command->sequence);
}

/* Completions pass none of their queue; the link keeps them in order from there on. */
static bool can_be_posted(const struct engine *engine,
			  const struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;

	return command->completes && !entry->posted && !entry->dropped &&
	       !dispatch_list_has_queue(&engine->dispatch.entries,
					command->queue, command->sequence);
}

static struct dispatch_entry *retire_find(struct engine *engine)
{
	struct dispatch_entry *entry = engine->dispatch.ended.first;
	struct engine_command *command;

	for (; entry; entry = entry->next)
		if (retires_now(engine, entry))
			return entry;
	command = completion_take(engine->fetcher, engine->now);
	if (!command)
		return NULL;
	entry = engine->dispatch.ended.first;
	while (entry->command != command)
		entry = entry->next;
	return entry;
}

/* The first finding is reported. */
static void engine_fail(struct engine *engine, int error)
{
	if (!engine->error)
		engine->error = error;
}

static bool commands_post(struct engine *engine)
{
	struct dispatch_entry *entry = engine->dispatch.ended.first;
	bool changed = false;

	for (; entry && !engine->error; entry = entry->next) {
		if (!can_be_posted(engine, entry))
			continue;
		engine_fail(engine,
			    completion_post(engine->fetcher, entry->command,
					    engine->now));
		entry->posted = true;
		changed = true;
	}
	return changed;
}

static bool commands_end(struct engine *engine)
{
	struct dispatch_entry *entry;
	bool changed = false;

	while (!engine->error &&
	       (entry = dispatch_end(&engine->dispatch, engine->now))) {
		engine_fail(engine, audit_command(&engine->config, entry));
		window_show(engine);
		changed = true;
	}
	return changed;
}

static bool commands_retire(struct engine *engine)
{
	bool changed = commands_post(engine);
	struct dispatch_entry *entry;

	while ((entry = retire_find(engine))) {
		command_retire(engine, entry);
		changed = true;
	}
	return changed;
}

/* The clusters without work work for the oldest, or wait for the one being fetched. */
static void idle_charge(struct engine *engine)
{
	const struct dispatch *dispatch = &engine->dispatch;
	struct dispatch_entry *oldest = dispatch->entries.first;
	struct engine_command *front = fetch_front(engine->fetcher);
	struct lane_charge charge = { NULL, SPMM_STALL_IDLE, NULL };

	if (front && front->fetch_cycle == ENGINE_NEVER)
		front->fetch_cycle = engine->now;
	if (oldest) {
		charge.owner = oldest->command;
		charge.cause = dispatch_cause(dispatch, oldest, engine->now);
	} else if (front) {
		charge.owner = front;
		charge.cause = SPMM_STALL_COMMAND;
	}
	clusters_set_idle(engine->clusters, &charge, engine->now);
}

static bool engine_step(struct engine *engine)
{
	uint64_t now = engine->now;
	bool changed = link_step(engine->link, now);
	bool wake;

	changed |= memory_step(engine->memory, now);
	changed |= dma_step(engine->dma, now);
	changed |= fetch_step(engine->fetcher, now);
	wake = command_dispatch(engine);
	wake |= dispatch_step(&engine->dispatch, now);
	changed |= clusters_step(engine->clusters, wake, now);
	changed |= wake | engine->dispatch.touched;
	changed |= commands_end(engine);
	idle_charge(engine);
	changed |= commands_retire(engine);
	return changed;
}

static uint64_t engine_next(const struct engine *engine)
{
	uint64_t now = engine->now;
	uint64_t next = link_next(engine->link, now);

	next = min_u64(next, memory_next(engine->memory, now));
	next = min_u64(next, dma_next(engine->dma, now));
	next = min_u64(next, fetch_next(engine->fetcher, now));
	next = min_u64(next, dispatch_next(&engine->dispatch, now));
	return min_u64(next, clusters_next(engine->clusters, now));
}

/* Of those that wait, the oldest: the others wait for it, or for the same. */
static int engine_stuck(struct engine *engine)
{
	const struct dispatch_entry *entry = engine->dispatch.entries.first;

	if (!entry)
		entry = engine->dispatch.ended.first;
	if (!entry)
		entry = engine->fetching.first;
	if (!entry)
		return accel_error(-EIO,
				   "a link or a memory is never idle at "
				   "cycle %" PRIu64,
				   engine_now(engine));
	return accel_error(-EIO,
			   "nothing can move any more at cycle %" PRIu64
			   ": command %" PRIu64
			   " of opcode %u, queue %u waits with %u of "
			   "its %u tiles ready and %u stored",
			   engine_now(engine), entry->command->sequence,
			   entry->command->opcode, entry->command->queue,
			   entry->ready, entry->command->tile_count,
			   entry->stored);
}

static bool all_retired(const struct engine *engine)
{
	return !engine->fetching.first && !engine->dispatch.entries.first &&
	       !engine->dispatch.ended.first;
}

/* Nothing is under way any more, and every tag and credit has returned. */
static bool engine_quiet(const struct engine *engine)
{
	return all_retired(engine) && link_idle(engine->link) &&
	       memory_idle(engine->memory);
}

/* One step, and the time to the next, which is at most @limit. */
static int engine_advance(struct engine *engine, uint64_t limit)
{
	bool reference = engine->options.mode == ENGINE_REFERENCE;
	bool changed = engine_step(engine);
	uint64_t next = engine->now + 1;

	if (engine->error)
		return engine->error;
	engine->quiet = changed ? 0 : engine->quiet + 1;
	if (!changed && (!reference || engine->quiet % QUIET_CYCLES == 0)) {
		next = min_u64(engine_next(engine), limit);
		if (next == ENGINE_NEVER && !engine_quiet(engine))
			return engine_stuck(engine);
	}
	if (reference || next == ENGINE_NEVER)
		next = engine->now + 1;
	engine->now = next;
	return 0;
}

static void given_up_return(struct engine *engine)
{
	struct dispatch_entry *entry;

	while ((entry = engine->given_up.first)) {
		struct engine_command *command = entry->command;

		free(dispatch_list_take(&engine->given_up, entry));
		if (engine->options.dropped)
			engine->options.dropped(engine->options.owner, command);
	}
}

/* What holds whenever all have retired. */
static int accounts_close(struct engine *engine)
{
	struct memory_counts counts;
	int ret;

	clusters_settle(engine->clusters, engine->now);
	ret = clusters_check(engine->clusters, engine->now);
	if (ret)
		return ret;
	memory_count(engine->memory, &counts);
	return audit_memory(&engine->config, &counts, engine->now);
}

int engine_run(struct engine *engine, bool drain)
{
	int ret = engine->error;

	while (!ret && (fetch_waiting(engine->fetcher) >= ENGINE_AHEAD ||
			(drain && !all_retired(engine)))) {
		ret = engine_advance(engine, ENGINE_NEVER);
		given_up_return(engine);
	}
	given_up_return(engine);
	if (!ret && drain)
		ret = accounts_close(engine);
	engine_fail(engine, ret);
	return ret;
}

static void list_drop(struct dispatch_list *list, uint16_t queue)
{
	struct dispatch_entry *entry = list->first;

	for (; entry; entry = entry->next)
		if (entry->command->queue == queue)
			entry->dropped = true;
}

void engine_drop(struct engine *engine, uint16_t queue)
{
	struct dispatch_entry *entry = engine->fetching.first;
	struct dispatch_entry *next;

	list_drop(&engine->dispatch.entries, queue);
	list_drop(&engine->dispatch.ended, queue);
	fetch_drop(engine->fetcher, queue);
	for (; entry; entry = next) {
		next = entry->next;
		if (entry->command->queue == queue) {
			dispatch_list_take(&engine->fetching, entry);
			dispatch_list_add(&engine->given_up, entry);
		}
	}
	/* Nobody is charged who may go away. */
	idle_charge(engine);
}

void engine_idle(struct engine *engine, uint64_t cycles)
{
	uint64_t end = engine->now + cycles;

	while (!engine->error && engine->now < end)
		engine->error = engine_advance(engine, end);
}

uint64_t engine_now(const struct engine *engine)
{
	return engine->epoch.before.cycles + engine->now;
}

void engine_totals(struct engine *engine, struct engine_totals *out)
{
	clusters_settle(engine->clusters, engine->now);
	out->cycles = engine->now;
	clusters_count(engine->clusters, out->lane_cycles, &out->port_bytes);
	memory_count(engine->memory, &out->memory);
	link_count(engine->link, &out->link);
	epoch_add(&engine->epoch, out);
}

/* Until nothing is under way; a tag or a credit that never returns is found here. */
static int engine_settle(struct engine *engine)
{
	while (!engine->error && !engine_quiet(engine))
		engine_fail(engine, engine_advance(engine, ENGINE_NEVER));
	if (!engine->error)
		engine_fail(engine, memory_check(engine->memory));
	return engine->error;
}

int engine_rest(struct engine *engine)
{
	struct engine_totals totals;
	int ret;

	if (!all_retired(engine))
		return accel_error(-EBUSY, "the engine is at work");
	ret = engine_settle(engine);
	if (ret || !engine->now)
		return ret;
	engine_totals(engine, &totals);
	engine->epoch.before = totals;
	engine->now = 0;
	engine->quiet = 0;
	engine->activates = 0;
	parts_destroy(engine);
	ret = parts_create(engine);
	engine_fail(engine, ret);
	return ret;
}

void engine_state_get(struct engine *engine, struct engine_state *out)
{
	out->sequence = engine->sequence;
	engine_totals(engine, &out->totals);
}

void engine_state_set(struct engine *engine, const struct engine_state *state)
{
	engine->sequence = state->sequence;
	engine->epoch.before = state->totals;
}
