/* SPDX-License-Identifier: MIT */
/*
 * The host memory that a client has mapped for DMA: bus addresses to files that are
 * mapped here, or to nothing but a permission to ask.
 *
 * Behind an IOMMU nearly every map is one page, and there may be a hundred thousand: an
 * ordered tree, and each file is mapped once, whatever number of maps lie in it.
 */
#ifndef SIM_SERVER_HOST_MEMORY_H
#define SIM_SERVER_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_memory;

/* What a client may map: more than is announced, since QEMU takes no more than 65535. */
#define HOST_MEMORY_MAPS_MAX (1u << 20)

int host_memory_create(struct host_memory **out);
void host_memory_destroy(struct host_memory *memory);

/**
 * struct host_memory_map - bus addresses that become reachable
 * @address: the first
 * @length: bytes
 * @offset: into the file
 * @descriptor: of the file, or −1; stays the caller's
 * @readable: by the device
 * @writable: likewise
 */
struct host_memory_map {
	uint64_t address;
	uint64_t length;
	uint64_t offset;
	int descriptor;
	bool readable;
	bool writable;
};

/* −EEXIST: overlaps an earlier one. −errno of fstat() or mmap(). */
int host_memory_add(struct host_memory *memory,
		    const struct host_memory_map *map);

/*
 * Removes the maps that lie wholly in a range; a range that holds none is no error. No
 * access to them is left when it returns. −EINVAL when one is cut.
 */
int host_memory_remove(struct host_memory *memory, uint64_t address,
		       uint64_t length);
void host_memory_remove_all(struct host_memory *memory);

/**
 * enum host_memory_way - how a bus address is reached
 * @HOST_MEMORY_NONE: not at all
 * @HOST_MEMORY_MAPPED: it has been copied
 * @HOST_MEMORY_BY_MESSAGE: the client has to be asked
 */
enum host_memory_way {
	HOST_MEMORY_NONE,
	HOST_MEMORY_MAPPED,
	HOST_MEMORY_BY_MESSAGE,
};

/*
 * Copies the first of @length bytes that lie in one map, to or from device memory.
 * @done: how many that are, also when they have to be asked for.
 */
enum host_memory_way host_memory_read(struct host_memory *memory,
				      uint64_t address, void *to, size_t length,
				      size_t *done);
enum host_memory_way host_memory_write(struct host_memory *memory,
				       uint64_t address, const void *from,
				       size_t length, size_t *done);

#endif
