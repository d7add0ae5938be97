/* SPDX-License-Identifier: MIT */
/* Where a device of VFIO is found, and what is said where it is not to be had. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <accel/error.h>
#include <transport/vfio_location.h>

#define ADDRESS "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" ADDRESS

/**
 * struct machine - roots of a fabricated machine
 * @folder: that they are in; the working directory meanwhile
 */
struct machine {
	char folder[64];
	char sys[80];
	char dev[80];
	struct vfio_roots roots;
};

static void folders_make(const char *path)
{
	char part[256];

	for (const char *end = strchr(path, '/'); end;
	     end = strchr(end + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		mkdir(part, 0755);
	}
}

static void file_make(const char *path, const char *text)
{
	FILE *file;

	folders_make(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void link_make(const char *path, const char *target)
{
	folders_make(path);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

/* A device with an IOMMU, in a group of its own, that vfio-pci has; no iommufd. */
static int machine_make(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	strcpy(machine->folder, "/tmp/accel-vfio-XXXXXX");
	assert_non_null(mkdtemp(machine->folder));
	assert_int_equal(chdir(machine->folder), 0);
	snprintf(machine->sys, sizeof(machine->sys), "%s/sys", machine->folder);
	snprintf(machine->dev, sizeof(machine->dev), "%s/dev", machine->folder);
	machine->roots =
		(struct vfio_roots){ .sys = machine->sys, .dev = machine->dev };
	file_make(DEVICE "/vendor", "0x1de5\n");
	file_make(DEVICE "/device", "0x5b01\n");
	link_make(DEVICE "/driver", "../../drivers/vfio-pci");
	folders_make("sys/kernel/iommu_groups/12/devices/");
	link_make(DEVICE "/iommu_group", "../../../../kernel/iommu_groups/12");
	file_make("sys/kernel/iommu_groups/12/devices/" ADDRESS, "");
	file_make("dev/vfio/vfio", "");
	file_make("dev/vfio/12", "");
	*state = machine;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind,
		      struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int machine_remove(void **state)
{
	struct machine *machine = *state;
	int ret = chdir("/");

	ret |= nftw(machine->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(machine);
	return ret;
}

static int locate(const struct machine *machine, enum vfio_iommu iommu,
		  struct vfio_location *location)
{
	const struct transport_vfio_options options = { .address = ADDRESS,
							.iommu = iommu };

	return vfio_locate(&machine->roots, &options, location);
}

static void assert_said(const char *part)
{
	if (!strstr(accel_last_error(), part))
		fail_msg("\"%s\" is not in: %s", part, accel_last_error());
}

static void refused(const struct machine *machine, enum vfio_iommu iommu,
		    int error, const char *part)
{
	struct vfio_location location;

	assert_int_equal(locate(machine, iommu, &location), error);
	assert_said(part);
}

static void addresses_are_whole(void **state)
{
	static const char *const wrong[] = {
		"",	    "1",	"01:00",	 "01:00.8",
		"01:20.0",  "01:00.0 ", " 01:00.0",	 "0000:01:00.0/..",
		"-1:00.0",  "+1:00.0",	"00000:01:00.0", "0000:01:00",
		"01:00.0x", "../x",	"g1:00.0",
	};
	char address[VFIO_ADDRESS_BYTES];

	(void)state;
	assert_int_equal(vfio_address_parse("01:00.0", address), 0);
	assert_string_equal(address, "0000:01:00.0");
	assert_int_equal(vfio_address_parse("10A2:fe:1F.7", address), 0);
	assert_string_equal(address, "10a2:fe:1f.7");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (vfio_address_parse(wrong[i], address) != -EINVAL)
			fail_msg("\"%s\" is taken for an address", wrong[i]);
		assert_said("accel list");
	}
}

static void a_group_is_found(void **state)
{
	const struct machine *machine = *state;
	struct vfio_location location;
	char path[128];

	assert_int_equal(locate(machine, VFIO_IOMMU_ANY, &location), 0);
	assert_int_equal(location.iommu, VFIO_IOMMU_TYPE1);
	assert_int_equal(location.group, 12);
	snprintf(path, sizeof(path), "%s/vfio/12", machine->dev);
	assert_string_equal(location.node, path);
	snprintf(path, sizeof(path), "%s/vfio/vfio", machine->dev);
	assert_string_equal(location.container, path);
	refused(machine, VFIO_IOMMU_IOMMUFD, -ENOTSUP, "iommu=type1");
}

static void iommufd_comes_first(void **state)
{
	const struct machine *machine = *state;
	struct vfio_location location;
	char path[128];

	/* The kernel names the node also where the iommufd module is missing. */
	folders_make(DEVICE "/vfio-dev/vfio3/");
	assert_int_equal(locate(machine, VFIO_IOMMU_ANY, &location), 0);
	assert_int_equal(location.iommu, VFIO_IOMMU_TYPE1);
	refused(machine, VFIO_IOMMU_IOMMUFD, -ENOTSUP, "CONFIG_IOMMUFD");

	file_make("dev/iommu", "");
	file_make("dev/vfio/devices/vfio3", "");
	assert_int_equal(locate(machine, VFIO_IOMMU_ANY, &location), 0);
	assert_int_equal(location.iommu, VFIO_IOMMU_IOMMUFD);
	snprintf(path, sizeof(path), "%s/vfio/devices/vfio3", machine->dev);
	assert_string_equal(location.node, path);
	assert_int_equal(locate(machine, VFIO_IOMMU_TYPE1, &location), 0);
	assert_int_equal(location.iommu, VFIO_IOMMU_TYPE1);
}

static void other_devices_are_refused(void **state)
{
	const struct machine *machine = *state;

	file_make(DEVICE "/device", "0x5b02\n");
	refused(machine, VFIO_IOMMU_ANY, -ENODEV, "1de5:5b02, no accelerator");
	unlink(DEVICE "/device");
	refused(machine, VFIO_IOMMU_ANY, -ENODEV, "no accelerator");
	rename(DEVICE, "sys/bus/pci/devices/0000:02:00.0");
	refused(machine, VFIO_IOMMU_ANY, -ENOENT, "no such PCI device");
}

static void the_driver_has_to_be_vfio(void **state)
{
	const struct machine *machine = *state;

	link_make(DEVICE "/driver", "../../drivers/spmm");
	refused(machine, VFIO_IOMMU_ANY, -EBUSY,
		"spmm has the device; as root: accel bind " ADDRESS
		" vfio-pci");
	unlink(DEVICE "/driver");
	refused(machine, VFIO_IOMMU_ANY, -ENODEV,
		"accel bind " ADDRESS " vfio-pci");
}

static void no_iommu_is_said(void **state)
{
	const struct machine *machine = *state;

	unlink(DEVICE "/iommu_group");
	refused(machine, VFIO_IOMMU_ANY, -ENOTSUP, "intel_iommu=on");
	refused(machine, VFIO_IOMMU_NONE, -ENOTSUP,
		"enable_unsafe_noiommu_mode");
}

static void doing_without_one_has_to_be_wanted(void **state)
{
	const struct machine *machine = *state;
	struct vfio_location location;
	char path[128];

	refused(machine, VFIO_IOMMU_NONE, -ENOTSUP, "leave it out");
	file_make("sys/kernel/iommu_groups/12/name", "vfio-noiommu\n");
	refused(machine, VFIO_IOMMU_ANY, -ENOTSUP, "iommu=noiommu");
	refused(machine, VFIO_IOMMU_TYPE1, -ENOTSUP, "iommu=noiommu");
	assert_int_equal(locate(machine, VFIO_IOMMU_NONE, &location), 0);
	snprintf(path, sizeof(path), "%s/vfio/noiommu-12", machine->dev);
	assert_string_equal(location.node, path);
}

static void who_may_not_is_told_what_to_do(void **state)
{
	const struct machine *machine = *state;
	struct vfio_location location;
	const uid_t other = geteuid() ? geteuid() : 65534;
	char repair[64];
	int file;

	snprintf(repair, sizeof(repair), "as root: chown %u ", other);
	assert_int_equal(locate(machine, VFIO_IOMMU_TYPE1, &location), 0);
	file = vfio_node_open(&location, location.node);
	assert_true(file >= 0);
	close(file);

	assert_int_equal(chmod("dev/vfio/12", 0), 0);
	assert_int_equal(chmod(machine->folder, 0755), 0);
	assert_int_equal(seteuid(other), 0);
	file = vfio_node_open(&location, location.node);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(file, -EACCES);
	assert_said(repair);

	unlink("dev/vfio/12");
	assert_int_equal(vfio_node_open(&location, location.node), -ENOENT);
	assert_said("modprobe vfio-pci");
}

static void neighbours_are_named(void **state)
{
	const struct machine *machine = *state;
	struct vfio_location location;

	file_make("sys/kernel/iommu_groups/12/devices/0000:01:00.1", "");
	link_make("sys/bus/pci/devices/0000:01:00.1/driver",
		  "../../drivers/snd_hda_intel");
	file_make("sys/kernel/iommu_groups/12/devices/0000:00:01.0", "");
	link_make("sys/bus/pci/devices/0000:00:01.0/driver",
		  "../../drivers/pcieport");
	assert_int_equal(locate(machine, VFIO_IOMMU_ANY, &location), 0);
	assert_int_equal(vfio_group_explain(&machine->roots, &location),
			 -EBUSY);
	assert_said("group 12: 0000:01:00.1 (snd_hda_intel);");
	assert_said("echo ADDRESS >/sys/bus/pci/devices/ADDRESS/driver/unbind");
}

#define machine_test(test) \
	cmocka_unit_test_setup_teardown(test, machine_make, machine_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_whole),
		machine_test(a_group_is_found),
		machine_test(iommufd_comes_first),
		machine_test(other_devices_are_refused),
		machine_test(the_driver_has_to_be_vfio),
		machine_test(no_iommu_is_said),
		machine_test(doing_without_one_has_to_be_wanted),
		machine_test(who_may_not_is_told_what_to_do),
		machine_test(neighbours_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
