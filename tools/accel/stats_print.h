/* SPDX-License-Identifier: MIT */
/* The forms in which `accel stats` prints. */
#ifndef TOOL_STATS_PRINT_H
#define TOOL_STATS_PRINT_H

#include "stats_kernel.h"
#include "stats_list.h"

/**
 * struct stats_snapshot - all that is known at one moment
 * @list: of processes
 * @busy: of the process of each page of @list
 * @nodes: of the kernel's devices
 * @node_count: of @nodes
 */
struct stats_snapshot {
	struct stats_list list;
	struct stats_value *busy;
	struct stats_node nodes[STATS_NODES_MAX];
	uint32_t node_count;
};

/* 0, or −ENOMEM with a text; uri as of stats_list_read(). */
int stats_snapshot_take(struct stats_snapshot *snapshot, const char *uri);
void stats_snapshot_free(struct stats_snapshot *snapshot);

/* A line for each device of the kernel module. */
void stats_print_nodes(const struct stats_snapshot *snapshot);

void stats_print_table(const struct stats_snapshot *snapshot);
/* The text format of Prometheus. */
void stats_print_prom(const struct stats_snapshot *snapshot);
/* 0, or −ENOMEM with a text. */
int stats_print_json(const struct stats_snapshot *snapshot);

#endif
