/* SPDX-License-Identifier: MIT */
/* accel doctor: what keeps a device from being used, and the command that repairs it. */
#include "card.h"
#include "command.h"
#include "doctor_check.h"
#include "doctor_facts.h"
#include "json_print.h"
#include "options.h"

#include <accel/device.h>
#include <accel/error.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct doctor_check *const tables[] = {
	doctor_system_checks,
	doctor_card_checks,
	doctor_process_checks,
};

/**
 * struct report - of all devices
 * @devices: objects, for programs; NULL for people
 * @is_usable: nothing has failed
 */
struct report {
	json_t *devices;
	bool is_usable;
};

/* ---- what is said ---- */

static const char *const status_words[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "FAIL",
	[DOCTOR_SKIP] = "skip",
};

static void print_finding(const char *name,
			  const struct doctor_finding *finding)
{
	printf("  %-5s %-11s %s\n", status_words[finding->status], name,
	       finding->text);
	if (finding->repair[0])
		printf("        repair%s: %s\n",
		       finding->repair_by_root && geteuid() ? ", as root" : "",
		       finding->repair);
}

static json_t *finding_json(const char *name,
			    const struct doctor_finding *finding)
{
	static const char *const keys[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
		[DOCTOR_SKIP] = "skip",
	};

	return json_pack("{s:s, s:s, s:s, s:s?, s:b}", "check", name, "status",
			 keys[finding->status], "text", finding->text, "repair",
			 finding->repair[0] ? finding->repair : NULL,
			 "repair_by_root", finding->repair_by_root);
}

/* Returns where findings of this device go. */
static json_t *begin_device(struct report *report, const char *device,
			    const char *way)
{
	json_t *checks;

	if (!report->devices) {
		printf("%s%s%s\n", device, *way ? ", " : "", way);
		return NULL;
	}
	checks = json_array();
	json_array_append_new(report->devices,
			      json_pack("{s:s, s:o}", "device", device,
					"checks", checks));
	return checks;
}

static void add_finding(struct report *report, json_t *checks, const char *name,
			const struct doctor_finding *finding)
{
	if (finding->status == DOCTOR_FAIL)
		report->is_usable = false;
	if (checks)
		json_array_append_new(checks, finding_json(name, finding));
	else
		print_finding(name, finding);
}

static int end_report(struct report *report)
{
	if (report->devices)
		return json_print(json_pack("{s:b, s:o}", "usable",
					    report->is_usable, "devices",
					    report->devices));
	printf(report->is_usable ?
		       "nothing keeps it from being used\n" :
		       "not usable: repair what failed, from top to bottom\n");
	return 0;
}

/* ---- what is looked at ---- */

static void examine_card(struct report *report, const struct card *card,
			 enum doctor_way way, bool by_group)
{
	struct doctor_facts facts;
	json_t *checks = begin_device(report, card->address,
				      way == DOCTOR_WAY_VFIO ?
					      "through VFIO" :
					      "through the kernel module");

	doctor_facts_read(&facts, card, way, by_group);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct doctor_check *c = tables[i]; c->name; c++) {
			struct doctor_finding finding = { 0 };

			c->judge(&facts, &finding);
			add_finding(report, checks, c->name, &finding);
		}
}

static void examine_missing(struct report *report, const char *name)
{
	struct doctor_finding finding = { 0 };

	doctor_find(&finding, DOCTOR_FAIL,
		    "no such device on the PCI buses; sim: needs none");
	doctor_repair_by_root(&finding, "echo 1 >/sys/bus/pci/rescan");
	add_finding(report, begin_device(report, name, ""), "card", &finding);
}

/* Needs no card: that it opens is all. */
static void examine_other(struct report *report, const char *uri)
{
	struct doctor_finding finding = { 0 };
	struct accel_device *device = NULL;

	if (accel_device_open(uri, NULL, &device))
		doctor_find(&finding, DOCTOR_FAIL, "%s", accel_last_error());
	else
		doctor_find(&finding, DOCTOR_OK, "it opens");
	if (finding.status == DOCTOR_FAIL && !strncmp(uri, "vfio-user:", 10))
		doctor_repair(&finding, "spmm-sim --socket %s &", uri + 10);
	accel_device_close(device);
	add_finding(report, begin_device(report, uri, ""), "open", &finding);
}

/* The scheme of a URI says how it is to be opened, whatever is bound now. */
static enum doctor_way way_to(const struct card *card, const char *name)
{
	if (name && !strncmp(name, "vfio:", 5))
		return DOCTOR_WAY_VFIO;
	if (name && !strncmp(name, "dev:", 4))
		return DOCTOR_WAY_KERNEL;
	return doctor_way_of(card);
}

/* No card may have the node of a URI yet: then it is any without one. */
static bool is_meant(const struct card *card, const struct card *named,
		     const char *name)
{
	if (!name || named)
		return !name || card == named;
	return !strncmp(name, "dev:", 4) && !card->node[0];
}

static void examine_cards(struct report *report, const struct card_list *list,
			  const char *name)
{
	const struct card *named = name ? card_named(list, name) : NULL;
	bool found = false;

	for (int i = 0; i < list->count; i++) {
		const struct card *card = &list->cards[i];

		if (!is_meant(card, named, name))
			continue;
		examine_card(report, card, way_to(card, name),
			     name && strstr(name, "?iommu=type1"));
		found = true;
	}
	if (!found)
		examine_missing(report, name ? name : "1de5:5b01");
}

/* 0 if all were examined, whatever was found. */
static int examine(struct report *report, const char *name)
{
	struct card_list list;
	int ret;

	if (name && !card_is_name(name)) {
		examine_other(report, name);
		return end_report(report);
	}
	ret = card_list_find(&list);
	if (ret) {
		json_decref(report->devices);
		return ret;
	}
	examine_cards(report, &list, name);
	card_list_free(&list);
	return end_report(report);
}

int command_doctor(int count, char **arguments)
{
	bool json = false;
	const struct option options[] = {
		{ "json", 0, OPTION_FLAG, &json, NULL, "print it as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "doctor",
		.synopsis = "[DEVICE] [--json]",
		.about =
			"Says what keeps a device from being used, all PCI devices unless one is named\n"
			"by its address or URI, and the command that repairs it. The status is 1 then.",
		.options = options,
		.operands_max = 1,
	};
	struct report report = { .is_usable = true };
	const char *name = NULL;
	int status;

	if (!options_parse(&usage, count, arguments, &name, &status))
		return status;
	report.devices = json ? json_array() : NULL;
	if (examine(&report, name))
		return command_fail("doctor");
	return report.is_usable ? STATUS_OK : STATUS_FAILED;
}
