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
	copy->channels = UINT64_MAX;
	copy->parts = 0;
	copy->row = 0;
	copy->source = hazard_range(&lowering->record, source->first,
				    source->length, false);
	copy->destination = hazard_range(&lowering->record, destination->first,
					 destination->length, true);
}

/* Dimensions of a copy of bands; those outside of them are 1. */
enum {
	COPY_BANDS = SPMM_COPY_DIMENSIONS - 3,
	COPY_CHANNELS,
	COPY_LINE,
};

static bool stride_fits(uint64_t stride, uint64_t least)
{
	return stride >= least && stride <= UINT32_MAX;
}

static uint32_t band_operand(struct hazard_record *record,
			     const struct spmm_copy_descriptor *d,
			     uint64_t address, const __le64 *stride, bool write)
{
	const struct spmm_tensor tensor = {
		.address = address,
		.channel_stride = stride[COPY_CHANNELS],
		.row_stride = (uint32_t)stride[COPY_BANDS],
		.channels = d->count[COPY_CHANNELS],
		.height = d->count[COPY_BANDS],
		.width = 1,
	};

	return hazard_operand(record, &tensor,
			      (uint64_t)d->count[COPY_LINE] * d->element,
			      write);
}

static bool side_has_bands(const struct spmm_copy_descriptor *d,
			   const __le64 *stride)
{
	uint64_t line = (uint64_t)d->count[COPY_LINE] * d->element;

	return stride[COPY_LINE] == d->element &&
	       stride_fits(stride[COPY_BANDS], line) &&
	       stride_fits(stride[COPY_CHANNELS],
			   (d->count[COPY_BANDS] - 1ull) * stride[COPY_BANDS] +
				   line);
}

bool lower_copy_begin_rows(struct copy_lowering *copy,
			   const struct spmm_copy_descriptor *d)
{
	struct lowering *lowering;
	uint64_t bytes;

	for (int i = 0; i < COPY_BANDS; i++)
		if (d->count[i] != 1)
			return false;
	if (!side_has_bands(d, d->source_stride) ||
	    !side_has_bands(d, d->destination_stride))
		return false;
	lowering = lower_begin(copy->execution, ENGINE_DMA);
	if (!lowering)
		return true;
	bytes = (uint64_t)d->count[COPY_LINE] * d->element *
		d->count[COPY_CHANNELS] * d->count[COPY_BANDS];
	lowering->command.copy_bytes = bytes;
	copy->piece = piece_bytes(bytes);
	copy->pending = 0;
	copy->channels = d->count[COPY_CHANNELS];
	copy->parts = 0;
	copy->row = 0;
	copy->source = band_operand(&lowering->record, d, d->source,
				    d->source_stride, false);
	copy->destination = band_operand(&lowering->record, d, d->destination,
					 d->destination_stride, true);
	return true;
}

static void piece_lower(struct copy_lowering *copy)
{
	const struct hazard_rows rows = {
		copy->row, (uint32_t)divide_up(copy->parts, copy->channels)
	};
	struct engine_tile tile = { 0 };

	lower_touch(copy->execution, copy->source, rows, &tile);
	lower_touch(copy->execution, copy->destination, rows, &tile);
	lower_tile(copy->execution, &tile);
	copy->pending = 0;
	copy->row = (uint32_t)(copy->parts / copy->channels);
}

void lower_copy_part(struct copy_lowering *copy, uint64_t from, uint64_t to,
		     uint64_t bytes)
{
	traffic_read(copy->execution, from, bytes, copy->hint);
	traffic_write(copy->execution, to, bytes, copy->hint);
	copy->pending += bytes;
	copy->parts++;
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
