/* SPDX-License-Identifier: MIT */
#include "doctor_facts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE "/sys/bus/pci/devices/%s/"
#define FILE_SIZE 8192
#define CAPABILITY_DAC_OVERRIDE 1

/* What follows a key at the beginning of a line; NULL if none does. */
static const char *find_key(const char *text, const char *key)
{
	size_t length = strlen(key);

	while (text && strncmp(text, key, length) != 0) {
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return text ? text + length : NULL;
}

static uint64_t number_of(const char *text, const char *key, int base)
{
	const char *value = find_key(text, key);

	return value ? strtoull(value, NULL, base) : 0;
}

static bool is_set(const char *path)
{
	char text[8];

	return !host_read(text, sizeof(text), "%s", path) &&
	       (text[0] == 'Y' || text[0] == '1');
}

/* ---- the system ---- */

/* DRM shows the class as soon as it is loaded; before that Debian's file says it. */
static enum doctor_answer has_drm_accel(void)
{
	static char config[512 * 1024];
	char release[HOST_NAME_MAX];

	if (host_exists("/sys/class/accel"))
		return DOCTOR_YES;
	host_read(release, sizeof(release), "/proc/sys/kernel/osrelease");
	if (host_read(config, sizeof(config), "/boot/config-%s", release))
		return DOCTOR_UNKNOWN;
	return find_key(config, "CONFIG_DRM_ACCEL=y") ? DOCTOR_YES : DOCTOR_NO;
}

static void read_system(struct doctor_system *system)
{
	char text[FILE_SIZE];

	host_read(system->command_line, sizeof(system->command_line),
		  "/proc/cmdline");
	host_read(text, sizeof(text), "/proc/cpuinfo");
	system->is_amd = strstr(text, "AuthenticAMD");
	system->firmware_has_iommu =
		host_exists("/sys/firmware/acpi/tables/DMAR") ||
		host_exists("/sys/firmware/acpi/tables/IVRS");
	system->noiommu = is_set(
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	system->has_drm_accel = has_drm_accel();
	system->spmm_is_loaded = host_exists("/sys/bus/pci/drivers/spmm");
	host_read(system->module_version, sizeof(system->module_version),
		  "/sys/module/spmm/version");
	system->vfio_pci_is_loaded =
		host_exists("/sys/bus/pci/drivers/vfio-pci");
	system->has_container = host_exists("/dev/vfio/vfio") &&
				(host_exists("/sys/module/vfio_iommu_type1") ||
				 system->noiommu);
	system->has_iommufd = host_exists("/dev/iommu");
	host_read(text, sizeof(text), "/proc/meminfo");
	system->hugepages = number_of(text, "HugePages_Total:", 10);
	system->hugepages_free = number_of(text, "HugePages_Free:", 10);
}

/* ---- the process ---- */

/* "unlimited" is no number. */
static uint64_t limit_of(const char *text)
{
	char *end;
	uint64_t limit = strtoull(text, &end, 10);

	return end == text ? DOCTOR_UNLIMITED : limit;
}

static void read_limits(struct doctor_process *process)
{
	char text[FILE_SIZE], soft[32] = "", hard[32] = "";
	const char *line;

	host_read(text, sizeof(text), "/proc/self/limits");
	line = find_key(text, "Max locked memory");
	if (line && sscanf(line, "%31s %31s", soft, hard) == 2) {
		process->memlock = limit_of(soft);
		process->memlock_max = limit_of(hard);
	}
}

static void read_process(struct doctor_process *process)
{
	char text[FILE_SIZE];
	const char *line;

	host_read(text, sizeof(text), "/proc/self/status");
	process->parent = (uint32_t)number_of(text, "PPid:", 10);
	line = find_key(text, "Uid:");
	if (line)
		sscanf(line, "%*u %" SCNu32, &process->uid);
	line = find_key(text, "Gid:");
	if (line)
		sscanf(line, "%*u %" SCNu32, &process->gid);
	line = find_key(text, "Groups:");
	if (line)
		snprintf(process->groups, sizeof(process->groups), "%.*s",
			 (int)strcspn(line, "\n"), line);
	process->capabilities = number_of(text, "CapEff:", 16);
	read_limits(process);
}

static bool is_member(const struct doctor_process *process, uint32_t gid)
{
	const char *at = process->groups;
	char *end;

	if (process->gid == gid)
		return true;
	for (uint64_t group = strtoull(at, &end, 10); end != at;
	     group = strtoull(at, &end, 10)) {
		if (group == gid)
			return true;
		at = end;
	}
	return false;
}

/* ---- what has to be opened ---- */

/* As the kernel decides, but for access control lists. */
static bool mode_permits(const struct doctor_process *process,
			 const struct doctor_node *node)
{
	uint32_t bits = node->mode;

	if (process->capabilities & 1ull << CAPABILITY_DAC_OVERRIDE)
		return true;
	if (process->uid == node->uid)
		bits >>= 6;
	else if (node->is_member)
		bits >>= 3;
	return (bits & 6) == 6;
}

static void read_node(struct doctor_node *node,
		      const struct doctor_process *process)
{
	char path[PATH_MAX];
	struct stat status;

	host_path(path, "%s", node->path);
	if (!node->path[0] || stat(path, &status))
		return;
	node->exists = true;
	node->mode = status.st_mode & 0777;
	node->uid = status.st_uid;
	node->gid = status.st_gid;
	node->is_member = is_member(process, node->gid);
	node->is_accessible =
		mode_permits(process, node) ||
		(!*host_root() &&
		 !faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS));
}

/* The ones that the library would open: see transport/vfio. */
static void read_nodes(struct doctor_facts *facts)
{
	const struct card *card = facts->card;
	struct doctor_node *nodes = facts->nodes;

	if (facts->way == DOCTOR_WAY_KERNEL && card->node[0]) {
		snprintf(nodes[0].path, sizeof(nodes[0].path), "/dev/accel/%s",
			 card->node);
		host_read(nodes[0].number, sizeof(nodes[0].number),
			  DEVICE "accel/%s/dev", card->address, card->node);
	} else if (facts->way == DOCTOR_WAY_VFIO && facts->system.has_iommufd &&
		   card->vfio_node[0]) {
		snprintf(nodes[0].path, sizeof(nodes[0].path),
			 "/dev/vfio/devices/%s", card->vfio_node);
		snprintf(nodes[1].path, sizeof(nodes[1].path), "/dev/iommu");
	} else if (facts->way == DOCTOR_WAY_VFIO &&
		   !strcmp(card->driver, CARD_DRIVER_VFIO)) {
		holder_group_node(card, nodes[0].path);
	}
	for (int i = 0; i < DOCTOR_NODES; i++)
		read_node(&nodes[i], &facts->process);
}

/* ---- the card ---- */

/* The last line of what AER counts is the sum. */
static int64_t errors_of(const struct card *card, const char *kind)
{
	char text[4096];
	const char *total;

	if (host_read(text, sizeof(text), DEVICE "aer_dev_%s", card->address,
		      kind))
		return -1;
	total = find_key(text, "TOTAL_ERR_");
	total = total ? strchr(total, ' ') : NULL;
	return total ? strtoll(total, NULL, 10) : -1;
}

static void read_state(struct doctor_card_state *state, const struct card *card)
{
	state->has_stranger = card->iommu_group >= 0 &&
			      group_find_stranger(card, &state->stranger);
	state->has_holder = holder_find(card, &state->holder);
	host_read(state->power_state, sizeof(state->power_state),
		  DEVICE "power_state", card->address);
	host_read(state->runtime_status, sizeof(state->runtime_status),
		  DEVICE "power/runtime_status", card->address);
	host_read(state->module_state, sizeof(state->module_state),
		  DEVICE "spmm/state", card->address);
	state->errors_fatal = errors_of(card, "fatal");
	state->errors_nonfatal = errors_of(card, "nonfatal");
	state->errors_corrected = errors_of(card, "correctable");
}

enum doctor_way doctor_way_of(const struct card *card)
{
	if (!strcmp(card->driver, CARD_DRIVER_VFIO))
		return DOCTOR_WAY_VFIO;
	if (!card->driver[0] && has_drm_accel() == DOCTOR_NO)
		return DOCTOR_WAY_VFIO;
	return DOCTOR_WAY_KERNEL;
}

void doctor_facts_read(struct doctor_facts *facts, const struct card *card,
		       enum doctor_way way, bool by_group)
{
	memset(facts, 0, sizeof(*facts));
	facts->card = card;
	facts->way = way;
	read_system(&facts->system);
	if (by_group)
		facts->system.has_iommufd = false;
	read_process(&facts->process);
	read_state(&facts->state, card);
	read_nodes(facts);
}
