/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <core/error.h>
#include <sim/memory.h>

int sim_memory_create(struct sim_device *device)
{
	void *memory = mmap(NULL, device->config.memory_bytes,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return accel_error(
			-ENOMEM,
			"the simulator cannot reserve %llu bytes of "
			"address space for device memory; lower "
			"memory_bytes or raise 'ulimit -v'",
			(unsigned long long)device->config.memory_bytes);
	/* Untouched memory must not count: a core file would hold all of it. */
	madvise(memory, device->config.memory_bytes, MADV_DONTDUMP);
	device->memory = memory;
	return 0;
}

void sim_memory_destroy(struct sim_device *device)
{
	if (device->memory)
		munmap(device->memory, device->config.memory_bytes);
	device->memory = NULL;
}

void sim_memory_clear(struct sim_device *device)
{
	madvise(device->memory, device->config.memory_bytes, MADV_DONTNEED);
}

void sim_memory_copy(void *to, const void *from, size_t length)
{
	uintptr_t both = (uintptr_t)to | (uintptr_t)from;

	if (length == 8 && !(both & 7))
		__atomic_store_n((uint64_t *)to,
				 __atomic_load_n((const uint64_t *)from,
						 __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else if (length == 4 && !(both & 3))
		__atomic_store_n((uint32_t *)to,
				 __atomic_load_n((const uint32_t *)from,
						 __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else
		memcpy(to, from, length);
}
