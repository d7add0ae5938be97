// SPDX-License-Identifier: GPL-2.0-only
/* Temperature, power and clock, for sensors(1). */
#include "spmm_hwmon.h"

#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_power.h"

#include <linux/hwmon-sysfs.h>
#include <linux/hwmon.h>
#include <linux/pci.h>
#include <linux/sysfs.h>
#include <spmm/registers.h>

#define MICROWATTS_PER_MILLIWATT 1000

/* Whoever asks for the temperature must not heat the device: it may go on sleeping. */
static int read_register(struct spmm_device *spmm, u32 offset, u32 *value)
{
	if (!spmm_power_get_if_awake(spmm))
		return -ENODATA;
	*value = spmm_hw_read32(spmm, offset);
	spmm_power_put(spmm);
	return spmm_device_is_gone(spmm) ? -ENODEV : 0;
}

static umode_t is_visible(const void *data, enum hwmon_sensor_types type,
			  u32 attribute, int channel)
{
	return 0444;
}

static int read(struct device *dev, enum hwmon_sensor_types type, u32 attribute,
		int channel, long *value)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	u32 raw;
	int ret;

	switch (type) {
	case hwmon_temp:
		ret = read_register(spmm, SPMM_REG_TEMPERATURE, &raw);
		*value = (s32)raw;
		return ret;
	case hwmon_power:
		ret = read_register(spmm, SPMM_REG_POWER, &raw);
		*value = (long)raw * MICROWATTS_PER_MILLIWATT;
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}

static const struct hwmon_channel_info *const channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT),
	HWMON_CHANNEL_INFO(power, HWMON_P_INPUT),
	NULL,
};

static const struct hwmon_ops operations = {
	.is_visible = is_visible,
	.read = read,
};

static const struct hwmon_chip_info chip = {
	.ops = &operations,
	.info = channels,
};

/* hwmon has no type for clocks; this is the name that other accelerators use. */
static ssize_t freq1_input_show(struct device *dev,
				struct device_attribute *attribute, char *text)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	return sysfs_emit(text, "%u\n", spmm->capabilities.clock_hz);
}
static DEVICE_ATTR_RO(freq1_input);

static struct attribute *spmm_hwmon_attrs[] = {
	&dev_attr_freq1_input.attr,
	NULL,
};
ATTRIBUTE_GROUPS(spmm_hwmon);

int spmm_hwmon_init(struct spmm_device *spmm)
{
	struct device *parent = &spmm->pdev->dev;
	struct device *hwmon;

	if (!IS_REACHABLE(CONFIG_HWMON))
		return 0;
	hwmon = devm_hwmon_device_register_with_info(parent, "spmm", spmm,
						     &chip, spmm_hwmon_groups);
	return PTR_ERR_OR_ZERO(hwmon);
}
