/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <core/checked.h>
#include <core/error.h>
#include <core/integer.h>
#include <sim/server/guard.h>
#include <sim/server/host_memory.h>

/* One file of the client's memory, mapped whole. */
struct file {
	dev_t device;
	ino_t inode;
	uint64_t length;
	uint8_t *bytes;
	uint32_t users;
	bool writable;
	struct file *next;
};

/* Bus addresses [begin, last]. */
struct map {
	uint64_t begin;
	uint64_t last;
	struct file *file; /* NULL: by message */
	uint64_t offset;
	bool readable;
	bool writable;
};

struct host_memory {
	/*
	 * Over all of it. Held for reading by the device while it copies, so that no
	 * access is left when a map has been removed. A leaf.
	 */
	pthread_rwlock_t lock;
	void *maps; /* a tree of struct map, by tsearch() */
	uint32_t map_count;
	struct file *files;
};

/* Maps that overlap are equal: a byte is found by a map of one byte. */
static int map_compare(const void *a, const void *b)
{
	const struct map *first = a;
	const struct map *second = b;

	if (first->last < second->begin)
		return -1;
	return first->begin > second->last;
}

static struct map *map_find(const struct host_memory *memory, uint64_t begin,
			    uint64_t last)
{
	const struct map key = { .begin = begin, .last = last };
	struct map *const *node = tfind(&key, &memory->maps, map_compare);

	return node ? *node : NULL;
}

int host_memory_create(struct host_memory **out)
{
	struct host_memory *memory = calloc(1, sizeof(*memory));

	*out = memory;
	if (!memory)
		return accel_error(-ENOMEM, "no memory for the client's maps");
	pthread_rwlock_init(&memory->lock, NULL);
	return 0;
}

static struct file *file_find(const struct host_memory *memory,
			      const struct stat *status, bool writable)
{
	struct file *file = memory->files;

	while (file && (file->device != status->st_dev ||
			file->inode != status->st_ino ||
			file->length != (uint64_t)status->st_size ||
			file->writable != writable))
		file = file->next;
	return file;
}

static int file_map(struct host_memory *memory, int descriptor,
		    const struct stat *status, bool writable, struct file **out)
{
	int protection = PROT_READ | (writable ? PROT_WRITE : 0);
	struct file *file = calloc(1, sizeof(*file));
	void *bytes;

	if (!file)
		return accel_error(-ENOMEM, "no memory for a client's file");
	bytes = mmap(NULL, (size_t)status->st_size, protection, MAP_SHARED,
		     descriptor, 0);
	if (bytes == MAP_FAILED) {
		free(file);
		return accel_error(-errno,
				   "the client's memory cannot be mapped: %s",
				   strerror(errno));
	}
	*file = (struct file){ .device = status->st_dev,
			       .inode = status->st_ino,
			       .length = (uint64_t)status->st_size,
			       .bytes = bytes,
			       .writable = writable,
			       .next = memory->files };
	memory->files = file;
	*out = file;
	return 0;
}

/* One user less. */
static void file_release(struct host_memory *memory, struct file *file)
{
	struct file **link = &memory->files;

	if (!file || --file->users)
		return;
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	munmap(file->bytes, file->length);
	free(file);
}

/* The file of a map, which may be there already; one user more. */
static int file_get(struct host_memory *memory,
		    const struct host_memory_map *map, struct file **out)
{
	struct stat status;
	int ret = 0;

	*out = NULL;
	if (map->descriptor < 0)
		return 0;
	if (fstat(map->descriptor, &status))
		return accel_error(-errno, "fstat: %s", strerror(errno));
	if (!checked_range(map->offset, map->length, (uint64_t)status.st_size))
		return accel_error(
			-EINVAL,
			"a DMA map of bytes that its file does not have");
	*out = file_find(memory, &status, map->writable);
	if (!*out)
		ret = file_map(memory, map->descriptor, &status, map->writable,
			       out);
	if (!ret)
		(*out)->users++;
	return ret;
}

static int map_insert(struct host_memory *memory,
		      const struct host_memory_map *from)
{
	struct map *map = calloc(1, sizeof(*map));
	int ret;

	if (!map)
		return accel_error(-ENOMEM, "no memory for a DMA map");
	*map = (struct map){ .begin = from->address,
			     .last = from->address + from->length - 1,
			     .offset = from->offset,
			     .readable = from->readable,
			     .writable = from->writable };
	ret = file_get(memory, from, &map->file);
	if (!ret && !tsearch(map, &memory->maps, map_compare)) {
		file_release(memory, map->file);
		ret = accel_error(-ENOMEM, "no memory for a DMA map");
	}
	if (ret)
		free(map);
	else
		memory->map_count++;
	return ret;
}

int host_memory_add(struct host_memory *memory,
		    const struct host_memory_map *map)
{
	uint64_t end;
	int ret;

	if (!map->length ||
	    !checked_add_u64(map->address, map->length - 1, &end))
		return accel_error(-EINVAL, "a DMA map of %llu bytes at %#llx",
				   (unsigned long long)map->length,
				   (unsigned long long)map->address);
	pthread_rwlock_wrlock(&memory->lock);
	if (map_find(memory, map->address, end))
		ret = accel_error(-EEXIST,
				  "a DMA map at %#llx overlaps another",
				  (unsigned long long)map->address);
	else if (memory->map_count == HOST_MEMORY_MAPS_MAX)
		ret = accel_error(-ENOSPC, "more than %u DMA maps",
				  HOST_MEMORY_MAPS_MAX);
	else
		ret = map_insert(memory, map);
	pthread_rwlock_unlock(&memory->lock);
	return ret;
}

static void map_delete(struct host_memory *memory, struct map *map)
{
	tdelete(map, &memory->maps, map_compare);
	file_release(memory, map->file);
	memory->map_count--;
	free(map);
}

int host_memory_remove(struct host_memory *memory, uint64_t address,
		       uint64_t length)
{
	struct map *map;
	uint64_t last;
	int ret = 0;

	if (!length || !checked_add_u64(address, length - 1, &last))
		return accel_error(-EINVAL, "an unmap that wraps around");
	pthread_rwlock_wrlock(&memory->lock);
	while (!ret && (map = map_find(memory, address, last))) {
		if (map->begin < address || map->last > last)
			ret = accel_error(
				-EINVAL,
				"an unmap at %#llx that cuts a DMA map",
				(unsigned long long)address);
		else
			map_delete(memory, map);
	}
	pthread_rwlock_unlock(&memory->lock);
	return ret;
}

void host_memory_remove_all(struct host_memory *memory)
{
	struct map *map;

	pthread_rwlock_wrlock(&memory->lock);
	while ((map = map_find(memory, 0, UINT64_MAX)))
		map_delete(memory, map);
	pthread_rwlock_unlock(&memory->lock);
}

void host_memory_destroy(struct host_memory *memory)
{
	if (!memory)
		return;
	host_memory_remove_all(memory);
	pthread_rwlock_destroy(&memory->lock);
	free(memory);
}

/* The first bytes of an access that lie in one map; the lock is held. */
static enum host_memory_way piece_find(const struct host_memory *memory,
				       uint64_t address, size_t length,
				       bool write, uint8_t **at, size_t *done)
{
	const struct map *map = map_find(memory, address, address);

	*done = length;
	if (!map || !(write ? map->writable : map->readable))
		return HOST_MEMORY_NONE;
	*done = (size_t)min_u64(length - 1, map->last - address) + 1;
	if (!map->file)
		return HOST_MEMORY_BY_MESSAGE;
	*at = map->file->bytes + map->offset + (address - map->begin);
	return HOST_MEMORY_MAPPED;
}

enum host_memory_way host_memory_read(struct host_memory *memory,
				      uint64_t address, void *to, size_t length,
				      size_t *done)
{
	enum host_memory_way way;
	uint8_t *at;

	pthread_rwlock_rdlock(&memory->lock);
	way = piece_find(memory, address, length, false, &at, done);
	if (way == HOST_MEMORY_MAPPED && !guarded_copy(to, at, *done))
		way = HOST_MEMORY_NONE;
	pthread_rwlock_unlock(&memory->lock);
	return way;
}

enum host_memory_way host_memory_write(struct host_memory *memory,
				       uint64_t address, const void *from,
				       size_t length, size_t *done)
{
	enum host_memory_way way;
	uint8_t *at;

	pthread_rwlock_rdlock(&memory->lock);
	way = piece_find(memory, address, length, true, &at, done);
	if (way == HOST_MEMORY_MAPPED && !guarded_copy(at, from, *done))
		way = HOST_MEMORY_NONE;
	pthread_rwlock_unlock(&memory->lock);
	return way;
}
