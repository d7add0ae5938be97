/* SPDX-License-Identifier: MIT */
/* How far the long parts of a compression are, for who waits. */
#ifndef COMPRESS_COMPRESS_PROGRESS_H
#define COMPRESS_COMPRESS_PROGRESS_H

#include <stddef.h>

/**
 * struct compress_progress - whom to tell
 * @report: @done of @total of a part; parts follow one another. Called by one thread at
 *	a time, not always the same one
 * @context: handed to it
 */
struct compress_progress {
	void (*report)(void *context, const char *part, int done, int total);
	void *context;
};

/* NULL: nobody. */
static inline void compress_report(const struct compress_progress *progress,
				   const char *part, int done, int total)
{
	if (progress)
		progress->report(progress->context, part, done, total);
}

#endif
