/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void holder_group_node(const struct card *card, char path[HOST_NAME_MAX])
{
	path[0] = '\0';
	if (card->iommu_group < 0)
		return;
	snprintf(path, HOST_NAME_MAX, "/dev/vfio/noiommu-%d",
		 card->iommu_group);
	if (!host_exists("%s", path))
		snprintf(path, HOST_NAME_MAX, "/dev/vfio/%d",
			 card->iommu_group);
}

/* Is this file of a process one of those? They outlive all that they were opened for. */
static bool is_of_card(int folder, const char *name, const char *group_node,
		       const char *vfio_node)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);

	if (length < 0)
		return false;
	target[length] = '\0';
	return (group_node[0] && !strcmp(target, group_node)) ||
	       (vfio_node[0] && !strcmp(target, vfio_node));
}

static bool holds(const char *pid, const char *group_node,
		  const char *vfio_node)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	host_path(path, "/proc/%s/fd", pid);
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder)))
		found = is_of_card(dirfd(folder), entry->d_name, group_node,
				   vfio_node);
	if (folder)
		closedir(folder);
	return found;
}

bool holder_find(const struct card *card, struct holder *holder)
{
	char group_node[HOST_NAME_MAX], vfio_node[2 * HOST_NAME_MAX] = "";
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	holder_group_node(card, group_node);
	if (card->vfio_node[0])
		snprintf(vfio_node, sizeof(vfio_node), "/dev/vfio/devices/%s",
			 card->vfio_node);
	host_path(path, "/proc");
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder))) {
		found = isdigit((unsigned char)entry->d_name[0]) &&
			holds(entry->d_name, group_node, vfio_node);
		if (found) {
			holder->pid = atoi(entry->d_name);
			host_read(holder->command, sizeof(holder->command),
				  "/proc/%s/comm", entry->d_name);
		}
	}
	if (folder)
		closedir(folder);
	return found;
}
