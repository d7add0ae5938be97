/* SPDX-License-Identifier: MIT */
/* accel doctor: is the card bound, awake and in order? */
#include "card_print.h"
#include "doctor_check.h"
#include "doctor_facts.h"

#include <inttypes.h>
#include <string.h>

#define DEVICE "/sys/bus/pci/devices/%s/"

/* PCI command register. */
#define COMMAND_MEMORY 0x2
#define COMMAND_MASTER 0x4

static const char *driver_of(enum doctor_way way)
{
	return way == DOCTOR_WAY_VFIO ? CARD_DRIVER_VFIO : CARD_DRIVER_KERNEL;
}

static bool is_bound(const struct doctor_facts *facts)
{
	return !strcmp(facts->card->driver, driver_of(facts->way));
}

static void judge_answer(const struct doctor_facts *facts,
			 struct doctor_finding *finding)
{
	if (facts->card->responds) {
		doctor_find(finding, DOCTOR_OK, "it responds");
		return;
	}
	doctor_find(finding, DOCTOR_FAIL,
		    "it does not respond: its configuration reads all ones");
	doctor_repair_by_root(finding,
			      "echo 1 >" DEVICE
			      "remove; echo 1 >/sys/bus/pci/rescan",
			      facts->card->address);
}

/* The others first: binding to VFIO would be refused. */
static void judge_group(const struct doctor_facts *facts,
			struct doctor_finding *finding)
{
	const struct group_member *stranger = &facts->state.stranger;

	if (facts->way != DOCTOR_WAY_VFIO || facts->card->iommu_group < 0) {
		doctor_find(finding, DOCTOR_SKIP,
			    facts->way == DOCTOR_WAY_VFIO ?
				    "it has none" :
				    "not needed by the module");
		return;
	}
	if (!facts->state.has_stranger) {
		doctor_find(finding, DOCTOR_OK, "VFIO can have all of group %d",
			    facts->card->iommu_group);
		return;
	}
	doctor_find(
		finding, DOCTOR_FAIL,
		"%s of group %d is bound to %s: VFIO opens all of a group or nothing",
		stranger->address, facts->card->iommu_group, stranger->driver);
	doctor_repair_by_root(finding, "echo %s >" DEVICE "driver/unbind",
			      stranger->address, stranger->address);
}

static void judge_driver(const struct doctor_facts *facts,
			 struct doctor_finding *finding)
{
	const char *driver = facts->card->driver, *wanted;

	wanted = driver_of(facts->way);
	if (is_bound(facts)) {
		doctor_find(finding, DOCTOR_OK, "bound to %s", driver);
		return;
	}
	if (driver[0])
		doctor_find(finding, DOCTOR_FAIL, "bound to %s, not to %s",
			    driver, wanted);
	else
		doctor_find(finding, DOCTOR_FAIL, "no driver is bound");
	doctor_repair_by_root(finding, "accel bind %s %s", facts->card->address,
			      wanted);
}

/* The module serves many, VFIO one; who it is can be right. */
static void judge_holder(const struct doctor_facts *facts,
			 struct doctor_finding *finding)
{
	const struct holder *holder = &facts->state.holder;

	if (facts->way != DOCTOR_WAY_VFIO || !is_bound(facts)) {
		doctor_find(finding, DOCTOR_SKIP, "VFIO does not have it");
		return;
	}
	if (!facts->state.has_holder) {
		doctor_find(finding, DOCTOR_OK, "no process seen has it open");
		return;
	}
	doctor_find(finding, DOCTOR_WARN,
		    "process %d (%s) has it: no other can open it", holder->pid,
		    holder->command);
	doctor_repair_by_root(finding, "kill %d", holder->pid);
}

static void judge_power(const struct doctor_facts *facts,
			struct doctor_finding *finding)
{
	const char *power = facts->state.power_state;
	const char *status = facts->state.runtime_status;

	if (!power[0]) {
		doctor_find(finding, DOCTOR_SKIP, "the kernel does not say");
	} else if (!strcmp(status, "error") ||
		   (strcmp(power, "D0") != 0 && !strcmp(status, "active"))) {
		doctor_find(finding, DOCTOR_FAIL,
			    "%s, and does not wake up (%s)", power, status);
		doctor_repair_by_root(finding,
				      "echo on >" DEVICE "power/control",
				      facts->card->address);
	} else if (strcmp(power, "D0") != 0) {
		doctor_find(finding, DOCTOR_OK, "asleep (%s), wakes when used",
			    power);
	} else {
		doctor_find(finding, DOCTOR_OK, "awake (D0)");
	}
}

static void judge_state(const struct doctor_facts *facts,
			struct doctor_finding *finding)
{
	const char *state = facts->state.module_state;

	if (!state[0]) {
		doctor_find(finding, DOCTOR_SKIP, "the module does not run it");
	} else if (!strcmp(state, "resetting")) {
		doctor_find(finding, DOCTOR_WARN, "it is being reset: wait");
	} else if (!strcmp(state, "gone")) {
		doctor_find(finding, DOCTOR_FAIL, "the module has given it up");
		doctor_repair_by_root(
			finding, "accel bind %s none && accel bind %s spmm",
			facts->card->address, facts->card->address);
	} else {
		doctor_find(finding, DOCTOR_OK, "%s", state);
	}
}

/* The register is put back as it is, but for what is missing; little-endian. */
static void judge_bus_master(const struct doctor_facts *facts,
			     struct doctor_finding *finding)
{
	unsigned int wanted = COMMAND_MEMORY | COMMAND_MASTER;
	unsigned int command = facts->card->command;

	if (!is_bound(facts)) {
		doctor_find(finding, DOCTOR_SKIP, "no driver has set it up");
	} else if (facts->way == DOCTOR_WAY_VFIO) {
		doctor_find(finding, DOCTOR_SKIP,
			    "turned on when it is opened");
	} else if ((command & wanted) == wanted) {
		doctor_find(finding, DOCTOR_OK, "on");
	} else if (strcmp(facts->state.power_state, "D0") != 0 &&
		   !strcmp(facts->state.runtime_status, "suspended")) {
		doctor_find(finding, DOCTOR_SKIP,
			    "off while it is asleep: turned on when it wakes");
	} else {
		doctor_find(finding, DOCTOR_FAIL,
			    "%s off: PCI command register %#06x",
			    command & COMMAND_MEMORY ? "bus mastering is" :
						       "memory access is",
			    command);
		command |= wanted;
		doctor_repair_by_root(finding,
				      "printf '\\%03o\\%03o' | dd of=" DEVICE
				      "config bs=2 seek=2 conv=notrunc",
				      command & 0xff, command >> 8,
				      facts->card->address);
	}
}

/* What a link of this speed and width moves, in any unit. */
static uint64_t capacity(const struct card_link *link)
{
	return (uint64_t)link->megatransfers * link->width;
}

static void find_degraded(const struct doctor_facts *facts, const char *now,
			  const char *max, struct doctor_finding *finding)
{
	doctor_find(finding, DOCTOR_WARN, "%s, though %s is possible", now,
		    max);
	/* Retrain Link, in the Link Control register of the port above. */
	if (facts->card->port[0])
		doctor_repair_by_root(finding,
				      "setpci -s %s CAP_EXP+10.w=20:20",
				      facts->card->port);
}

static void judge_link(const struct doctor_facts *facts,
		       struct doctor_finding *finding)
{
	const struct card *card = facts->card;
	char now[CARD_LINK_SIZE], max[CARD_LINK_SIZE];
	const struct card_link *possible = &card->link_max;

	if (capacity(&card->slot_max) &&
	    capacity(&card->slot_max) < capacity(possible))
		possible = &card->slot_max;
	card_link_text(&card->link, now);
	card_link_text(possible, max);
	if (!capacity(&card->link) || !capacity(possible))
		doctor_find(finding, DOCTOR_SKIP, "the kernel does not say");
	else if (capacity(&card->link) < capacity(possible))
		find_degraded(facts, now, max, finding);
	else if (possible == &card->slot_max)
		doctor_find(finding, DOCTOR_OK,
			    "%s, which is all that the slot can", now);
	else
		doctor_find(finding, DOCTOR_OK, "%s", now);
}

/* Counted since the device was found; what was corrected does no harm. */
static void judge_errors(const struct doctor_facts *facts,
			 struct doctor_finding *finding)
{
	const struct doctor_card_state *state = &facts->state;

	if (state->errors_fatal < 0 || state->errors_nonfatal < 0) {
		doctor_find(finding, DOCTOR_SKIP,
			    "the kernel does not count them");
		return;
	}
	if (!state->errors_fatal && !state->errors_nonfatal) {
		doctor_find(finding, DOCTOR_OK,
			    state->errors_corrected > 0 ? "none but %" PRId64
							  " corrected" :
							  "none",
			    state->errors_corrected);
		return;
	}
	doctor_find(finding, DOCTOR_WARN,
		    "%" PRId64 " fatal, %" PRId64
		    " others: reseat the card if there are more after this",
		    state->errors_fatal, state->errors_nonfatal);
	doctor_repair_by_root(finding,
			      "echo 1 >" DEVICE
			      "remove; echo 1 >/sys/bus/pci/rescan",
			      facts->card->address);
}

const struct doctor_check doctor_card_checks[] = {
	{ "card", judge_answer },	    { "group", judge_group },
	{ "driver", judge_driver },	    { "holder", judge_holder },
	{ "power", judge_power },	    { "state", judge_state },
	{ "bus-master", judge_bus_master }, { "link", judge_link },
	{ "errors", judge_errors },	    { NULL, NULL },
};
