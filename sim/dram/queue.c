/* SPDX-License-Identifier: MIT */
#include "sim/dram/queue.h"

#include <string.h>

#include "sim/dram/schedule.h"

void dram_queue_push(struct dram_queue *queue, uint16_t entry, uint32_t bank)
{
	queue->entry[queue->count] = entry;
	queue->bank[queue->count++] = (uint8_t)bank;
	queue->in_bank[bank]++;
	queue->banks |= 1ull << bank;
}

static void queue_remove(struct dram_queue *queue, uint32_t position)
{
	uint32_t bank = queue->bank[position];
	uint32_t above = --queue->count - position;

	memmove(&queue->entry[position], &queue->entry[position + 1],
		above * sizeof(queue->entry[0]));
	memmove(&queue->bank[position], &queue->bank[position + 1],
		above * sizeof(queue->bank[0]));
	if (!--queue->in_bank[bank])
		queue->banks &= ~(1ull << bank);
}

uint32_t dram_queue_find(const struct dram_controller *controller,
			 const struct dram_queue *queue)
{
	uint32_t position = 0;

	if (!(queue->banks & controller->room))
		return DRAM_NO_POSITION;
	while (!(controller->room >> queue->bank[position] & 1))
		position++;
	return position;
}

bool dram_queue_read_pending(const struct dram_controller *controller,
			     const struct dram_queue *queue, uint32_t position)
{
	const struct dram_pending *pending = &controller->pending;
	uint16_t entry = queue->entry[position];

	return dram_pending_find(pending, &pending->entries[entry].address,
				 false) != DRAM_NO_ENTRY;
}

void dram_queue_move(struct dram_controller *controller,
		     struct dram_queue *queue, uint32_t position)
{
	uint16_t index = queue->entry[position];
	const struct dram_entry *entry = &controller->pending.entries[index];
	uint32_t bank = entry->address.bank;
	struct dram_waiting waiting = {
		.row = entry->address.row,
		.column = entry->address.column,
		.age = entry->age,
		.entry = index,
	};

	queue_remove(queue, position);
	dram_bank_push(&controller->banks[bank], &waiting, entry->write);
	if (controller->banks[bank].count == controller->bank_capacity)
		controller->room &= ~(1ull << bank);
	controller->queued++;
	controller->queued_writes += entry->write;
	dram_schedule_pushed(controller, bank);
}
