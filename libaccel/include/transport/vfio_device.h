/* SPDX-License-Identifier: MIT */
/* A PCI device by its VFIO file: registers, configuration, interrupts, reset. */
#ifndef TRANSPORT_VFIO_DEVICE_H
#define TRANSPORT_VFIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct vfio_registers - BAR0 in this process
 * @address: NULL until it is mapped; never changes after that
 * @bytes: of it
 * @ones: a file in memory to be there instead; −1 until it is mapped
 */
struct vfio_registers {
	void *address;
	size_t bytes;
	int ones;
};

#define VFIO_UNMAPPED ((struct vfio_registers){ NULL, 0, -1 })

/* Maps them, or maps them again where they were. */
int vfio_registers_map(int device, struct vfio_registers *registers);

/*
 * Puts memory in their place, so that nothing refers to the device any more and those who
 * read its registers see all ones. Other threads may be reading and writing. The memory
 * is there since they were mapped. −ENOMEM, without a text: they are still the device's.
 */
int vfio_registers_sever(const struct vfio_registers *registers);
void vfio_registers_unmap(struct vfio_registers *registers);

/* May the device reach memory? */
int vfio_bus_master(int device, bool on);

/* With as many vectors as there are, which is returned; none has an eventfd. */
int vfio_vectors_enable(int device, unsigned int most);
/* The eventfd of a vector, or with index VFIO_PCI_ERR_IRQ_INDEX, _REQ_IRQ_INDEX of that. */
int vfio_interrupt_set(int device, unsigned int index, unsigned int vector,
		       int event);

/* Function-level reset. */
int vfio_device_reset(int device);

#endif
