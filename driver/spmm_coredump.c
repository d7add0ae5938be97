// SPDX-License-Identifier: GPL-2.0-only
/* What the device looked like before it was reset, for /sys/class/devcoredump. */
#include "spmm_coredump.h"

#include "spmm_device.h"
#include "spmm_hw.h"

#include <linux/devcoredump.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <spmm/registers.h>

#define DUMP_BYTES SZ_8K

/**
 * struct dump - text that is being written
 * @text: room for DUMP_BYTES
 * @length: so far
 */
struct dump {
	char *text;
	size_t length;
};

static const struct {
	const char *name;
	u32 offset;
	u32 bytes;
} registers[] = {
	{ "cap", SPMM_REG_CAP, 8 },
	{ "version", SPMM_REG_VERSION, 4 },
	{ "control", SPMM_REG_CONTROL, 4 },
	{ "status", SPMM_REG_STATUS, 4 },
	{ "admin_queue_size", SPMM_REG_ADMIN_QUEUE_SIZE, 4 },
	{ "admin_sq_address", SPMM_REG_ADMIN_SQ_ADDRESS, 8 },
	{ "admin_cq_address", SPMM_REG_ADMIN_CQ_ADDRESS, 8 },
	{ "temperature", SPMM_REG_TEMPERATURE, 4 },
	{ "power", SPMM_REG_POWER, 4 },
	{ "cycles", SPMM_REG_CYCLES, 8 },
};

static __printf(2, 3) void print(struct dump *dump, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	dump->length += vscnprintf(dump->text + dump->length,
				   DUMP_BYTES - dump->length, format,
				   arguments);
	va_end(arguments);
}

static void print_registers(struct spmm_device *spmm, struct dump *dump)
{
	u64 value;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		value = registers[i].bytes == 8 ?
				spmm_hw_read64(spmm, registers[i].offset) :
				spmm_hw_read32(spmm, registers[i].offset);
		print(dump, "%s: 0x%llx\n", registers[i].name, value);
	}
	for (i = 0; i <= spmm->capabilities.queues; i++)
		print(dump, "progress[%u]: 0x%llx\n", i,
		      spmm_hw_progress(spmm, i));
}

static ssize_t dump_read(char *buffer, loff_t offset, size_t count, void *data,
			 size_t length)
{
	return memory_read_from_buffer(buffer, count, &offset, data, length);
}

static void dump_free(void *data)
{
	kfree(data);
}

void spmm_coredump_take(struct spmm_device *spmm, const char *why)
{
	struct dump dump = {};

	if (spmm_device_is_gone(spmm))
		return;
	dump.text = kmalloc(DUMP_BYTES, GFP_NOWAIT | __GFP_NOWARN);
	if (!dump.text)
		return;
	print(&dump, "driver: spmm\nkernel: %s\ntime: %lld\nreason: %s\n",
	      init_utsname()->release, ktime_get_real_seconds(), why);
	print(&dump, "resets: %d\n", atomic_read(&spmm->resets));
	print_registers(spmm, &dump);
	dev_coredumpm(&spmm->pdev->dev, THIS_MODULE, dump.text, dump.length,
		      GFP_NOWAIT, dump_read, dump_free);
}
