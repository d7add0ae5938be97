/* SPDX-License-Identifier: MIT */
/*
 * Decoding costs as much as executing a matrix on a few columns, and weights
 * rarely change: decoded matrices are kept, and found again by the stream's
 * bytes. Bytes are compared, not addresses, since the host may write any time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/crc32c.h>
#include <core/error.h>
#include <core/integer.h>
#include <pack/stream.h>
#include <sim/matrix.h>

#define CACHE_ENTRIES 1024
#define CACHE_BYTES_MAX (512ull << 20)
#define STREAM_BYTES_MAX (1ull << 32)
#define READ_BYTES (1u << 20)

struct cache_entry {
	struct sim_matrix matrix;
	uint8_t *bytes; /* of the stream; NULL: the entry is free */
	uint32_t crc;
	uint64_t used; /* clock of the cache */
	uint64_t size;
};

struct sim_stream_cache {
	struct cache_entry entries[CACHE_ENTRIES];
	uint64_t clock;
	uint64_t size;
};

static void matrix_free(struct sim_matrix *matrix)
{
	free(matrix->row_start);
	free(matrix->column);
	free(matrix->value);
	free(matrix->row_sum);
	free(matrix->row_end);
	free(matrix->parts);
}

static void entry_free(struct sim_stream_cache *cache,
		       struct cache_entry *entry)
{
	if (!entry->bytes)
		return;
	matrix_free(&entry->matrix);
	free(entry->bytes);
	cache->size -= entry->size;
	memset(entry, 0, sizeof(*entry));
}

int matrix_cache_create(struct sim_device *device)
{
	device->streams = calloc(1, sizeof(*device->streams));
	return device->streams ?
		       0 :
		       accel_error(-ENOMEM, "no memory for weight streams");
}

void matrix_cache_destroy(struct sim_device *device)
{
	if (!device->streams)
		return;
	for (unsigned int i = 0; i < CACHE_ENTRIES; i++)
		entry_free(device->streams, &device->streams->entries[i]);
	free(device->streams);
	device->streams = NULL;
}

static struct cache_entry *cache_find(struct sim_stream_cache *cache,
				      const struct sim_stream *stream,
				      const uint8_t *bytes, uint32_t crc)
{
	for (unsigned int i = 0; i < CACHE_ENTRIES; i++) {
		struct cache_entry *entry = &cache->entries[i];
		const struct sim_matrix *matrix = &entry->matrix;

		if (entry->bytes && entry->crc == crc &&
		    matrix->stream_bytes == stream->length &&
		    matrix->rows == stream->rows &&
		    matrix->columns == stream->columns &&
		    matrix->kernel_height == stream->kernel_height &&
		    matrix->kernel_width == stream->kernel_width &&
		    !memcmp(entry->bytes, bytes, stream->length))
			return entry;
	}
	return NULL;
}

/*
 * A free entry after making room; never one of the last two uses, which a
 * recurrent layer holds at once.
 */
static struct cache_entry *cache_make_room(struct sim_stream_cache *cache,
					   uint64_t size)
{
	for (;;) {
		struct cache_entry *oldest = NULL, *unused = NULL;

		for (unsigned int i = 0; i < CACHE_ENTRIES; i++) {
			struct cache_entry *entry = &cache->entries[i];

			if (!entry->bytes)
				unused = entry;
			else if (entry->used < cache->clock &&
				 (!oldest || entry->used < oldest->used))
				oldest = entry;
		}
		if (unused &&
		    (!oldest || cache->size + size <= CACHE_BYTES_MAX))
			return unused;
		entry_free(cache, oldest);
	}
}

/* Rows in order, from lanes in any order: a counting sort. */
static void rows_fill(struct sim_matrix *matrix,
		      const struct stream_decoded *decoded)
{
	uint64_t *start = matrix->row_start;

	for (uint32_t p = 0; p < decoded->part_count; p++) {
		const struct stream_part *part = &decoded->parts[p];

		for (size_t i = 0; i < part->slot_count; i++)
			start[part->slots[i].row + 1]++;
	}
	for (uint32_t r = 0; r < matrix->rows; r++)
		start[r + 1] += start[r];
	for (uint32_t p = 0; p < decoded->part_count; p++) {
		const struct stream_part *part = &decoded->parts[p];

		for (size_t i = 0; i < part->slot_count; i++) {
			const struct stream_slot *slot = &part->slots[i];
			uint64_t at = start[slot->row]++;

			matrix->column[at] = slot->column;
			matrix->value[at] = slot->weight;
			matrix->row_sum[slot->row] += slot->weight;
		}
	}
	/* Each start has moved to its row's end. */
	memmove(start + 1, start, matrix->rows * sizeof(*start));
	start[0] = 0;
}

/*
 * Distinct columns of a part, distinct lines that they are views of, and channels of
 * these. @seen has the last part that met each, columns first.
 */
static void columns_count(const struct sim_matrix *matrix,
			  const struct stream_part *part, uint32_t number,
			  uint32_t *seen, struct sim_part *out)
{
	uint32_t *seen_lines = seen + matrix->columns;
	uint32_t *seen_channels = seen_lines + matrix->columns;

	for (size_t i = 0; i < part->slot_count; i++) {
		uint32_t column = part->slots[i].column;
		uint32_t line = column / matrix->kernel_width;
		uint32_t channel = line / matrix->kernel_height;

		out->columns += seen[column] != number;
		out->lines += seen_lines[line] != number;
		out->channels += seen_channels[channel] != number;
		seen[column] = number;
		seen_lines[line] = number;
		seen_channels[channel] = number;
	}
}

/* A row that two parts share ends with the later one. */
static void rows_end(struct sim_matrix *matrix, const struct stream_part *part)
{
	for (size_t i = 0; i < part->slot_count; i++) {
		const struct stream_slot *slot = &part->slots[i];
		uint32_t *end = &matrix->row_end[slot->row];
		uint64_t passed = (slot->cycle + 1ull) * MATRIX_PART_WHOLE;

		*end = (uint32_t)max_u64(*end, divide_up(passed, part->cycles));
	}
}

static void parts_fill(struct sim_matrix *matrix,
		       const struct stream_decoded *decoded, uint32_t *seen)
{
	memset(seen, 0xff, 3ul * matrix->columns * sizeof(*seen));
	for (uint32_t p = 0; p < decoded->part_count; p++) {
		const struct stream_part *part = &decoded->parts[p];
		struct sim_part *out = &matrix->parts[p];

		*out = (struct sim_part){
			.cycles = part->cycles,
			.slots = part->slot_count,
			.padding = part->padding,
			.bank_stalls = part->bank_stalls,
			.bytes = part->bytes,
			.rows = part->finish_end - part->finish_begin,
		};
		columns_count(matrix, part, p, seen, out);
		rows_end(matrix, part);
	}
}

static bool matrix_build(struct sim_matrix *matrix,
			 const struct stream_decoded *decoded)
{
	size_t nonzeros = decoded->nonzeros ? decoded->nonzeros : 1;
	uint32_t *seen = malloc(3ul * matrix->columns * sizeof(*seen));

	matrix->nonzeros = decoded->nonzeros;
	matrix->mapping = decoded->mapping;
	matrix->row_start =
		calloc(matrix->rows + 1ul, sizeof(*matrix->row_start));
	matrix->column = malloc(nonzeros * sizeof(*matrix->column));
	matrix->value = malloc(nonzeros);
	matrix->row_sum = calloc(matrix->rows, sizeof(*matrix->row_sum));
	matrix->row_end = calloc(matrix->rows, sizeof(*matrix->row_end));
	matrix->parts = calloc(decoded->part_count, sizeof(*matrix->parts));
	if (!seen || !matrix->row_start || !matrix->column || !matrix->value ||
	    !matrix->row_sum || !matrix->row_end || !matrix->parts) {
		free(seen);
		matrix_free(matrix);
		return false;
	}
	rows_fill(matrix, decoded);
	parts_fill(matrix, decoded, seen);
	free(seen);
	return true;
}

static const struct sim_matrix *matrix_decode(struct sim_execution *execution,
					      const struct sim_stream *stream,
					      uint8_t *bytes, uint32_t crc)
{
	struct sim_stream_cache *cache = execution->device->streams;
	struct sim_matrix matrix = { .rows = stream->rows,
				     .columns = stream->columns,
				     .kernel_height = stream->kernel_height,
				     .kernel_width = stream->kernel_width,
				     .stream_bytes = stream->length };
	struct stream_decoded decoded;
	struct cache_entry *entry;
	uint64_t size;
	size_t offset = 0;
	bool built;
	int status;

	status = stream_decode(bytes, stream->length, stream->rows,
			       stream->columns, &execution->device->geometry,
			       &decoded, &offset);
	if (status) {
		execution_fail(execution, status, offset);
		free(bytes);
		return NULL;
	}
	built = matrix_build(&matrix, &decoded);
	stream_decoded_free(&decoded);
	if (!built) {
		execution_fail(execution, SPMM_SC_INTERNAL, 0);
		free(bytes);
		return NULL;
	}
	size = stream->length + matrix.nonzeros * 5 + matrix.rows * 16ul;
	entry = cache_make_room(cache, size);
	*entry = (struct cache_entry){ matrix, bytes, crc, ++cache->clock,
				       size };
	cache->size += size;
	return &entry->matrix;
}

/* Appends a piece to what was read; false: the execution has failed. */
static bool piece_read(struct sim_execution *execution, uint64_t address,
		       uint8_t **bytes, uint64_t done, uint64_t length)
{
	/* Doubled, so that all pieces together are copied about once. */
	if (!(done & (done - 1))) {
		uint64_t room = done ? 2 * done : READ_BYTES;
		uint8_t *more = realloc(*bytes, room);

		if (!more) {
			execution_fail(execution, SPMM_SC_INTERNAL, 0);
			return false;
		}
		*bytes = more;
	}
	return !execution_read(execution, address + done, *bytes + done,
			       length) &&
	       !execution_checkpoint(execution);
}

/*
 * In pieces, for which memory is found as they come: a length that lies ends at
 * the first page that is absent.
 */
static uint8_t *stream_read(struct sim_execution *execution,
			    const struct sim_stream *stream)
{
	uint8_t *bytes = NULL;

	if (!stream->length || stream->length > STREAM_BYTES_MAX) {
		execution_fail(execution, SPMM_SC_STREAM_TRUNCATED, 0);
		return NULL;
	}
	for (uint64_t done = 0; done < stream->length; done += READ_BYTES) {
		uint64_t part = stream->length - done;

		if (part > READ_BYTES)
			part = READ_BYTES;
		if (!piece_read(execution, stream->address, &bytes, done,
				part)) {
			free(bytes);
			return NULL;
		}
	}
	return bytes;
}

const struct sim_matrix *matrix_load(struct sim_execution *execution,
				     const struct sim_stream *stream)
{
	struct sim_stream_cache *cache = execution->device->streams;
	uint8_t *bytes = stream_read(execution, stream);
	struct cache_entry *entry;
	uint32_t crc;

	if (!bytes)
		return NULL;
	crc = crc32c(0, bytes, stream->length);
	entry = cache_find(cache, stream, bytes, crc);
	if (!entry)
		return matrix_decode(execution, stream, bytes, crc);
	free(bytes);
	entry->used = ++cache->clock;
	return &entry->matrix;
}

bool matrix_taps(const struct sim_matrix *matrix, const uint32_t *offset,
		 struct sim_taps **taps, uint64_t **row_taps)
{
	uint64_t most = matrix->nonzeros / 4 + matrix->rows;
	uint64_t count = 0;

	*taps = calloc(most, sizeof(**taps));
	*row_taps = malloc((matrix->rows + 1ul) * sizeof(**row_taps));
	if (!*taps || !*row_taps)
		return false;
	for (uint32_t row = 0; row < matrix->rows; row++) {
		uint64_t begin = matrix->row_start[row];
		uint64_t end = matrix->row_start[row + 1];

		(*row_taps)[row] = count;
		for (uint64_t i = begin; i < end; i++) {
			struct sim_taps *four = *taps + count + (i - begin) / 4;

			four->offset[(i - begin) % 4] =
				offset[matrix->column[i]];
			four->weight[(i - begin) % 4] = matrix->value[i];
		}
		count += (end - begin + 3) / 4;
	}
	(*row_taps)[matrix->rows] = count;
	return true;
}
