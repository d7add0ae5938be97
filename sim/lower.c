/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <sim/lower.h>

/* Nobody's copy is worth more of the host's memory. */
#define RANGES_MAX (1u << 24)

static void no_memory(struct sim_execution *execution)
{
	execution_fail(execution, SPMM_SC_INTERNAL, 0);
}

/* Room for one more; false: none. */
static bool array_reserve(void **array, uint32_t count, uint32_t *capacity,
			  size_t size)
{
	uint32_t room = *capacity + *capacity / 2 + 16;
	void *more;

	if (count < *capacity)
		return true;
	more = realloc(*array, room * size);
	if (!more)
		return false;
	*array = more;
	*capacity = room;
	return true;
}

struct lowering *lower_begin(struct sim_execution *execution,
			     enum engine_unit unit)
{
	struct lowering **last = &execution->lowered;
	struct lowering *lowering = calloc(1, sizeof(*lowering));

	if (!lowering) {
		no_memory(execution);
		return NULL;
	}
	while (*last)
		last = &(*last)->next;
	*last = lowering;
	lowering->record.context = execution->context;
	lowering->command.opcode = execution->entry->opcode;
	lowering->command.queue = execution->queue->id;
	lowering->command.unit = unit;
	lowering->command.row_groups = 1;
	lowering->command.column_groups = 1;
	return lowering;
}

struct lowering *lower_current(const struct sim_execution *execution)
{
	struct lowering *lowering = execution->lowered;

	while (lowering && lowering->next)
		lowering = lowering->next;
	return lowering;
}

void lowering_free(struct lowering *lowering)
{
	hazard_record_free(&lowering->record);
	free(lowering->command.tiles);
	free(lowering->command.passes);
	free(lowering->memory.ranges);
	free(lowering->link.ranges);
	free(lowering->reads.ranges);
	free(lowering->writes.ranges);
	free(lowering->host_reads.ranges);
	free(lowering->host_writes.ranges);
	free(lowering);
}

void lower_drop(struct sim_execution *execution)
{
	while (execution->lowered) {
		struct lowering *next = execution->lowered->next;

		lowering_free(execution->lowered);
		execution->lowered = next;
	}
}

/* A piece that goes on where the last one of the same page ends is part of it. */
static bool range_extend(struct range_list *list, uint64_t address,
			 uint32_t length)
{
	struct memory_range *last;

	if (!list->count || !(address & (SPMM_PAGE_SIZE - 1)))
		return false;
	last = &list->ranges[list->count - 1];
	if (last->address + last->length != address)
		return false;
	last->length += length;
	return true;
}

void range_list_add(struct sim_execution *execution, struct range_list *list,
		    uint64_t address, uint32_t length, uint32_t walks)
{
	if (!walks && range_extend(list, address, length))
		return;
	if (list->count == RANGES_MAX ||
	    !array_reserve((void **)&list->ranges, list->count, &list->capacity,
			   sizeof(*list->ranges))) {
		no_memory(execution);
		return;
	}
	list->ranges[list->count++] =
		(struct memory_range){ address, length, walks };
}

/* Moves all of a list to the end of another: where it is there. */
static struct engine_ranges ranges_move(struct sim_execution *execution,
					struct range_list *to,
					struct range_list *from)
{
	const struct engine_ranges moved = { to->count, from->count };
	uint32_t count = to->count + from->count;

	if (count > to->capacity) {
		uint32_t room = count + count / 2;
		struct memory_range *more =
			realloc(to->ranges, room * sizeof(*more));

		if (!more) {
			no_memory(execution);
			return (struct engine_ranges){ 0 };
		}
		to->ranges = more;
		to->capacity = room;
	}
	if (from->count)
		memcpy(to->ranges + to->count, from->ranges,
		       from->count * sizeof(*from->ranges));
	to->count = count;
	from->count = 0;
	return moved;
}

void lower_weights(struct sim_execution *execution)
{
	struct lowering *lowering = lower_current(execution);

	lowering->command.weights =
		ranges_move(execution, &lowering->memory, &lowering->reads);
	lowering->command.weights_from_host =
		ranges_move(execution, &lowering->link, &lowering->host_reads);
}

uint32_t lower_pass(struct sim_execution *execution,
		    const struct engine_pass *pass)
{
	struct lowering *lowering = lower_current(execution);
	struct engine_command *command = &lowering->command;

	if (!array_reserve((void **)&command->passes, command->pass_count,
			   &lowering->pass_capacity, sizeof(*pass))) {
		no_memory(execution);
		return 0;
	}
	command->passes[command->pass_count] = *pass;
	return command->pass_count++;
}

void lower_tile(struct sim_execution *execution, const struct engine_tile *tile)
{
	struct lowering *lowering = lower_current(execution);
	struct engine_command *command = &lowering->command;
	struct range_list *memory = &lowering->memory;
	struct range_list *link = &lowering->link;
	struct engine_tile *out;

	if (!array_reserve((void **)&command->tiles, command->tile_count,
			   &lowering->tile_capacity, sizeof(*tile))) {
		no_memory(execution);
		return;
	}
	out = &command->tiles[command->tile_count++];
	*out = *tile;
	out->reads = ranges_move(execution, memory, &lowering->reads);
	out->writes = ranges_move(execution, memory, &lowering->writes);
	out->host_reads = ranges_move(execution, link, &lowering->host_reads);
	out->host_writes = ranges_move(execution, link, &lowering->host_writes);
	/* The arrays may have moved; nobody else refers to them yet. */
	command->memory_ranges = memory->ranges;
	command->link_ranges = link->ranges;
}

void lower_touch(struct sim_execution *execution, uint32_t operand,
		 struct hazard_rows rows, struct engine_tile *tile)
{
	struct lowering *lowering = lower_current(execution);

	switch (hazard_touch(&execution->device->hazards, &lowering->record,
			     operand, lowering->command.tile_count, rows,
			     tile)) {
	case HAZARD_NO_MEMORY:
		no_memory(execution);
		return;
	case HAZARD_TOO_MANY:
		lowering->command.fence = true;
		return;
	case HAZARD_DONE:
		return;
	}
}

void lower_parameters(struct sim_execution *execution, uint64_t address,
		      uint64_t length)
{
	struct lowering *lowering = lower_current(execution);

	if (hazard_written(&execution->device->hazards, execution->context,
			   address, length))
		lowering->command.fence = true;
	hazard_range(&lowering->record, address, length, false);
}
