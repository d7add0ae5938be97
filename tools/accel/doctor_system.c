/* SPDX-License-Identifier: MIT */
/* accel doctor: is the kernel one that can use the card, with what it needs loaded? */
#include "doctor_check.h"
#include "doctor_facts.h"

#include <inttypes.h>
#include <string.h>

/* Enough for the buffers and queues of a few processes, 2 MiB each. */
#define HUGEPAGES_WANTED 64

static const char *const iommu_off[] = { "intel_iommu=off", "amd_iommu=off",
					 "iommu=off" };

static bool skip_unless(const struct doctor_facts *facts, enum doctor_way way,
			struct doctor_finding *finding)
{
	if (facts->way == way)
		return false;
	doctor_find(finding, DOCTOR_SKIP,
		    way == DOCTOR_WAY_VFIO ? "not needed by the module" :
					     "not needed by VFIO");
	return true;
}

/* The argument that turns the IOMMU off, or NULL. */
static const char *find_off(const char *command_line)
{
	for (size_t i = 0; i < sizeof(iommu_off) / sizeof(*iommu_off); i++)
		if (strstr(command_line, iommu_off[i]))
			return iommu_off[i];
	return NULL;
}

/* Why there is none: told to be off, not asked to be on, or off in the firmware. */
static void find_iommu_reason(const struct doctor_system *system,
			      enum doctor_status status,
			      struct doctor_finding *finding)
{
	const char *off = find_off(system->command_line);

	if (off) {
		doctor_find(finding, status, "the kernel's command line has %s",
			    off);
		doctor_repair_by_root(
			finding,
			"sed -i 's/ *%s//' /etc/default/grub && update-grub && reboot",
			off);
	} else if (system->firmware_has_iommu && !system->is_amd &&
		   !strstr(system->command_line, "intel_iommu=on")) {
		doctor_find(finding, status,
			    "the kernel's command line lacks intel_iommu=on");
		doctor_repair_by_root(
			finding,
			"sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' /etc/default/grub && "
			"update-grub && reboot");
	} else {
		doctor_find(finding, status,
			    "off: turn %s on in the firmware's setup",
			    system->is_amd ? "AMD-Vi (IOMMU)" : "VT-d");
		doctor_repair_by_root(finding,
				      "systemctl reboot --firmware-setup");
	}
}

static void judge_iommu(const struct doctor_facts *facts,
			struct doctor_finding *finding)
{
	bool has_group = facts->card->iommu_group >= 0;
	enum doctor_status status = DOCTOR_WARN;

	if (has_group && !facts->card->without_iommu) {
		doctor_find(finding, DOCTOR_OK, "group %d",
			    facts->card->iommu_group);
		return;
	}
	if (facts->way == DOCTOR_WAY_VFIO && !facts->system.noiommu)
		status = DOCTOR_FAIL;
	find_iommu_reason(&facts->system, status, finding);
}

static void judge_drm_accel(const struct doctor_facts *facts,
			    struct doctor_finding *finding)
{
	if (skip_unless(facts, DOCTOR_WAY_KERNEL, finding))
		return;
	switch (facts->system.has_drm_accel) {
	case DOCTOR_YES:
		doctor_find(finding, DOCTOR_OK,
			    "in this kernel, DRM_ACCEL is built in");
		return;
	case DOCTOR_NO:
		doctor_find(
			finding, DOCTOR_FAIL,
			"this kernel was built without DRM_ACCEL (cloud kernels are): VFIO is left");
		doctor_repair_by_root(
			finding, "modprobe vfio-pci && accel bind %s vfio-pci",
			facts->card->address);
		return;
	default:
		doctor_find(finding, DOCTOR_SKIP,
			    "not known before the module is loaded");
	}
}

static void judge_module(const struct doctor_facts *facts,
			 struct doctor_finding *finding)
{
	if (skip_unless(facts, DOCTOR_WAY_KERNEL, finding))
		return;
	if (facts->system.spmm_is_loaded) {
		doctor_find(finding, DOCTOR_OK, "spmm is loaded");
		return;
	}
	doctor_find(finding, DOCTOR_FAIL, "spmm is not loaded");
	doctor_repair_by_root(finding, "modprobe spmm");
}

/* They need not match: what either lacks, the other does without. */
static void judge_version(const struct doctor_facts *facts,
			  struct doctor_finding *finding)
{
	const char *version = facts->system.module_version;

	if (skip_unless(facts, DOCTOR_WAY_KERNEL, finding))
		return;
	if (!version[0]) {
		doctor_find(
			finding, DOCTOR_SKIP,
			"the module states none, the library is " ACCEL_VERSION);
	} else if (!strcmp(version, ACCEL_VERSION)) {
		doctor_find(finding, DOCTOR_OK,
			    "module and library are " ACCEL_VERSION);
	} else {
		doctor_find(
			finding, DOCTOR_WARN,
			"the module is %s, the library " ACCEL_VERSION
			": they work together, without what is new in either",
			version);
		doctor_repair_by_root(finding,
				      "dkms install spmm/" ACCEL_VERSION
				      " && modprobe -r spmm && modprobe spmm");
	}
}

static void judge_vfio_pci(const struct doctor_facts *facts,
			   struct doctor_finding *finding)
{
	if (skip_unless(facts, DOCTOR_WAY_VFIO, finding))
		return;
	if (facts->system.vfio_pci_is_loaded) {
		doctor_find(finding, DOCTOR_OK, "vfio-pci is loaded");
		return;
	}
	doctor_find(finding, DOCTOR_FAIL, "vfio-pci is not loaded");
	doctor_repair_by_root(finding, "modprobe vfio-pci");
}

static void judge_vfio(const struct doctor_facts *facts,
		       struct doctor_finding *finding)
{
	const struct doctor_system *system = &facts->system;

	if (skip_unless(facts, DOCTOR_WAY_VFIO, finding))
		return;
	if (system->has_iommufd || system->has_container) {
		doctor_find(finding, DOCTOR_OK, "%s",
			    !system->has_iommufd ?
				    "groups and containers (no iommufd here)" :
			    system->has_container ?
				    "iommufd, and groups and containers" :
				    "iommufd");
		return;
	}
	doctor_find(finding, DOCTOR_FAIL,
		    "neither iommufd nor vfio_iommu_type1 is loaded");
	doctor_repair_by_root(finding, "modprobe vfio_iommu_type1");
}

static void judge_hugepages(const struct doctor_facts *facts,
			    struct doctor_finding *finding)
{
	const struct doctor_system *system = &facts->system;

	if (skip_unless(facts, DOCTOR_WAY_VFIO, finding))
		return;
	if (system->hugepages_free) {
		doctor_find(finding, DOCTOR_OK,
			    "%" PRIu64 " of %" PRIu64 " are free",
			    system->hugepages_free, system->hugepages);
		return;
	}
	doctor_find(finding, DOCTOR_WARN,
		    "%s: buffers get ordinary pages, which take longer to map",
		    system->hugepages ? "all are in use" :
					"none were set aside");
	doctor_repair_by_root(finding,
			      "echo %" PRIu64 " >/proc/sys/vm/nr_hugepages",
			      system->hugepages + HUGEPAGES_WANTED);
}

const struct doctor_check doctor_system_checks[] = {
	{ "iommu", judge_iommu },	  { "drm-accel", judge_drm_accel },
	{ "module", judge_module },	  { "version", judge_version },
	{ "vfio-pci", judge_vfio_pci },	  { "vfio", judge_vfio },
	{ "hugepages", judge_hugepages }, { NULL, NULL },
};
