/* SPDX-License-Identifier: MIT */
#include "stats_print.h"

#include <inttypes.h>
#include <stdio.h>

static void print_value(const struct stats_value *value, double unit,
			const char *name)
{
	if (value->known)
		printf("  %.1f %s", (double)value->value / unit, name);
}

void stats_print_nodes(const struct stats_snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->node_count; i++) {
		const struct stats_node *node = &snapshot->nodes[i];

		printf("%s %s: %s", node->name, node->address, node->state);
		if (node->resets.known)
			printf("  %" PRId64 " resets", node->resets.value);
		print_value(&node->millicelsius, 1e3, "°C");
		print_value(&node->microwatts, 1e6, "W");
		print_value(&node->hertz, 1e6, "MHz");
		printf("\n");
	}
}

static void print_page(const struct stats_page_read *page)
{
	for (uint32_t i = 0; i < page->queue_count; i++) {
		const struct stats_queue *queue = &page->queues[i];
		const struct queue_counters *counters = &queue->counters;

		printf("%8u %-15s %5u %12" PRIu64 " %10" PRIu64 " %9" PRIu64
		       " %10" PRIu64 " %10" PRIu64 "  %s\n",
		       page->pid, page->program, queue->number,
		       counters->completed, counters->failed,
		       stats_queue_outstanding(queue), counters->doorbells,
		       counters->sleeps, page->uri);
	}
	if (page->unlisted)
		printf("%8u %-15s and %u more queues\n", page->pid,
		       page->program, page->unlisted);
}

void stats_print_table(const struct stats_snapshot *snapshot)
{
	stats_print_nodes(snapshot);
	printf("%8s %-15s %5s %12s %10s %9s %10s %10s  %s\n", "pid", "program",
	       "queue", "completed", "failed", "in flight", "doorbells",
	       "sleeps", "device");
	for (size_t i = 0; i < snapshot->list.count; i++)
		print_page(&snapshot->list.pages[i]);
}
