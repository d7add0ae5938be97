/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <core/checked.h>
#include <core/crc32c.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <sim/section.h>

#define MAGIC "SPMMCKPT"
#define VERSION 1

/* All numbers of a file are little-endian, and so is every host: state.h. */
struct file_header {
	char magic[8];
	uint32_t version;
	uint32_t reserved;
};

struct section_header {
	uint32_t tag;
	uint32_t length;
};

void section_bytes(struct section *section, void *bytes, size_t length)
{
	if (!checked_range(section->at, length, section->length))
		section->failed = true;
	if (section->failed) {
		if (section->reading)
			memset(bytes, 0, length);
		return;
	}
	if (section->reading)
		memcpy(bytes, section->bytes + section->at, length);
	else
		memcpy(section->bytes + section->at, bytes, length);
	section->at += length;
}

void section_u64(struct section *section, uint64_t *value)
{
	section_bytes(section, value, sizeof(*value));
}

void section_u32(struct section *section, uint32_t *value)
{
	section_bytes(section, value, sizeof(*value));
}

void section_u16(struct section *section, uint16_t *value)
{
	section_bytes(section, value, sizeof(*value));
}

void section_bool(struct section *section, bool *value)
{
	uint8_t byte = !section->reading && *value;

	section_bytes(section, &byte, 1);
	if (byte > 1)
		section->failed = true;
	if (section->reading)
		*value = byte == 1;
}

void section_atomic_u64(struct section *section, _Atomic uint64_t *value)
{
	uint64_t copy = atomic_load(value);

	section_u64(section, &copy);
	if (section->reading)
		atomic_store(value, copy);
}

void section_atomic_u32(struct section *section, _Atomic uint32_t *value)
{
	uint32_t copy = atomic_load(value);

	section_u32(section, &copy);
	if (section->reading)
		atomic_store(value, copy);
}

static int file_get(struct section_file *file, void *bytes, size_t length)
{
	if (fread(bytes, 1, length, file->in) == length)
		return 0;
	if (ferror(file->in))
		return accel_error(-EIO, "cannot be read: %s", strerror(errno));
	return accel_error(-EINVAL,
			   "the checkpoint ends too early; it was not copied "
			   "as a whole");
}

int section_file_begin(struct section_file *file)
{
	struct file_header header = { MAGIC, VERSION, 0 };
	int ret;

	file->crc = 0;
	if (file->out)
		return atomic_file_write(file->out, &header, sizeof(header));
	ret = file_get(file, &header, sizeof(header));
	if (ret)
		return ret;
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)))
		return accel_error(-EINVAL, "this is no checkpoint of a "
					    "simulated device");
	if (header.version != VERSION || header.reserved)
		return accel_error(-EINVAL,
				   "a checkpoint of version %u, and this "
				   "simulator reads version %u; save it again",
				   header.version, VERSION);
	return 0;
}

struct section *section_start(struct section_file *file, uint32_t tag)
{
	struct section *section = &file->section;

	section->tag = tag;
	section->reading = false;
	section->failed = false;
	section->at = 0;
	section->length = sizeof(section->bytes);
	return section;
}

static void crc_add(struct section_file *file,
		    const struct section_header *header)
{
	file->crc = crc32c(file->crc, header, sizeof(*header));
	file->crc = crc32c(file->crc, file->section.bytes, header->length);
}

int section_finish(struct section_file *file)
{
	struct section *section = &file->section;
	struct section_header header = { section->tag, (uint32_t)section->at };
	int ret;

	if (section->failed)
		return accel_error(-EFBIG, "section %.4s is too large",
				   (const char *)&section->tag);
	crc_add(file, &header);
	ret = atomic_file_write(file->out, &header, sizeof(header));
	if (!ret)
		ret = atomic_file_write(file->out, section->bytes, section->at);
	if (!ret)
		ret = atomic_file_write(file->out, &file->crc,
					sizeof(file->crc));
	return ret;
}

int section_next(struct section_file *file)
{
	struct section *section = &file->section;
	struct section_header header;
	uint32_t crc;
	int ret;

	ret = file_get(file, &header, sizeof(header));
	if (ret)
		return ret;
	if (header.length > sizeof(section->bytes))
		return accel_error(-EINVAL,
				   "a section of %u bytes, where at most %u "
				   "are possible; the checkpoint is damaged",
				   header.length, SECTION_BYTES_MAX);
	ret = file_get(file, section->bytes, header.length);
	if (!ret)
		ret = file_get(file, &crc, sizeof(crc));
	if (ret)
		return ret;
	crc_add(file, &header);
	if (crc != file->crc)
		return accel_error(-EINVAL,
				   "the checksum is wrong; the checkpoint is "
				   "damaged");
	section->tag = header.tag;
	section->reading = true;
	section->failed = false;
	section->at = 0;
	section->length = header.length;
	return 0;
}

int section_end(const struct section_file *file)
{
	const struct section *section = &file->section;

	if (!section->failed && section->at == section->length)
		return 0;
	return accel_error(-EINVAL,
			   "section %.4s does not have the form that this "
			   "version knows; save the checkpoint again",
			   (const char *)&section->tag);
}

int section_expect(struct section_file *file, uint32_t tag)
{
	int ret = section_next(file);

	if (ret || file->section.tag == tag)
		return ret;
	return accel_error(-EINVAL,
			   "another section stands where %.4s must; the "
			   "checkpoint is damaged",
			   (const char *)&tag);
}
