/* SPDX-License-Identifier: MIT */
#include "top_rate.h"

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

#define NS_PER_SECOND 1e9

/* A counter that went back is of another queue, or of a page that lies. */
static double growth(uint64_t before, uint64_t now)
{
	return now > before ? (double)(now - before) : 0;
}

static double busy_share(const struct stats_snapshot *before,
			 const struct stats_snapshot *now, size_t page,
			 double seconds)
{
	uint32_t pid = now->list.pages[page].pid;

	for (size_t i = 0; i < before->list.count && now->busy[page].known;
	     i++) {
		const struct stats_value *past = &before->busy[i];

		if (before->list.pages[i].pid == pid && past->known)
			return (double)(now->busy[page].value - past->value) /
			       NS_PER_SECOND / seconds;
	}
	return -1;
}

static void row_set(struct top_row *row, const struct queue_counters *then,
		    double seconds)
{
	const struct queue_counters *now = &row->queue->counters;
	double batches = growth(then->batches, now->batches);

	row->operations = growth(then->completed, now->completed) / seconds;
	row->failures = growth(then->failed, now->failed) / seconds;
	row->sleeps = growth(then->sleeps, now->sleeps) / seconds;
	row->spin =
		growth(then->spin_ns, now->spin_ns) / NS_PER_SECOND / seconds;
	row->batch = batches > 0 ?
			     growth(then->submitted, now->submitted) / batches :
			     0;
}

static int row_compare(const void *a, const void *b)
{
	const struct top_row *first = a, *second = b;

	if (first->operations != second->operations)
		return first->operations > second->operations ? -1 : 1;
	if (first->page->pid != second->page->pid)
		return first->page->pid < second->page->pid ? -1 : 1;
	return first->queue->number < second->queue->number ? -1 : 1;
}

static size_t queue_count(const struct stats_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->pages[i].queue_count;
	return count;
}

struct top_row *top_rate(const struct stats_snapshot *before,
			 const struct stats_snapshot *now, double seconds,
			 size_t *count)
{
	static const struct queue_counters zeros;
	struct top_row *rows =
		calloc(queue_count(&now->list) + 1, sizeof(*rows));
	size_t filled = 0;

	if (!rows) {
		accel_error(-ENOMEM, "no memory for the table");
		return NULL;
	}
	for (size_t i = 0; i < now->list.count; i++) {
		const struct stats_page_read *page = &now->list.pages[i];

		for (uint32_t j = 0; j < page->queue_count; j++) {
			const struct stats_queue *queue = &page->queues[j];
			const struct stats_queue *past = stats_list_find(
				&before->list, page->pid, queue->number);

			rows[filled] = (struct top_row){
				.page = page,
				.queue = queue,
				.busy = busy_share(before, now, i, seconds),
			};
			row_set(&rows[filled++],
				past ? &past->counters : &zeros, seconds);
		}
	}
	qsort(rows, filled, sizeof(*rows), row_compare);
	*count = filled;
	return rows;
}
