/* SPDX-License-Identifier: MIT */
#include "driver/dma.h"

#include <errno.h>
#include <linux/mman.h>
#include <linux/types.h>
#include <spmm/page_table.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/checked.h"
#include "core/error.h"
#include "transport/transport.h"

/* Of huge pages at most this part is left unused. */
#define WASTE_DIVISOR 8

/* An address of its own for each large page, where there are several. */
static size_t alignment_of(size_t length)
{
	return length >= SPMM_LARGE_PAGE_SIZE ? SPMM_LARGE_PAGE_SIZE :
						SPMM_PAGE_SIZE;
}

/*
 * Pages at an aligned address, without touching them: a size that nobody has is refused
 * here, not punished later. Of a file, or zeros of nothing (−1).
 */
static void *pages_map(size_t length, int file, uint64_t offset)
{
	size_t alignment = alignment_of(length);
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
	if (file < 0 ||
	    mmap(address, length, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, file, (off_t)offset) != MAP_FAILED)
		return address;
	munmap(address, length);
	return NULL;
}

/* Memory that another process can map: a file without a name. */
static int file_create(size_t length, unsigned int flags)
{
	int file = memfd_create("accel", MFD_CLOEXEC | flags);

	if (file >= 0 && !ftruncate(file, (off_t)length))
		return file;
	if (file >= 0)
		close(file);
	return accel_error(-ENOMEM, "no %zu bytes of shared memory: %s", length,
			   strerror(errno));
}

/* The kernel reserves them, or refuses: no page is missed later. */
static bool huge_map(struct transport_memory *pages, bool shared)
{
	int flags = shared ? MAP_SHARED :
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
				     MAP_HUGE_2MB;

	if (shared) {
		accel_error_hold();
		pages->file =
			file_create(pages->length, MFD_HUGETLB | MAP_HUGE_2MB);
		accel_error_release();
		if (pages->file < 0)
			return false;
	}
	pages->address = mmap(NULL, pages->length, PROT_READ | PROT_WRITE,
			      flags, pages->file, 0);
	if (pages->address != MAP_FAILED)
		return true;
	if (pages->file >= 0)
		close(pages->file);
	return false;
}

/* Pages that are huge already are a translation each, in the host's IOMMU and here. */
static bool huge_allocate(size_t length, bool shared,
			  struct transport_memory *pages)
{
	size_t rounded;

	if (length < SPMM_LARGE_PAGE_SIZE ||
	    !checked_align(length, SPMM_LARGE_PAGE_SIZE, &rounded) ||
	    rounded - length > length / WASTE_DIVISOR)
		return false;
	*pages = (struct transport_memory){ .length = rounded, .file = -1 };
	return huge_map(pages, shared);
}

static int ordinary_allocate(size_t length, bool shared,
			     struct transport_memory *pages)
{
	*pages = (struct transport_memory){ .length = length, .file = -1 };
	if (shared)
		pages->file = file_create(length, 0);
	if (shared && pages->file < 0)
		return pages->file;
	pages->address = pages_map(length, pages->file, 0);
	if (pages->address) {
		if (length >= SPMM_LARGE_PAGE_SIZE)
			madvise(pages->address, length, MADV_HUGEPAGE);
		return 0;
	}
	if (pages->file >= 0)
		close(pages->file);
	return accel_error(-ENOMEM, "no %zu bytes of host memory", length);
}

static int memory_show(struct transport *transport,
		       const struct transport_memory *pages,
		       struct dma_memory *memory)
{
	int ret =
		transport->operations->map_dma(transport, pages, &memory->bus);

	if (ret)
		return ret;
	memory->address = pages->address;
	memory->length = pages->length;
	return 0;
}

/* Of a transport that has its own. */
static int own_allocate(struct transport *transport, size_t length,
			struct dma_memory *memory)
{
	struct transport_memory pages = { .length = length, .file = -1 };
	int ret =
		transport->operations->allocate_dma(transport, length, &pages);

	if (ret)
		return ret;
	memory->address = pages.address;
	memory->length = length;
	memory->bus = transport->operations->bus_at(transport, pages.address);
	return 0;
}

int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory)
{
	bool shared = transport->operations->shares_memory;
	struct transport_memory pages;
	size_t rounded;
	int ret;

	memset(memory, 0, sizeof(*memory));
	if (!checked_align(length, SPMM_PAGE_SIZE, &rounded))
		return accel_error(-ENOMEM, "no %llu bytes of host memory",
				   (unsigned long long)length);
	if (transport->operations->allocate_dma)
		return own_allocate(transport, rounded, memory);
	if (!huge_allocate(rounded, shared, &pages)) {
		ret = ordinary_allocate(rounded, shared, &pages);
		if (ret)
			return ret;
	}
	ret = memory_show(transport, &pages, memory);
	if (ret)
		munmap(pages.address, pages.length);
	if (pages.file >= 0)
		close(pages.file);
	return ret;
}

/* The file's own mapping here; the caller's is used where there is one. */
static int file_import(struct transport *transport,
		       const struct transport_memory *shown,
		       struct dma_memory *memory)
{
	struct transport_memory pages = *shown;
	int ret;

	pages.address = pages_map(pages.length, pages.file, pages.offset);
	if (!pages.address)
		return accel_error(-ENOTSUP,
				   "import: the file cannot be mapped: %s",
				   strerror(errno));
	ret = memory_show(transport, &pages, memory);
	if (!ret)
		return 0;
	munmap(pages.address, pages.length);
	if (ret != -EFAULT)
		return ret;
	return accel_error(
		-ENOTSUP,
		"import: %s: what this file holds cannot be pinned; a memfd can",
		transport->operations->scheme);
}

int dma_import(struct transport *transport,
	       const struct transport_memory *shown, struct dma_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	if (transport->operations->allocate_dma)
		return accel_error(
			-ENOTSUP,
			"import: %s: without IOMMU, the device reaches only what accel_buffer_create() makes",
			transport->operations->scheme);
	if (!shown->address)
		return file_import(transport, shown, memory);
	if (transport->operations->shares_memory)
		return accel_error(
			-ENOTSUP,
			"import: %s: reaches memory only by its file: give a memfd, and no address",
			transport->operations->scheme);
	memory->borrowed = true;
	return memory_show(transport, shown, memory);
}

void dma_release(struct transport *transport, struct dma_memory *memory)
{
	const struct transport_memory pages = {
		.address = memory->address,
		.length = memory->length,
		.file = -1,
	};

	if (!memory->address)
		return;
	if (transport->operations->release_dma) {
		transport->operations->release_dma(transport, &pages);
		memset(memory, 0, sizeof(*memory));
		return;
	}
	transport->operations->unmap_dma(transport, memory->bus,
					 memory->length);
	if (!memory->borrowed)
		munmap(memory->address, memory->length);
	memset(memory, 0, sizeof(*memory));
}
