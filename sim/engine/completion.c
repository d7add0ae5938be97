/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <sim/engine/fetcher.h>

/* Where they lie does not matter to the link: neither crosses a page. */
static const struct memory_range message_ranges[] = {
	{ .address = 0x1000, .length = sizeof(struct spmm_cqe) },
	{ .address = 0xfee00000, .length = 4 }, /* MSI-X */
};

/**
 * struct completion - an entry and its interrupt
 * @command: NULL if it was dropped
 * @posted: cycle, for the observer
 */
struct completion {
	struct engine_command *command;
	struct link_transfer transfer;
	uint64_t posted;
	struct completion *next;
};

int completion_post(struct engine_fetcher *fetcher,
		    struct engine_command *command, uint64_t now)
{
	struct completion *completion = malloc(sizeof(*completion));

	if (!completion)
		return accel_error(-ENOMEM, "no memory for a completion");
	*completion = (struct completion){
		.command = command,
		.transfer = { .ranges = message_ranges,
			      .count = 2,
			      .write = true,
			      .allowed = UINT64_MAX,
			      .sequence = command->sequence },
		.posted = now,
	};
	if (fetcher->completion_first)
		fetcher->completion_last->next = completion;
	else
		fetcher->completion_first = completion;
	fetcher->completion_last = completion;
	link_interrupt(fetcher->link, &completion->transfer);
	return 0;
}

static void show(const struct engine_fetcher *fetcher,
		 const struct completion *completion, uint64_t now)
{
	const struct engine_observer *observer = fetcher->observer;
	struct engine_span span = {
		.track = ENGINE_TRACK_INTERRUPT,
		.begin = completion->posted,
		.end = now,
		.name = "interrupt",
		.sequence = completion->transfer.sequence,
	};

	if (!observer || !observer->span)
		return;
	observer->span(observer->owner, &span);
	span.track = ENGINE_TRACK_HOST;
	span.begin = now;
	span.end = now + 1;
	span.name = "complete";
	observer->span(observer->owner, &span);
}

static bool completion_seen(const struct completion *completion)
{
	return completion && link_transfer_done(&completion->transfer);
}

struct engine_command *completion_take(struct engine_fetcher *fetcher,
				       uint64_t now)
{
	struct engine_command *command = NULL;

	while (!command && completion_seen(fetcher->completion_first)) {
		struct completion *completion = fetcher->completion_first;

		command = completion->command;
		if (command)
			show(fetcher, completion, now);
		fetcher->completion_first = completion->next;
		free(completion);
	}
	return command;
}

void completion_drop(struct engine_fetcher *fetcher, uint16_t queue)
{
	for (struct completion *completion = fetcher->completion_first;
	     completion; completion = completion->next)
		if (completion->command && completion->command->queue == queue)
			completion->command = NULL;
}

void completion_clear(struct engine_fetcher *fetcher)
{
	while (fetcher->completion_first) {
		struct completion *completion = fetcher->completion_first;

		fetcher->completion_first = completion->next;
		free(completion);
	}
}
