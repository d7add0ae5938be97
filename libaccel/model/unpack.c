/* SPDX-License-Identifier: MIT */
#include <model/unpack.h>

#include <core/error.h>
#include <pack/stream.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/status.h>

static int arrays_create(struct model_csr *csr, uint64_t nonzeros)
{
	csr->column = malloc(nonzeros * sizeof(*csr->column) + 1);
	csr->value = malloc(nonzeros + 1);
	if (!csr->column || !csr->value)
		return accel_error(-ENOMEM, "no memory for %llu weights",
				   (unsigned long long)nonzeros);
	return 0;
}

static void rows_count(const struct stream_decoded *decoded, uint32_t units,
		       struct model_csr *csr)
{
	memset(csr->row_start, 0,
	       ((size_t)csr->rows + 1) * sizeof(*csr->row_start));
	for (uint64_t i = 0; i < decoded->nonzeros; i++)
		csr->row_start[model_stream_row(decoded->slots[i].row,
						csr->rows, units) +
			       1]++;
	for (uint32_t row = 0; row < csr->rows; row++)
		csr->row_start[row + 1] += csr->row_start[row];
}

/* Slots of a row follow one another, whatever lanes and parts they are in. */
static void weights_place(const struct stream_decoded *decoded, uint32_t units,
			  struct model_csr *csr)
{
	uint32_t row = UINT32_MAX;
	int64_t at = 0;

	for (uint64_t i = 0; i < decoded->nonzeros; i++) {
		const struct stream_slot *slot = &decoded->slots[i];

		if (slot->row != row) {
			row = slot->row;
			at = csr->row_start[model_stream_row(row, csr->rows,
							     units)];
		}
		csr->column[at] = (int32_t)slot->column;
		csr->value[at++] = slot->weight;
	}
}

static bool same_mapping(const struct mapping *a, const struct mapping *b)
{
	return a->row_groups == b->row_groups &&
	       a->column_groups == b->column_groups &&
	       a->vector_width == b->vector_width;
}

static int damaged(size_t offset)
{
	return accel_error(
		-EBADMSG,
		"the stream is damaged at byte %zu, or not one of the device that the file names",
		offset);
}

int model_stream_unpack(const struct model_stream *stream,
			const struct geometry *geometry, uint32_t units,
			struct model_csr *csr)
{
	struct stream_decoded decoded;
	size_t offset;
	int status = stream_decode_weights(stream->bytes, stream->length,
					   csr->rows, csr->columns, geometry,
					   &decoded, &offset);
	int ret;

	if (status == SPMM_SC_INTERNAL)
		return accel_error(-ENOMEM, "no memory to decode a stream");
	if (status)
		return damaged(offset);
	if (decoded.nonzeros != stream->nonzeros ||
	    !same_mapping(&decoded.mapping, &stream->mapping))
		ret = damaged(0);
	else
		ret = arrays_create(csr, decoded.nonzeros);
	if (!ret) {
		rows_count(&decoded, units, csr);
		weights_place(&decoded, units, csr);
	}
	stream_decoded_free(&decoded);
	return ret;
}
