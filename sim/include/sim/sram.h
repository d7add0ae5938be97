/* SPDX-License-Identifier: MIT */
/*
 * The shared SRAM as a cache of device DRAM: which bytes are on chip, and what
 * moves to make room. It holds no data, since functional execution works on the
 * memory itself; it decides what an access costs.
 *
 * Lines of 4 KiB with 64 sectors of 64 bytes, fully associative, least recently
 * used, written back when displaced.
 */
#ifndef SIM_SRAM_H
#define SIM_SRAM_H

#include <sim/state.h>

#define SRAM_LINE_BYTES 4096
#define SRAM_SECTOR_BYTES 64

/**
 * struct sram_traffic - what one access moves
 * @hit: bytes of a read that were on chip
 * @read: sectors of its line that come from DRAM, bit i being bytes 64 · i …
 * @written: likewise, that go there by this access
 * @evicted: of the line at @evicted_address, that go there to make room
 * @evicted_address: see there
 */
struct sram_traffic {
	uint64_t hit;
	uint64_t read;
	uint64_t written;
	uint64_t evicted;
	uint64_t evicted_address;
};

int sram_create(struct sim_device *device);
void sram_destroy(struct sim_device *device);
void sram_clear(struct sim_device *device);

/* Sets *traffic to what an access within one line costs. */
void sram_read(struct sim_sram *sram, uint64_t address, uint32_t length,
	       enum spmm_hint hint, struct sram_traffic *traffic);
void sram_write(struct sim_sram *sram, uint64_t address, uint32_t length,
		enum spmm_hint hint, struct sram_traffic *traffic);

/* One line of the tags, for a checkpoint; sectors as bits. */
struct sram_line {
	uint64_t page;
	uint64_t valid;
	uint64_t dirty;
};

/*
 * All lines in the order of their use, the longest unused first: *cursor is SRAM_FIRST
 * at the beginning. False: there are no more.
 */
#define SRAM_FIRST UINT32_MAX
bool sram_next_line(const struct sim_sram *sram, uint32_t *cursor,
		    struct sram_line *out);

/* Adds one as the last used; false: there cannot be such a line. */
bool sram_insert_line(struct sim_sram *sram, const struct sram_line *line);

/* Is all of a range within one line on chip? It counts as no use. */
bool sram_holds(struct sim_sram *sram, uint64_t address, uint32_t length);

/* Forgets the sectors that lie wholly in a range: their bytes are dead. */
void sram_discard(struct sim_sram *sram, uint64_t address, uint32_t length);

#endif
