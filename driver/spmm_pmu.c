// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's counters as events of perf(1). They count the work of all processes, so
 * perf asks for CAP_PERFMON. A device with an open event stays awake, since its counters
 * are lost in D3.
 */
#include "spmm_pmu.h"

#include "spmm_context.h"
#include "spmm_counters.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_power.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include <spmm/queue.h>

/* Of an event's configuration: device time, then one for each counter. */
#define EVENT_CYCLES 0
#define EVENT_COUNTER(counter) ((counter) + 1)
#define EVENT_COUNT EVENT_COUNTER(SPMM_COUNTER_COUNT)

/**
 * struct spmm_pmu - a source of events
 * @base: of perf
 * @name: spmm_N of /dev/accel/accelN
 * @spmm: its device, referenced, so that the name stays unique
 * @lock: protects what follows
 * @is_closed: the device is unplugged; also read without the lock
 * @was_used: there are or were events
 * @events: that there are
 * @release: destroys it after the last one
 */
struct spmm_pmu {
	struct pmu base;
	char name[16];
	struct spmm_device *spmm;
	struct mutex lock; /* innermost */
	bool is_closed;
	bool was_used;
	u32 events;
	struct work_struct release;
};

static struct spmm_pmu *pmu_of(const struct perf_event *event)
{
	return container_of(event->pmu, struct spmm_pmu, base);
}

static u64 event_count(const struct perf_event *event)
{
	struct spmm_device *spmm = pmu_of(event)->spmm;
	u64 cycles;

	if (event->attr.config == EVENT_CYCLES) {
		cycles = spmm_hw_peek64(spmm, SPMM_REG_CYCLES);
		return cycles == U64_MAX ? 0 : cycles;
	}
	return spmm_counters_read(spmm, SPMM_COUNTERS_ALL,
				  event->attr.config - EVENT_COUNTER(0));
}

static void event_read(struct perf_event *event)
{
	u64 before = local64_read(&event->hw.prev_count);
	u64 now;

	if (READ_ONCE(pmu_of(event)->is_closed))
		return;
	do {
		now = event_count(event);
	} while (!local64_try_cmpxchg(&event->hw.prev_count, &before, now));
	/* A reset starts anew at zero. */
	local64_add(now >= before ? now - before : now, &event->count);
}

static void event_start(struct perf_event *event, int flags)
{
	event->hw.state = 0;
	if (!READ_ONCE(pmu_of(event)->is_closed))
		local64_set(&event->hw.prev_count, event_count(event));
}

static void event_stop(struct perf_event *event, int flags)
{
	if (event->hw.state & PERF_HES_STOPPED)
		return;
	if (flags & PERF_EF_UPDATE)
		event_read(event);
	event->hw.state |= PERF_HES_STOPPED;
}

static int event_add(struct perf_event *event, int flags)
{
	if (READ_ONCE(pmu_of(event)->is_closed))
		return -ENODEV;
	event->hw.state = PERF_HES_STOPPED;
	if (flags & PERF_EF_START)
		event_start(event, flags);
	return 0;
}

static void event_del(struct perf_event *event, int flags)
{
	event_stop(event, PERF_EF_UPDATE);
}

static void destroy(struct spmm_pmu *pmu)
{
	/*
	 * perf looks at an event's source still after event_destroy(), until it drops the
	 * event's reference to this module, without a lock, but does not sleep between.
	 */
	if (pmu->was_used)
		synchronize_rcu_tasks();
	perf_pmu_unregister(&pmu->base);
	drm_dev_put(&pmu->spmm->drm);
	mutex_destroy(&pmu->lock);
	kfree(pmu);
}

static void release_work(struct work_struct *work)
{
	destroy(container_of(work, struct spmm_pmu, release));
}

/* Return: whether the source takes events; it stays then until drop(). */
static bool use(struct spmm_pmu *pmu)
{
	bool is_open;

	mutex_lock(&pmu->lock);
	is_open = !pmu->is_closed;
	pmu->events += is_open;
	pmu->was_used |= is_open;
	mutex_unlock(&pmu->lock);
	return is_open;
}

static void drop(struct spmm_pmu *pmu)
{
	bool is_last;

	mutex_lock(&pmu->lock);
	is_last = !--pmu->events && pmu->is_closed;
	mutex_unlock(&pmu->lock);
	if (is_last)
		spmm_context_queue_release(&pmu->release);
}

static void event_destroy(struct perf_event *event)
{
	spmm_power_put(pmu_of(event)->spmm);
	drop(pmu_of(event));
}

static int event_init(struct perf_event *event)
{
	struct spmm_pmu *pmu = pmu_of(event);
	int ret;

	if (event->attr.type != event->pmu->type)
		return -ENOENT;
	if (is_sampling_event(event) || has_branch_stack(event))
		return -EOPNOTSUPP;
	if (event->cpu < 0 || event->attr.config >= EVENT_COUNT)
		return -EINVAL;
	if (!use(pmu))
		return -ENODEV;
	ret = spmm_power_get(pmu->spmm);
	if (ret) {
		drop(pmu);
		return ret;
	}
	event->destroy = event_destroy;
	return 0;
}

PMU_FORMAT_ATTR(event, "config:0-7");

static struct attribute *format_attributes[] = {
	&format_attr_event.attr,
	NULL,
};

static const struct attribute_group format_group = {
	.name = "format",
	.attrs = format_attributes,
};

static ssize_t description_show(struct device *dev,
				struct device_attribute *attribute, char *text)
{
	struct perf_pmu_events_attr *event =
		container_of(attribute, struct perf_pmu_events_attr, attr);

	return sysfs_emit(text, "event=0x%02llx\n", event->id);
}

#define EVENT(name, config) PMU_EVENT_ATTR_ID(name, description_show, config)
#define COUNTER_EVENT(name, counter) \
	EVENT(name, EVENT_COUNTER(SPMM_COUNTER_##counter))
#define LANE_EVENT(name, cause)                              \
	EVENT(name, EVENT_COUNTER(SPMM_COUNTER_LANE_CYCLES + \
				  (int)SPMM_STALL_##cause))

static struct attribute *event_attributes[] = {
	EVENT(cycles, EVENT_CYCLES),
	COUNTER_EVENT(busy_cycles, BUSY_CYCLES),
	COUNTER_EVENT(commands, COMMANDS),
	COUNTER_EVENT(macs, MACS),
	COUNTER_EVENT(dram_read_bytes, DRAM_READ_BYTES),
	COUNTER_EVENT(dram_write_bytes, DRAM_WRITE_BYTES),
	COUNTER_EVENT(pcie_read_bytes, PCIE_READ_BYTES),
	COUNTER_EVENT(pcie_write_bytes, PCIE_WRITE_BYTES),
	COUNTER_EVENT(faults, FAULTS),
	COUNTER_EVENT(padding_macs, PADDING_MACS),
	COUNTER_EVENT(sram_bytes, SRAM_BYTES),
	LANE_EVENT(lanes_issue, ISSUE),
	LANE_EVENT(lanes_bank, BANK),
	LANE_EVENT(lanes_weights, WEIGHTS),
	LANE_EVENT(lanes_activations, ACTIVATIONS),
	LANE_EVENT(lanes_epilogue, EPILOGUE),
	LANE_EVENT(lanes_tail, TAIL),
	LANE_EVENT(lanes_dram, DRAM),
	LANE_EVENT(lanes_dma, DMA),
	LANE_EVENT(lanes_pcie, PCIE),
	LANE_EVENT(lanes_command, COMMAND),
	NULL,
};

static const struct attribute_group event_group = {
	.name = "events",
	.attrs = event_attributes,
};

static const struct attribute_group *groups[] = {
	&format_group,
	&event_group,
	NULL,
};

int spmm_pmu_init(struct spmm_device *spmm)
{
	struct spmm_pmu *pmu;
	int ret;

	pmu = kzalloc(sizeof(*pmu), GFP_KERNEL);
	if (!pmu)
		return -ENOMEM;
	pmu->spmm = spmm;
	mutex_init(&pmu->lock);
	INIT_WORK(&pmu->release, release_work);
	snprintf(pmu->name, sizeof(pmu->name), "spmm_%d",
		 spmm->drm.accel->index);
	pmu->base = (struct pmu){
		.module = THIS_MODULE,
		.attr_groups = groups,
		.task_ctx_nr = perf_invalid_context,
		.scope = PERF_PMU_SCOPE_SYS_WIDE,
		.capabilities = PERF_PMU_CAP_NO_EXCLUDE,
		.event_init = event_init,
		.add = event_add,
		.del = event_del,
		.start = event_start,
		.stop = event_stop,
		.read = event_read,
	};
	ret = perf_pmu_register(&pmu->base, pmu->name, -1);
	if (ret) {
		kfree(pmu);
		return ret;
	}
	drm_dev_get(&spmm->drm);
	spmm->pmu = pmu;
	return 0;
}

void spmm_pmu_fini(struct spmm_device *spmm)
{
	struct spmm_pmu *pmu = spmm->pmu;
	bool is_unused;

	if (!pmu)
		return;
	spmm->pmu = NULL;
	mutex_lock(&pmu->lock);
	WRITE_ONCE(pmu->is_closed, true);
	is_unused = !pmu->events;
	mutex_unlock(&pmu->lock);
	/* Else the last event does it. */
	if (is_unused)
		destroy(pmu);
}
