/* SPDX-License-Identifier: MIT */
#include "sim/dram/move.h"

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

/* The oldest request whose bank's queue has room, or DRAM_NO_POSITION. */
static uint32_t queue_find(const struct dram_controller *controller,
			   const struct dram_queue *queue)
{
	uint32_t position = 0;

	if (!(queue->banks & controller->room))
		return DRAM_NO_POSITION;
	while (!(controller->room >> queue->bank[position] & 1))
		position++;
	return position;
}

static void queue_move(struct dram_controller *controller,
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
	if (controller->banks[bank].count ==
	    controller->standard->bank_queue_entries)
		controller->room &= ~(1ull << bank);
	controller->queued++;
	dram_schedule_pushed(controller, bank);
}

static bool read_move(struct dram_controller *controller)
{
	uint32_t position = queue_find(controller, &controller->reads);

	if (position == DRAM_NO_POSITION)
		return false;
	queue_move(controller, &controller->reads, position);
	return true;
}

/* A write that a pending read of its address precedes ends the drain. */
static bool write_move(struct dram_controller *controller)
{
	uint32_t position = queue_find(controller, &controller->writes);
	const struct dram_address *address;
	uint16_t entry;

	if (position == DRAM_NO_POSITION)
		return false;
	entry = controller->writes.entry[position];
	address = &controller->pending.entries[entry].address;
	if (dram_pending_find(&controller->pending, address, false) !=
	    DRAM_NO_ENTRY) {
		controller->drain = 0;
		/*
		 * With all bank queues empty that read is still in the read
		 * queue, and the drain would begin again at once, for ever (the
		 * reference locks up here): let the read pass.
		 */
		return controller->queued ? true : read_move(controller);
	}
	controller->drain--;
	queue_move(controller, &controller->writes, position);
	return true;
}

static void drain_start(struct dram_controller *controller)
{
	const struct dram_standard *standard = controller->standard;
	uint32_t writes = controller->writes.count;

	if (!controller->drain &&
	    (writes >= standard->drain_full ||
	     (writes > standard->drain_idle && !controller->queued)))
		controller->drain = writes;
}

bool dram_move(struct dram_controller *controller)
{
	bool moved;

	drain_start(controller);
	moved = controller->drain ? write_move(controller) :
				    read_move(controller);
	controller->move_stuck = !moved;
	return moved;
}
