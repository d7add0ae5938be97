/* SPDX-License-Identifier: MIT */
/*
 * The calls about memory, for its tests: each gives 0 or -errno, and takes all that its
 * structure has.
 */
#ifndef KSELFTEST_MEMORY_H
#define KSELFTEST_MEMORY_H

#include "jobs.h"

#define DEVICE_VISIBLE (DRM_SPMM_BO_DEVICE | DRM_SPMM_BO_VISIBLE)
#define MIB (1ull << 20)
#define PAGE 4096ull

static inline struct drm_spmm_device_info device_info(int fd)
{
	struct drm_spmm_device_info info = { 0 };
	struct drm_spmm_query query = {
		.kind = DRM_SPMM_QUERY_DEVICE,
		.size = sizeof(info),
		.pointer = (uintptr_t)&info,
	};

	call(fd, DRM_IOCTL_SPMM_QUERY, &query);
	return info;
}

/*
 * Open the node, and wait until the memory of those before us is free again: what a closed
 * file held is given back a little later.
 */
static inline int node_open_idle(void)
{
	struct drm_spmm_device_info info;
	int fd = node_open();
	int i;

	for (i = 0; i < 200 && fd >= 0; i++) {
		info = device_info(fd);
		if (info.memory_free == info.memory_bytes)
			break;
		usleep(50000);
	}
	return fd;
}

static inline int bo_create(int fd, uint64_t length, uint32_t flags,
			    uint32_t *handle)
{
	struct drm_spmm_bo_create create = { .length = length, .flags = flags };
	int ret = call(fd, DRM_IOCTL_SPMM_BO_CREATE, &create);

	*handle = create.handle;
	return ret;
}

static inline int bo_close(int fd, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	return call(fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static inline int bo_offset(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_spmm_bo_mmap_offset map = { .handle = handle };
	int ret = call(fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &map);

	*offset = map.offset;
	return ret;
}

/* NULL when it cannot be. */
static inline void *bo_map(int fd, uint32_t handle, size_t length)
{
	uint64_t offset;
	void *memory;

	if (bo_offset(fd, handle, &offset))
		return NULL;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (off_t)offset);
	return memory == MAP_FAILED ? NULL : memory;
}

static inline int vm_bind(int fd, uint32_t handle, uint32_t flags,
			  uint64_t address, uint64_t offset, uint64_t length)
{
	struct drm_spmm_vm_bind bind = {
		.handle = handle,
		.flags = flags,
		.address = address,
		.offset = offset,
		.length = length,
	};

	return call(fd, DRM_IOCTL_SPMM_VM_BIND, &bind);
}

static inline int vm_unbind(int fd, uint64_t address, uint64_t length)
{
	return vm_bind(fd, 0, DRM_SPMM_VM_BIND_UNMAP, address, 0, length);
}

static inline int bo_export(int fd, uint32_t handle, int *dma_buf)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};
	int ret = call(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	*dma_buf = prime.fd;
	return ret;
}

static inline int bo_import(int fd, int dma_buf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret = call(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = prime.handle;
	return ret;
}

/*
 * Where an argument of @size bytes ends with a page that nothing is mapped behind.
 * The whole is never given back: the process ends soon.
 */
static inline void *end_of_page(size_t size)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || munmap(pages + PAGE, PAGE))
		return NULL;
	return pages + PAGE - size;
}

static inline int is_filled(const void *memory, int value, size_t length)
{
	const unsigned char *bytes = memory;
	size_t i;

	for (i = 0; i < length; i++)
		if (bytes[i] != value)
			return 0;
	return 1;
}

#endif
