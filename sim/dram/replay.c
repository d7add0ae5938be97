/* SPDX-License-Identifier: MIT */
#include "sim/dram/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "sim/dram/checker.h"

struct outcome {
	int64_t issue;
	uint64_t accept;
	uint64_t done;
};

struct replay;

/* One channel of the system, as the observers see it. */
struct channel {
	struct replay *replay;
	struct dram_controller *controller;
	struct dram_checker *checker;
	uint64_t next; /* clock of its next event */
};

struct replay {
	const struct dram_standard *standard;
	const struct dram_trace *trace;
	const struct dram_replay_options *options;
	struct dram_replay_result *result;
	struct channel channels[DRAM_CHANNELS_MAX];
	struct outcome *outcomes;
	size_t head; /* next request to enter */
	uint64_t earliest; /* clock at which it may */
	uint64_t last_done; /* of the request before it (dependent) */
	uint64_t undone_reads;
};

static void on_issued(void *owner, uint64_t id, uint64_t clock)
{
	struct channel *channel = owner;
	struct replay *replay = channel->replay;
	bool write = replay->trace->requests[id].request.write;
	uint64_t end = clock + (write ? replay->standard->write_done_clocks :
					replay->standard->read_done_clocks);

	replay->outcomes[id].issue = (int64_t)clock;
	if (end > replay->result->last_data_end)
		replay->result->last_data_end = end;
}

static void on_done(void *owner, uint64_t id, uint64_t clock)
{
	struct channel *channel = owner;
	struct replay *replay = channel->replay;

	replay->outcomes[id].done = clock;
	if (clock > replay->result->cycles)
		replay->result->cycles = clock;
	if (!replay->trace->requests[id].request.write)
		replay->undone_reads--;
	if (id + 1 == replay->head)
		replay->last_done = clock;
}

static void on_command(void *owner, enum dram_command command,
		       const struct dram_address *address, uint64_t clock)
{
	struct channel *channel = owner;

	channel->replay->result->column_commands += command == DRAM_READ ||
						    command == DRAM_WRITE;
	if (channel->checker)
		dram_checker_command(channel->checker, command, address, clock);
}

static int channel_open(struct replay *replay, struct channel *channel)
{
	struct dram_observer observer = { .issued = on_issued,
					  .done = on_done,
					  .command = on_command,
					  .owner = channel };
	int ret;

	channel->replay = replay;
	if (replay->options->check) {
		ret = dram_checker_create(replay->standard, &channel->checker);
		if (ret)
			return ret;
	}
	return dram_controller_create(replay->standard, &observer,
				      &channel->controller);
}

/* When may the request at the head enter? */
static void head_schedule(struct replay *replay)
{
	const struct dram_trace *trace = replay->trace;

	if (replay->head == trace->count) {
		replay->earliest = DRAM_NEVER;
	} else if (!replay->options->dependent) {
		replay->earliest = trace->requests[replay->head].cycle;
	} else if (!replay->head) {
		replay->earliest = 0;
	} else {
		replay->earliest =
			replay->last_done == DRAM_NEVER ?
				DRAM_NEVER :
				replay->last_done + 1 +
					replay->options->think_clocks;
	}
}

static bool head_has_room(const struct replay *replay)
{
	const struct dram_trace_request *request;

	if (replay->head == replay->trace->count)
		return false;
	request = &replay->trace->requests[replay->head];
	return dram_controller_has_room(
		replay->channels[request->channel].controller,
		request->request.write);
}

/* Lets requests in, strictly in order. */
static void requests_enter(struct replay *replay, uint64_t clock)
{
	while (replay->earliest <= clock && head_has_room(replay)) {
		const struct dram_trace_request *request =
			&replay->trace->requests[replay->head];
		struct channel *channel = &replay->channels[request->channel];

		replay->outcomes[replay->head].accept = clock;
		replay->last_done = DRAM_NEVER;
		replay->head++;
		if (!request->request.write)
			replay->undone_reads++;
		dram_controller_accept(channel->controller, &request->request,
				       clock);
		channel->next = clock;
		head_schedule(replay);
	}
}

static bool replay_busy(const struct replay *replay)
{
	if (replay->head < replay->trace->count || replay->undone_reads)
		return true;
	for (uint32_t i = 0; i < replay->standard->channels; i++)
		if (dram_controller_busy(replay->channels[i].controller))
			return true;
	return false;
}

static uint64_t channels_clock(struct replay *replay, uint64_t clock)
{
	uint64_t next = DRAM_NEVER;

	for (uint32_t i = 0; i < replay->standard->channels; i++) {
		struct channel *channel = &replay->channels[i];

		if (channel->next <= clock)
			channel->next = dram_controller_clock(
				channel->controller, clock);
		if (channel->next < next)
			next = channel->next;
	}
	return next;
}

/* When the head can enter, if no command goes out before. */
static uint64_t head_enters(const struct replay *replay, uint64_t clock)
{
	if (replay->earliest > clock)
		return replay->earliest;
	return head_has_room(replay) ? clock + 1 : DRAM_NEVER;
}

static int replay_run(struct replay *replay)
{
	/* A full write queue behind a read to the same address can lock up. */
	const uint64_t idle_limit = 100000000;
	uint64_t progress = 0;
	uint64_t commands = 0;
	uint64_t clock = 0;
	uint64_t enters = 0;

	head_schedule(replay);
	while (replay_busy(replay)) {
		uint64_t next;

		if (enters <= clock)
			requests_enter(replay, clock);
		next = channels_clock(replay, clock);
		if (replay->options->dependent)
			head_schedule(replay);
		enters = head_enters(replay, clock);
		if (replay->result->column_commands != commands ||
		    replay->head < replay->trace->count)
			progress = clock;
		commands = replay->result->column_commands;
		if (clock - progress > idle_limit)
			return accel_error(-EDEADLK,
					   "no progress since clock %llu",
					   (unsigned long long)progress);
		clock = enters < next ? enters : next;
	}
	return 0;
}

static void result_fill(struct replay *replay)
{
	struct dram_replay_result *result = replay->result;

	result->requests = replay->trace->count;
	for (size_t i = 0; i < replay->trace->count; i++) {
		const struct dram_trace_request *request =
			&replay->trace->requests[i];
		const struct outcome *outcome = &replay->outcomes[i];

		if (outcome->issue != request->issue_cycle ||
		    (int64_t)outcome->done != request->done_cycle)
			result->differing++;
		if (request->request.write)
			continue;
		result->reads++;
		result->read_latency_sum += outcome->done - outcome->accept;
	}
	for (uint32_t i = 0; i < replay->standard->channels; i++) {
		const struct dram_checker *checker =
			replay->channels[i].checker;

		if (!checker || !dram_checker_violations(checker))
			continue;
		result->violations += dram_checker_violations(checker);
		snprintf(result->first_violation,
			 sizeof(result->first_violation), "%s",
			 dram_checker_first(checker));
	}
}

int dram_replay(const struct dram_standard *standard,
		const struct dram_trace *trace,
		const struct dram_replay_options *options,
		struct dram_replay_result *result)
{
	struct replay replay = { .standard = standard,
				 .trace = trace,
				 .options = options,
				 .result = result };
	int ret = 0;

	*result = (struct dram_replay_result){ 0 };
	replay.outcomes = calloc(trace->count + 1, sizeof(*replay.outcomes));
	if (!replay.outcomes)
		return accel_error(-ENOMEM, "no memory for the outcomes");
	for (size_t i = 0; i < trace->count; i++)
		replay.outcomes[i].issue = -1;
	for (uint32_t i = 0; !ret && i < standard->channels; i++)
		ret = channel_open(&replay, &replay.channels[i]);
	if (!ret)
		ret = replay_run(&replay);
	if (!ret)
		result_fill(&replay);
	for (uint32_t i = 0; i < standard->channels; i++) {
		dram_controller_destroy(replay.channels[i].controller);
		dram_checker_destroy(replay.channels[i].checker);
	}
	free(replay.outcomes);
	return ret;
}
