/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <sim/sram.h>

#define LINE_SHIFT 12
#define SECTOR_SHIFT 6
#define NONE UINT32_MAX

/*
 * Indices instead of pointers keep a line at 40 bytes: the tags of 32 MiB are then
 * still in the processor's cache.
 */
struct line {
	uint64_t page;
	uint64_t valid; /* one bit for each sector */
	uint64_t dirty;
	uint32_t newer, older; /* in order of use */
	uint32_t chain; /* of the hash bucket */
};

struct sim_sram {
	uint32_t line_count;
	uint32_t newest, oldest;
	uint32_t free; /* lines never used since a clear are taken in order */
	uint32_t bucket_mask;
	uint32_t *buckets;
	struct line *lines;
};

static uint32_t *bucket_of(struct sim_sram *sram, uint64_t page)
{
	return &sram->buckets[(page ^ page >> 13) & sram->bucket_mask];
}

int sram_create(struct sim_device *device)
{
	struct sim_sram *sram = calloc(1, sizeof(*sram));
	uint32_t buckets = 1;

	device->sram = sram;
	if (!sram)
		return accel_error(-ENOMEM, "no memory for the SRAM's tags");
	sram->line_count = (uint32_t)(device->config.sram_bytes >> LINE_SHIFT);
	while (buckets < sram->line_count)
		buckets *= 2;
	sram->bucket_mask = buckets - 1;
	sram->buckets = malloc(buckets * sizeof(*sram->buckets));
	sram->lines = malloc(sram->line_count * sizeof(*sram->lines));
	if (!sram->buckets || !sram->lines)
		return accel_error(-ENOMEM, "no memory for the SRAM's tags");
	sram_clear(device);
	return 0;
}

void sram_destroy(struct sim_device *device)
{
	if (!device->sram)
		return;
	free(device->sram->buckets);
	free(device->sram->lines);
	free(device->sram);
	device->sram = NULL;
}

void sram_clear(struct sim_device *device)
{
	struct sim_sram *sram = device->sram;

	memset(sram->buckets, 0xff,
	       (sram->bucket_mask + 1ul) * sizeof(*sram->buckets));
	sram->newest = NONE;
	sram->oldest = NONE;
	sram->free = 0;
}

static void list_remove(struct sim_sram *sram, uint32_t index)
{
	struct line *line = &sram->lines[index];

	if (line->newer == NONE)
		sram->newest = line->older;
	else
		sram->lines[line->newer].older = line->older;
	if (line->older == NONE)
		sram->oldest = line->newer;
	else
		sram->lines[line->older].newer = line->newer;
}

static void list_push(struct sim_sram *sram, uint32_t index)
{
	struct line *line = &sram->lines[index];

	line->newer = NONE;
	line->older = sram->newest;
	if (sram->newest == NONE)
		sram->oldest = index;
	else
		sram->lines[sram->newest].newer = index;
	sram->newest = index;
}

/* An empty line is the first to be displaced. */
static void list_push_oldest(struct sim_sram *sram, uint32_t index)
{
	struct line *line = &sram->lines[index];

	line->older = NONE;
	line->newer = sram->oldest;
	if (sram->oldest == NONE)
		sram->newest = index;
	else
		sram->lines[sram->oldest].older = index;
	sram->oldest = index;
}

static struct line *line_find(struct sim_sram *sram, uint64_t page)
{
	uint32_t index = *bucket_of(sram, page);

	while (index != NONE && sram->lines[index].page != page)
		index = sram->lines[index].chain;
	return index == NONE ? NULL : &sram->lines[index];
}

/* Chains are short: there are as many buckets as lines. */
static void line_unhash(struct sim_sram *sram, uint32_t index)
{
	uint32_t *link = bucket_of(sram, sram->lines[index].page);

	while (*link != index)
		link = &sram->lines[*link].chain;
	*link = sram->lines[index].chain;
}

static struct line *line_allocate(struct sim_sram *sram, uint64_t page,
				  struct sram_traffic *traffic)
{
	uint32_t index = sram->free;
	uint32_t *bucket;
	struct line *line;

	if (index < sram->line_count) {
		sram->free++;
	} else {
		index = sram->oldest;
		list_remove(sram, index);
		line_unhash(sram, index);
		traffic->evicted = sram->lines[index].dirty;
		traffic->evicted_address = sram->lines[index].page
					   << LINE_SHIFT;
	}
	line = &sram->lines[index];
	bucket = bucket_of(sram, page);
	*line = (struct line){ .page = page, .chain = *bucket };
	*bucket = index;
	list_push(sram, index);
	return line;
}

static void line_use(struct sim_sram *sram, struct line *line)
{
	uint32_t index = (uint32_t)(line - sram->lines);

	list_remove(sram, index);
	list_push(sram, index);
}

/* The sectors that a range within a page touches. */
static uint64_t sector_mask(uint64_t address, uint32_t length)
{
	uint32_t first = (address & 4095) >> SECTOR_SHIFT;
	uint32_t last =
		(uint32_t)(((address & 4095) + length - 1) >> SECTOR_SHIFT);
	uint64_t upto = last == 63 ? ~0ull : (1ull << (last + 1)) - 1;

	return upto & ~0ull << first;
}

static uint64_t sector_bytes(uint64_t mask)
{
	return (uint64_t)__builtin_popcountll(mask) << SECTOR_SHIFT;
}

void sram_read(struct sim_sram *sram, uint64_t address, uint32_t length,
	       enum spmm_hint hint, struct sram_traffic *traffic)
{
	uint64_t mask = sector_mask(address, length);
	struct line *line = line_find(sram, address >> LINE_SHIFT);
	uint64_t missing = line ? mask & ~line->valid : mask;
	uint64_t missing_bytes = sector_bytes(missing);

	*traffic = (struct sram_traffic){ .read = missing };
	if (missing_bytes < length)
		traffic->hit = length - missing_bytes;
	/* Passing through: nobody is displaced for it. */
	if (!line && hint == SPMM_HINT_STREAM)
		return;
	if (line)
		line_use(sram, line);
	else
		line = line_allocate(sram, address >> LINE_SHIFT, traffic);
	line->valid |= mask;
}

void sram_write(struct sim_sram *sram, uint64_t address, uint32_t length,
		enum spmm_hint hint, struct sram_traffic *traffic)
{
	uint64_t mask = sector_mask(address, length);
	struct line *line = line_find(sram, address >> LINE_SHIFT);

	*traffic = (struct sram_traffic){ 0 };
	if (hint == SPMM_HINT_STREAM) {
		/* To memory at once; a line that is there agrees with it. */
		traffic->written = mask;
		if (line)
			line->dirty &= ~mask;
		return;
	}
	if (line)
		line_use(sram, line);
	else
		line = line_allocate(sram, address >> LINE_SHIFT, traffic);
	line->valid |= mask;
	line->dirty |= mask;
}

bool sram_holds(struct sim_sram *sram, uint64_t address, uint32_t length)
{
	const struct line *line = line_find(sram, address >> LINE_SHIFT);

	return line && !(sector_mask(address, length) & ~line->valid);
}

void sram_discard(struct sim_sram *sram, uint64_t address, uint32_t length)
{
	uint32_t first = ((address & 4095) + SRAM_SECTOR_BYTES - 1) >>
			 SECTOR_SHIFT;
	uint32_t end = (uint32_t)((address & 4095) + length) >> SECTOR_SHIFT;
	struct line *line = line_find(sram, address >> LINE_SHIFT);
	uint64_t mask;
	uint32_t index;

	/* A sector that is shared with a neighbour stays. */
	if (!line || first >= end)
		return;
	mask = ~0ull >> (64 - (end - first)) << first;
	line->valid &= ~mask;
	line->dirty &= ~mask;
	if (line->valid)
		return;
	index = (uint32_t)(line - sram->lines);
	list_remove(sram, index);
	list_push_oldest(sram, index);
}

bool sram_next_line(const struct sim_sram *sram, uint32_t *cursor,
		    struct sram_line *out)
{
	uint32_t index = *cursor == SRAM_FIRST ? sram->oldest :
						 sram->lines[*cursor].newer;

	if (index == NONE)
		return false;
	*out = (struct sram_line){ .page = sram->lines[index].page,
				   .valid = sram->lines[index].valid,
				   .dirty = sram->lines[index].dirty };
	*cursor = index;
	return true;
}

bool sram_insert_line(struct sim_sram *sram, const struct sram_line *line)
{
	struct sram_traffic none = { 0 };
	struct line *at;

	if (sram->free == sram->line_count || (line->dirty & ~line->valid) ||
	    line_find(sram, line->page))
		return false;
	at = line_allocate(sram, line->page, &none);
	at->valid = line->valid;
	at->dirty = line->dirty;
	return true;
}
