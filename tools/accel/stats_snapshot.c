/* SPDX-License-Identifier: MIT */
#include "stats_print.h"

#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int stats_snapshot_take(struct stats_snapshot *snapshot, const char *uri)
{
	const struct stats_list *list = &snapshot->list;
	int ret = stats_list_read(&snapshot->list, uri);

	if (ret)
		return ret;
	snapshot->busy = calloc(list->count + 1, sizeof(*snapshot->busy));
	if (!snapshot->busy) {
		stats_list_free(&snapshot->list);
		return accel_error(-ENOMEM, "no memory for the statistics");
	}
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->pages[i].backend, "dev"))
			snapshot->busy[i] =
				stats_kernel_busy(list->pages[i].pid);
	snapshot->node_count = stats_kernel_nodes(snapshot->nodes);
	return 0;
}

void stats_snapshot_free(struct stats_snapshot *snapshot)
{
	free(snapshot->busy);
	stats_list_free(&snapshot->list);
}
