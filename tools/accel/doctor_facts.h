/* SPDX-License-Identifier: MIT */
/* What `accel doctor` has read of the machine, for one card. */
#ifndef TOOL_DOCTOR_FACTS_H
#define TOOL_DOCTOR_FACTS_H

#include "card.h"
#include "group.h"
#include "holder.h"
#include "host.h"

#include <stdbool.h>
#include <stdint.h>

#define DOCTOR_UNLIMITED UINT64_MAX
#define DOCTOR_NODES 2

/* How a card is to be opened. */
enum doctor_way {
	DOCTOR_WAY_KERNEL, /* dev:, the kernel module */
	DOCTOR_WAY_VFIO,
};

enum doctor_answer {
	DOCTOR_NO,
	DOCTOR_YES,
	DOCTOR_UNKNOWN,
};

/**
 * struct doctor_system - kernel and modules
 * @command_line: of the kernel
 * @is_amd: its processors are AMD's
 * @firmware_has_iommu: it tells the kernel of an IOMMU
 * @noiommu: VFIO may do without
 * @has_drm_accel: the kernel was built with DRM_ACCEL
 * @spmm_is_loaded: the kernel module
 * @module_version: that it states, or ""
 * @vfio_pci_is_loaded: the driver
 * @has_container: VFIO's interface of groups and containers, with its type 1
 * @has_iommufd: the newer one
 * @hugepages: that were set aside
 * @hugepages_free: of them
 */
struct doctor_system {
	char command_line[1024];
	bool is_amd;
	bool firmware_has_iommu;
	bool noiommu;
	enum doctor_answer has_drm_accel;
	bool spmm_is_loaded;
	char module_version[HOST_NAME_MAX];
	bool vfio_pci_is_loaded;
	bool has_container;
	bool has_iommufd;
	uint64_t hugepages;
	uint64_t hugepages_free;
};

/**
 * struct doctor_process - who asks
 * @parent: the shell, whose limits it has
 * @uid: effective
 * @gid: effective
 * @groups: the kernel's list of further ones, as text
 * @capabilities: effective, a bit for each
 * @memlock: bytes that may be locked
 * @memlock_max: to which the process itself can raise that
 */
struct doctor_process {
	uint32_t parent;
	uint32_t uid;
	uint32_t gid;
	char groups[512];
	uint64_t capabilities;
	uint64_t memlock;
	uint64_t memlock_max;
};

/**
 * struct doctor_node - a file of /dev that has to be opened
 * @path: of it, "" for none
 * @number: "MAJOR:MINOR" as the kernel says, or ""
 * @exists: it does
 * @mode: its permissions
 * @uid: owner
 * @gid: group
 * @is_accessible: for reading and writing
 * @is_member: the process belongs to its group
 */
struct doctor_node {
	char path[2 * HOST_NAME_MAX];
	char number[HOST_NAME_MAX];
	bool exists;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	bool is_accessible;
	bool is_member;
};

/**
 * struct doctor_card_state - what changes of a card
 * @has_stranger: a driver of the host has another device of its group
 * @stranger: that
 * @has_holder: a process has it open through VFIO
 * @holder: that
 * @power_state: "D0" ... "D3cold", or ""
 * @runtime_status: of power management: "active", "suspended", "error"..., or ""
 * @module_state: what the module says of it, or ""
 * @errors_fatal: that AER has counted, −1 if it does not
 * @errors_nonfatal: the same
 * @errors_corrected: the same
 */
struct doctor_card_state {
	bool has_stranger;
	struct group_member stranger;
	bool has_holder;
	struct holder holder;
	char power_state[HOST_NAME_MAX];
	char runtime_status[HOST_NAME_MAX];
	char module_state[HOST_NAME_MAX];
	int64_t errors_fatal;
	int64_t errors_nonfatal;
	int64_t errors_corrected;
};

/**
 * struct doctor_facts - all of that
 * @card: that it is about
 * @way: to it
 * @system: the kernel
 * @process: who asks
 * @state: the card's
 * @nodes: what has to be opened, all of them
 */
struct doctor_facts {
	const struct card *card;
	enum doctor_way way;
	struct doctor_system system;
	struct doctor_process process;
	struct doctor_card_state state;
	struct doctor_node nodes[DOCTOR_NODES];
};

/* By the driver that is bound; an unbound one by the module, where the kernel can. */
enum doctor_way doctor_way_of(const struct card *card);

/* @by_group: VFIO is to do without iommufd, even where the kernel has it */
void doctor_facts_read(struct doctor_facts *facts, const struct card *card,
		       enum doctor_way way, bool by_group);

#endif
