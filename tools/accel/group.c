/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * Those that leave DMA to whoever owns the group: driver_managed_dma in the kernel. The
 * drivers of VFIO for single kinds of devices have it in their names.
 */
static bool is_harmless(const char *driver)
{
	return !driver[0] || !strcmp(driver, "pcieport") ||
	       !strcmp(driver, "pci-stub") || strstr(driver, "vfio");
}

bool group_find_stranger(const struct card *card, struct group_member *member)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	host_path(path, "/sys/kernel/iommu_groups/%d/devices",
		  card->iommu_group);
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder))) {
		snprintf(member->address, sizeof(member->address), "%s",
			 entry->d_name);
		host_link(member->driver, sizeof(member->driver),
			  "/sys/bus/pci/devices/%s/driver", member->address);
		found = strcmp(member->address, card->address) != 0 &&
			!is_harmless(member->driver);
	}
	if (folder)
		closedir(folder);
	return found;
}
