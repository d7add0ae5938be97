/* SPDX-License-Identifier: MIT */
#include "driver_bind.h"

#include "card.h"
#include "group.h"
#include "holder.h"
#include "host.h"
#include "host_write.h"

#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/sys/bus/pci/devices/%s/"
/* Drivers have come and gone when the kernel's files are written; what it shows may lag. */
#define SHOWN_NS 1000000000ull

/* ---- is it possible? ---- */

static int check_rights(const struct card *card)
{
	char path[PATH_MAX];

	host_path(path, DEVICE "driver_override", card->address);
	if (!access(path, W_OK))
		return 0;
	return accel_error(-errno, "%s: %s: binding drivers is for root",
			   card->address, strerror(errno));
}

static int check_loaded(const struct card *card, const char *driver)
{
	if (!driver[0] || host_exists("/sys/bus/pci/drivers/%s", driver))
		return 0;
	return accel_error(-ENOENT, "%s: %s is not loaded: modprobe %s",
			   card->address, driver, driver);
}

/* The kernel would wait until that process lets go. */
static int check_unused(const struct card *card)
{
	struct holder holder;

	if (strcmp(card->driver, CARD_DRIVER_VFIO) != 0 ||
	    !holder_find(card, &holder))
		return 0;
	return accel_error(
		-EBUSY,
		"%s is in use by process %d (%s): end it first (kill %d)",
		card->address, holder.pid, holder.command, holder.pid);
}

static bool noiommu_is_allowed(void)
{
	char text[8];

	return !host_read(
		       text, sizeof(text),
		       "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") &&
	       (text[0] == 'Y' || text[0] == '1');
}

static int check_group(const struct card *card, const char *driver)
{
	struct group_member stranger;

	if (strcmp(driver, CARD_DRIVER_VFIO) != 0)
		return 0;
	if (card->iommu_group < 0)
		return noiommu_is_allowed() ?
			       0 :
			       accel_error(
				       -ENODEV,
				       "%s has no IOMMU group, and vfio-pci needs one: accel doctor %s says why",
				       card->address, card->address);
	if (!group_find_stranger(card, &stranger))
		return 0;
	return accel_error(
		-EBUSY,
		"%s: IOMMU group %d also has %s, which %s drives, and VFIO opens all of a group or nothing: "
		"echo %s >/sys/bus/pci/devices/%s/driver/unbind",
		card->address, card->iommu_group, stranger.address,
		stranger.driver, stranger.address, stranger.address);
}

/* ---- do it ---- */

/* No name lets any driver that knows the device have it. */
static int write_override(const struct card *card, const char *driver,
			  uint64_t deadline)
{
	int ret = host_write(driver, deadline, DEVICE "driver_override",
			     card->address);

	if (ret)
		return accel_error(ret, "%s: driver_override: %s",
				   card->address, strerror(-ret));
	return 0;
}

/* The kernel shows a driver before it has started, but no node. */
static bool is_bound(const struct card *card, const char *driver)
{
	char now[HOST_NAME_MAX];

	host_link(now, sizeof(now), DEVICE "driver", card->address);
	return !strcmp(now, driver) &&
	       (strcmp(driver, CARD_DRIVER_KERNEL) != 0 ||
		host_exists(DEVICE "accel", card->address));
}

static bool wait_bound(const struct card *card, const char *driver)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t deadline = deadline_after(SHOWN_NS);

	while (!is_bound(card, driver)) {
		if (deadline_expired(deadline))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static int unbind(const struct card *card, const char *driver,
		  uint64_t deadline)
{
	int ret = host_write(card->address, deadline,
			     "/sys/bus/pci/drivers/%s/unbind", driver);

	if (ret == -ETIMEDOUT)
		return accel_error(
			ret,
			"%s: %s does not let go in time (--timeout): the kernel goes on with it, "
			"and waits for processes that have it open through VFIO",
			card->address, driver);
	if (ret)
		return accel_error(ret, "%s: %s does not let go: %s",
				   card->address, driver, strerror(-ret));
	if (!wait_bound(card, ""))
		return accel_error(-EIO, "%s: %s does not let go",
				   card->address, driver);
	return 0;
}

static int probe(const struct card *card, const char *driver, uint64_t deadline)
{
	int ret = host_write(card->address, deadline,
			     "/sys/bus/pci/drivers_probe");

	if (ret == -ETIMEDOUT)
		return accel_error(ret, "%s: %s does not start in time",
				   card->address, driver);
	if (!wait_bound(card, driver))
		return accel_error(
			ret ? ret : -EIO,
			"%s: %s does not take it: the end of dmesg says why",
			card->address, driver);
	return 0;
}

/*
 * Only VFIO has to be named for good: the module claims the device by its identity, and
 * after being unbound a device keeps no driver until someone asks for one.
 */
static int give(const struct card *card, const char *driver, uint64_t deadline)
{
	int ret;

	if (!driver[0])
		return write_override(card, "", deadline);
	ret = write_override(card, driver, deadline);
	if (!ret)
		ret = probe(card, driver, deadline);
	if (!ret && strcmp(driver, CARD_DRIVER_VFIO) != 0)
		ret = write_override(card, "", deadline);
	return ret;
}

/* After a failure, whose text stays. */
static void give_back(const struct card *card, uint64_t deadline)
{
	char now[HOST_NAME_MAX];

	accel_error_hold();
	host_link(now, sizeof(now), DEVICE "driver", card->address);
	if (now[0] && strcmp(now, card->driver) != 0)
		unbind(card, now, deadline);
	give(card, card->driver, deadline);
	accel_error_release();
}

static int check_all(const struct card *card, const char *driver)
{
	int ret = check_loaded(card, driver);

	if (!ret)
		ret = check_group(card, driver);
	if (!ret)
		ret = check_rights(card);
	return ret ? ret : check_unused(card);
}

int driver_bind(const struct card *card, const char *driver,
		uint64_t timeout_ns)
{
	int ret;

	if (!strcmp(card->driver, driver))
		return 0;
	ret = check_all(card, driver);
	if (ret)
		return ret;
	if (card->driver[0])
		ret = unbind(card, card->driver, deadline_after(timeout_ns));
	if (ret)
		return ret;
	ret = give(card, driver, deadline_after(timeout_ns));
	if (ret)
		give_back(card, deadline_after(timeout_ns));
	return ret;
}
