/* SPDX-License-Identifier: MIT */
#include "transport/vfio_device.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "spmm/page_table.h"
#include "spmm/registers.h"

static int region_info(int device, unsigned int index,
		       struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info),
					   .index = index };
	if (!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info))
		return 0;
	return accel_error(-errno, "vfio: region %u: %s", index,
			   strerror(errno));
}

static bool ones_write(int file)
{
	char page[SPMM_PAGE_SIZE];
	off_t at = 0;

	memset(page, 0xff, sizeof(page));
	while (at < SPMM_DOORBELL_BASE &&
	       pwrite(file, page, sizeof(page), at) == sizeof(page))
		at += sizeof(page);
	return at >= SPMM_DOORBELL_BASE;
}

/* Doorbells are only written: they may stay a hole. */
static int ones_create(struct vfio_registers *registers, size_t bytes)
{
	if (registers->ones < 0)
		registers->ones = memfd_create("accel-registers", MFD_CLOEXEC);
	if (registers->ones < 0 || ftruncate(registers->ones, (off_t)bytes) ||
	    !ones_write(registers->ones))
		return accel_error(-ENOMEM, "vfio: no memory for registers");
	return 0;
}

int vfio_registers_map(int device, struct vfio_registers *registers)
{
	struct vfio_region_info info;
	int ret = region_info(device, SPMM_BAR_REGISTERS, &info);
	void *address;

	if (ret)
		return ret;
	if (info.size != SPMM_BAR_REGISTERS_SIZE)
		return accel_error(-ENODEV, "vfio: BAR0 has %llu bytes, not %u",
				   (unsigned long long)info.size,
				   SPMM_BAR_REGISTERS_SIZE);
	if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return accel_error(-ENOTSUP, "vfio: BAR0 cannot be mapped");
	ret = ones_create(registers, info.size);
	if (ret)
		return ret;
	address = mmap(registers->address, info.size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | (registers->address ? MAP_FIXED : 0),
		       device, (off_t)info.offset);
	if (address == MAP_FAILED)
		return accel_error(-errno, "vfio: BAR0 cannot be mapped: %s",
				   strerror(errno));
	registers->address = address;
	registers->bytes = info.size;
	return 0;
}

int vfio_registers_sever(const struct vfio_registers *registers)
{
	if (!registers->address)
		return 0;
	/* One mapping for another, of memory that is there: nothing is short. */
	if (mmap(registers->address, registers->bytes, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, registers->ones, 0) != MAP_FAILED)
		return 0;
	return -ENOMEM;
}

void vfio_registers_unmap(struct vfio_registers *registers)
{
	if (registers->address)
		munmap(registers->address, registers->bytes);
	if (registers->ones >= 0)
		close(registers->ones);
	*registers = VFIO_UNMAPPED;
}

int vfio_bus_master(int device, bool on)
{
	struct vfio_region_info info;
	uint16_t command;
	off_t at;
	int ret = region_info(device, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret)
		return ret;
	at = (off_t)info.offset + PCI_COMMAND;
	if (pread(device, &command, sizeof(command), at) != sizeof(command))
		return accel_error(-EIO, "vfio: no configuration space");
	command |= PCI_COMMAND_MEMORY;
	if (on)
		command |= PCI_COMMAND_MASTER;
	else
		command &= (uint16_t)~PCI_COMMAND_MASTER;
	if (pwrite(device, &command, sizeof(command), at) != sizeof(command))
		return accel_error(-EIO, "vfio: no configuration space");
	return 0;
}

/* So many vectors from the first on, all without an eventfd: as SET_IRQS, > 0: fewer. */
static int vectors_try(int device, unsigned int count)
{
	size_t bytes = sizeof(struct vfio_irq_set) + count * sizeof(int32_t);
	struct vfio_irq_set *set = malloc(bytes);
	int ret;

	if (!set)
		return accel_error(-ENOMEM, "out of memory");
	*set = (struct vfio_irq_set){
		.argsz = (uint32_t)bytes,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = count,
	};
	memset(set->data, 0xff, count * sizeof(int32_t));
	ret = ioctl(device, VFIO_DEVICE_SET_IRQS, set);
	if (ret < 0)
		ret = accel_error(-errno, "vfio: no interrupts: %s",
				  strerror(errno));
	free(set);
	return ret;
}

int vfio_vectors_enable(int device, unsigned int most)
{
	struct vfio_irq_info info = { .argsz = sizeof(info),
				      .index = VFIO_PCI_MSIX_IRQ_INDEX };
	int fewer;

	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		return accel_error(-errno, "vfio: no interrupts: %s",
				   strerror(errno));
	if (info.count < most)
		most = info.count;
	fewer = vectors_try(device, most);
	if (fewer > 0) {
		most = (unsigned int)fewer;
		fewer = vectors_try(device, most);
	}
	if (fewer < 0)
		return fewer;
	if (fewer || !most)
		return accel_error(-ENOSPC, "vfio: no interrupts are left");
	return (int)most;
}

int vfio_interrupt_set(int device, unsigned int index, unsigned int vector,
		       int event)
{
	union {
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
		struct vfio_irq_set set;
	} request = {
		.set = { .argsz = sizeof(request),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD |
				  VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = index,
			 .start = vector,
			 .count = 1 },
	};
	int32_t number = event;

	memcpy(request.set.data, &number, sizeof(number));
	if (!ioctl(device, VFIO_DEVICE_SET_IRQS, &request))
		return 0;
	return accel_error(-errno, "vfio: interrupt %u of kind %u: %s", vector,
			   index, strerror(errno));
}

int vfio_device_reset(int device)
{
	if (!ioctl(device, VFIO_DEVICE_RESET))
		return 0;
	/* No way to reset it is left: what other errors are is the kernel's to say. */
	return accel_error(errno == ENOTTY ? -EIO : -errno,
			   "vfio: the device cannot be reset: %s",
			   strerror(errno));
}
