/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <core/error.h>
#include <sim/trace/output.h>
#include <sim/trace/waves.h>

#define FEMTOSECONDS 1000000000000000ull /* a second */
#define IDENTIFIER_MAX 8
#define WIDTH_MAX 64

/** struct kind - what the waves of one signal are; @scope NULL: of the device itself */
struct kind {
	const char *scope;
	const char *name;
	unsigned int width;
};

static const struct kind kinds[ENGINE_SIGNAL_COUNT] = {
	[ENGINE_SIGNAL_CLUSTER_COMMAND] = { "cluster", "command", 32 },
	[ENGINE_SIGNAL_CLUSTER_STATE] = { "cluster", "state", 4 },
	[ENGINE_SIGNAL_WINDOW] = { NULL, "window", 8 },
	[ENGINE_SIGNAL_DRAM_QUEUE] = { "dram", "queue", 16 },
	[ENGINE_SIGNAL_LINK_TAGS] = { "link", "tags", 16 },
	[ENGINE_SIGNAL_LINK_POSTED] = { "link", "posted", 16 },
	[ENGINE_SIGNAL_DMA_COMMAND] = { "dma", "command", 32 },
};

static const char legend[] =
	"$comment\n"
	"command: a command's number, from 1 on; 0: none\n"
	"state of a cluster: 0 no work, 1 computes, waits for 2 weights,\n"
	"3 activations, 4 the epilogue, 5 DRAM, 6 PCIe, 7 a tile of another cluster\n"
	"window: commands in it; queue: requests waiting; tags, posted: in use\n"
	"$end\n";

/**
 * struct waves
 * @units: of each signal
 * @first: the number of each signal's first wave; all are numbered in one go
 * @values: the present ones
 * @ticks: of the time scale in a second
 */
struct waves {
	struct trace_output *output;
	uint32_t units[ENGINE_SIGNAL_COUNT];
	uint32_t first[ENGINE_SIGNAL_COUNT];
	uint64_t *values;
	uint64_t ticks;
	uint32_t clock_hz;
	uint64_t now;
	uint64_t limit;
	uint64_t changes;
};

/* Printable characters, '!' to '~', the lowest digit first. */
static void put_identifier(struct waves *waves, uint32_t number)
{
	char text[IDENTIFIER_MAX];
	size_t length = 0;

	do {
		text[length++] = (char)('!' + number % 94);
		number /= 94;
	} while (number);
	trace_bytes(waves->output, text, length);
}

/* Leading zeros are left out, as the standard allows. */
static void put_value(struct waves *waves, uint32_t number, uint64_t value)
{
	char text[WIDTH_MAX + 2];
	char *at = text + sizeof(text);

	*--at = ' ';
	do {
		*--at = (char)('0' + (value & 1));
		value >>= 1;
	} while (value);
	*--at = 'b';
	trace_bytes(waves->output, at, (size_t)(text + sizeof(text) - at));
	put_identifier(waves, number);
	trace_text(waves->output, "\n");
	trace_mark(waves->output);
}

static void put_time(struct waves *waves, uint64_t cycle)
{
	unsigned __int128 ticks =
		(unsigned __int128)cycle * waves->ticks / waves->clock_hz;

	trace_text(waves->output, "#");
	trace_number(waves->output, (uint64_t)ticks);
	trace_text(waves->output, "\n");
}

/*
 * The coarsest unit of which a cycle has a whole number; femtoseconds, rounded down,
 * where there is none.
 */
static void put_timescale(struct waves *waves)
{
	static const char *const units[] = { "s", "ms", "us", "ns", "ps", "fs" };
	unsigned int power = 0;

	waves->ticks = 1;
	while (waves->ticks < FEMTOSECONDS && waves->ticks % waves->clock_hz) {
		waves->ticks *= 10;
		power++;
	}
	trace_text(waves->output, "$timescale ");
	trace_text(waves->output, power % 3 == 1 ? "100 " :
				  power % 3 == 2 ? "10 " :
						   "1 ");
	trace_text(waves->output, units[(power + 2) / 3]);
	trace_text(waves->output, " $end\n");
}

static void put_variable(struct waves *waves, enum engine_signal signal,
			 uint32_t unit)
{
	trace_text(waves->output, "$var wire ");
	trace_number(waves->output, kinds[signal].width);
	trace_text(waves->output, " ");
	put_identifier(waves, waves->first[signal] + unit);
	trace_text(waves->output, " ");
	trace_text(waves->output, kinds[signal].name);
	trace_text(waves->output, " [");
	trace_number(waves->output, kinds[signal].width - 1);
	trace_text(waves->output, ":0] $end\n");
}

/* Brackets are what a Verilog compiler makes of an array of instances. */
static void put_scope(struct waves *waves, const char *name, uint32_t unit,
		      bool numbered)
{
	trace_text(waves->output, "$scope module ");
	trace_text(waves->output, name);
	if (numbered) {
		trace_text(waves->output, "[");
		trace_number(waves->output, unit);
		trace_text(waves->output, "]");
	}
	trace_text(waves->output, " $end\n");
}

/* A scope for each unit, with the given signals, which follow each other. */
static void put_units(struct waves *waves, enum engine_signal from,
		      enum engine_signal to, bool numbered)
{
	for (uint32_t unit = 0; unit < waves->units[from]; unit++) {
		put_scope(waves, kinds[from].scope, unit, numbered);
		for (enum engine_signal s = from; s <= to; s++)
			put_variable(waves, s, unit);
		trace_text(waves->output, "$upscope $end\n");
		trace_mark(waves->output);
	}
}

static void put_head(struct waves *waves, uint32_t count)
{
	trace_text(waves->output, legend);
	put_timescale(waves);
	put_scope(waves, "device", 0, false);
	put_variable(waves, ENGINE_SIGNAL_WINDOW, 0);
	put_units(waves, ENGINE_SIGNAL_CLUSTER_COMMAND,
		  ENGINE_SIGNAL_CLUSTER_STATE, true);
	put_units(waves, ENGINE_SIGNAL_DRAM_QUEUE, ENGINE_SIGNAL_DRAM_QUEUE,
		  true);
	put_units(waves, ENGINE_SIGNAL_LINK_TAGS, ENGINE_SIGNAL_LINK_POSTED,
		  false);
	put_units(waves, ENGINE_SIGNAL_DMA_COMMAND, ENGINE_SIGNAL_DMA_COMMAND,
		  true);
	trace_text(waves->output, "$upscope $end\n$enddefinitions $end\n"
				  "#0\n$dumpvars\n");
	for (uint32_t i = 0; i < count; i++)
		put_value(waves, i, 0);
	trace_text(waves->output, "$end\n");
}

/* Waves of a signal follow each other; how many there are in all. */
static uint32_t number_waves(struct waves *waves,
			     const struct trace_shape *shape)
{
	uint32_t count = 0;

	for (int s = 0; s < ENGINE_SIGNAL_COUNT; s++)
		waves->units[s] = 1;
	waves->units[ENGINE_SIGNAL_CLUSTER_COMMAND] = shape->clusters;
	waves->units[ENGINE_SIGNAL_CLUSTER_STATE] = shape->clusters;
	waves->units[ENGINE_SIGNAL_DRAM_QUEUE] = shape->channels;
	waves->units[ENGINE_SIGNAL_DMA_COMMAND] = shape->engines;
	for (int s = 0; s < ENGINE_SIGNAL_COUNT; s++) {
		waves->first[s] = count;
		count += waves->units[s];
	}
	return count;
}

int waves_create(const char *path, const struct trace_shape *shape,
		 uint64_t limit, struct waves **out)
{
	struct waves *waves = calloc(1, sizeof(*waves));
	uint32_t count;
	int ret = 0;

	*out = NULL;
	if (!waves)
		return accel_error(-ENOMEM, "no memory for waves");
	count = number_waves(waves, shape);
	waves->clock_hz = shape->clock_hz;
	waves->limit = limit;
	waves->values = calloc(count, sizeof(*waves->values));
	if (!waves->values)
		ret = accel_error(-ENOMEM, "no memory for waves");
	if (!ret)
		ret = trace_output_open(path, &waves->output);
	if (ret) {
		free(waves->values);
		free(waves);
		return ret;
	}
	put_head(waves, count);
	*out = waves;
	return 0;
}

/* Bits that the wave has; a value that needs more shows all of them set. */
static uint64_t fit(uint64_t value, unsigned int width)
{
	uint64_t most = width < 64 ? (1ull << width) - 1 : UINT64_MAX;

	return value < most ? value : most;
}

void waves_change(struct waves *waves, enum engine_signal signal, uint32_t unit,
		  uint64_t now, uint64_t value)
{
	uint32_t number;

	if (signal >= ENGINE_SIGNAL_COUNT || unit >= waves->units[signal])
		return;
	number = waves->first[signal] + unit;
	value = fit(value, kinds[signal].width);
	/* a component tells what it has changed, perhaps to what it was */
	if (waves->values[number] == value)
		return;
	if (waves->changes++ >= waves->limit)
		return;
	waves->values[number] = value;
	if (now > waves->now) {
		put_time(waves, now);
		waves->now = now;
	}
	put_value(waves, number, value);
}

int waves_close(struct waves *waves)
{
	int ret;

	if (waves->changes > waves->limit) {
		trace_text(waves->output, "$comment ends at the limit of ");
		trace_number(waves->output, waves->limit);
		trace_text(waves->output, " changes; there were more $end\n");
	}
	ret = trace_output_close(waves->output);
	free(waves->values);
	free(waves);
	return ret;
}
