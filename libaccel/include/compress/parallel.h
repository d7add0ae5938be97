/* SPDX-License-Identifier: MIT */
/*
 * Work that falls into independent parts, done by several threads. Each part has
 * the same result whichever thread does it, so a caller that joins the results in
 * the order of the parts gets the same bits with any number of threads.
 */
#ifndef COMPRESS_PARALLEL_H
#define COMPRESS_PARALLEL_H

/* Do one part; called by several threads at once. 0 or −errno. */
typedef int (*parallel_function)(void *context, int part);

/*
 * Run all parts on so many threads, each on a processor of its own where there are
 * enough. After a failure no more parts are begun. Return 0, or the failure of the
 * first part, in order, that had one. (Texts of errors stay with their threads.)
 */
int parallel_run(int workers, int parts, parallel_function function,
		 void *context);

/* Processors that the calling thread may run on, at least 1. */
int parallel_processors(void);

#endif
