// SPDX-License-Identifier: GPL-2.0-only
/* Attributes of the device: Documentation/driver.rst lists them. */
#include "spmm_sysfs.h"

#include "spmm_device.h"

#include <linux/device.h>

static ssize_t state_show(struct device *dev,
			  struct device_attribute *attribute, char *text)
{
	static const char *const names[] = {
		[SPMM_DEVICE_READY] = "ready",
		[SPMM_DEVICE_RESETTING] = "resetting",
		[SPMM_DEVICE_ASLEEP] = "asleep",
		[SPMM_DEVICE_GONE] = "gone",
	};
	struct spmm_device *spmm = dev_get_drvdata(dev);

	return sysfs_emit(text, "%s\n", names[atomic_read(&spmm->state)]);
}
static DEVICE_ATTR_RO(state);

static ssize_t resets_show(struct device *dev,
			   struct device_attribute *attribute, char *text)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	return sysfs_emit(text, "%d\n", atomic_read(&spmm->resets));
}
static DEVICE_ATTR_RO(resets);

static ssize_t device_version_show(struct device *dev,
				   struct device_attribute *attribute,
				   char *text)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	u32 version = spmm->capabilities.version;

	return sysfs_emit(text, "%u.%u\n", version >> 16, version & 0xffff);
}
static DEVICE_ATTR_RO(device_version);

static ssize_t memory_bytes_show(struct device *dev,
				 struct device_attribute *attribute, char *text)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	return sysfs_emit(text, "%llu\n", spmm->capabilities.memory_bytes);
}
static DEVICE_ATTR_RO(memory_bytes);

static struct attribute *spmm_sysfs_attrs[] = {
	&dev_attr_device_version.attr,
	&dev_attr_memory_bytes.attr,
	&dev_attr_resets.attr,
	&dev_attr_state.attr,
	NULL,
};

static const struct attribute_group spmm_sysfs_group = {
	.name = "spmm",
	.attrs = spmm_sysfs_attrs,
};

const struct attribute_group *spmm_sysfs_groups[] = {
	&spmm_sysfs_group,
	NULL,
};
