/* SPDX-License-Identifier: MIT */
/*
 * Showing what queues count to other processes. Where that does not work, for whatever
 * reason, the counters are this process's alone: never an error.
 */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include <stddef.h>
#include <stdint.h>

struct queue_counters;
struct stats;

/*
 * The folder of this user's pages: what ACCEL_STATS names; /run/accel for root, else
 * $XDG_RUNTIME_DIR/accel. 0; −ENOENT if there is none, or ACCEL_STATS is "off".
 */
int stats_folder(char *path, size_t size);

/* The page of a device, or NULL. */
struct stats *stats_create(const char *uri, const char *backend);
void stats_destroy(struct stats *stats);

/* Zeroed counters in it, or NULL: there is no page, or no room in it. */
struct queue_counters *stats_queue_add(struct stats *stats, uint32_t depth,
				       uint32_t priority);
/* What stats_queue_add() returned; others are not in the page and left alone. */
void stats_queue_remove(struct stats *stats,
			const struct queue_counters *counters);

#endif
