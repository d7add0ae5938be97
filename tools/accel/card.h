/* SPDX-License-Identifier: MIT */
/* The spmm devices on this machine's PCI buses, found by libpci. */
#ifndef TOOL_CARD_H
#define TOOL_CARD_H

#include "host.h"

#include <stdbool.h>
#include <stdint.h>

#define CARD_ADDRESS_SIZE 16
#define CARD_URI_SIZE (HOST_NAME_MAX + 32)
#define CARD_DRIVER_KERNEL "spmm"
#define CARD_DRIVER_VFIO "vfio-pci"

/**
 * struct card_link - speed and width of a link
 * @megatransfers: a second, of one lane; 0 if it is not known
 * @width: lanes
 */
struct card_link {
	uint32_t megatransfers;
	uint32_t width;
};

/**
 * struct card - one device
 * @address: domain:bus:device.function
 * @driver: that is bound, or ""
 * @node: "accelN", with the kernel module, or ""
 * @port: the address of the port above it, or ""
 * @vfio_node: "vfioN", its character device of its own, with vfio-pci in newer kernels,
 *	or ""
 * @iommu_group: or −1
 * @without_iommu: its group is one that VFIO made up, to do without
 * @numa_node: or −1
 * @link: as it is now
 * @link_max: what the device can
 * @slot_max: what the port above it can
 * @command: PCI command register
 * @responds: its configuration space reads as something
 */
struct card {
	char address[CARD_ADDRESS_SIZE];
	char driver[HOST_NAME_MAX];
	char node[HOST_NAME_MAX];
	char port[HOST_NAME_MAX];
	char vfio_node[HOST_NAME_MAX];
	int iommu_group;
	int numa_node;
	struct card_link link;
	struct card_link link_max;
	struct card_link slot_max;
	uint16_t command;
	bool without_iommu;
	bool responds;
};

/**
 * struct card_list - all of them, by address
 * @cards: allocated
 * @count: of them
 */
struct card_list {
	struct card *cards;
	int count;
};

/* A machine without PCI has none. −EIO or −ENOMEM with a text, and nothing to free. */
int card_list_find(struct card_list *list);
void card_list_free(struct card_list *list);

/*
 * The one that a text names: 0000:01:00.0, 01:00.0, vfio:0000:01:00.0 or
 * dev:/dev/accel/accel0; NULL if none is.
 */
const struct card *card_named(const struct card_list *list, const char *text);

/* Is it a text that could name one, rather than a device that needs no card? */
bool card_is_name(const char *text);

/* By what it can be opened as it is bound; "" if not at all. */
void card_uri(const struct card *card, char uri[CARD_URI_SIZE]);

#endif
