/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <core/checked.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <sim/checkpoint.h>
#include <sim/checkpoint_read.h>
#include <sim/checkpoint_state.h>
#include <sim/instance.h>
#include <sim/memory_scan.h>
#include <sim/pause.h>
#include <sim/sram.h>
#include <sim/tlb.h>

#define TAG_CONFIG SECTION_TAG('C', 'O', 'N', 'F')
#define TAG_MEMORY SECTION_TAG('D', 'R', 'A', 'M')
#define TAG_END SECTION_TAG('E', 'N', 'D', ' ')

/* Of records and pages there are as many sections as are needed. */
#define RECORDS_MAX 4096
#define MEMORY_PAGES_MAX 128

#define NAME_BYTES 64

/* All fields by name, so that a difference can be named. */
static int config_save(const struct sim_config *config,
		       struct section_file *file)
{
	struct section *s = section_start(file, TAG_CONFIG);
	const char *name;

	for (unsigned int i = 0; (name = sim_config_field(i)); i++) {
		char padded[NAME_BYTES] = { 0 };
		uint64_t value = sim_config_value(config, i);

		memcpy(padded, name, strlen(name));
		section_bytes(s, padded, sizeof(padded));
		section_u64(s, &value);
	}
	return section_finish(file);
}

/* The value of the next field, which must be the one of that name. */
static int field_read(struct section *s, const char *name, uint64_t *value)
{
	char padded[NAME_BYTES] = { 0 }, read[NAME_BYTES];

	memcpy(padded, name, strlen(name));
	section_bytes(s, read, sizeof(read));
	section_u64(s, value);
	if (s->failed || memcmp(padded, read, sizeof(padded)))
		return accel_error(-EINVAL,
				   "the configuration of the saved device has "
				   "not '%s' where this simulator has it; save "
				   "the checkpoint again with this version",
				   name);
	return 0;
}

/* @config: that it must be the same as, or NULL; @out: gets the file's. */
static int field_restore(struct section *s, unsigned int index,
			 const struct sim_config *config,
			 struct sim_config *out)
{
	const char *name = sim_config_field(index);
	uint64_t value, wanted;
	char text[24];
	int ret;

	ret = field_read(s, name, &value);
	if (ret)
		return ret;
	wanted = config ? sim_config_value(config, index) : value;
	if (value != wanted)
		return accel_error(-EINVAL,
				   "the saved device has %s = %" PRIu64
				   ", and the configuration says %" PRIu64,
				   name, value, wanted);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return sim_config_set(out, name, text) ? -EINVAL : 0;
}

static int config_restore(struct section_file *file,
			  const struct sim_config *config,
			  struct sim_config *out)
{
	int ret;

	ret = section_expect(file, TAG_CONFIG);
	if (!ret)
		ret = sim_config_preset("default", out);
	for (unsigned int i = 0; !ret && sim_config_field(i); i++)
		ret = field_restore(&file->section, i, config, out);
	if (!ret)
		ret = section_end(file);
	return ret ? ret : sim_config_check(out);
}

static int parts_save(struct sim_device *device, struct section_file *file)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < checkpoint_part_count; i++) {
		const struct checkpoint_part *part = &checkpoint_parts[i];

		part->visit(device, section_start(file, part->tag));
		ret = section_finish(file);
	}
	return ret;
}

static int parts_restore(struct sim_device *device, struct section_file *file)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < checkpoint_part_count; i++) {
		const struct checkpoint_part *part = &checkpoint_parts[i];

		ret = section_expect(file, part->tag);
		if (ret)
			return ret;
		part->visit(device, &file->section);
		ret = section_end(file);
		if (!ret && part->check)
			ret = part->check(device);
	}
	return ret;
}

/**
 * struct record_kind - of which there are so many that they take several sections
 * @save: stores the one at *cursor, which moves on; false: there are no more
 * @restore: false: there cannot be such a one
 */
struct record_kind {
	uint32_t tag;
	uint32_t first; /* cursor */
	bool (*save)(struct sim_device *device, uint32_t *cursor,
		     struct section *s);
	bool (*restore)(struct sim_device *device, struct section *s);
};

static void line_visit(struct section *s, struct sram_line *line)
{
	section_u64(s, &line->page);
	section_u64(s, &line->valid);
	section_u64(s, &line->dirty);
}

static bool line_save(struct sim_device *device, uint32_t *cursor,
		      struct section *s)
{
	struct sram_line line;

	if (!sram_next_line(device->sram, cursor, &line))
		return false;
	line_visit(s, &line);
	return true;
}

static bool line_restore(struct sim_device *device, struct section *s)
{
	uint64_t pages = device->config.memory_bytes / SPMM_PAGE_SIZE;
	struct sram_line line;

	line_visit(s, &line);
	return !s->failed && line.page < pages &&
	       sram_insert_line(device->sram, &line);
}

static void walk_visit(struct section *s, struct tlb_record *record)
{
	section_u32(s, &record->index);
	section_u64(s, &record->page);
	section_u64(s, &record->used);
	section_u16(s, &record->context);
	section_u16(s, &record->level);
}

static bool walk_save(struct sim_device *device, uint32_t *cursor,
		      struct section *s)
{
	struct tlb_record record;

	if (!tlb_next_record(device->timing_tlb, cursor, &record))
		return false;
	walk_visit(s, &record);
	return true;
}

static bool walk_restore(struct sim_device *device, struct section *s)
{
	struct tlb_record record;

	walk_visit(s, &record);
	return !s->failed && tlb_insert_record(device->timing_tlb, &record);
}

static const struct record_kind record_kinds[] = {
	{ SECTION_TAG('W', 'A', 'L', 'K'), 0, walk_save, walk_restore },
	{ SECTION_TAG('S', 'R', 'A', 'M'), SRAM_FIRST, line_save,
	  line_restore },
};

#define RECORD_KINDS (sizeof(record_kinds) / sizeof(record_kinds[0]))

static int records_save(struct sim_device *device, struct section_file *file,
			const struct record_kind *kind)
{
	uint32_t cursor = kind->first, count = 0;
	bool more = true;
	int ret = 0;

	while (!ret && more) {
		section_start(file, kind->tag);
		for (count = 0; more && count < RECORDS_MAX; count += more)
			more = kind->save(device, &cursor, &file->section);
		if (count)
			ret = section_finish(file);
	}
	return ret;
}

/* All sections of a kind, and the header of the one that follows. */
static int records_restore(struct sim_device *device, struct section_file *file,
			   const struct record_kind *kind)
{
	struct section *s = &file->section;
	int ret = 0;

	while (!ret && s->tag == kind->tag) {
		while (s->at < s->length)
			if (!kind->restore(device, s))
				return accel_error(
					-EINVAL,
					"section %.4s has what no device can "
					"have; the checkpoint is damaged",
					(const char *)&kind->tag);
		ret = section_next(file);
	}
	return ret;
}

/* A run of pages; its first page and its length stand before it. */
static int run_save(struct sim_device *device, struct section_file *file,
		    uint64_t first, uint32_t count)
{
	struct section *s = section_start(file, TAG_MEMORY);

	section_u64(s, &first);
	section_u32(s, &count);
	section_bytes(s, device->memory + first * SPMM_PAGE_SIZE,
		      (size_t)count * SPMM_PAGE_SIZE);
	return section_finish(file);
}

static int memory_save(struct sim_device *device, struct section_file *file,
		       struct memory_scan *scan)
{
	uint64_t page, first = 0;
	uint32_t count = 0;
	int ret = 0;

	while (!ret && memory_scan_next(scan, &page)) {
		if (count && page == first + count &&
		    count < MEMORY_PAGES_MAX) {
			count++;
			continue;
		}
		if (count)
			ret = run_save(device, file, first, count);
		first = page;
		count = 1;
	}
	if (!ret && count)
		ret = run_save(device, file, first, count);
	return ret;
}

/* @next: the first page that may come. */
static int run_restore(struct sim_device *device, struct section_file *file,
		       uint64_t *next)
{
	struct section *s = &file->section;
	uint64_t pages = device->config.memory_bytes / SPMM_PAGE_SIZE;
	uint64_t first = 0;
	uint32_t count = 0;

	section_u64(s, &first);
	section_u32(s, &count);
	if (s->failed || first < *next || !count || count > MEMORY_PAGES_MAX ||
	    !checked_range(first, count, pages))
		return accel_error(-EINVAL,
				   "pages that device memory does not have; "
				   "the checkpoint is damaged");
	*next = first + count;
	section_bytes(s, device->memory + first * SPMM_PAGE_SIZE,
		      (size_t)count * SPMM_PAGE_SIZE);
	return section_end(file);
}

/* Sections of which there is any number, and the end. */
static int rest_restore(struct sim_device *device, struct section_file *file)
{
	uint64_t next_page = 0;
	int ret;

	ret = section_next(file);
	for (unsigned int i = 0; !ret && i < RECORD_KINDS; i++)
		ret = records_restore(device, file, &record_kinds[i]);
	while (!ret && file->section.tag == TAG_MEMORY) {
		ret = run_restore(device, file, &next_page);
		if (!ret)
			ret = section_next(file);
	}
	if (ret)
		return ret;
	if (file->section.tag != TAG_END || section_end(file) ||
	    fgetc(file->in) != EOF)
		return accel_error(-EINVAL,
				   "something else stands where the "
				   "checkpoint must end; it is damaged");
	return 0;
}

static int device_write(struct sim_device *device, struct section_file *file)
{
	struct memory_scan *scan;
	int ret;

	if (!device->engine)
		return accel_error(-ENOMEM, "the simulated device has lost its "
					    "engine; reset it");
	ret = section_file_begin(file);
	if (!ret)
		ret = config_save(&device->config, file);
	if (!ret)
		ret = parts_save(device, file);
	for (unsigned int i = 0; !ret && i < RECORD_KINDS; i++)
		ret = records_save(device, file, &record_kinds[i]);
	if (ret)
		return ret;
	scan = malloc(sizeof(*scan));
	if (!scan)
		return accel_error(-ENOMEM, "no memory to save a device");
	memory_scan_open(scan, device);
	ret = memory_save(device, file, scan);
	memory_scan_close(scan);
	free(scan);
	if (ret)
		return ret;
	section_start(file, TAG_END);
	return section_finish(file);
}

static int device_save(struct sim_device *device, struct section_file *file,
		       const char *path)
{
	int ret;

	ret = atomic_file_open(&file->out, path);
	if (ret)
		return ret;
	ret = pause_hold(device);
	if (!ret) {
		ret = device_write(device, file);
		pause_release(device);
	}
	if (ret) {
		atomic_file_abandon(file->out);
		return ret;
	}
	return atomic_file_commit(file->out);
}

/* How far a script has come is not in the file. */
static int with_faults(void)
{
	return accel_error(-ENOTSUP,
			   "a simulated device with a fault script can be "
			   "neither saved nor restored");
}

int sim_device_save(struct sim_device *device, const char *path)
{
	struct section_file *file;
	int ret;

	if (device->inject)
		return with_faults();
	file = calloc(1, sizeof(*file));
	if (!file)
		return accel_error(-ENOMEM, "no memory to save a device");
	ret = device_save(device, file, path);
	free(file);
	return ret;
}

static int device_read(struct section_file *file,
		       const struct sim_config *config,
		       const struct sim_host *host,
		       const struct sim_options *options,
		       struct sim_device **out)
{
	struct sim_config saved;
	int ret;

	ret = section_file_begin(file);
	if (!ret)
		ret = config_restore(file, config, &saved);
	if (!ret)
		ret = device_allocate(&saved, host, options, out);
	if (ret)
		return ret;
	(*out)->pauses = 1;
	ret = parts_restore(*out, file);
	if (!ret)
		ret = rest_restore(*out, file);
	if (!ret)
		ret = device_start(*out);
	if (ret) {
		device_free(*out);
		*out = NULL;
	}
	return ret;
}

int checkpoint_read(FILE *in, const struct sim_config *config,
		    const struct sim_host *host,
		    const struct sim_options *options, struct sim_device **out)
{
	struct section_file *file = calloc(1, sizeof(*file));
	int ret;

	*out = NULL;
	if (!file)
		return accel_error(-ENOMEM, "no memory to restore a device");
	file->in = in;
	ret = device_read(file, config, host, options, out);
	free(file);
	return ret;
}

int sim_device_restore(const struct sim_config *config,
		       const struct sim_host *host,
		       const struct sim_options *options, const char *path,
		       struct sim_device **out)
{
	FILE *in;
	int ret;

	*out = NULL;
	if (options && options->faults)
		return with_faults();
	in = fopen(path, "re");
	if (!in)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	ret = checkpoint_read(in, config, host, options, out);
	fclose(in);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}
