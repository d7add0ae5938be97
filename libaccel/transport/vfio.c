/* SPDX-License-Identifier: MIT */
/*
 * The transport over the kernel's VFIO: registers and doorbells are memory of this
 * process, DMA goes through the IOMMU, interrupts are eventfds. Nothing of it is a system
 * call but what sets up or gives back.
 */
#include "transport/vfio.h"

#include <endian.h>
#include <errno.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/checked.h"
#include "core/error.h"
#include "spmm/registers.h"
#include "transport/huge_arena.h"
#include "transport/iova.h"
#include "transport/vfio_attachment.h"
#include "transport/vfio_device.h"
#include "transport/vfio_location.h"
#include "transport/vfio_watch.h"

/* What is mapped, to be mapped again when the device has come back. */
struct mapping {
	void *address;
	size_t length;
	uint64_t iova;
	struct mapping *next;
};

/**
 * struct vfio - an open device
 * @base: the transport
 * @options: with which it is opened again; the address is @location's
 * @location: of it
 * @registers: BAR0; memory that is all ones while the device is gone
 * @state: 0; −ENODEV: the kernel has it again; −EIO: of no use until a reset
 * @watch: calls device_lost() from its thread
 * @lock: over all that follows; a leaf. Not over the registers, which stay where they are
 * @attachment: closed while the device is gone
 * @space: bus addresses
 * @mappings: all of them
 * @arena: memory that the device may reach, where there is no IOMMU
 * @interrupts: eventfds by vector, −1 until asked for
 */
struct vfio {
	struct transport base;
	struct transport_vfio_options options;
	struct vfio_location location;
	struct vfio_registers registers;
	atomic_int state;
	struct vfio_watch watch;

	pthread_mutex_t lock;
	struct vfio_attachment attachment;
	struct iova_space space;
	struct mapping *mappings;
	struct huge_arena arena;
	int interrupts[SPMM_MSIX_VECTORS];
};

static struct vfio *to_vfio(struct transport *transport)
{
	return (struct vfio *)transport;
}

static volatile void *register_at(struct transport *transport, uint32_t offset)
{
	return (volatile char *)to_vfio(transport)->registers.address + offset;
}

static uint32_t vfio_read32(struct transport *transport, uint32_t offset)
{
	return le32toh(*(volatile uint32_t *)register_at(transport, offset));
}

static uint64_t vfio_read64(struct transport *transport, uint32_t offset)
{
	return le64toh(*(volatile uint64_t *)register_at(transport, offset));
}

static void vfio_write32(struct transport *transport, uint32_t offset,
			 uint32_t value)
{
	*(volatile uint32_t *)register_at(transport, offset) = htole32(value);
}

static void vfio_write64(struct transport *transport, uint32_t offset,
			 uint64_t value)
{
	*(volatile uint64_t *)register_at(transport, offset) = htole64(value);
}

static int vfio_map_bar(struct transport *transport, unsigned int bar,
			uint64_t offset, size_t length, void **out)
{
	const struct vfio_registers *registers = &to_vfio(transport)->registers;

	if (bar != SPMM_BAR_REGISTERS)
		return accel_error(-ENOTSUP, "vfio: BAR%u is not mapped", bar);
	if (!length || !checked_range(offset, length, registers->bytes))
		return accel_error(-EINVAL, "vfio: outside BAR0");
	*out = (char *)registers->address + offset;
	return 0;
}

static int vfio_check(struct transport *transport)
{
	const struct vfio *vfio = to_vfio(transport);

	switch (atomic_load_explicit(&vfio->state, memory_order_relaxed)) {
	case 0:
		return 0;
	case -ENODEV:
		return accel_error(
			-ENODEV,
			"vfio:%s: the device was removed or given to another driver; bind it to vfio-pci and reset it to go on",
			vfio->location.address);
	default:
		return accel_error(
			-EIO,
			"vfio:%s: the kernel reports an error of the device or its link; reset the device",
			vfio->location.address);
	}
}

/* The lock is held. */
static int mapping_add(struct vfio *vfio, struct mapping *mapping)
{
	int ret = vfio_check(&vfio->base);

	if (ret == -ENODEV)
		return ret;
	ret = iova_allocate(&vfio->space, mapping->length, &mapping->iova);
	if (ret)
		return ret;
	ret = vfio->attachment.operations->map(&vfio->attachment,
					       mapping->address,
					       mapping->length, mapping->iova);
	if (ret) {
		iova_release(&vfio->space, mapping->iova, mapping->length);
		return ret;
	}
	mapping->next = vfio->mappings;
	vfio->mappings = mapping;
	return 0;
}

static int vfio_map_dma(struct transport *transport,
			const struct transport_memory *memory,
			uint64_t *bus_address)
{
	struct vfio *vfio = to_vfio(transport);
	struct mapping *mapping = calloc(1, sizeof(*mapping));
	int ret;

	if (!mapping)
		return accel_error(-ENOMEM, "out of memory");
	mapping->address = memory->address;
	mapping->length = memory->length;
	pthread_mutex_lock(&vfio->lock);
	ret = mapping_add(vfio, mapping);
	pthread_mutex_unlock(&vfio->lock);
	if (ret)
		free(mapping);
	else
		*bus_address = mapping->iova;
	return ret;
}

/* The lock is held. */
static struct mapping *mapping_remove(struct vfio *vfio, uint64_t iova,
				      size_t length)
{
	struct mapping **link = &vfio->mappings;
	struct mapping *found;

	while (*link && ((*link)->iova != iova || (*link)->length != length))
		link = &(*link)->next;
	found = *link;
	if (found)
		*link = found->next;
	return found;
}

static int vfio_unmap_dma(struct transport *transport, uint64_t bus_address,
			  size_t length)
{
	struct vfio *vfio = to_vfio(transport);
	struct mapping *mapping;
	int ret = 0;

	pthread_mutex_lock(&vfio->lock);
	mapping = mapping_remove(vfio, bus_address, length);
	if (!mapping)
		ret = accel_error(
			-ENOENT,
			"vfio: bus address %#llx is not what map_dma returned for so many bytes",
			(unsigned long long)bus_address);
	/* Who has no device has no mappings, either. */
	else if (vfio->attachment.device >= 0)
		ret = vfio->attachment.operations->unmap(&vfio->attachment,
							 bus_address, length);
	/* What the device may still reach is not given out again. */
	if (!ret)
		iova_release(&vfio->space, bus_address, length);
	pthread_mutex_unlock(&vfio->lock);
	free(mapping);
	return ret;
}

/* The lock is held. */
static int interrupt_open(struct vfio *vfio, unsigned int vector)
{
	int event, ret = vfio_check(&vfio->base);

	if (ret == -ENODEV)
		return ret;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return accel_error(-errno, "eventfd: %s", strerror(errno));
	ret = vfio_interrupt_set(vfio->attachment.device,
				 VFIO_PCI_MSIX_IRQ_INDEX, vector, event);
	if (ret) {
		close(event);
		return ret;
	}
	vfio->interrupts[vector] = event;
	return event;
}

static int vfio_interrupt_fd(struct transport *transport, unsigned int vector)
{
	struct vfio *vfio = to_vfio(transport);
	int event;

	if (vector >= vfio->base.vectors)
		return accel_error(-EINVAL, "vfio: no vector %u", vector);
	pthread_mutex_lock(&vfio->lock);
	event = vfio->interrupts[vector];
	if (event < 0)
		event = interrupt_open(vfio, vector);
	pthread_mutex_unlock(&vfio->lock);
	return event;
}

/* Who sleeps looks what has become of the device. The lock is held. */
static void sleepers_wake(struct vfio *vfio)
{
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		if (vfio->interrupts[i] >= 0)
			eventfd_write(vfio->interrupts[i], 1);
}

/* The lock is held. The kernel asks again for what cannot be left now. */
static void device_leave(struct vfio *vfio)
{
	if (vfio->attachment.device < 0)
		return;
	atomic_store(&vfio->state, -ENODEV);
	if (!vfio_registers_sever(&vfio->registers))
		vfio_detach(&vfio->attachment);
}

/*
 * The kernel waits until every file and every mapping of the device is gone. Other threads
 * go on reading and writing registers meanwhile.
 */
static void device_lost(void *context, enum vfio_event event)
{
	struct vfio *vfio = context;

	pthread_mutex_lock(&vfio->lock);
	/* A reset that came first has taken it: that is about what was before. */
	if (vfio_watch_take(&vfio->watch, event)) {
		if (event == VFIO_EVENT_REQUEST)
			device_leave(vfio);
		else if (!atomic_load(&vfio->state))
			atomic_store(&vfio->state, -EIO);
		sleepers_wake(vfio);
	}
	pthread_mutex_unlock(&vfio->lock);
}

/* The lock is held. Kernels may lack the error's interrupt, and do without. */
static int interrupts_open(struct vfio *vfio)
{
	int device = vfio->attachment.device;
	int ret = vfio_vectors_enable(device, SPMM_MSIX_VECTORS);

	if (ret < 0)
		return ret;
	/* The driver has made its queues for what it saw first. */
	if (!vfio->base.vectors)
		vfio->base.vectors = (unsigned int)ret;
	ret = 0;
	for (unsigned int i = 0; i < vfio->base.vectors && !ret; i++)
		if (vfio->interrupts[i] >= 0)
			ret = vfio_interrupt_set(device,
						 VFIO_PCI_MSIX_IRQ_INDEX, i,
						 vfio->interrupts[i]);
	accel_error_hold();
	vfio_interrupt_set(device, VFIO_PCI_ERR_IRQ_INDEX, 0,
			   vfio->watch.events[VFIO_EVENT_ERROR]);
	accel_error_release();
	if (ret)
		return ret;
	return vfio_interrupt_set(device, VFIO_PCI_REQ_IRQ_INDEX, 0,
				  vfio->watch.events[VFIO_EVENT_REQUEST]);
}

/* The lock is held. On the first time there are no mappings, but no addresses, either. */
static int mappings_restore(struct vfio *vfio)
{
	const struct vfio_attachment_operations *operations =
		vfio->attachment.operations;
	int ret = 0;

	if (!vfio->space.ranges.size)
		return operations->ranges(&vfio->attachment, &vfio->space);
	for (struct mapping *mapping = vfio->mappings; mapping && !ret;
	     mapping = mapping->next)
		ret = operations->map(&vfio->attachment, mapping->address,
				      mapping->length, mapping->iova);
	return ret;
}

/* The lock is held. What was opened before a failure is closed. */
static int device_open(struct vfio *vfio)
{
	int ret = vfio_locate(&vfio_roots, &vfio->options, &vfio->location);

	if (!ret)
		ret = vfio_attach(&vfio->location, &vfio->attachment);
	if (ret)
		return ret;
	ret = mappings_restore(vfio);
	if (!ret)
		ret = vfio_registers_map(vfio->attachment.device,
					 &vfio->registers);
	if (!ret)
		ret = interrupts_open(vfio);
	if (!ret)
		ret = vfio_bus_master(vfio->attachment.device, true);
	if (ret) {
		vfio_registers_sever(&vfio->registers);
		vfio_detach(&vfio->attachment);
	}
	return ret;
}

static int vfio_reset(struct transport *transport)
{
	struct vfio *vfio = to_vfio(transport);
	int ret;

	pthread_mutex_lock(&vfio->lock);
	if (vfio->attachment.device >= 0) {
		/* That the kernel wants it back holds after a reset, too. */
		ret = vfio_device_reset(vfio->attachment.device);
		vfio_watch_take(&vfio->watch, VFIO_EVENT_ERROR);
		/*
		 * Of a device that does not answer, newer kernels save nothing before
		 * the reset, and restore what it was like before it was a master.
		 */
		if (!ret)
			ret = vfio_bus_master(vfio->attachment.device, true);
	} else {
		vfio_watch_take(&vfio->watch, VFIO_EVENT_ERROR);
		vfio_watch_take(&vfio->watch, VFIO_EVENT_REQUEST);
		ret = device_open(vfio);
	}
	if (!ret)
		atomic_store(&vfio->state, 0);
	pthread_mutex_unlock(&vfio->lock);
	return ret;
}

static int vfio_allocate_dma(struct transport *transport, size_t length,
			     struct transport_memory *memory)
{
	struct vfio *vfio = to_vfio(transport);
	int ret;

	pthread_mutex_lock(&vfio->lock);
	ret = huge_arena_allocate(&vfio->arena, length, &memory->address);
	pthread_mutex_unlock(&vfio->lock);
	return ret;
}

static void vfio_release_dma(struct transport *transport,
			     const struct transport_memory *memory)
{
	struct vfio *vfio = to_vfio(transport);

	pthread_mutex_lock(&vfio->lock);
	huge_arena_release(&vfio->arena, memory->address, memory->length);
	pthread_mutex_unlock(&vfio->lock);
}

static uint64_t vfio_bus_at(struct transport *transport, const void *address)
{
	struct vfio *vfio = to_vfio(transport);
	uint64_t bus;

	pthread_mutex_lock(&vfio->lock);
	bus = huge_arena_physical(&vfio->arena, address);
	pthread_mutex_unlock(&vfio->lock);
	return bus;
}

static void vfio_close(struct transport *transport)
{
	struct vfio *vfio = to_vfio(transport);

	vfio_watch_stop(&vfio->watch);
	if (vfio->attachment.device >= 0)
		vfio_bus_master(vfio->attachment.device, false);
	vfio_registers_unmap(&vfio->registers);
	vfio_detach(&vfio->attachment);
	while (vfio->mappings) {
		struct mapping *mapping = vfio->mappings;

		vfio->mappings = mapping->next;
		free(mapping);
	}
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		if (vfio->interrupts[i] >= 0)
			close(vfio->interrupts[i]);
	iova_space_destroy(&vfio->space);
	huge_arena_destroy(&vfio->arena);
	pthread_mutex_destroy(&vfio->lock);
	free(vfio);
}

#define VFIO_OPERATIONS                                               \
	.scheme = "vfio", .close = vfio_close, .read32 = vfio_read32, \
	.read64 = vfio_read64, .write32 = vfio_write32,               \
	.write64 = vfio_write64, .map_bar = vfio_map_bar,             \
	.interrupt_fd = vfio_interrupt_fd, .reset = vfio_reset,       \
	.check = vfio_check

static const struct transport_operations vfio_operations = {
	VFIO_OPERATIONS,
	.map_dma = vfio_map_dma,
	.unmap_dma = vfio_unmap_dma,
};

/* Without IOMMU. */
static const struct transport_operations bare_vfio_operations = {
	VFIO_OPERATIONS,
	.allocate_dma = vfio_allocate_dma,
	.release_dma = vfio_release_dma,
	.bus_at = vfio_bus_at,
};

static int vfio_allocate(const struct transport_vfio_options *options,
			 struct vfio **out)
{
	struct vfio *vfio = calloc(1, sizeof(*vfio));
	int ret;

	*out = vfio;
	if (!vfio)
		return accel_error(-ENOMEM, "out of memory");
	vfio->base.operations = &vfio_operations;
	vfio->attachment = VFIO_DETACHED;
	vfio->registers = VFIO_UNMAPPED;
	vfio->watch.happened = device_lost;
	vfio->watch.context = vfio;
	memset(vfio->interrupts, 0xff, sizeof(vfio->interrupts));
	memset(vfio->watch.events, 0xff, sizeof(vfio->watch.events));
	pthread_mutex_init(&vfio->lock, NULL);
	ret = vfio_address_parse(options->address, vfio->location.address);
	vfio->options = (struct transport_vfio_options){
		.address = vfio->location.address,
		.iommu = options->iommu,
	};
	if (!ret && options->iommu == VFIO_IOMMU_NONE) {
		vfio->base.operations = &bare_vfio_operations;
		ret = huge_arena_create(&vfio->arena);
	}
	return ret ? ret : iova_space_create(&vfio->space);
}

int transport_vfio_open(const struct transport_vfio_options *options,
			struct transport **out)
{
	struct vfio *vfio;
	int ret = vfio_allocate(options, &vfio);

	*out = NULL;
	if (!ret)
		ret = vfio_watch_start(&vfio->watch);
	if (!ret) {
		pthread_mutex_lock(&vfio->lock);
		ret = device_open(vfio);
		pthread_mutex_unlock(&vfio->lock);
	}
	if (ret) {
		if (vfio)
			vfio_close(&vfio->base);
		return ret;
	}
	*out = &vfio->base;
	return 0;
}
