/* SPDX-License-Identifier: MIT */
#include "card.h"

#include <core/error.h>
#include <linux/types.h>
#include <spmm/registers.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_FOLDER "/sys/bus/pci/devices/"

/* ---- libpci ---- */

/* libpci wants its error handler not to return: it goes back to where the search began. */
static _Thread_local jmp_buf search_failed;

__attribute__((noreturn, format(printf, 1, 2))) static void
fail_search(char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	accel_error_set("libpci: %s", text);
	longjmp(search_failed, 1);
}

/* What it warns of, devices of others that cannot be read, is no matter of ours. */
__attribute__((format(printf, 1, 2))) static void ignore(char *format, ...)
{
	(void)format;
}

static struct pci_access *open_buses(void)
{
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX], parameter[] = "sysfs.path";

	host_path(path, "/sys/bus/pci");
	pci_set_param(access, parameter, path);
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = fail_search;
	access->warning = ignore;
	pci_init(access);
	return access;
}

/* ---- one device ---- */

/* "16.0 GT/s PCIe", and "Unknown" where there is no link. */
static void read_link(struct card_link *link, const char *address,
		      const char *which)
{
	char speed[HOST_NAME_MAX];
	int64_t width;

	host_read(speed, sizeof(speed), DEVICE_FOLDER "%s/%s_link_speed",
		  address, which);
	link->megatransfers = (uint32_t)lround(strtod(speed, NULL) * 1000);
	if (!host_read_number(&width, DEVICE_FOLDER "%s/%s_link_width", address,
			      which) &&
	    width > 0 && width <= 32)
		link->width = (uint32_t)width;
}

/* A device's folder is within that of the port above it, or of a host bridge. */
static void read_port(struct card *card)
{
	char path[PATH_MAX], *real, *last;

	host_path(path, DEVICE_FOLDER "%s/..", card->address);
	real = realpath(path, NULL);
	last = real ? strrchr(real, '/') : NULL;
	if (last && host_exists(DEVICE_FOLDER "%s", last + 1))
		snprintf(card->port, sizeof(card->port), "%s", last + 1);
	free(real);
}

static void read_group(struct card *card, struct pci_dev *device)
{
	const char *group =
		pci_get_string_property(device, PCI_FILL_IOMMU_GROUP);
	char name[HOST_NAME_MAX];

	card->iommu_group = group ? atoi(group) : -1;
	host_read(name, sizeof(name), DEVICE_FOLDER "%s/iommu_group/name",
		  card->address);
	card->without_iommu = !strcmp(name, "vfio-noiommu");
}

static void read_card(struct pci_dev *device, struct card *card)
{
	const char *driver;

	pci_fill_info(device, PCI_FILL_NUMA_NODE | PCI_FILL_IOMMU_GROUP |
				      PCI_FILL_DRIVER);
	snprintf(card->address, sizeof(card->address), "%04x:%02x:%02x.%d",
		 (unsigned int)device->domain, device->bus, device->dev,
		 device->func);
	driver = pci_get_string_property(device, PCI_FILL_DRIVER);
	snprintf(card->driver, sizeof(card->driver), "%s",
		 driver ? driver : "");
	read_group(card, device);
	card->numa_node = device->numa_node;
	card->command = pci_read_word(device, PCI_COMMAND);
	card->responds = pci_read_word(device, PCI_VENDOR_ID) != 0xffff;
	host_entry(card->node, sizeof(card->node), "accel",
		   DEVICE_FOLDER "%s/accel", card->address);
	host_entry(card->vfio_node, sizeof(card->vfio_node), "vfio",
		   DEVICE_FOLDER "%s/vfio-dev", card->address);
	read_link(&card->link, card->address, "current");
	read_link(&card->link_max, card->address, "max");
	read_port(card);
	read_link(&card->slot_max, card->address, "../max");
}

/* ---- all of them ---- */

static int list_append(struct card_list *list, struct pci_dev *device)
{
	struct card *cards = realloc(list->cards, (size_t)(list->count + 1) *
							  sizeof(*cards));

	if (!cards)
		return accel_error(-ENOMEM, "out of memory");
	list->cards = cards;
	memset(&cards[list->count], 0, sizeof(*cards));
	read_card(device, &cards[list->count++]);
	return 0;
}

static int list_search(struct card_list *list, struct pci_access *access)
{
	int ret = 0;

	pci_scan_bus(access);
	for (struct pci_dev *d = access->devices; d && !ret; d = d->next) {
		pci_fill_info(d, PCI_FILL_IDENT);
		if (d->vendor_id == SPMM_PCI_VENDOR_ID &&
		    d->device_id == SPMM_PCI_DEVICE_ID)
			ret = list_append(list, d);
	}
	return ret;
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(((const struct card *)a)->address,
		      ((const struct card *)b)->address);
}

int card_list_find(struct card_list *list)
{
	struct pci_access *access;
	int ret;

	memset(list, 0, sizeof(*list));
	if (!host_exists("/sys/bus/pci/devices"))
		return 0;
	if (setjmp(search_failed)) {
		/* What libpci had open stays so: it may be in any state. */
		card_list_free(list);
		return -EIO;
	}
	access = open_buses();
	ret = list_search(list, access);
	pci_cleanup(access);
	if (ret)
		card_list_free(list);
	else if (list->count)
		qsort(list->cards, (size_t)list->count, sizeof(*list->cards),
		      compare_addresses);
	return ret;
}

void card_list_free(struct card_list *list)
{
	free(list->cards);
	memset(list, 0, sizeof(*list));
}

/* ---- names ---- */

/* Cut off a scheme and parameters; the domain may be left out. */
static void put_address(const char *text, char address[CARD_ADDRESS_SIZE])
{
	int length;

	text += strncmp(text, "vfio:", 5) ? 0 : 5;
	length = (int)strcspn(text, "?");
	snprintf(address, CARD_ADDRESS_SIZE, "%s%.*s",
		 length == (int)strlen("01:00.0") ? "0000:" : "", length, text);
}

/* A link to a node is as good as the node. */
static void put_node(const char *text, char name[HOST_NAME_MAX])
{
	char path[PATH_MAX], *real;

	host_path(path, "%.*s", (int)strcspn(text, "?"), text);
	real = realpath(path, NULL);
	snprintf(name, HOST_NAME_MAX, "%s", real ? strrchr(real, '/') + 1 : "");
	free(real);
}

const struct card *card_named(const struct card_list *list, const char *text)
{
	char address[CARD_ADDRESS_SIZE] = "", node[HOST_NAME_MAX] = "";

	if (!strncmp(text, "dev:", 4))
		put_node(text + 4, node);
	else
		put_address(text, address);
	for (int i = 0; i < list->count; i++)
		if (!strcmp(list->cards[i].address, address) ||
		    (node[0] && !strcmp(list->cards[i].node, node)))
			return &list->cards[i];
	return NULL;
}

bool card_is_name(const char *text)
{
	return !strncmp(text, "vfio:", 5) || !strncmp(text, "dev:", 4) ||
	       (strspn(text, "0123456789abcdefABCDEF:.") == strlen(text) &&
		strchr(text, '.'));
}

void card_uri(const struct card *card, char uri[CARD_URI_SIZE])
{
	uri[0] = '\0';
	if (card->node[0])
		snprintf(uri, CARD_URI_SIZE, "dev:/dev/accel/%s", card->node);
	else if (!strcmp(card->driver, CARD_DRIVER_VFIO))
		snprintf(uri, CARD_URI_SIZE, "vfio:%s%s", card->address,
			 card->without_iommu ? "?iommu=noiommu" : "");
}
