/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <core/integer.h>
#include <sim/hazard.h>

/* Bytes [first, end) of addresses. */
struct hull {
	uint64_t first;
	uint64_t end;
};

void hazard_record_free(struct hazard_record *record)
{
	free(record->rows);
	memset(record, 0, sizeof(*record));
}

void hazard_log_setup(struct hazard_log *log, uint32_t depth)
{
	log->depth = (uint32_t)min_u64(depth, HAZARD_RECORDS);
}

void hazard_clear(struct hazard_log *log)
{
	for (uint32_t i = 0; i < HAZARD_RECORDS; i++)
		hazard_record_free(&log->records[i]);
	log->next = 0;
}

void hazard_log_add(struct hazard_log *log, struct hazard_record *record,
		    uint64_t sequence)
{
	struct hazard_record *slot = &log->records[log->next];

	log->next = (log->next + 1) % HAZARD_RECORDS;
	hazard_record_free(slot);
	*slot = *record;
	slot->sequence = sequence;
	memset(record, 0, sizeof(*record));
}

/* The command before the latest @age ones. */
static const struct hazard_record *log_record(const struct hazard_log *log,
					      uint32_t age)
{
	return &log->records[(log->next + HAZARD_RECORDS - 1 - age) %
			     HAZARD_RECORDS];
}

static uint32_t operand_add(struct hazard_record *record,
			    const struct hazard_operand *operand)
{
	record->operands[record->operand_count] = *operand;
	return record->operand_count++;
}

uint32_t hazard_operand(struct hazard_record *record,
			const struct spmm_tensor *tensor, uint64_t row_bytes,
			bool write)
{
	const struct hazard_operand operand = {
		.write = write,
		.address = tensor->address,
		.channel_stride = tensor->channel_stride,
		.row_stride = tensor->row_stride,
		.row_bytes = row_bytes,
		.channels = tensor->channels,
		.height = tensor->height,
		.first = tensor->address,
		.end = tensor->address +
		       (tensor->channels - 1ull) * tensor->channel_stride +
		       (tensor->height - 1ull) * tensor->row_stride + row_bytes,
	};

	return operand_add(record, &operand);
}

uint32_t hazard_range(struct hazard_record *record, uint64_t address,
		      uint64_t length, bool write)
{
	const struct hazard_operand operand = {
		.write = write,
		.address = address,
		.row_bytes = length,
		.channels = 1,
		.height = 1,
		.first = address,
		.end = address + length,
	};

	return operand_add(record, &operand);
}

bool tile_wait(struct engine_tile *tile, uint64_t sequence, uint32_t after)
{
	for (unsigned int i = 0; i < ENGINE_DEPENDENCIES; i++) {
		struct engine_dependency *dependency = &tile->after[i];

		if (dependency->sequence && dependency->sequence != sequence)
			continue;
		if (!dependency->sequence || dependency->tile < after)
			dependency->tile = after;
		dependency->sequence = sequence;
		return true;
	}
	return false;
}

/* A range has no rows: it equals nothing. */
static bool planes_equal(const struct hazard_operand *a,
			 const struct hazard_operand *b)
{
	return a->row_stride && b->row_stride &&
	       (a->channels == 1 || b->channels == 1 ||
		a->channel_stride == b->channel_stride);
}

/*
 * The rows of @to between which @rows of @from lie: both planes are laid over each
 * other. False: they cannot be matched.
 */
static bool rows_map(const struct hazard_operand *from,
		     const struct hazard_operand *to, struct hazard_rows rows,
		     struct hazard_rows *out)
{
	uint64_t stride = to->row_stride;
	uint64_t plane = to->channels > 1   ? to->channel_stride :
			 from->channels > 1 ? from->channel_stride :
					      0;
	int64_t distance = (int64_t)(from->address - to->address);
	int64_t first, end;

	if (!planes_equal(from, to))
		return false;
	/* One long plane meets several short ones, each in other rows. */
	if (plane && (to->height - 1ull) * stride + to->row_bytes > plane)
		return false;
	if (plane) {
		distance %= (int64_t)plane;
		if (distance < 0)
			distance += (int64_t)plane;
	}
	first = distance + (int64_t)(rows.first * from->row_stride);
	end = distance + (int64_t)((rows.end - 1ull) * from->row_stride) +
	      (int64_t)from->row_bytes;
	/* One that runs into the next plane meets its first rows, too. */
	if (plane && (uint64_t)end > plane)
		return false;
	out->first = first < 0 ? 0 : (uint32_t)((uint64_t)first / stride);
	out->end = end <= 0 ? 0 :
			      (uint32_t)(((uint64_t)end + stride - 1) / stride);
	out->end = (uint32_t)min_u64(out->end, to->height);
	out->first = (uint32_t)min_u64(out->first, out->end);
	return true;
}

/* The bytes between which the rows lie, of all channels. */
static struct hull hull_of(const struct hazard_operand *operand,
			   struct hazard_rows rows)
{
	struct hull hull = {
		.first = operand->address + rows.first * operand->row_stride,
		.end = operand->address +
		       (operand->channels - 1ull) * operand->channel_stride +
		       (rows.end - 1ull) * operand->row_stride +
		       operand->row_bytes,
	};

	hull.end = min_u64(hull.end, operand->end);
	return hull;
}

static bool hull_meets(const struct hull *hull,
		       const struct hazard_operand *other)
{
	return hull->first < other->end && other->first < hull->end;
}

/* Rows that follow each other without gaps hold any bytes. */
static bool is_linear(const struct hazard_operand *operand)
{
	return operand->channels == 1 && operand->row_stride &&
	       operand->row_stride == operand->row_bytes;
}

static struct hazard_rows linear_rows(const struct hazard_operand *operand,
				      const struct hull *hull)
{
	uint64_t first = max_u64(hull->first, operand->first) - operand->first;
	uint64_t end = min_u64(hull->end, operand->end) - operand->first;

	return (struct hazard_rows){
		(uint32_t)(first / operand->row_stride),
		(uint32_t)divide_up(end, operand->row_stride),
	};
}

/* The last tile of a record that touches any of these rows, or 0 with false. */
static bool last_tile(const struct hazard_record *record, uint32_t operand,
		      struct hazard_rows rows, uint32_t *out)
{
	for (uint32_t t = record->tile_count; t--;) {
		struct hazard_rows touched =
			record->rows[t * HAZARD_OPERANDS + operand];

		if (touched.first < rows.end && rows.first < touched.end) {
			*out = t;
			return true;
		}
	}
	return false;
}

static bool operand_wait(const struct hazard_operand *operand,
			 struct hazard_rows rows,
			 const struct hazard_record *earlier,
			 struct engine_tile *tile)
{
	const struct hull hull = hull_of(operand, rows);

	for (uint32_t o = 0; o < earlier->operand_count; o++) {
		const struct hazard_operand *other = &earlier->operands[o];
		struct hazard_rows met;
		uint32_t after = ENGINE_TILE_ALL;
		bool known = true;

		if ((!operand->write && !other->write) ||
		    !hull_meets(&hull, other))
			continue;
		if (is_linear(other))
			met = linear_rows(other, &hull);
		else
			known = rows_map(operand, other, rows, &met);
		if (known && !last_tile(earlier, o, met, &after))
			continue;
		if (!tile_wait(tile, earlier->sequence, after))
			return false;
	}
	return true;
}

static bool rows_remember(struct hazard_record *record, uint32_t operand,
			  uint32_t tile, struct hazard_rows rows)
{
	struct hazard_rows *slot;

	if (tile >= record->tile_capacity) {
		uint32_t capacity = tile + tile / 2 + 16;
		struct hazard_rows *more =
			realloc(record->rows,
				sizeof(*more) * capacity * HAZARD_OPERANDS);

		if (!more)
			return false;
		memset(more + (size_t)record->tile_capacity * HAZARD_OPERANDS,
		       0,
		       sizeof(*more) * HAZARD_OPERANDS *
			       (capacity - record->tile_capacity));
		record->rows = more;
		record->tile_capacity = capacity;
	}
	if (tile >= record->tile_count)
		record->tile_count = tile + 1;
	slot = &record->rows[tile * HAZARD_OPERANDS + operand];
	if (slot->first == slot->end) {
		*slot = rows;
		return true;
	}
	slot->first = (uint32_t)min_u64(slot->first, rows.first);
	slot->end = (uint32_t)max_u64(slot->end, rows.end);
	return true;
}

enum hazard_status hazard_touch(const struct hazard_log *log,
				struct hazard_record *record, uint32_t operand,
				uint32_t tile_index, struct hazard_rows rows,
				struct engine_tile *tile)
{
	const struct hazard_operand *touched = &record->operands[operand];
	bool room = true;

	if (rows.first >= rows.end)
		return HAZARD_DONE;
	for (uint32_t i = 0; i < log->depth; i++) {
		const struct hazard_record *earlier = log_record(log, i);

		if (earlier->context == record->context &&
		    !operand_wait(touched, rows, earlier, tile))
			room = false;
	}
	if (!rows_remember(record, operand, tile_index, rows))
		return HAZARD_NO_MEMORY;
	return room ? HAZARD_DONE : HAZARD_TOO_MANY;
}

bool hazard_written(const struct hazard_log *log, uint16_t context,
		    uint64_t address, uint64_t length)
{
	for (uint32_t i = 0; i < log->depth; i++) {
		const struct hazard_record *earlier = log_record(log, i);

		for (uint32_t o = 0;
		     earlier->context == context && o < earlier->operand_count;
		     o++)
			if (earlier->operands[o].write &&
			    address < earlier->operands[o].end &&
			    earlier->operands[o].first < address + length)
				return true;
	}
	return false;
}
