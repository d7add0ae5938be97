/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <core/deadline.h>

#include <stdio.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define TERMINAL_INTERVAL (SECOND / 4)
#define LOG_INTERVAL (10 * SECOND)

/* Quick work stays silent: nothing is shown for the first second. */
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

void progress_update(struct progress *progress, int64_t done, int64_t total)
{
	uint64_t now = monotonic_ns();
	uint64_t interval = !progress->visible ? SECOND :
			    progress->terminal ? TERMINAL_INTERVAL :
						 LOG_INTERVAL;

	if (now - progress->shown < interval)
		return;
	progress->shown = now;
	progress->visible = true;
	fprintf(stderr, "%s%s: %lld of %lld done, %llu s%s",
		progress->terminal ? "\r" : "", progress->what, (long long)done,
		(long long)total,
		(unsigned long long)((now - progress->start) / SECOND),
		progress->terminal ? "  " : "\n");
}

void progress_end(struct progress *progress)
{
	if (progress->visible && progress->terminal)
		fprintf(stderr, "\r\033[K");
}
