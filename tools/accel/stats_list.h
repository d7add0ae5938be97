/* SPDX-License-Identifier: MIT */
/* The stats pages of all processes that this user may see. */
#ifndef TOOL_STATS_LIST_H
#define TOOL_STATS_LIST_H

#include "stats_file.h"

/**
 * struct stats_list - pages
 * @pages: in order of pid and queues
 * @count: of @pages
 */
struct stats_list {
	struct stats_page_read *pages;
	size_t count;
};

/*
 * All pages, or those of one device; NULL: of any. Those of dead processes are removed
 * from the user's own folder; what is no page, or not of the folder's owner, is left out. 0, or −ENOMEM with a text; then there is nothing to free.
 */
int stats_list_read(struct stats_list *list, const char *uri);
void stats_list_free(struct stats_list *list);

/* The same queue in a list of another moment, or NULL. */
const struct stats_queue *stats_list_find(const struct stats_list *list,
					  uint32_t pid, uint32_t number);

#endif
