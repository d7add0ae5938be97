/* SPDX-License-Identifier: MIT */
/*
 * A time line for Perfetto and Chrome: an array of trace events in JSON, one a line,
 * written as they come. Rows are numbered threads, what belongs together is a process.
 * Without its last line, of a writer that was killed, the file can still be read.
 *
 * Format: "Trace Event Format", Google, revision of 2016, array form.
 */
#ifndef SIM_TRACE_TIMELINE_H
#define SIM_TRACE_TIMELINE_H

#include <sim/engine/command.h>
#include <sim/engine/observer.h>
#include <sim/trace/names.h>
#include <sim/trace/shape.h>

struct timeline;

/*
 * @limit: how many spans and points there may be; further ones are counted, and the
 * last event says how many they are. @names may grow while it is used. −errno with a text.
 */
int timeline_create(const char *path, const struct trace_shape *shape,
		    const struct trace_names *names, uint64_t limit,
		    struct timeline **out);

void timeline_command(struct timeline *timeline,
		      const struct engine_command *command);
void timeline_span(struct timeline *timeline, const struct engine_span *span);
void timeline_change(struct timeline *timeline, enum engine_signal signal,
		     uint32_t unit, uint64_t now, uint64_t value);

/* Completes the file and frees it; 0, or the first error with a text. */
int timeline_close(struct timeline *timeline);

#endif
