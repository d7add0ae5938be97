/* SPDX-License-Identifier: MIT */
/*
 * Pages of device memory that are not zero. Which were ever written the kernel knows,
 * so that the rest of a large memory costs next to nothing.
 */
#ifndef SIM_MEMORY_SCAN_H
#define SIM_MEMORY_SCAN_H

#include <sim/state.h>

#define MEMORY_SCAN_ENTRIES 1024

/**
 * struct memory_scan - where a search is
 * @device: whose memory
 * @pagemap: /proc/self/pagemap, or −1: every page is looked at
 * @page: the next
 * @first: page of entries[0]
 * @count: of @entries
 * @data: first byte of a run of a shared memory's file that was written
 * @hole: first byte after it
 * @entries: of pagemap
 */
struct memory_scan {
	const struct sim_device *device;
	int pagemap;
	uint64_t page;
	uint64_t first;
	uint64_t count;
	uint64_t data;
	uint64_t hole;
	uint64_t entries[MEMORY_SCAN_ENTRIES];
};

void memory_scan_open(struct memory_scan *scan,
		      const struct sim_device *device);

/* The number of the next page, ascending; false: there are no more. */
bool memory_scan_next(struct memory_scan *scan, uint64_t *page);

void memory_scan_close(struct memory_scan *scan);

#endif
