/* SPDX-License-Identifier: MIT */
/*
 * The layout is that of PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12
 * (central directory) and 4.3.16 (its end), without ZIP64: nothing may pass 4 GiB.
 */
#include <formats/zip_store.h>

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LOCAL_HEADER 0x04034b50u
#define CENTRAL_HEADER 0x02014b50u
#define DIRECTORY_END 0x06054b50u
#define VERSION 20
/* 1980-01-01, the format's first day: the same content gives the same bytes. */
#define DATE ((1 << 5) | 1)
#define MAX_ENTRIES 0xffff

struct zip_store {
	struct atomic_file *file;
	uint64_t offset;
	uint8_t *directory;
	size_t directory_size;
	size_t count;
};

static uint8_t *put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value & 0xffff), value >> 16);
}

/* The fields that local header and directory share, version to extra length. */
static uint8_t *put_entry(uint8_t *at, uint32_t crc, uint32_t size,
			  uint32_t name_length)
{
	at = put16(at, VERSION);
	at = put16(at, 0); /* flags */
	at = put16(at, 0); /* method: stored */
	at = put16(at, 0); /* time */
	at = put16(at, DATE);
	at = put32(at, crc);
	at = put32(at, size);
	at = put32(at, size);
	at = put16(at, name_length);
	return put16(at, 0); /* extra */
}

int zip_store_open(struct zip_store **result, const char *path)
{
	struct zip_store *zip = calloc(1, sizeof(*zip));
	int ret;

	if (!zip)
		return accel_error(-ENOMEM, "%s: no memory", path);
	ret = atomic_file_open(&zip->file, path);
	if (ret) {
		free(zip);
		return ret;
	}
	*result = zip;
	return 0;
}

static int zip_write(struct zip_store *zip, const void *data, size_t size)
{
	zip->offset += size;
	return atomic_file_write(zip->file, data, size);
}

static int directory_add(struct zip_store *zip, const char *name, uint32_t crc,
			 uint32_t size)
{
	uint32_t name_length = (uint32_t)strlen(name);
	size_t total = zip->directory_size + 46 + name_length;
	uint8_t *directory = realloc(zip->directory, total);
	uint8_t *at;

	if (!directory)
		return accel_error(-ENOMEM, "%s: no memory", name);
	at = directory + zip->directory_size;
	at = put32(at, CENTRAL_HEADER);
	at = put16(at, VERSION); /* made by */
	at = put_entry(at, crc, size, name_length);
	at = put16(at, 0); /* comment */
	at = put16(at, 0); /* disk */
	at = put16(at, 0); /* internal attributes */
	at = put32(at, 0); /* external attributes */
	at = put32(at, (uint32_t)zip->offset);
	memcpy(at, name, name_length);
	zip->directory = directory;
	zip->directory_size = total;
	zip->count++;
	return 0;
}

int zip_store_add(struct zip_store *zip, const char *name, const void *data,
		  size_t size)
{
	size_t name_length = strlen(name);
	uint8_t header[30];
	uint32_t crc;
	int ret;

	if (zip->count == MAX_ENTRIES || name_length > UINT16_MAX ||
	    size > UINT32_MAX || zip->offset + size > UINT32_MAX)
		return accel_error(
			-EFBIG, "%s: more than 4 GiB or 65535 files in a zip",
			name);
	crc = (uint32_t)crc32_z(0, data, size);
	ret = directory_add(zip, name, crc, (uint32_t)size);
	if (ret)
		return ret;
	put_entry(put32(header, LOCAL_HEADER), crc, (uint32_t)size,
		  (uint32_t)name_length);
	ret = zip_write(zip, header, sizeof(header));
	if (!ret)
		ret = zip_write(zip, name, name_length);
	if (!ret)
		ret = zip_write(zip, data, size);
	return ret;
}

static int directory_write(struct zip_store *zip)
{
	uint32_t start = (uint32_t)zip->offset;
	uint8_t end[22];
	uint8_t *at = end;
	int ret;

	if (zip->offset + zip->directory_size > UINT32_MAX)
		return accel_error(-EFBIG, "more than 4 GiB in a zip");
	at = put32(at, DIRECTORY_END);
	at = put16(at, 0); /* this disk */
	at = put16(at, 0); /* the directory's disk */
	at = put16(at, (uint32_t)zip->count);
	at = put16(at, (uint32_t)zip->count);
	at = put32(at, (uint32_t)zip->directory_size);
	at = put32(at, start);
	put16(at, 0); /* comment */
	ret = zip_write(zip, zip->directory, zip->directory_size);
	if (!ret)
		ret = zip_write(zip, end, sizeof(end));
	return ret;
}

int zip_store_commit(struct zip_store *zip)
{
	int ret = directory_write(zip);

	if (!ret) {
		ret = atomic_file_commit(zip->file);
		zip->file = NULL;
	}
	zip_store_abandon(zip);
	return ret;
}

void zip_store_abandon(struct zip_store *zip)
{
	if (!zip)
		return;
	atomic_file_abandon(zip->file);
	free(zip->directory);
	free(zip);
}
