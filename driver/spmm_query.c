// SPDX-License-Identifier: GPL-2.0-only
/* What a process may ask. */
#include "spmm_query.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_hw.h"
#include "spmm_layout.h"
#include "spmm_slot.h"
#include "spmm_user_queue.h"

#include <drm/drm_file.h>
#include <drm/spmm_accel.h>
#include <linux/atomic.h>
#include <linux/uaccess.h>
#include <spmm/registers.h>

static void read_geometry(struct spmm_device *spmm,
			  struct drm_spmm_device_info *info)
{
	info->clusters = spmm_hw_read32(spmm, SPMM_REG_CLUSTERS);
	info->lanes = spmm_hw_read32(spmm, SPMM_REG_LANES);
	info->vector_width = spmm_hw_read32(spmm, SPMM_REG_VECTOR_WIDTH);
	info->banks = spmm_hw_read32(spmm, SPMM_REG_BANKS);
	info->accumulators = spmm_hw_read32(spmm, SPMM_REG_ACCUMULATORS);
	info->decoder_rate = spmm_hw_read32(spmm, SPMM_REG_DECODER_RATE);
	info->activation_buffer =
		spmm_hw_read32(spmm, SPMM_REG_ACTIVATION_BUFFER);
	info->sram_port_bytes = spmm_hw_read32(spmm, SPMM_REG_SRAM_PORT_BYTES);
	info->epilogue_rate = spmm_hw_read32(spmm, SPMM_REG_EPILOGUE_RATE);
	info->schedule_window = spmm_hw_read32(spmm, SPMM_REG_SCHEDULE_WINDOW);
	info->stop_cycles = spmm_hw_read32(spmm, SPMM_REG_STOP_CYCLES);
	info->memory_kind = spmm_hw_read32(spmm, SPMM_REG_MEMORY_KIND);
	info->sram_bytes = spmm_hw_read64(spmm, SPMM_REG_SRAM_BYTES);
	info->memory_bandwidth =
		spmm_hw_read64(spmm, SPMM_REG_MEMORY_BANDWIDTH);
	info->link_bandwidth = spmm_hw_read64(spmm, SPMM_REG_LINK_BANDWIDTH);
}

int spmm_query_init(struct spmm_device *spmm)
{
	const struct spmm_capabilities *capabilities = &spmm->capabilities;
	struct drm_spmm_device_info *info = &spmm->info;

	read_geometry(spmm, info);
	if (spmm_user_queue_supported(spmm))
		info->features |= DRM_SPMM_FEATURE_USER_QUEUES;
	info->memory_bytes = capabilities->memory_bytes;
	info->memory_visible = capabilities->window_bytes;
	info->clock_hz = capabilities->clock_hz;
	info->version = capabilities->version;
	info->queues = capabilities->queues;
	info->queue_entries = capabilities->queue_entries;
	info->job_commands_max = SPMM_JOB_COMMANDS_MAX;
	info->job_timeout_ms = SPMM_JOB_TIMEOUT_MS;
	info->job_limit_ms = capabilities->job_limit_ms;
	info->omitted = capabilities->omitted;
	return spmm_device_is_gone(spmm) ? -ENODEV : 0;
}

/* Hand over @known bytes of @from as struct drm_spmm_query says. */
static int answer(struct drm_spmm_query *query, const void *from, u32 known)
{
	void __user *to = u64_to_user_ptr(query->pointer);
	u32 copied = min(query->size, known);

	if (copied && copy_to_user(to, from, copied))
		return -EFAULT;
	if (query->size > known && clear_user(to + known, query->size - known))
		return -EFAULT;
	query->size = known;
	return 0;
}

static int query_device(struct spmm_device *spmm, struct drm_spmm_query *query)
{
	struct drm_spmm_device_info info = spmm->info;

	info.memory_free = spmm_memory_available(spmm);
	return answer(query, &info, sizeof(info));
}

static int query_context(struct spmm_context *context,
			 struct drm_spmm_query *query)
{
	struct drm_spmm_context_info info = {
		.faults = atomic_read(&context->faults),
		.resets = atomic_read(&context->spmm->resets) -
			  context->first_reset,
	};

	if (atomic_read(&context->memory_lost))
		info.state |= DRM_SPMM_CONTEXT_MEMORY_LOST;
	return answer(query, &info, sizeof(info));
}

static int query_counters(struct spmm_context *context,
			  struct drm_spmm_query *query)
{
	u64 counters[SPMM_COUNTER_COUNT];

	spmm_slot_counters(context, counters);
	return answer(query, counters, sizeof(counters));
}

int spmm_query_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_spmm_query *query = data;

	switch (query->kind) {
	case DRM_SPMM_QUERY_DEVICE:
		return query_device(to_spmm(drm), query);
	case DRM_SPMM_QUERY_COUNTERS:
		return query_counters(file->driver_priv, query);
	case DRM_SPMM_QUERY_CONTEXT:
		return query_context(file->driver_priv, query);
	default:
		return -EINVAL;
	}
}
