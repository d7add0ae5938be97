/* SPDX-License-Identifier: MIT */
/* https://prometheus.io/docs/instrumenting/exposition_formats, the text format. */
#include "stats_metric.h"
#include "stats_print.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_SECOND 1e9

/* Texts are printable ASCII: two of these are special. */
static void print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++)
		printf(*value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	printf("\"");
}

static void print_heading(const char *name, const char *help, const char *type)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_process_labels(const struct stats_page_read *page)
{
	printf("pid=\"%u\",", page->pid);
	print_label("program", page->program);
	printf(",");
	print_label("device", page->uri);
}

static void print_sample(const char *name, const struct stats_page_read *page,
			 const struct stats_queue *queue)
{
	printf("%s{", name);
	print_process_labels(page);
	printf(",queue=\"%u\"} ", queue->number);
}

static void print_metric(const struct stats_metric *metric,
			 const struct stats_list *list)
{
	char name[64];

	snprintf(name, sizeof(name), "accel_queue_%s", metric->prom);
	print_heading(name, metric->help, metric->gauge ? "gauge" : "counter");
	for (size_t i = 0; i < list->count; i++)
		for (uint32_t j = 0; j < list->pages[i].queue_count; j++) {
			const struct stats_queue *queue =
				&list->pages[i].queues[j];
			uint64_t value =
				stats_metric_value(metric, &queue->counters);

			print_sample(name, &list->pages[i], queue);
			if (metric->nanoseconds)
				printf("%.9f\n", (double)value / NS_PER_SECOND);
			else
				printf("%" PRIu64 "\n", value);
		}
}

static void print_states(const struct stats_list *list)
{
	static const char *const names[] = { "accel_queue_depth",
					     "accel_queue_outstanding" };

	for (int which = 0; which < 2; which++) {
		print_heading(names[which],
			      which ? "Operations that have not completed." :
				      "Operations that may be outstanding.",
			      "gauge");
		for (size_t i = 0; i < list->count; i++)
			for (uint32_t j = 0; j < list->pages[i].queue_count;
			     j++) {
				const struct stats_queue *queue =
					&list->pages[i].queues[j];

				print_sample(names[which], &list->pages[i],
					     queue);
				printf("%" PRIu64 "\n",
				       which ? stats_queue_outstanding(queue) :
					       queue->depth);
			}
	}
}

/* A process with several pages has the same in each: it counts all its files. */
static void print_busy(const struct stats_snapshot *snapshot)
{
	const struct stats_list *list = &snapshot->list;
	const char *name = "accel_process_busy_seconds_total";

	print_heading(name, "Time that devices worked for a process.",
		      "counter");
	for (size_t i = 0; i < list->count; i++) {
		const struct stats_page_read *page = &list->pages[i];

		if (!snapshot->busy[i].known ||
		    (i && list->pages[i - 1].pid == page->pid))
			continue;
		printf("%s{pid=\"%u\",", name, page->pid);
		print_label("program", page->program);
		printf("} %.9f\n",
		       (double)snapshot->busy[i].value / NS_PER_SECOND);
	}
}

/** struct node_metric - a number of a device of the kernel module */
struct node_metric {
	const char *name;
	const char *help;
	const char *type;
	size_t offset;
	double unit;
};

static const struct node_metric node_metrics[] = {
	{ "accel_device_resets_total", "Resets of the device.", "counter",
	  offsetof(struct stats_node, resets), 1 },
	{ "accel_device_temperature_celsius", "Its temperature.", "gauge",
	  offsetof(struct stats_node, millicelsius), 1e3 },
	{ "accel_device_power_watts", "What it draws.", "gauge",
	  offsetof(struct stats_node, microwatts), 1e6 },
	{ "accel_device_clock_hertz", "Its clock.", "gauge",
	  offsetof(struct stats_node, hertz), 1 },
};

static void print_node_metric(const struct node_metric *metric,
			      const struct stats_snapshot *snapshot)
{
	print_heading(metric->name, metric->help, metric->type);
	for (uint32_t i = 0; i < snapshot->node_count; i++) {
		const struct stats_node *node = &snapshot->nodes[i];
		const struct stats_value *value =
			(const void *)((const char *)node + metric->offset);

		if (!value->known)
			continue;
		printf("%s{", metric->name);
		print_label("node", node->name);
		printf(",");
		print_label("address", node->address);
		printf("} %.12g\n", (double)value->value / metric->unit);
	}
}

void stats_print_prom(const struct stats_snapshot *snapshot)
{
	for (const struct stats_metric *m = stats_metrics; m->name; m++)
		print_metric(m, &snapshot->list);
	print_states(&snapshot->list);
	print_busy(snapshot);
	for (size_t i = 0; i < sizeof(node_metrics) / sizeof(*node_metrics);
	     i++)
		print_node_metric(&node_metrics[i], snapshot);
}
