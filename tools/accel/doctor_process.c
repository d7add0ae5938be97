/* SPDX-License-Identifier: MIT */
/* accel doctor: may this user open the card, and lock the memory that it works in? */
#include "doctor_check.h"
#include "doctor_facts.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#define CAPABILITY_IPC_LOCK 14
/* Less does not hold a small network with its activations. */
#define MEMLOCK_WANTED (64ull << 20)

/* Numbers where there is no name: they are taken in its place. */
static void put_user(uint32_t uid, char name[HOST_NAME_MAX])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(name, HOST_NAME_MAX, "%s", user->pw_name);
	else
		snprintf(name, HOST_NAME_MAX, "%u", uid);
}

static void put_group(uint32_t gid, char name[HOST_NAME_MAX])
{
	const struct group *group = getgrgid(gid);

	if (group)
		snprintf(name, HOST_NAME_MAX, "%s", group->gr_name);
	else
		snprintf(name, HOST_NAME_MAX, "%u", gid);
}

/* The first that fails, else the first; NULL if there is none to open. */
static const struct doctor_node *worst_node(const struct doctor_facts *facts)
{
	for (int i = 0; i < DOCTOR_NODES; i++)
		if (facts->nodes[i].path[0] && !facts->nodes[i].is_accessible)
			return &facts->nodes[i];
	return facts->nodes[0].path[0] ? &facts->nodes[0] : NULL;
}

/* A group other than root's, whose members may read and write. */
static bool is_for_group(const struct doctor_node *node)
{
	return node->gid && (node->mode & 060) == 060;
}

static void find_missing(const struct doctor_node *node,
			 struct doctor_finding *finding)
{
	unsigned int major, minor;

	doctor_find(finding, DOCTOR_FAIL, "%s does not exist", node->path);
	if (sscanf(node->number, "%u:%u", &major, &minor) == 2)
		doctor_repair_by_root(
			finding,
			"mkdir -p /dev/accel && mknod -m 600 %s c %u %u",
			node->path, major, minor);
	else
		doctor_repair_by_root(finding, "udevadm trigger --settle");
}

/* The module's nodes are shared by a group, those of VFIO belong to who uses them. */
static void repair_node(const struct doctor_facts *facts,
			const struct doctor_node *node,
			struct doctor_finding *finding)
{
	char user[HOST_NAME_MAX];

	put_user(facts->process.uid, user);
	if (facts->way == DOCTOR_WAY_KERNEL)
		doctor_repair_by_root(finding,
				      "chgrp render %s && chmod 660 %s",
				      node->path, node->path);
	else
		doctor_repair_by_root(finding, "chown %s %s && chmod 600 %s",
				      user, node->path, node->path);
}

static void judge_node(const struct doctor_facts *facts,
		       struct doctor_finding *finding)
{
	const struct doctor_node *node = worst_node(facts);
	char owner[HOST_NAME_MAX], group[HOST_NAME_MAX];

	if (!node) {
		doctor_find(finding, DOCTOR_SKIP, "none without a driver");
		return;
	}
	if (!node->exists) {
		find_missing(node, finding);
		return;
	}
	put_user(node->uid, owner);
	put_group(node->gid, group);
	doctor_find(finding, DOCTOR_OK, "%s is %s:%s, mode %04o", node->path,
		    owner, group, node->mode);
	if (node->is_accessible || is_for_group(node))
		return;
	finding->status = DOCTOR_FAIL;
	repair_node(facts, node, finding);
}

static void judge_membership(const struct doctor_facts *facts,
			     struct doctor_finding *finding)
{
	const struct doctor_node *node = worst_node(facts);
	char user[HOST_NAME_MAX], group[HOST_NAME_MAX];

	if (!node || !node->exists ||
	    (!node->is_accessible && !is_for_group(node))) {
		doctor_find(finding, DOCTOR_SKIP,
			    "no matter of groups: see node");
		return;
	}
	put_user(facts->process.uid, user);
	put_group(node->gid, group);
	if (node->is_accessible) {
		doctor_find(finding, DOCTOR_OK, "%s may open %s", user,
			    node->path);
		return;
	}
	doctor_find(finding, DOCTOR_FAIL,
		    "%s is not in group %s; after this command, log in again",
		    user, group);
	doctor_repair_by_root(finding, "usermod -aG %s %s", group, user);
}

static void judge_memlock(const struct doctor_facts *facts,
			  struct doctor_finding *finding)
{
	const struct doctor_process *process = &facts->process;

	if (process->capabilities & 1ull << CAPABILITY_IPC_LOCK) {
		doctor_find(finding, DOCTOR_OK, "no limit for this process");
		return;
	}
	if (process->memlock == DOCTOR_UNLIMITED) {
		doctor_find(finding, DOCTOR_OK, "no limit");
		return;
	}
	doctor_find(finding,
		    process->memlock < MEMLOCK_WANTED ? DOCTOR_FAIL : DOCTOR_OK,
		    "%llu KiB may be locked, %s",
		    (unsigned long long)process->memlock >> 10,
		    process->memlock < MEMLOCK_WANTED ?
			    "which is too little for DMA" :
			    "for DMA");
	if (finding->status == DOCTOR_OK)
		return;
	if (process->memlock_max == DOCTOR_UNLIMITED)
		doctor_repair(finding, "ulimit -S -l unlimited");
	else if (process->memlock_max >= MEMLOCK_WANTED)
		doctor_repair(finding, "ulimit -S -l %llu",
			      (unsigned long long)process->memlock_max >> 10);
	else
		doctor_repair_by_root(
			finding,
			"prlimit --pid %u --memlock=unlimited:unlimited",
			process->parent);
}

const struct doctor_check doctor_process_checks[] = {
	{ "node", judge_node },
	{ "membership", judge_membership },
	{ "memlock", judge_memlock },
	{ NULL, NULL },
};
