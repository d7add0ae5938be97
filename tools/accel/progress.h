/* SPDX-License-Identifier: MIT */
/* A line on standard error that tells that long work goes on. */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/** struct progress - private */
struct progress {
	const char *what;
	int64_t done;
	int64_t total;
	uint64_t start;
	uint64_t shown;
	bool terminal;
	bool visible;
	char note[96];
};

void progress_start(struct progress *progress, const char *what);

/*
 * So much of the work is done. On a terminal it is shown once it has taken a second, then
 * four times a second; in a log every ten seconds.
 */
void progress_update(struct progress *progress, int64_t done, int64_t total);

/* Say something about the work in the lines to come. */
__attribute__((format(printf, 2, 3))) void
progress_note(struct progress *progress, const char *format, ...);

/* Time has passed, and no more is done. */
void progress_refresh(struct progress *progress);

/* Wipe the line, if there is one; a log gets a last one when all is done. */
void progress_end(struct progress *progress);

#endif
