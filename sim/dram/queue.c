/* SPDX-License-Identifier: MIT */
#include "sim/dram/queue.h"

#include <string.h>

#include "sim/dram/schedule.h"

void dram_queue_push(struct dram_queue *queue, uint16_t entry, uint32_t bank)
{
	uint32_t end = queue->first + queue->count;

	if (end == DRAM_QUEUE_SLOTS) {
		memmove(queue->slots, &queue->slots[queue->first],
			queue->count * sizeof(queue->slots[0]));
		queue->first = 0;
		end = queue->count;
	}
	queue->slots[end] = (struct dram_slot){ entry, (uint16_t)bank };
	queue->count++;
	queue->in_bank[bank]++;
	queue->banks |= 1ull << bank;
}

/* The older ones, of which there are few, move up. */
static void queue_remove(struct dram_queue *queue, uint32_t position)
{
	struct dram_slot *slots = &queue->slots[queue->first];
	uint32_t bank = slots[position].bank;

	for (; position; position--)
		slots[position] = slots[position - 1];
	queue->first++;
	queue->count--;
	if (!--queue->in_bank[bank])
		queue->banks &= ~(1ull << bank);
}

uint32_t dram_queue_find(const struct dram_controller *controller,
			 const struct dram_queue *queue)
{
	uint32_t position = 0;

	if (!(queue->banks & controller->room))
		return DRAM_NO_POSITION;
	while (!(controller->room >> dram_queue_slot(queue, position)->bank &
		 1))
		position++;
	return position;
}

bool dram_queue_read_pending(const struct dram_controller *controller,
			     const struct dram_queue *queue, uint32_t position)
{
	const struct dram_pending *pending = &controller->pending;
	uint16_t entry = dram_queue_slot(queue, position)->entry;

	return dram_pending_find(pending, &pending->entries[entry].address,
				 false) != DRAM_NO_ENTRY;
}

void dram_queue_move(struct dram_controller *controller,
		     struct dram_queue *queue, uint32_t position)
{
	uint16_t index = dram_queue_slot(queue, position)->entry;
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
