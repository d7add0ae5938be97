/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sim/memory_scan.h>

/* Bits of an entry of pagemap, one for each page: proc_pid_pagemap(5). */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)

void memory_scan_open(struct memory_scan *scan, const struct sim_device *device)
{
	scan->device = device;
	scan->pagemap = -1;
	/* With larger pages, entries are of these. */
	if (device->memory_file < 0 && sysconf(_SC_PAGESIZE) == SPMM_PAGE_SIZE)
		scan->pagemap =
			open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	scan->page = 0;
	scan->first = 0;
	scan->count = 0;
	scan->data = 0;
	scan->hole = 0;
}

void memory_scan_close(struct memory_scan *scan)
{
	if (scan->pagemap >= 0)
		close(scan->pagemap);
	scan->pagemap = -1;
}

/* What pagemap does not tell may have been written. */
static bool private_written(struct memory_scan *scan)
{
	uint64_t base = (uintptr_t)scan->device->memory / SPMM_PAGE_SIZE;
	ssize_t got;

	if (scan->pagemap < 0)
		return true;
	if (scan->page >= scan->first + scan->count) {
		got = pread(scan->pagemap, scan->entries, sizeof(scan->entries),
			    (off_t)((base + scan->page) * 8));
		if (got < 8) {
			memory_scan_close(scan);
			return true;
		}
		scan->first = scan->page;
		scan->count = (uint64_t)got / 8;
	}
	return scan->entries[scan->page - scan->first] &
	       (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);
}

/* Others write to a shared memory, too: its file has holes where nobody did. */
static bool shared_written(struct memory_scan *scan)
{
	uint64_t at = scan->page * SPMM_PAGE_SIZE;
	int file = scan->device->memory_file;
	off_t end;

	if (at >= scan->hole) {
		end = lseek(file, (off_t)at, SEEK_DATA);
		scan->data = end < 0 ? UINT64_MAX : (uint64_t)end;
		end = end < 0 ? -1 : lseek(file, end, SEEK_HOLE);
		scan->hole = end < 0 ? UINT64_MAX : (uint64_t)end;
	}
	return at + SPMM_PAGE_SIZE > scan->data;
}

static bool page_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, SPMM_PAGE_SIZE - 1);
}

bool memory_scan_next(struct memory_scan *scan, uint64_t *page)
{
	const struct sim_device *device = scan->device;
	uint64_t pages = device->config.memory_bytes / SPMM_PAGE_SIZE;

	for (; scan->page < pages; scan->page++) {
		if (!(device->memory_file < 0 ? private_written(scan) :
						shared_written(scan)) ||
		    page_zero(device->memory + scan->page * SPMM_PAGE_SIZE))
			continue;
		*page = scan->page++;
		return true;
	}
	return false;
}
