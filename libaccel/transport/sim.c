/* SPDX-License-Identifier: MIT */
/*
 * The simulator in this process, reached like any device on a bus: registers
 * through its BARs, memory through regions that map_dma() made reachable at a bus
 * address, interrupts through eventfds. Bus addresses are unlike pointers, so
 * that one taken for the other is found at once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <core/checked.h>
#include <core/error.h>
#include <core/integer.h>
#include <sim/device.h>
#include <sim/inject.h>
#include <spmm/registers.h>
#include <transport/sim.h>

#define BUS_FIRST 0x100000000ull
#define BUS_GAP 0x10000ull /* unmapped, between two regions */
#define BUS_ALIGNMENT 0x200000ull

struct region {
	uint64_t bus_address;
	size_t length;
	uint8_t *memory;
};

struct transport_sim {
	struct transport base;
	struct sim_device *device;
	struct recording *recording; /* or NULL; outlives the device */
	struct inject_script *faults; /* likewise */

	/*
	 * Over the next three. Held for reading by the device while it copies, so
	 * that no access is left when unmap_dma() returns. A leaf, as is
	 * interrupts_lock; the two are never held together.
	 */
	pthread_rwlock_t regions_lock;
	struct region *regions; /* in ascending order of bus address */
	size_t region_count;
	uint64_t next_address;

	/* Over the event descriptors, which the device signals under it. */
	pthread_mutex_t interrupts_lock;
	int interrupts[SPMM_MSIX_VECTORS]; /* −1 until asked for */
};

static struct transport_sim *to_sim(struct transport *transport)
{
	return (struct transport_sim *)transport;
}

/* The region that holds an address; the lock is held. */
static const struct region *region_find(const struct transport_sim *sim,
					uint64_t address)
{
	size_t low = 0, high = sim->region_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct region *region = &sim->regions[middle];

		if (address < region->bus_address)
			high = middle;
		else if (address - region->bus_address >= region->length)
			low = middle + 1;
		else
			return region;
	}
	return NULL;
}

/*
 * Aligned words are stored and loaded whole, as on a bus: the other side polls
 * completions and semaphores.
 */
static void word_copy(void *to, const void *from, size_t length)
{
	uintptr_t both = (uintptr_t)to | (uintptr_t)from;

	if (length == 4 && !(both & 3))
		__atomic_store_n((uint32_t *)to,
				 __atomic_load_n((const uint32_t *)from,
						 __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else if (length == 8 && !(both & 7))
		__atomic_store_n((uint64_t *)to,
				 __atomic_load_n((const uint64_t *)from,
						 __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
	else
		memcpy(to, from, length);
}

static int sim_dma(struct transport_sim *sim, uint64_t address, void *to,
		   const void *from, size_t length)
{
	const struct region *region;
	int ret = -EFAULT;

	pthread_rwlock_rdlock(&sim->regions_lock);
	region = region_find(sim, address);
	if (region && checked_range(address - region->bus_address, length,
				    region->length)) {
		uint8_t *at = region->memory + (address - region->bus_address);

		word_copy(to ? to : at, from ? from : at, length);
		ret = 0;
	}
	pthread_rwlock_unlock(&sim->regions_lock);
	return ret;
}

static int sim_dma_read(void *opaque, uint64_t address, void *to, size_t length)
{
	return sim_dma(opaque, address, to, NULL, length);
}

static int sim_dma_write(void *opaque, uint64_t address, const void *from,
			 size_t length)
{
	return sim_dma(opaque, address, NULL, from, length);
}

static void sim_interrupt(void *opaque, unsigned int vector)
{
	struct transport_sim *sim = opaque;
	uint64_t one = 1;
	int fd;

	if (vector >= SPMM_MSIX_VECTORS)
		return;
	pthread_mutex_lock(&sim->interrupts_lock);
	fd = sim->interrupts[vector];
	/* A counter that is full is as good as one more. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		(void)errno;
	pthread_mutex_unlock(&sim->interrupts_lock);
}

static uint32_t sim_read32(struct transport *transport, uint32_t offset)
{
	uint32_t value;

	sim_device_bar_read(to_sim(transport)->device, SPMM_BAR_REGISTERS,
			    offset, &value, sizeof(value));
	return value;
}

static uint64_t sim_read64(struct transport *transport, uint32_t offset)
{
	uint64_t value;

	sim_device_bar_read(to_sim(transport)->device, SPMM_BAR_REGISTERS,
			    offset, &value, sizeof(value));
	return value;
}

static void sim_write32(struct transport *transport, uint32_t offset,
			uint32_t value)
{
	sim_device_bar_write(to_sim(transport)->device, SPMM_BAR_REGISTERS,
			     offset, &value, sizeof(value));
}

static void sim_write64(struct transport *transport, uint32_t offset,
			uint64_t value)
{
	sim_device_bar_write(to_sim(transport)->device, SPMM_BAR_REGISTERS,
			     offset, &value, sizeof(value));
}

static int sim_map_bar(struct transport *transport, unsigned int bar,
		       uint64_t offset, size_t length, void **out)
{
	uint64_t size = sim_read64(transport, SPMM_REG_MEMORY_BYTES);
	uint8_t *memory = sim_device_memory(to_sim(transport)->device);

	if (bar != SPMM_BAR_MEMORY)
		return accel_error(-ENOTSUP,
				   "sim: BAR%u cannot be mapped, only the "
				   "memory window can",
				   bar);
	if (!length || !checked_range(offset, length, size))
		return accel_error(-EINVAL,
				   "sim: the range is outside the memory "
				   "window of %llu bytes",
				   (unsigned long long)size);
	*out = memory + offset;
	return 0;
}

static int sim_map_dma(struct transport *transport,
		       const struct transport_memory *memory,
		       uint64_t *bus_address)
{
	struct transport_sim *sim = to_sim(transport);
	uint64_t offset = (uintptr_t)memory->address & (BUS_ALIGNMENT - 1);
	size_t length = memory->length;
	struct region *regions;
	uint64_t end;

	if (!memory->address || !length)
		return accel_error(-EINVAL, "sim: nothing to map for DMA");
	pthread_rwlock_wrlock(&sim->regions_lock);
	regions = reallocarray(sim->regions, sim->region_count + 1,
			       sizeof(*regions));
	if (!regions ||
	    !checked_add_u64(sim->next_address + offset, length, &end)) {
		pthread_rwlock_unlock(&sim->regions_lock);
		return accel_error(-ENOMEM, "sim: no room to map for DMA");
	}
	/* The offset in a large page stays, so that large pages can be used. */
	*bus_address = sim->next_address + offset;
	regions[sim->region_count++] =
		(struct region){ *bus_address, length, memory->address };
	sim->regions = regions;
	sim->next_address = align_up(end + BUS_GAP, BUS_ALIGNMENT);
	pthread_rwlock_unlock(&sim->regions_lock);
	return 0;
}

static int sim_unmap_dma(struct transport *transport, uint64_t bus_address,
			 size_t length)
{
	struct transport_sim *sim = to_sim(transport);
	int ret = -ENOENT;

	pthread_rwlock_wrlock(&sim->regions_lock);
	for (size_t i = 0; i < sim->region_count; i++) {
		struct region *region = &sim->regions[i];

		if (region->bus_address != bus_address ||
		    region->length != length)
			continue;
		memmove(region, region + 1,
			(sim->region_count - i - 1) * sizeof(*region));
		sim->region_count--;
		ret = 0;
		break;
	}
	pthread_rwlock_unlock(&sim->regions_lock);
	if (ret)
		return accel_error(ret,
				   "sim: bus address %#llx is not what "
				   "map_dma returned for so many bytes",
				   (unsigned long long)bus_address);
	return 0;
}

static int sim_interrupt_fd(struct transport *transport, unsigned int vector)
{
	struct transport_sim *sim = to_sim(transport);
	int fd;

	if (vector >= SPMM_MSIX_VECTORS)
		return accel_error(-EINVAL, "sim: no interrupt vector %u",
				   vector);
	pthread_mutex_lock(&sim->interrupts_lock);
	if (sim->interrupts[vector] < 0)
		sim->interrupts[vector] =
			eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fd = sim->interrupts[vector];
	pthread_mutex_unlock(&sim->interrupts_lock);
	if (fd < 0)
		return accel_error(-errno, "sim: eventfd: %s", strerror(errno));
	return fd;
}

static int sim_reset(struct transport *transport)
{
	sim_device_reset(to_sim(transport)->device);
	return 0;
}

static int sim_name_command(struct transport *transport, uint16_t label,
			    const char *text)
{
	struct transport_sim *sim = to_sim(transport);

	if (!sim->recording)
		return 0;
	return recording_name(sim->recording, label, text);
}

/* What the device has still to tell belongs to the record. */
static int sim_end_trace(struct transport *transport, uint64_t deadline)
{
	struct transport_sim *sim = to_sim(transport);
	int ret;

	if (!sim->recording)
		return 0;
	ret = sim_device_settle(sim->device, deadline);
	return ret ? ret : recording_end(sim->recording);
}

static void sim_close(struct transport *transport)
{
	struct transport_sim *sim = to_sim(transport);

	sim_device_destroy(sim->device);
	recording_destroy(sim->recording);
	inject_script_free(sim->faults);
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		if (sim->interrupts[i] >= 0)
			close(sim->interrupts[i]);
	pthread_mutex_destroy(&sim->interrupts_lock);
	pthread_rwlock_destroy(&sim->regions_lock);
	free(sim->regions);
	free(sim);
}

static const struct transport_operations sim_operations = {
	.scheme = "sim",
	.close = sim_close,
	.read32 = sim_read32,
	.read64 = sim_read64,
	.write32 = sim_write32,
	.write64 = sim_write64,
	.map_bar = sim_map_bar,
	.map_dma = sim_map_dma,
	.unmap_dma = sim_unmap_dma,
	.interrupt_fd = sim_interrupt_fd,
	.reset = sim_reset,
	.name_command = sim_name_command,
	.end_trace = sim_end_trace,
};

static int device_start(struct transport_sim *sim,
			const struct sim_config *config,
			const struct transport_sim_options *options)
{
	struct sim_host host = {
		.dma_read = sim_dma_read,
		.dma_write = sim_dma_write,
		.interrupt = sim_interrupt,
		.opaque = sim,
	};
	struct sim_options simulation = { .mode = options->mode };
	int ret = 0;

	if (options->fault_path)
		ret = inject_script_load(options->fault_path, &sim->faults);
	if (ret)
		return ret;
	simulation.faults = sim->faults;

	if (options->recording.timeline || options->recording.waves) {
		ret = recording_create(config, &options->recording,
				       &sim->recording);
		if (ret)
			return ret;
		simulation.observer = recording_observer(sim->recording);
	}
	return sim_device_create(config, &host, &simulation, &sim->device);
}

int transport_sim_create(const struct sim_config *config,
			 const struct transport_sim_options *options,
			 struct transport **out)
{
	const struct transport_sim_options none = { .mode = ENGINE_FAST };
	struct transport_sim *sim;
	int ret;

	*out = NULL;
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return accel_error(-ENOMEM, "sim: no memory");
	sim->base.operations = &sim_operations;
	sim->next_address = BUS_FIRST;
	pthread_rwlock_init(&sim->regions_lock, NULL);
	pthread_mutex_init(&sim->interrupts_lock, NULL);
	memset(sim->interrupts, 0xff, sizeof(sim->interrupts));
	ret = device_start(sim, config, options ? options : &none);
	if (ret) {
		sim_close(&sim->base);
		return ret;
	}
	*out = &sim->base;
	return 0;
}

int transport_sim_open(const struct transport_sim_options *options,
		       struct transport **out)
{
	const char *config_path = options->config_path;
	struct sim_config config;
	int ret;

	*out = NULL;
	if (config_path && *config_path)
		ret = sim_config_load(config_path, &config);
	else
		ret = sim_config_preset("default", &config);
	return ret ? ret : transport_sim_create(&config, options, out);
}
