/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <core/error.h>
#include <sim/memory.h>

/* A file without a name; −1 when the memory is this process's own. */
static int memory_file(struct sim_device *device)
{
	int file = memfd_create("spmm-memory", MFD_CLOEXEC);

	if (file < 0)
		return accel_error(-errno, "memfd_create: %s", strerror(errno));
	if (!ftruncate(file, (off_t)device->config.memory_bytes))
		return file;
	close(file);
	return accel_error(-ENOMEM,
			   "the simulator cannot make a file of %llu bytes for "
			   "device memory: %s; lower memory_bytes",
			   (unsigned long long)device->config.memory_bytes,
			   strerror(errno));
}

int sim_memory_create(struct sim_device *device)
{
	bool shared = device->options.share_memory;
	int flags = shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	void *memory;

	device->memory_file = shared ? memory_file(device) : -1;
	if (shared && device->memory_file < 0)
		return device->memory_file;
	memory = mmap(NULL, device->config.memory_bytes, PROT_READ | PROT_WRITE,
		      flags | MAP_NORESERVE, device->memory_file, 0);
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
	if (device->memory_file >= 0)
		close(device->memory_file);
	device->memory_file = -1;
}

void sim_memory_clear(struct sim_device *device)
{
	madvise(device->memory, device->config.memory_bytes,
		device->memory_file < 0 ? MADV_DONTNEED : MADV_REMOVE);
}

void sim_memory_hide(struct sim_device *device)
{
	memset(device->memory, 0xff, device->options.window);
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
