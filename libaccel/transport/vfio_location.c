/* SPDX-License-Identifier: MIT */
#include "transport/vfio_location.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "spmm/registers.h"

#define DRIVER "vfio-pci"
/* The kernel's name of a group without an IOMMU, drivers/vfio/group.c. */
#define GROUP_WITHOUT_IOMMU "vfio-noiommu"

const struct vfio_roots vfio_roots = { .sys = "/sys", .dev = "/dev" };

int vfio_address_parse(const char *text, char address[VFIO_ADDRESS_BYTES])
{
	unsigned int domain = 0, bus, slot, function;
	int end = -1;

	if (sscanf(text, "%4x:%2x:%2x.%1u%n", &domain, &bus, &slot, &function,
		   &end) != 4) {
		domain = 0;
		end = -1;
		if (sscanf(text, "%2x:%2x.%1u%n", &bus, &slot, &function,
			   &end) != 3)
			end = -1;
	}
	/* scanf takes blanks and signs, too. */
	if (end < 0 || text[end] ||
	    strspn(text, "0123456789abcdefABCDEF:.") != (size_t)end ||
	    slot > 0x1f || function > 7)
		return accel_error(
			-EINVAL,
			"vfio:%s is no address of a PCI device, such as vfio:0000:01:00.0; `accel list` shows them",
			text);
	snprintf(address, VFIO_ADDRESS_BYTES, "%04x:%02x:%02x.%u", domain, bus,
		 slot, function);
	return 0;
}

__attribute__((format(printf, 3, 4))) static void
path_print(char path[PATH_MAX], const char *root, const char *format, ...)
{
	int length = snprintf(path, PATH_MAX, "%s/", root);
	va_list arguments;

	if (length < 0 || length >= PATH_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(path + length, (size_t)(PATH_MAX - length), format,
		  arguments);
	va_end(arguments);
}

/* The last part of a link, "" without one. */
static void link_name(const char *path, char *name, size_t bytes)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	target[length > 0 ? length : 0] = '\0';
	snprintf(name, bytes, "%s", length > 0 ? basename(target) : "");
}

/* The first line, "" if there is none. */
static void line_read(const char *path, char *line, int bytes)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, bytes, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

static unsigned long hexadecimal_read(const char *root, const char *address,
				      const char *name)
{
	char path[PATH_MAX], line[32];

	path_print(path, root, "bus/pci/devices/%s/%s", address, name);
	line_read(path, line, sizeof(line));
	return strtoul(line, NULL, 16);
}

static int identity_check(const char *root, const char *address)
{
	char path[PATH_MAX];
	unsigned long vendor, device;

	path_print(path, root, "bus/pci/devices/%s", address);
	if (access(path, F_OK))
		return accel_error(
			-ENOENT,
			"vfio:%s: there is no such PCI device; `accel list` shows them",
			address);
	vendor = hexadecimal_read(root, address, "vendor");
	device = hexadecimal_read(root, address, "device");
	if (vendor == SPMM_PCI_VENDOR_ID && device == SPMM_PCI_DEVICE_ID)
		return 0;
	return accel_error(
		-ENODEV,
		"vfio:%s: the device is %04lx:%04lx, no accelerator; `accel list` shows them",
		address, vendor, device);
}

static int driver_check(const char *root, const char *address)
{
	char path[PATH_MAX], name[64];

	path_print(path, root, "bus/pci/devices/%s/driver", address);
	link_name(path, name, sizeof(name));
	if (!strcmp(name, DRIVER))
		return 0;
	if (*name)
		return accel_error(
			-EBUSY,
			"vfio:%s: the driver %s has the device; as root: accel bind %s vfio-pci",
			address, name, address);
	return accel_error(
		-ENODEV,
		"vfio:%s: no driver has the device; as root: accel bind %s vfio-pci",
		address, address);
}

static bool node_exists(const char *root, const char *name)
{
	char path[PATH_MAX];

	path_print(path, root, "%s", name);
	return !access(path, F_OK);
}

/* "vfio0" of the folder vfio-dev/, "" on kernels without character devices of devices. */
static void device_node_name(const char *root, const char *address,
			     char name[NAME_MAX])
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	name[0] = '\0';
	path_print(path, root, "bus/pci/devices/%s/vfio-dev", address);
	folder = opendir(path);
	while (folder && !*name && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(name, NAME_MAX, "%s", entry->d_name);
	if (folder)
		closedir(folder);
}

static int group_read(const char *root, struct vfio_location *location,
		      bool *without_iommu)
{
	char path[PATH_MAX], name[64], *end;

	path_print(path, root, "bus/pci/devices/%s/iommu_group",
		   location->address);
	link_name(path, name, sizeof(name));
	location->group = (unsigned int)strtoul(name, &end, 10);
	if (!*name || *end)
		return -ENOENT;
	path_print(path, root, "bus/pci/devices/%s/iommu_group/name",
		   location->address);
	line_read(path, name, sizeof(name));
	*without_iommu = !strcmp(name, GROUP_WITHOUT_IOMMU);
	return 0;
}

static int without_iommu_locate(const struct vfio_roots *roots,
				bool without_iommu,
				struct vfio_location *location)
{
	if (!without_iommu)
		return accel_error(
			-ENOTSUP,
			"vfio:%s: iommu=noiommu is for a device without IOMMU, and this one has one; leave it out",
			location->address);
	path_print(location->node, roots->dev, "vfio/noiommu-%u",
		   location->group);
	path_print(location->container, roots->dev, "vfio/vfio");
	return 0;
}

static int iommufd_locate(const struct vfio_roots *roots, const char *name,
			  struct vfio_location *location)
{
	if (!*name || !node_exists(roots->dev, "iommu"))
		return accel_error(
			-ENOTSUP,
			"vfio:%s: this kernel has no %s (CONFIG_IOMMUFD, CONFIG_VFIO_DEVICE_CDEV); use iommu=type1",
			location->address,
			*name ? "/dev/iommu" : "character device of a device");
	path_print(location->node, roots->dev, "vfio/devices/%s", name);
	path_print(location->container, roots->dev, "iommu");
	return 0;
}

/* Which of them, and is it there? */
static int iommu_choose(const struct vfio_roots *roots, bool without_iommu,
			struct vfio_location *location)
{
	char name[NAME_MAX];

	if (location->iommu == VFIO_IOMMU_NONE)
		return without_iommu_locate(roots, without_iommu, location);
	if (without_iommu)
		return accel_error(
			-ENOTSUP,
			"vfio:%s: no IOMMU keeps the device from memory that is not its own; iommu=noiommu says that this is well",
			location->address);
	device_node_name(roots->sys, location->address, name);
	if (location->iommu == VFIO_IOMMU_ANY)
		location->iommu = *name && node_exists(roots->dev, "iommu") ?
					  VFIO_IOMMU_IOMMUFD :
					  VFIO_IOMMU_TYPE1;
	if (location->iommu == VFIO_IOMMU_IOMMUFD)
		return iommufd_locate(roots, name, location);
	path_print(location->node, roots->dev, "vfio/%u", location->group);
	path_print(location->container, roots->dev, "vfio/vfio");
	return 0;
}

static int no_iommu(const struct vfio_location *location)
{
	if (location->iommu == VFIO_IOMMU_NONE)
		return accel_error(
			-ENOTSUP,
			"vfio:%s: VFIO does not hand out devices without IOMMU; as root: echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode && accel bind %s vfio-pci",
			location->address, location->address);
	return accel_error(
		-ENOTSUP,
		"vfio:%s: no IOMMU is on; enable it in the firmware, and boot with intel_iommu=on or amd_iommu=on",
		location->address);
}

int vfio_locate(const struct vfio_roots *roots,
		const struct transport_vfio_options *options,
		struct vfio_location *location)
{
	bool without_iommu;
	int ret = vfio_address_parse(options->address, location->address);

	location->iommu = options->iommu;
	if (!ret)
		ret = identity_check(roots->sys, location->address);
	if (!ret)
		ret = driver_check(roots->sys, location->address);
	if (ret)
		return ret;
	if (group_read(roots->sys, location, &without_iommu))
		return no_iommu(location);
	return iommu_choose(roots, without_iommu, location);
}

int vfio_node_open(const struct vfio_location *location, const char *path)
{
	int file = open(path, O_RDWR | O_CLOEXEC);

	if (file >= 0)
		return file;
	switch (errno) {
	case EACCES:
	case EPERM:
		return accel_error(
			-EACCES,
			"vfio:%s: no permission for %s; as root: chown %u %s",
			location->address, path, geteuid(), path);
	case EBUSY:
		return accel_error(
			-EBUSY, "vfio:%s: another process has the device (%s)",
			location->address, path);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return accel_error(
			-errno,
			"vfio:%s: there is no %s; as root: modprobe vfio-pci; modprobe vfio_iommu_type1; accel bind %s vfio-pci",
			location->address, path, location->address);
	default:
		return accel_error(-errno, "vfio:%s: %s: %s", location->address,
				   path, strerror(errno));
	}
}

/* Beside them VFIO hands out a group: Linux's struct pci_driver, driver_managed_dma. */
static bool driver_is_harmless(const char *name)
{
	static const char *const harmless[] = { "", DRIVER, "pci-stub",
						"pcieport" };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (!strcmp(name, harmless[i]))
			return true;
	return false;
}

/* " ADDRESS (DRIVER)" for each device of the group that stands in the way. */
static void neighbours_print(const struct vfio_roots *roots,
			     const struct vfio_location *location, char *text,
			     size_t bytes)
{
	char path[PATH_MAX], driver[64];
	struct dirent *entry;
	size_t length = 0;
	DIR *folder;

	text[0] = '\0';
	path_print(path, roots->sys, "bus/pci/devices/%s/iommu_group/devices",
		   location->address);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)) && length < bytes) {
		if (entry->d_name[0] == '.')
			continue;
		path_print(path, roots->sys, "bus/pci/devices/%s/driver",
			   entry->d_name);
		link_name(path, driver, sizeof(driver));
		if (!driver_is_harmless(driver))
			length += (size_t)snprintf(text + length,
						   bytes - length, " %s (%s)",
						   entry->d_name, driver);
	}
	if (folder)
		closedir(folder);
}

int vfio_group_explain(const struct vfio_roots *roots,
		       const struct vfio_location *location)
{
	char neighbours[512];

	neighbours_print(roots, location, neighbours, sizeof(neighbours));
	return accel_error(
		-EBUSY,
		"vfio:%s: drivers of the kernel have devices of the same IOMMU group %u:%s; as root, for each: echo ADDRESS >/sys/bus/pci/devices/ADDRESS/driver/unbind",
		location->address, location->group, neighbours);
}
