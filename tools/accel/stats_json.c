/* SPDX-License-Identifier: MIT */
#include "json_print.h"
#include "stats_metric.h"
#include "stats_print.h"

/* Counters beyond what JSON's readers hold would be of a page that is not ours. */
static json_int_t integer(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *queue_json(const struct stats_queue *queue)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:I}", "queue",
				   (json_int_t)queue->number, "depth",
				   (json_int_t)queue->depth, "priority",
				   (json_int_t)queue->priority, "outstanding",
				   integer(stats_queue_outstanding(queue)));

	for (const struct stats_metric *m = stats_metrics; m->name; m++)
		json_object_set_new(object, m->name,
				    json_integer(integer(stats_metric_value(
					    m, &queue->counters))));
	return object;
}

static json_t *value_json(const struct stats_value *value, double unit)
{
	return value->known ? json_finite((double)value->value / unit) :
			      json_null();
}

static json_t *page_json(const struct stats_page_read *page,
			 const struct stats_value *busy)
{
	json_t *queues = json_array();

	for (uint32_t i = 0; i < page->queue_count; i++)
		json_array_append_new(queues, queue_json(&page->queues[i]));
	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:I, s:o}", "pid",
			 (json_int_t)page->pid, "program", page->program,
			 "device", page->uri, "backend", page->backend,
			 "process_busy_seconds", value_json(busy, 1e9),
			 "unlisted_queues", (json_int_t)page->unlisted,
			 "queues", queues);
}

static json_t *node_json(const struct stats_node *node)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "node",
			 node->name, "address", node->address, "state",
			 node->state, "resets", value_json(&node->resets, 1),
			 "temperature_celsius",
			 value_json(&node->millicelsius, 1e3), "power_watts",
			 value_json(&node->microwatts, 1e6), "clock_hertz",
			 value_json(&node->hertz, 1));
}

int stats_print_json(const struct stats_snapshot *snapshot)
{
	json_t *processes = json_array(), *nodes = json_array();

	for (size_t i = 0; i < snapshot->list.count; i++)
		json_array_append_new(processes,
				      page_json(&snapshot->list.pages[i],
						&snapshot->busy[i]));
	for (uint32_t i = 0; i < snapshot->node_count; i++)
		json_array_append_new(nodes, node_json(&snapshot->nodes[i]));
	return json_print(json_pack("{s:o, s:o}", "processes", processes,
				    "kernel_devices", nodes));
}
