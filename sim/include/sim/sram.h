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

/* Bytes, in whole sectors but for @hit. */
struct sram_traffic {
	uint64_t hit; /* of a read, that were on chip */
	uint64_t read; /* from DRAM */
	uint64_t written; /* to DRAM, by this access */
	uint64_t evicted; /* to DRAM, to make room */
};

int sram_create(struct sim_device *device);
void sram_destroy(struct sim_device *device);
void sram_clear(struct sim_device *device);

/* Adds to *traffic what an access within one 4 KiB page of DRAM costs. */
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

/* Forgets the sectors that lie wholly in a range: their bytes are dead. */
void sram_discard(struct sim_sram *sram, uint64_t address, uint32_t length);

#endif
