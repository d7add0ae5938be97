/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <core/deadline.h>

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define TERMINAL_INTERVAL (SECOND / 4)
#define LOG_INTERVAL (10 * SECOND)

/* Quick work stays silent: nothing is shown for the first second, or in a log for ten. */
void progress_start(struct progress *progress, const char *what)
{
	uint64_t now = monotonic_ns();

	*progress = (struct progress){
		.what = what,
		.start = now,
		.shown = now,
		.terminal = isatty(STDERR_FILENO),
	};
}

/*
 * What is left takes as long as what is done did, until that is known better. Without
 * a total the work has not begun: it is still being found out how much there is.
 */
static void print_line(const struct progress *progress, uint64_t elapsed)
{
	fprintf(stderr, "%s%s: ", progress->terminal ? "\r" : "",
		progress->what);
	if (progress->total > 0)
		fprintf(stderr, "%lld of %lld done, ",
			(long long)progress->done, (long long)progress->total);
	fprintf(stderr, "%llu s", (unsigned long long)(elapsed / SECOND));
	if (progress->done > 0 && progress->done < progress->total)
		fprintf(stderr, ", about %.0f s left",
			(double)elapsed / 1e9 / (double)progress->done *
				(double)(progress->total - progress->done));
	if (*progress->note)
		fprintf(stderr, "; %s", progress->note);
	fputs(progress->terminal ? "\033[K" : "\n", stderr);
}

void progress_note(struct progress *progress, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(progress->note, sizeof(progress->note), format, list);
	va_end(list);
}

void progress_update(struct progress *progress, int64_t done, int64_t total)
{
	progress->done = done;
	progress->total = total;
	progress_refresh(progress);
}

void progress_refresh(struct progress *progress)
{
	uint64_t now = monotonic_ns();
	uint64_t interval = !progress->terminal ? LOG_INTERVAL :
			    progress->visible	? TERMINAL_INTERVAL :
						  SECOND;

	if (now - progress->shown < interval)
		return;
	progress->shown = now;
	progress->visible = true;
	print_line(progress, now - progress->start);
}

void progress_end(struct progress *progress)
{
	if (!progress->visible)
		return;
	if (progress->terminal) {
		fprintf(stderr, "\r\033[K");
	} else if (progress->done == progress->total) {
		/* A log says how it ended, once. */
		print_line(progress, monotonic_ns() - progress->start);
		progress->visible = false;
	}
}
