/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <core/checked.h>
#include <core/integer.h>
#include <sim/deadline.h>
#include <sim/dma.h>
#include <sim/lower_copy.h>

/* Bytes that move between two looks at the admin queue. */
#define COPY_TILE (256u << 10)

/* Better now than after the copy. */
static bool dma_hopeless(struct sim_execution *execution, uint64_t bytes)
{
	uint32_t rate = execution->device->config.dma_bytes;

	if (!deadline_hopeless(execution, divide_up(bytes, rate)))
		return false;
	execution_fail(execution, SPMM_SC_TIMEOUT, 0);
	return true;
}

static bool ranges_valid(const struct spmm_sqe *entry)
{
	const uint64_t space = 1ull << SPMM_VIRTUAL_ADDRESS_BITS;

	return checked_range(entry->address, entry->length, space) &&
	       checked_range(entry->destination, entry->length, space);
}

static enum spmm_hint copy_hint(const struct spmm_sqe *entry)
{
	return entry->flags & SPMM_SQE_STREAM ? SPMM_HINT_STREAM :
						SPMM_HINT_KEEP;
}

/* Through a small buffer: both sides may be scattered over pages. */
static int copy_tile(struct sim_execution *execution, uint64_t from,
		     uint64_t to, uint32_t length)
{
	uint8_t buffer[16384];

	while (length) {
		uint32_t part = length < sizeof(buffer) ? length :
							  sizeof(buffer);

		if (execution_read(execution, from, buffer, part) ||
		    execution_write(execution, to, buffer, part))
			return execution->status;
		from += part;
		to += part;
		length -= part;
	}
	return execution_checkpoint(execution);
}

void dma_copy(struct sim_execution *execution)
{
	const struct spmm_sqe *entry = execution->entry;
	uint64_t done = 0;

	if (!entry->length) {
		execution_fail(execution, SPMM_SC_INVALID_FIELD, 0);
		return;
	}
	if (!ranges_valid(entry)) {
		execution_fail(execution, SPMM_SC_DESCRIPTOR_ADDRESS,
			       entry->address);
		return;
	}
	if (dma_hopeless(execution, entry->length))
		return;
	copy_lower(execution, copy_hint(entry));
	while (done < entry->length && !execution->status) {
		uint64_t part = entry->length - done;

		if (part > COPY_TILE)
			part = COPY_TILE;
		if (copy_tile(execution, entry->address + done,
			      entry->destination + done, (uint32_t)part))
			return;
		done += part;
	}
}

/* What a strided operand touches; false: some of it is no address. */
static bool span_set(const struct spmm_copy_descriptor *copy, uint64_t base,
		     const __le64 *stride, struct copy_span *span)
{
	__int128 low = base, high = (__int128)base + copy->element - 1;

	for (unsigned int i = 0; i < SPMM_COPY_DIMENSIONS; i++) {
		__int128 reach =
			(__int128)(int64_t)stride[i] * (copy->count[i] - 1);

		if (reach < 0)
			low += reach;
		else
			high += reach;
	}
	span->first = (uint64_t)low;
	span->length = (uint64_t)(high - low + 1);
	return low >= 0 && high < (__int128)1 << SPMM_VIRTUAL_ADDRESS_BITS;
}

/**
 * struct strided - what a strided copy amounts to
 * @total: bytes
 * @source: where they are read
 * @destination: where they are written
 */
struct strided {
	uint64_t total;
	struct copy_span source;
	struct copy_span destination;
};

static int strided_check(const struct spmm_copy_descriptor *copy,
			 struct strided *out)
{
	static const uint64_t zeros[16];

	if (copy->version != SPMM_DESCRIPTOR_VERSION)
		return SPMM_SC_DESCRIPTOR_VERSION;
	if (copy->pad0 || copy->pad1 || copy->pad2 ||
	    memcmp(copy->pad3, zeros, sizeof(zeros)))
		return SPMM_SC_INVALID_FIELD;
	if (!copy->element || copy->element > 8 ||
	    (copy->element & (copy->element - 1)))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	out->total = copy->element;
	for (unsigned int i = 0; i < SPMM_COPY_DIMENSIONS; i++)
		if (!copy->count[i] ||
		    !checked_multiply_u64(out->total, copy->count[i],
					  &out->total))
			return SPMM_SC_DESCRIPTOR_SHAPE;
	if (!span_set(copy, copy->source, copy->source_stride, &out->source) ||
	    !span_set(copy, copy->destination, copy->destination_stride,
		      &out->destination))
		return SPMM_SC_DESCRIPTOR_ADDRESS;
	return 0;
}

/* One line along the innermost dimension. */
static int strided_line(struct copy_lowering *lowering,
			const struct spmm_copy_descriptor *copy, uint64_t from,
			uint64_t to)
{
	const unsigned int inner = SPMM_COPY_DIMENSIONS - 1;
	struct sim_execution *execution = lowering->execution;
	uint64_t source_step = copy->source_stride[inner];
	uint64_t destination_step = copy->destination_stride[inner];
	uint64_t bytes = (uint64_t)copy->count[inner] * copy->element;
	uint64_t element = 0;

	/* A line without gaps is copied as one. */
	if (source_step == copy->element && destination_step == copy->element &&
	    bytes <= UINT32_MAX) {
		lower_copy_part(lowering, from, to, bytes);
		return copy_tile(execution, from, to, (uint32_t)bytes);
	}
	for (uint32_t i = 0; i < copy->count[inner]; i++) {
		if (execution_read(execution, from, &element, copy->element) ||
		    execution_write(execution, to, &element, copy->element))
			return execution->status;
		lower_copy_part(lowering, from, to, copy->element);
		from += source_step;
		to += destination_step;
		if (i % 4096 == 4095 && execution_checkpoint(execution))
			return execution->status;
	}
	return execution_checkpoint(execution);
}

/* Moves to the next line; false after the last one. */
static bool strided_next(const struct spmm_copy_descriptor *copy,
			 uint32_t *index, uint64_t *from, uint64_t *to)
{
	for (int i = SPMM_COPY_DIMENSIONS - 2; i >= 0; i--) {
		*from += copy->source_stride[i];
		*to += copy->destination_stride[i];
		if (++index[i] < copy->count[i])
			return true;
		*from -= copy->source_stride[i] * copy->count[i];
		*to -= copy->destination_stride[i] * copy->count[i];
		index[i] = 0;
	}
	return false;
}

void dma_copy_strided(struct sim_execution *execution)
{
	struct copy_lowering lowering = { .execution = execution,
					  .hint = copy_hint(execution->entry) };
	uint32_t index[SPMM_COPY_DIMENSIONS] = { 0 };
	struct spmm_copy_descriptor copy;
	struct strided strided;
	uint64_t from, to;
	int status;

	if (execution_read_descriptor(execution, &copy, sizeof(copy)))
		return;
	status = strided_check(&copy, &strided);
	if (status) {
		execution_fail(execution, status, execution->entry->address);
		return;
	}
	if (dma_hopeless(execution, strided.total))
		return;
	if (!lower_copy_begin_rows(&lowering, &copy))
		lower_copy_begin(&lowering, &strided.source,
				 &strided.destination, strided.total);
	from = copy.source;
	to = copy.destination;
	while (!execution->status &&
	       !strided_line(&lowering, &copy, from, to) &&
	       strided_next(&copy, index, &from, &to))
		;
	lower_copy_end(&lowering);
}
