/* SPDX-License-Identifier: MIT */
/* One stats page, as its reader has it: runtime/stats_page.h, checked. */
#ifndef TOOL_STATS_FILE_H
#define TOOL_STATS_FILE_H

#include <runtime/stats_page.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A page that is larger is none of ours. */
#define STATS_FILE_MAX (1u << 20)

/**
 * struct stats_queue - one queue
 * @number: unlike all others of its process
 * @depth: of it
 * @priority: of it
 * @counters: as they were when the page was read
 */
struct stats_queue {
	uint32_t number;
	uint32_t depth;
	uint32_t priority;
	struct queue_counters counters;
};

/**
 * struct stats_page_read - one device of one process; texts are printable ASCII
 * @pid: as the process sees itself
 * @unlisted: queues that are not shown
 * @backend: of the device
 * @program: that has it open
 * @uri: of the device
 * @queue_count: of @queues
 * @queues: in the page's order
 */
struct stats_page_read {
	uint32_t pid;
	uint32_t unlisted;
	char backend[16];
	char program[16];
	char uri[256];
	uint32_t queue_count;
	struct stats_queue queues[STATS_PAGE_SLOTS];
};

/* Operations that are submitted and not completed. */
uint64_t stats_queue_outstanding(const struct stats_queue *queue);

/* Any bytes. 0, or −EINVAL: they are no page that this version knows. */
int stats_file_parse(const void *bytes, size_t length,
		     struct stats_page_read *page);

/*
 * As stats_file_parse(), of the file of this name in an open folder. *dead: it is a page
 * whose lock nobody holds. −EINVAL also for what is no plain file of @owner; −errno.
 */
int stats_file_read(int folder, const char *name, uid_t owner,
		    struct stats_page_read *page, bool *dead);

#endif
