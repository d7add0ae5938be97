/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <sim/trace/commands.h>
#include <sim/trace/counters.h>
#include <sim/trace/output.h>
#include <sim/trace/timeline.h>
#include <sim/trace/tracks.h>

#define NS_PER_SECOND 1000000000u
/* Of the means of what changes all the time. */
#define POINTS_PER_SECOND 1000000u
/* Rows are threads; one with the number of a process would be its main thread. */
#define FIRST_ROW 100

/** struct cluster - what it does, and since when */
struct cluster {
	uint64_t since;
	uint64_t sequence;
	uint64_t state;
};

struct timeline {
	struct trace_output *output;
	struct trace_lanes *lanes;
	struct trace_commands *commands;
	const struct trace_names *names;
	struct trace_shape shape;
	struct cluster *clusters;
	struct trace_counter *counters; /* window, tags, posted, channels */
	uint32_t counter_count;
	uint64_t limit;
	uint64_t events;
	uint64_t left_out;
	uint64_t cut; /* cycle of the first that was left out */
};

/* Counters by number; from COUNTER_QUEUE on one for each channel. */
enum counter {
	COUNTER_WINDOW,
	COUNTER_TAGS,
	COUNTER_POSTED,
	COUNTER_QUEUE,
};

/* ---- pieces of events ---- */

/* Whole nanoseconds, the finest that viewers have: ends stay where others begin. */
static uint64_t nanoseconds(const struct timeline *timeline, uint64_t cycle)
{
	return (uint64_t)((unsigned __int128)cycle * NS_PER_SECOND /
			  timeline->shape.clock_hz);
}

static void put_number(struct timeline *timeline, const char *key,
		       uint64_t value)
{
	trace_text(timeline->output, key);
	trace_number(timeline->output, value);
}

static void put_time(struct timeline *timeline, const char *key, uint64_t ns)
{
	trace_text(timeline->output, key);
	trace_decimal(timeline->output, ns, 3);
}

/* The comma belongs to the event: an early end leaves none at the end of the file. */
static void begin_event(struct timeline *timeline, const char *phase)
{
	trace_mark(timeline->output);
	trace_text(timeline->output, ",\n{\"ph\":\"");
	trace_text(timeline->output, phase);
	trace_text(timeline->output, "\"");
}

static void put_place(struct timeline *timeline, const struct trace_lane *lane)
{
	put_number(timeline,
		   ",\"pid\":", trace_tracks[lane->span.track].process);
	put_number(timeline, ",\"tid\":", FIRST_ROW + lane->number);
}

/* Is there room for an event of that cycle? */
static bool admit(struct timeline *timeline, uint64_t cycle)
{
	if (timeline->events < timeline->limit) {
		timeline->events++;
		return true;
	}
	if (!timeline->left_out++)
		timeline->cut = cycle;
	return false;
}

/* ---- rows ---- */

static void put_metadata(struct timeline *timeline, const char *what,
			 uint32_t process, uint32_t thread)
{
	begin_event(timeline, "M");
	put_number(timeline, ",\"pid\":", process);
	put_number(timeline, ",\"tid\":", thread);
	trace_text(timeline->output, ",\"name\":\"");
	trace_text(timeline->output, what);
	trace_text(timeline->output, "\",\"args\":{");
}

/* The first event: nothing stands before it but the bracket. */
static void put_head(struct timeline *timeline)
{
	trace_text(timeline->output,
		   "[\n{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"device\","
		   "\"args\":{\"clock_hz\":");
	trace_number(timeline->output, timeline->shape.clock_hz);
	trace_text(timeline->output, "}}");
	for (uint32_t i = 1; i < PROCESS_END; i++) {
		put_metadata(timeline, "process_name", i, 0);
		trace_text(timeline->output, "\"name\":\"");
		trace_text(timeline->output, trace_process_names[i]);
		trace_text(timeline->output, "\"}}");
		put_metadata(timeline, "process_sort_index", i, 0);
		put_number(timeline, "\"sort_index\":", i);
		trace_text(timeline->output, "}}");
	}
}

/* The rows of a unit stand together, those of a track in order. */
static uint32_t sort_index(const struct trace_lane *lane)
{
	return (lane->span.unit * 4 + trace_tracks[lane->span.track].rank) *
		       256 +
	       lane->index;
}

/* "cluster 3 lanes", "channel 2", "commands (4)" */
static void put_row_name(struct timeline *timeline,
			 const struct trace_lane *lane)
{
	const struct trace_track *track = &trace_tracks[lane->span.track];

	if (track->process == PROCESS_CLUSTERS) {
		put_number(timeline, "cluster ", lane->span.unit);
		trace_text(timeline->output, " ");
	}
	trace_text(timeline->output, track->name);
	if (track->numbered && track->process != PROCESS_CLUSTERS)
		put_number(timeline, " ", lane->span.unit);
	if (lane->index) {
		put_number(timeline, " (", lane->index + 1);
		trace_text(timeline->output, ")");
	}
}

/* Before its first span, so that a file that ends early names all that it shows. */
static void row_opened(void *owner, const struct trace_lane *lane)
{
	struct timeline *timeline = owner;
	uint32_t process = trace_tracks[lane->span.track].process;

	put_metadata(timeline, "thread_name", process,
		     FIRST_ROW + lane->number);
	trace_text(timeline->output, "\"name\":\"");
	put_row_name(timeline, lane);
	trace_text(timeline->output, "\"}}");
	put_metadata(timeline, "thread_sort_index", process,
		     FIRST_ROW + lane->number);
	put_number(timeline, "\"sort_index\":", sort_index(lane));
	trace_text(timeline->output, "}}");
}

/* ---- spans ---- */

/* A command is called like its layer, or by its opcode. */
static void put_title(struct timeline *timeline, const struct engine_span *span,
		      const struct trace_command *command)
{
	const char *name = span->name;

	if (command && trace_tracks[span->track].by_command) {
		name = trace_names_get(timeline->names, command->label);
		if (!name)
			name = span->track == ENGINE_TRACK_COMMAND ?
				       trace_opcode_text(command->opcode) :
				       span->name;
	}
	trace_text(timeline->output, ",\"name\":\"");
	trace_text(timeline->output, name);
	trace_text(timeline->output, "\"");
}

/* Cycles beside the nanoseconds: at most clocks only they are exact. */
static void put_arguments(struct timeline *timeline,
			  const struct engine_span *span,
			  const struct trace_command *command)
{
	put_number(timeline, ",\"args\":{\"cycle\":", span->begin);
	put_number(timeline, ",\"cycles\":", span->end - span->begin);
	if (span->sequence)
		put_number(timeline, ",\"command\":", span->sequence);
	if (command && span->track == ENGINE_TRACK_COMMAND) {
		put_number(timeline, ",\"queue\":", command->queue);
		trace_text(timeline->output, ",\"opcode\":\"");
		trace_text(timeline->output,
			   trace_opcode_text(command->opcode));
		trace_text(timeline->output, "\"");
	}
	if (trace_tracks[span->track].detail) {
		trace_text(timeline->output, ",\"");
		trace_text(timeline->output, trace_tracks[span->track].detail);
		put_number(timeline, "\":", span->detail);
	}
	trace_text(timeline->output, "}}");
}

/* An arrow's point: Perfetto and Chrome bind it to the span of the row at that time. */
static void put_flow(struct timeline *timeline, const struct trace_lane *lane,
		     uint64_t flow, const char *phase)
{
	begin_event(timeline, phase);
	put_place(timeline, lane);
	put_time(timeline, ",\"ts\":", nanoseconds(timeline, lane->span.begin));
	put_number(timeline, ",\"id\":", flow);
	trace_text(timeline->output,
		   ",\"cat\":\"flow\",\"name\":\"submission\"");
	if (*phase == 'f')
		trace_text(timeline->output, ",\"bp\":\"e\"");
	trace_text(timeline->output, "}");
}

/*
 * From the submission over the first and the last command and the interrupt to the
 * host, which has seen it then.
 */
static void put_arrow(struct timeline *timeline, const struct trace_lane *lane,
		      const struct trace_command *command)
{
	struct trace_command *first =
		trace_commands_find(timeline->commands, command->flow);
	const char *phase = "t";

	if (!first || (lane->span.track == ENGINE_TRACK_COMMAND &&
		       command != first && !command->ends_flow))
		return;
	if (!first->flow_began)
		phase = "s";
	else if (lane->span.track == ENGINE_TRACK_HOST)
		phase = "f";
	put_flow(timeline, lane, first->flow, phase);
	first->flow_began = true;
}

static void row_emit(void *owner, const struct trace_lane *lane)
{
	struct timeline *timeline = owner;
	const struct engine_span *span = &lane->span;
	const struct trace_command *command =
		trace_commands_find(timeline->commands, span->sequence);
	uint64_t begin = nanoseconds(timeline, span->begin);

	if (!admit(timeline, span->begin))
		return;
	begin_event(timeline, "X");
	put_place(timeline, lane);
	put_time(timeline, ",\"ts\":", begin);
	put_time(timeline,
		 ",\"dur\":", nanoseconds(timeline, span->end) - begin);
	trace_text(timeline->output, ",\"cat\":\"");
	trace_text(timeline->output, trace_tracks[span->track].name);
	trace_text(timeline->output, "\"");
	put_title(timeline, span, command);
	put_arguments(timeline, span, command);
	if (command && (span->track == ENGINE_TRACK_HOST ||
			span->track == ENGINE_TRACK_DOORBELL ||
			span->track == ENGINE_TRACK_COMMAND ||
			span->track == ENGINE_TRACK_INTERRUPT))
		put_arrow(timeline, lane, command);
}

void timeline_command(struct timeline *timeline,
		      const struct engine_command *command)
{
	trace_commands_add(timeline->commands, command);
}

void timeline_span(struct timeline *timeline, const struct engine_span *span)
{
	if (!trace_lanes_add(timeline->lanes, span) && !timeline->left_out++)
		timeline->cut = span->begin;
}

/* ---- values ---- */

static void put_counter_name(struct timeline *timeline, uint32_t counter)
{
	static const char *const names[] = {
		[COUNTER_WINDOW] = "commands in the window",
		[COUNTER_TAGS] = "tags in use",
		[COUNTER_POSTED] = "posted credits in use",
	};

	if (counter < COUNTER_QUEUE) {
		trace_text(timeline->output, names[counter]);
		return;
	}
	put_number(timeline, "queue of channel ", counter - COUNTER_QUEUE);
}

static void counter_emit(void *owner, uint32_t counter, uint64_t at,
			 uint64_t hundredths)
{
	static const enum trace_process processes[] = {
		[COUNTER_WINDOW] = PROCESS_COMMANDS,
		[COUNTER_TAGS] = PROCESS_LINK,
		[COUNTER_POSTED] = PROCESS_LINK,
	};
	struct timeline *timeline = owner;

	if (!admit(timeline, at))
		return;
	begin_event(timeline, "C");
	put_number(timeline, ",\"pid\":",
		   counter < COUNTER_QUEUE ? processes[counter] : PROCESS_DRAM);
	put_time(timeline, ",\"ts\":", nanoseconds(timeline, at));
	trace_text(timeline->output, ",\"name\":\"");
	put_counter_name(timeline, counter);
	trace_text(timeline->output, "\",\"args\":{\"value\":");
	trace_decimal(timeline->output, hundredths, 2);
	trace_text(timeline->output, "}}");
}

/* What ends at @now becomes a span, unless the cluster had nothing to wait for. */
static void show_wait(struct timeline *timeline, uint32_t unit, uint64_t now)
{
	const struct cluster *cluster = &timeline->clusters[unit];
	struct engine_span span = {
		.track = (enum engine_track)TRACE_TRACK_WAIT,
		.unit = unit,
		.begin = cluster->since,
		.end = now,
		.name = trace_wait_name(cluster->state),
		.sequence = cluster->sequence,
	};

	if (span.name && span.end > span.begin)
		timeline_span(timeline, &span);
}

/* Both signals end what holds: a wait belongs to one command. */
static void cluster_change(struct timeline *timeline, enum engine_signal signal,
			   uint32_t unit, uint64_t now, uint64_t value)
{
	struct cluster *cluster;

	if (unit >= timeline->shape.clusters)
		return;
	cluster = &timeline->clusters[unit];
	show_wait(timeline, unit, now);
	cluster->since = now;
	if (signal == ENGINE_SIGNAL_CLUSTER_STATE)
		cluster->state = value;
	else
		cluster->sequence = value;
}

void timeline_change(struct timeline *timeline, enum engine_signal signal,
		     uint32_t unit, uint64_t now, uint64_t value)
{
	struct trace_counter *counters = timeline->counters;

	switch (signal) {
	case ENGINE_SIGNAL_CLUSTER_COMMAND:
	case ENGINE_SIGNAL_CLUSTER_STATE:
		cluster_change(timeline, signal, unit, now, value);
		return;
	case ENGINE_SIGNAL_WINDOW:
		trace_counter_change(&counters[COUNTER_WINDOW], now, value);
		return;
	case ENGINE_SIGNAL_LINK_TAGS:
		trace_counter_change(&counters[COUNTER_TAGS], now, value);
		return;
	case ENGINE_SIGNAL_LINK_POSTED:
		trace_counter_change(&counters[COUNTER_POSTED], now, value);
		return;
	case ENGINE_SIGNAL_DRAM_QUEUE:
		if (unit < timeline->shape.channels)
			trace_counter_change(&counters[COUNTER_QUEUE + unit],
					     now, value);
		return;
	default:
		return;
	}
}

/* ---- life ---- */

static void counters_start(struct timeline *timeline)
{
	uint64_t interval = timeline->shape.clock_hz / POINTS_PER_SECOND;

	for (uint32_t i = 0; i < timeline->counter_count; i++)
		timeline->counters[i] = (struct trace_counter){
			.interval = i == COUNTER_WINDOW || !interval ? 1 :
								       interval,
			.emit = counter_emit,
			.owner = timeline,
			.id = i,
		};
}

static int timeline_allocate(struct timeline *timeline)
{
	const struct trace_lanes_user user = { row_opened, row_emit, timeline };
	uint32_t units[TRACE_TRACK_COUNT];

	for (int track = 0; track < TRACE_TRACK_COUNT; track++) {
		units[track] = 1;
		if (trace_tracks[track].process == PROCESS_CLUSTERS)
			units[track] = timeline->shape.clusters;
	}
	units[ENGINE_TRACK_DMA] = timeline->shape.engines;
	units[ENGINE_TRACK_DRAM] = timeline->shape.channels;
	timeline->counter_count = COUNTER_QUEUE + timeline->shape.channels;
	timeline->counters =
		calloc(timeline->counter_count, sizeof(*timeline->counters));
	timeline->clusters = calloc(timeline->shape.clusters + 1,
				    sizeof(*timeline->clusters));
	if (!timeline->counters || !timeline->clusters ||
	    trace_commands_create(&timeline->commands) ||
	    trace_lanes_create(units, &user, &timeline->lanes))
		return accel_error(-ENOMEM, "no memory for a time line");
	counters_start(timeline);
	return 0;
}

static void timeline_free(struct timeline *timeline)
{
	trace_lanes_destroy(timeline->lanes);
	trace_commands_destroy(timeline->commands);
	free(timeline->counters);
	free(timeline->clusters);
	free(timeline);
}

int timeline_create(const char *path, const struct trace_shape *shape,
		    const struct trace_names *names, uint64_t limit,
		    struct timeline **out)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));
	int ret;

	*out = NULL;
	if (!timeline)
		return accel_error(-ENOMEM, "no memory for a time line");
	timeline->shape = *shape;
	timeline->names = names;
	timeline->limit = limit;
	ret = timeline_allocate(timeline);
	if (!ret)
		ret = trace_output_open(path, &timeline->output);
	if (ret) {
		timeline_free(timeline);
		return ret;
	}
	put_head(timeline);
	*out = timeline;
	return 0;
}

/* Nobody takes half a run for a whole one. */
static void put_left_out(struct timeline *timeline)
{
	begin_event(timeline, "i");
	put_number(timeline, ",\"pid\":", PROCESS_HOST);
	put_time(timeline,
		 ",\"tid\":0,\"ts\":", nanoseconds(timeline, timeline->cut));
	put_number(timeline, ",\"s\":\"g\",\"name\":\"", timeline->left_out);
	trace_text(timeline->output,
		   " events left out from here on\",\"args\":{");
	put_number(timeline, "\"limit\":", timeline->limit);
	trace_text(timeline->output, "}}");
}

int timeline_close(struct timeline *timeline)
{
	int ret;

	trace_lanes_flush(timeline->lanes);
	for (uint32_t i = 0; i < timeline->counter_count; i++)
		trace_counter_flush(&timeline->counters[i]);
	if (timeline->left_out)
		put_left_out(timeline);
	trace_text(timeline->output, "\n]\n");
	ret = trace_output_close(timeline->output);
	timeline_free(timeline);
	return ret;
}
