/* SPDX-License-Identifier: MIT */
#include <sim/trace/counters.h>

/* Only what differs from the point before is one. */
static void show(struct trace_counter *counter, uint64_t at,
		 uint64_t hundredths)
{
	if (counter->any && hundredths == counter->shown)
		return;
	counter->any = true;
	counter->shown = hundredths;
	counter->emit(counter->owner, counter->id, at, hundredths);
}

/* Closes the intervals that are over at @now. */
static void advance(struct trace_counter *counter, uint64_t now)
{
	uint64_t width = counter->interval;
	uint64_t end = counter->start + width;
	uint64_t start = now - now % width;

	if (now >= end) {
		counter->sum += counter->value * (end - counter->since);
		show(counter, counter->start, counter->sum * 100 / width);
		/* nothing changed since: one point for all of these */
		if (start > end)
			show(counter, end, counter->value * 100);
		counter->start = start;
		counter->since = start;
		counter->sum = 0;
	}
	counter->sum += counter->value * (now - counter->since);
	counter->since = now;
}

void trace_counter_change(struct trace_counter *counter, uint64_t now,
			  uint64_t value)
{
	/* whoever is late must not make time go back */
	if (now < counter->since)
		now = counter->since;
	advance(counter, now);
	counter->value = value;
}

void trace_counter_flush(struct trace_counter *counter)
{
	advance(counter, counter->start + counter->interval);
	show(counter, counter->start, counter->value * 100);
}
