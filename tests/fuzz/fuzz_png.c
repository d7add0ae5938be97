/* SPDX-License-Identifier: MIT */
/* Any bytes decode or are refused; what decodes is a picture of numbers of 0 … 1. */
#include <formats/image.h>

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SIGNATURE_BYTES 8
/* length and type before a chunk's data, its sum after them */
#define CHUNK_BYTES 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Chunks with a wrong sum are refused before anybody looks at them: with right ones
 * what is wrong inside is reached, too.
 */
static void repair_sums(uint8_t *data, size_t size)
{
	size_t at = SIGNATURE_BYTES;

	while (at + CHUNK_BYTES <= size) {
		uint32_t length, sum;

		memcpy(&length, data + at, sizeof(length));
		length = be32toh(length);
		if (length > size - at - CHUNK_BYTES)
			return;
		sum = htobe32((uint32_t)crc32_z(0, data + at + 4, length + 4));
		memcpy(data + at + 8 + length, &sum, sizeof(sum));
		at += CHUNK_BYTES + length;
	}
}

static void check(const struct image *image)
{
	size_t count = image->width * image->height * image->channels;

	if (!count || (image->channels != 1 && image->channels != 3))
		abort();
	for (size_t i = 0; i < count; i++)
		if (!(image->pixels[i] >= 0 && image->pixels[i] <= 1))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct image image;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	repair_sums(copy, size);
	if (!image_decode_png(&image, copy, size)) {
		check(&image);
		image_release(&image);
	}
	free(copy);
	return 0;
}
