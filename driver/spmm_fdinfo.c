// SPDX-License-Identifier: GPL-2.0-only
/* What an open file used, in the form that gputop and others read: drm-usage-stats.rst. */
#include "spmm_fdinfo.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_slot.h"

#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <spmm/registers.h>

static void show_engine(struct drm_printer *printer,
			struct spmm_context *context)
{
	u32 clock_hz = context->spmm->capabilities.clock_hz;
	u64 counters[SPMM_COUNTER_COUNT];
	u64 cycles;

	spmm_slot_counters(context, counters);
	cycles = counters[SPMM_COUNTER_BUSY_CYCLES];
	drm_printf(printer, "drm-engine-compute:\t%llu ns\n",
		   mul_u64_u64_div_u64(cycles, NSEC_PER_SEC, clock_hz));
	drm_printf(printer, "drm-cycles-compute:\t%llu\n", cycles);
	drm_printf(printer, "drm-maxfreq-compute:\t%u Hz\n", clock_hz);
}

/* What is mapped for the device cannot be taken away: it is all resident. */
static void show_memory(struct drm_printer *printer,
			struct spmm_context *context)
{
	u64 host, device;

	spmm_vm_usage(&context->vm, &host, &device);
	drm_printf(printer, "drm-total-host:\t%llu\n", host);
	drm_printf(printer, "drm-resident-host:\t%llu\n", host);
	drm_printf(printer, "drm-total-device:\t%llu\n", device);
	drm_printf(printer, "drm-resident-device:\t%llu\n", device);
}

void spmm_fdinfo_show(struct drm_printer *printer, struct drm_file *file)
{
	struct spmm_context *context = file->driver_priv;

	show_engine(printer, context);
	show_memory(printer, context);
}
