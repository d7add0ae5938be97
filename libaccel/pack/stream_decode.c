/* SPDX-License-Identifier: MIT */
#include "pack/stream.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/status.h>
#include <spmm/stream.h>

#include "pack/lane_decode.h"
#include "pack/schedule.h"

/**
 * struct decoder - a stream on its way into slots
 * @bytes: the stream
 * @length: of @bytes
 * @limits: of a cluster
 * @header: in the processor's byte order
 * @needs_cycles: somebody wants to know when slots issue
 * @data: offset of the next lane's bits
 * @lane: the present lane and what the lanes have given so far
 * @cycles: of the present part's symbols, when they issue
 * @cycles_capacity: of @cycles
 * @error: byte at which decoding failed
 */
struct decoder {
	const uint8_t *bytes;
	size_t length;
	struct schedule_limits limits;
	struct spmm_stream_header header;
	bool needs_cycles;
	size_t data;
	struct lane_decoder lane;
	uint32_t *cycles;
	size_t cycles_capacity;
	size_t error;
};

static int fail(struct decoder *decoder, size_t offset, enum spmm_status status)
{
	decoder->error = offset;
	return status;
}

static int decode_header(struct decoder *decoder,
			 const struct geometry *geometry)
{
	struct spmm_stream_header *header = &decoder->header;

	if (decoder->length < sizeof(*header))
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	memcpy(header, decoder->bytes, sizeof(*header));
	header->magic = le32toh(header->magic);
	header->vector_width = le16toh(header->vector_width);
	header->row_groups = le16toh(header->row_groups);
	header->column_groups = le16toh(header->column_groups);
	header->bank_skew = le16toh(header->bank_skew);
	header->rows = le32toh(header->rows);
	header->columns = le32toh(header->columns);
	header->nonzeros = le64toh(header->nonzeros);
	if (header->magic != SPMM_STREAM_MAGIC ||
	    header->version != SPMM_STREAM_VERSION || header->pad ||
	    !header->row_groups || !header->column_groups || !header->rows ||
	    !header->columns || header->rows != decoder->lane.rows ||
	    header->columns != decoder->lane.columns)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	if (!schedule_limits_from(geometry, header->vector_width,
				  &decoder->limits) ||
	    header->lanes != decoder->limits.lanes ||
	    (uint32_t)header->row_groups * header->column_groups >
		    geometry->clusters)
		return fail(decoder, 0, SPMM_SC_STREAM_GEOMETRY);
	return SPMM_SC_SUCCESS;
}

static struct spmm_stream_lane read_lane(const struct decoder *decoder,
					 size_t index)
{
	struct spmm_stream_lane lane;

	memcpy(&lane,
	       decoder->bytes + sizeof(decoder->header) + index * sizeof(lane),
	       sizeof(lane));
	lane.length = le32toh(lane.length);
	lane.row = le32toh(lane.row);
	lane.column = le32toh(lane.column);
	return lane;
}

/* Every byte belongs to one lane, and there are bytes enough for the weights. */
static int decode_table(struct decoder *decoder)
{
	size_t lanes =
		(size_t)decoder->header.row_groups * decoder->limits.lanes;
	size_t table = lanes * sizeof(struct spmm_stream_lane);
	uint64_t sum = 0, rest;

	if (decoder->length - sizeof(decoder->header) < table)
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	decoder->data = sizeof(decoder->header) + table;
	rest = decoder->length - decoder->data;
	for (size_t i = 0; i < lanes; i++)
		sum += read_lane(decoder, i).length;
	if (sum > rest)
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	if (sum < rest || decoder->header.nonzeros > rest)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	return SPMM_SC_SUCCESS;
}

/* A lane starts where the one before it ended, or later. */
static int enter_lane(struct decoder *decoder, size_t index)
{
	struct spmm_stream_lane entry = read_lane(decoder, index);
	struct lane_decoder *lane = &decoder->lane;
	uint64_t end = (uint64_t)lane->row * lane->columns + lane->column;
	size_t offset = sizeof(decoder->header) + index * sizeof(entry);

	if (entry.column >= lane->columns)
		return fail(decoder, offset, SPMM_SC_STREAM_COLUMN);
	if (entry.row > lane->rows ||
	    (entry.row == lane->rows && (entry.length || entry.column)) ||
	    (uint64_t)entry.row * lane->columns + entry.column < end)
		return fail(decoder, offset, SPMM_SC_STREAM_ROW);
	lane->row = entry.row;
	lane->column = entry.column;
	lane->last_row = UINT32_MAX;
	lane->lane = (uint8_t)(index % decoder->limits.lanes);
	lane->reader = (struct bit_reader){
		.bytes = decoder->bytes + decoder->data,
		.end = (uint64_t)entry.length * 8,
	};
	return SPMM_SC_SUCCESS;
}

static int decode_lane(struct decoder *decoder, size_t index)
{
	struct bit_reader *reader = &decoder->lane.reader;
	int status = enter_lane(decoder, index);

	if (status)
		return status;
	status = lane_decode(&decoder->lane);
	if (status)
		return fail(decoder, decoder->data + reader->position / 8,
			    status);
	decoder->data += reader->end / 8;
	return SPMM_SC_SUCCESS;
}

static int reserve_cycles(struct decoder *decoder)
{
	size_t count = decoder->lane.schedule.length;
	uint32_t *cycles;

	if (count > UINT32_MAX)
		return fail(decoder, decoder->data, SPMM_SC_STREAM_BLOCK);
	if (count <= decoder->cycles_capacity)
		return SPMM_SC_SUCCESS;
	cycles = realloc(decoder->cycles, count * sizeof(*cycles));
	if (!cycles)
		return fail(decoder, decoder->data, SPMM_SC_INTERNAL);
	decoder->cycles = cycles;
	decoder->cycles_capacity = count;
	return SPMM_SC_SUCCESS;
}

/* Find out when each slot of the part issues. */
static int schedule_part(struct decoder *decoder, const size_t *start,
			 struct stream_part *part)
{
	struct schedule_lane lanes[SCHEDULE_LANES_MAX] = { 0 };
	const struct bit_writer *schedule = &decoder->lane.schedule;
	struct stream_slot *slot = part->slots;
	struct schedule_result result;
	int status = reserve_cycles(decoder);

	if (status)
		return status;
	for (uint32_t l = 0; l < decoder->limits.lanes; l++) {
		lanes[l].count = start[l + 1] - start[l];
		/* A part without any symbols has no buffer to point into. */
		if (!lanes[l].count)
			continue;
		lanes[l].symbols = schedule->bytes + start[l];
		lanes[l].cycles = decoder->cycles + start[l];
	}
	result = schedule_run(&decoder->limits, lanes);
	for (size_t i = 0; i < schedule->length; i++)
		if (!(schedule->bytes[i] & SCHEDULE_FILLER))
			slot++->cycle = decoder->cycles[i];
	part->cycles = result.cycles;
	part->bank_stalls = result.stalls;
	return SPMM_SC_SUCCESS;
}

static int decode_part(struct decoder *decoder, uint32_t index,
		       struct stream_part *part)
{
	uint32_t lanes = decoder->limits.lanes;
	size_t start[SCHEDULE_LANES_MAX + 1] = { 0 };
	struct lane_decoder *lane = &decoder->lane;
	uint64_t first = lane->slot_count;
	size_t data = decoder->data;
	int status;

	part->lane_start = calloc(lanes + 1, sizeof(*part->lane_start));
	if (!part->lane_start)
		return fail(decoder, decoder->data, SPMM_SC_INTERNAL);
	part->slots = lane->slots + first;
	lane->schedule.length = 0;
	lane->padding = 0;
	for (uint32_t l = 0; l < lanes; l++) {
		status = decode_lane(decoder, (size_t)index * lanes + l);
		if (status)
			return status;
		part->lane_start[l + 1] = lane->slot_count - first;
		start[l + 1] = lane->schedule.length;
	}
	part->slot_count = lane->slot_count - first;
	part->padding = lane->padding;
	part->bytes = decoder->data - data;
	if (part->slot_count) {
		part->row_begin = part->slots[0].row;
		part->row_end = part->slots[part->slot_count - 1].row + 1;
	}
	return decoder->needs_cycles ? schedule_part(decoder, start, part) :
				       SPMM_SC_SUCCESS;
}

/* The first part with a weight of a row finishes it; the last one, all the rest. */
static void divide_rows(struct stream_decoded *out, uint32_t rows)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < out->part_count; i++) {
		struct stream_part *part = &out->parts[i];

		part->finish_begin = next;
		if (part->row_end > next)
			next = part->row_end;
		part->finish_end = i + 1 == out->part_count ? rows : next;
	}
}

/* What the header says about the lanes and the result. */
static int prepare(struct decoder *decoder, struct stream_decoded *out)
{
	const struct spmm_stream_header *header = &decoder->header;

	out->parts = calloc(header->row_groups, sizeof(*out->parts));
	out->slots = malloc((size_t)header->nonzeros * sizeof(*out->slots) + 1);
	out->part_count = header->row_groups;
	out->nonzeros = header->nonzeros;
	out->bank_skew = header->bank_skew;
	out->mapping = (struct mapping){
		.row_groups = header->row_groups,
		.column_groups = header->column_groups,
		.vector_width = header->vector_width,
	};
	decoder->lane.banks = decoder->limits.banks;
	decoder->lane.bank_skew = header->bank_skew;
	decoder->lane.slots = out->slots;
	decoder->lane.slot_limit = header->nonzeros;
	if (!out->parts || !out->slots)
		return fail(decoder, 0, SPMM_SC_INTERNAL);
	return SPMM_SC_SUCCESS;
}

static int decode_parts(struct decoder *decoder, struct stream_decoded *out)
{
	int status = prepare(decoder, out);

	for (uint32_t i = 0; i < out->part_count && !status; i++)
		status = decode_part(decoder, i, &out->parts[i]);
	if (status)
		return status;
	if (decoder->lane.slot_count != out->nonzeros)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	divide_rows(out, decoder->lane.rows);
	return SPMM_SC_SUCCESS;
}

static int decode(struct decoder *decoder, const struct geometry *geometry,
		  struct stream_decoded *out, size_t *offset)
{
	int status;

	*out = (struct stream_decoded){ 0 };
	status = decode_header(decoder, geometry);
	if (!status)
		status = decode_table(decoder);
	if (!status)
		status = decode_parts(decoder, out);
	free(decoder->lane.schedule.bytes);
	free(decoder->cycles);
	if (status)
		stream_decoded_free(out);
	if (offset)
		*offset = decoder->error;
	return status;
}

int stream_decode(const uint8_t *bytes, size_t length, uint32_t rows,
		  uint32_t columns, const struct geometry *geometry,
		  struct stream_decoded *out, size_t *offset)
{
	struct decoder decoder = {
		.bytes = bytes,
		.length = length,
		.needs_cycles = true,
		.lane = { .rows = rows, .columns = columns },
	};

	return decode(&decoder, geometry, out, offset);
}

int stream_decode_weights(const uint8_t *bytes, size_t length, uint32_t rows,
			  uint32_t columns, const struct geometry *geometry,
			  struct stream_decoded *out, size_t *offset)
{
	struct decoder decoder = {
		.bytes = bytes,
		.length = length,
		.lane = { .rows = rows, .columns = columns },
	};

	return decode(&decoder, geometry, out, offset);
}

void stream_decoded_free(struct stream_decoded *decoded)
{
	for (uint32_t i = 0; decoded->parts && i < decoded->part_count; i++)
		free(decoded->parts[i].lane_start);
	free(decoded->parts);
	free(decoded->slots);
	*decoded = (struct stream_decoded){ 0 };
}
