/* SPDX-License-Identifier: MIT */
#include <formats/gzip.h>

#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* The largest window, and a gzip header (zlib.h, inflateInit2). */
#define WINDOW (15 + 16)
#define FIRST_CAPACITY ((size_t)1 << 20)

struct expansion {
	z_stream stream;
	const uint8_t *data;
	size_t left;
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	size_t limit;
};

bool gzip_is(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* A small file can claim to hold a huge one: memory grows only with what comes. */
static int reserve(struct expansion *expansion)
{
	size_t capacity = expansion->capacity ? expansion->capacity * 2 :
						FIRST_CAPACITY;
	uint8_t *bytes;

	if (expansion->size < expansion->capacity)
		return 0;
	if (expansion->size > expansion->limit)
		return accel_error(
			-EFBIG, "larger than the %zu bytes allowed, expanded",
			expansion->limit);
	bytes = realloc(expansion->bytes, capacity);
	if (!bytes)
		return accel_error(-ENOMEM, "no memory for %zu bytes",
				   capacity);
	expansion->bytes = bytes;
	expansion->capacity = capacity;
	return 0;
}

/* zlib counts in 32 bits: hand it the input and the room by parts. */
static int inflate_part(struct expansion *expansion)
{
	z_stream *stream = &expansion->stream;
	size_t room = expansion->capacity - expansion->size;
	uInt given = expansion->left < UINT_MAX ? (uInt)expansion->left :
						  UINT_MAX;
	uInt out = room < UINT_MAX ? (uInt)room : UINT_MAX;
	int ret;

	stream->next_in = (Bytef *)expansion->data;
	stream->avail_in = given;
	stream->next_out = expansion->bytes + expansion->size;
	stream->avail_out = out;
	ret = inflate(stream, Z_NO_FLUSH);
	expansion->data += given - stream->avail_in;
	expansion->left -= given - stream->avail_in;
	expansion->size += out - stream->avail_out;
	return ret;
}

static int expand(struct expansion *expansion)
{
	int status = Z_OK;

	while (status == Z_OK) {
		int ret = reserve(expansion);

		if (ret)
			return ret;
		status = inflate_part(expansion);
		/* gzip files may follow each other in one */
		if (status == Z_STREAM_END && expansion->left)
			status = inflateReset(&expansion->stream);
	}
	if (status == Z_MEM_ERROR)
		return accel_error(-ENOMEM, "no memory to expand it");
	if (status != Z_STREAM_END)
		return accel_error(-EBADMSG, "a damaged or cut-off gzip file");
	return 0;
}

int gzip_expand(const void *data, size_t size, size_t limit, void **expanded,
		size_t *expanded_size)
{
	struct expansion expansion = { .data = data,
				       .left = size,
				       .limit = limit };
	int ret;

	if (inflateInit2(&expansion.stream, WINDOW) != Z_OK)
		return accel_error(-ENOMEM, "no memory to expand it");
	ret = expand(&expansion);
	inflateEnd(&expansion.stream);
	if (ret) {
		free(expansion.bytes);
		return ret;
	}
	*expanded = expansion.bytes;
	*expanded_size = expansion.size;
	return 0;
}
