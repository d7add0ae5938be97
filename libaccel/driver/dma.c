/* SPDX-License-Identifier: MIT */
#include "driver/dma.h"

#include <errno.h>
#include <linux/types.h>
#include <spmm/page_table.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/checked.h"
#include "core/error.h"
#include "transport/transport.h"

/*
 * Zero pages at an aligned address, without touching them: a size that nobody has
 * is refused here, not punished later. Of a file, or of nothing (−1).
 */
static void *pages_map(size_t length, size_t alignment, int file)
{
	size_t whole, before;
	char *address;

	if (!checked_add(length, alignment, &whole))
		return NULL;
	address = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address == MAP_FAILED)
		return NULL;
	before = (alignment - (uintptr_t)address % alignment) % alignment;
	if (before)
		munmap(address, before);
	munmap(address + before + length, whole - before - length);
	address += before;
	if (file < 0 || mmap(address, length, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED)
		return address;
	munmap(address, length);
	return NULL;
}

/* Memory that another process can map: a file without a name. */
static int file_create(size_t length)
{
	int file = memfd_create("accel", MFD_CLOEXEC);

	if (file >= 0 && !ftruncate(file, (off_t)length))
		return file;
	if (file >= 0)
		close(file);
	return accel_error(-ENOMEM, "no %zu bytes of shared memory: %s", length,
			   strerror(errno));
}

static int memory_map(struct transport *transport, size_t alignment, int file,
		      struct dma_memory *memory)
{
	struct transport_memory shown = { .length = memory->length,
					  .file = file };
	int ret;

	memory->address = pages_map(memory->length, alignment, file);
	if (!memory->address)
		return accel_error(-ENOMEM, "no %llu bytes of host memory",
				   (unsigned long long)memory->length);
	shown.address = memory->address;
	ret = transport->operations->map_dma(transport, &shown, &memory->bus);
	if (ret) {
		munmap(memory->address, memory->length);
		memory->address = NULL;
	}
	return ret;
}

int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory)
{
	size_t alignment = length >= SPMM_LARGE_PAGE_SIZE ?
				   SPMM_LARGE_PAGE_SIZE :
				   SPMM_PAGE_SIZE;
	bool shared = transport->operations->shares_memory;
	size_t rounded;
	int file = -1;
	int ret;

	memset(memory, 0, sizeof(*memory));
	if (!checked_align(length, SPMM_PAGE_SIZE, &rounded))
		return accel_error(-ENOMEM, "no %llu bytes of host memory",
				   (unsigned long long)length);
	memory->length = rounded;
	if (shared)
		file = file_create(rounded);
	if (shared && file < 0)
		return file;
	ret = memory_map(transport, alignment, file, memory);
	if (file >= 0)
		close(file);
	return ret;
}

void dma_release(struct transport *transport, struct dma_memory *memory)
{
	if (!memory->address)
		return;
	transport->operations->unmap_dma(transport, memory->bus,
					 memory->length);
	munmap(memory->address, memory->length);
	memset(memory, 0, sizeof(*memory));
}
