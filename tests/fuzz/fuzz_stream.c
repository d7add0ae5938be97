/* SPDX-License-Identifier: MIT */
/*
 * Any bytes decode or are refused. What decodes lies within the matrix, packs
 * again, and gives the same weights. The first eight bytes are the M and K that
 * the command claims; the rest is the stream.
 */
#include "../unit/default_geometry.h"

#include <pack/stream.h>
#include <spmm/status.h>

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LIMIT (1u << 16) /* beyond it, packing again takes too long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The matrix that the slots stand for, in the order that the decoder promises. */
static struct model_csr matrix_of(const struct stream_decoded *decoded,
				  uint32_t rows, uint32_t columns)
{
	struct model_csr csr = { .rows = rows, .columns = columns };
	size_t count = decoded->nonzeros;

	csr.row_start = calloc((size_t)rows + 1, sizeof(*csr.row_start));
	csr.column = calloc(count + 1, sizeof(*csr.column));
	csr.value = calloc(count + 1, 1);
	if (!csr.row_start || !csr.column || !csr.value)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct stream_slot *slot = &decoded->slots[i];

		if (slot->row >= rows || slot->column >= columns)
			abort();
		csr.row_start[slot->row + 1]++;
		csr.column[i] = (int32_t)slot->column;
		csr.value[i] = slot->weight;
	}
	for (uint32_t row = 0; row < rows; row++)
		csr.row_start[row + 1] += csr.row_start[row];
	return csr;
}

static void check_again(const struct stream_decoded *decoded, uint32_t rows,
			uint32_t columns)
{
	struct model_csr csr = matrix_of(decoded, rows, columns);
	struct stream_decoded back;
	struct stream stream;

	if (stream_pack(&csr, &default_geometry, &decoded->mapping, &stream) ||
	    stream_decode(stream.bytes, stream.length, rows, columns,
			  &default_geometry, &back, NULL) ||
	    back.nonzeros != decoded->nonzeros)
		abort();
	for (size_t i = 0; i < back.nonzeros; i++)
		if (back.slots[i].row != decoded->slots[i].row ||
		    back.slots[i].column != decoded->slots[i].column ||
		    back.slots[i].weight != decoded->slots[i].weight)
			abort();
	stream_decoded_free(&back);
	stream_free(&stream);
	free(csr.row_start);
	free(csr.column);
	free(csr.value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_decoded decoded;
	uint32_t claim[2];
	size_t offset;

	if (size < sizeof(claim))
		return 0;
	memcpy(claim, data, sizeof(claim));
	claim[0] = le32toh(claim[0]);
	claim[1] = le32toh(claim[1]);
	if (stream_decode(data + sizeof(claim), size - sizeof(claim), claim[0],
			  claim[1], &default_geometry, &decoded, &offset)) {
		if (offset > size - sizeof(claim) || decoded.slots)
			abort();
		return 0;
	}
	if (claim[0] <= SIZE_LIMIT && claim[1] <= SIZE_LIMIT)
		check_again(&decoded, claim[0], claim[1]);
	stream_decoded_free(&decoded);
	return 0;
}
