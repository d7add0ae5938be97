/* SPDX-License-Identifier: MIT */
#include <core/integer.h>
#include <sim/lower.h>
#include <sim/lower_copy.h>
#include <sim/traffic.h>

/* A page, so that a copy's writes follow its reads closely; but not too many. */
#define PIECE_BYTES 4096
#define PIECES_MAX 256

static uint64_t piece_bytes(uint64_t length)
{
	return max_u64(PIECE_BYTES,
		       align_up(divide_up(length, PIECES_MAX), PIECE_BYTES));
}

/* A range as rows of so many bytes. */
static uint32_t linear_operand(struct hazard_record *record, uint64_t address,
			       uint64_t length, uint64_t piece, bool write)
{
	const struct spmm_tensor tensor = {
		.address = address,
		.row_stride = (uint32_t)piece,
		.channels = 1,
		.height = (uint32_t)divide_up(length, piece),
		.width = 1,
	};
	uint32_t operand = hazard_operand(record, &tensor, piece, write);

	record->operands[operand].end = address + length;
	return operand;
}

void copy_lower(struct sim_execution *execution, enum spmm_hint hint)
{
	const struct spmm_sqe *entry = execution->entry;
	struct lowering *lowering = lower_begin(execution, ENGINE_DMA);
	uint64_t piece = piece_bytes(entry->length);
	uint32_t source, destination;

	/* No copy takes so long before its time is over. */
	if (!lowering || piece > UINT32_MAX)
		return;
	lowering->command.copy_bytes = entry->length;
	source = linear_operand(&lowering->record, entry->address,
				entry->length, piece, false);
	destination = linear_operand(&lowering->record, entry->destination,
				     entry->length, piece, true);
	for (uint64_t done = 0; done < entry->length && !execution->status;
	     done += piece) {
		uint64_t part = min_u64(entry->length - done, piece);
		uint32_t row = lowering->command.tile_count;
		const struct hazard_rows rows = { row, row + 1 };
		struct engine_tile tile = { 0 };

		lower_touch(execution, source, rows, &tile);
		lower_touch(execution, destination, rows, &tile);
		traffic_read(execution, entry->address + done, part, hint);
		traffic_write(execution, entry->destination + done, part, hint);
		lower_tile(execution, &tile);
	}
}

void lower_copy_begin(struct copy_lowering *copy,
		      const struct copy_span *source,
		      const struct copy_span *destination, uint64_t bytes)
{
	struct lowering *lowering = lower_begin(copy->execution, ENGINE_DMA);

	if (!lowering)
		return;
	lowering->command.copy_bytes = bytes;
	copy->piece = piece_bytes(bytes);
	copy->pending = 0;
	copy->source = hazard_range(&lowering->record, source->first,
				    source->length, false);
	copy->destination = hazard_range(&lowering->record, destination->first,
					 destination->length, true);
}

static void piece_lower(struct copy_lowering *copy)
{
	static const struct hazard_rows all = { 0, 1 };
	struct engine_tile tile = { 0 };

	lower_touch(copy->execution, copy->source, all, &tile);
	lower_touch(copy->execution, copy->destination, all, &tile);
	lower_tile(copy->execution, &tile);
	copy->pending = 0;
}

void lower_copy_part(struct copy_lowering *copy, uint64_t from, uint64_t to,
		     uint64_t bytes)
{
	traffic_read(copy->execution, from, bytes, copy->hint);
	traffic_write(copy->execution, to, bytes, copy->hint);
	copy->pending += bytes;
	if (copy->pending >= copy->piece)
		piece_lower(copy);
}

void lower_copy_end(struct copy_lowering *copy)
{
	if (copy->pending && !copy->execution->status)
		piece_lower(copy);
}

void lower_word(struct sim_execution *execution)
{
	uint64_t address = execution->entry->address;
	struct lowering *lowering = lower_begin(execution, ENGINE_DMA);
	static const struct hazard_rows all = { 0, 1 };
	struct engine_tile tile = { 0 };

	if (!lowering)
		return;
	lowering->command.copy_bytes = 8;
	lowering->command.fence = true;
	lower_touch(execution,
		    hazard_range(&lowering->record, address, 8, true), all,
		    &tile);
	traffic_write(execution, address, 8, SPMM_HINT_KEEP);
	lower_tile(execution, &tile);
}
