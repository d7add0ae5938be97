// SPDX-License-Identifier: GPL-2.0-only
/* A context: what an open file has. */
#include "spmm_context.h"

#include "spmm_device.h"
#include "spmm_queue.h"
#include "spmm_slot.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/spmm_accel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <spmm/registers.h>

/* What a file's queues take to go when it is closed, unless fences of others hold them up. */
#define CLOSE_MS 1000

static struct workqueue_struct *release_workqueue;
static DECLARE_WAIT_QUEUE_HEAD(references_dropped);

int spmm_context_module_init(void)
{
	release_workqueue = alloc_workqueue("spmm-release", WQ_UNBOUND, 0);
	return release_workqueue ? 0 : -ENOMEM;
}

void spmm_context_module_exit(void)
{
	destroy_workqueue(release_workqueue);
}

void spmm_context_queue_release(struct work_struct *release)
{
	queue_work(release_workqueue, release);
}

/* The module stays until here; its end waits for the work queue that this may run on. */
static void context_release(struct kref *reference)
{
	struct spmm_context *context =
		container_of(reference, struct spmm_context, reference);
	struct spmm_device *spmm = context->spmm;

	spmm_slot_force_evict(spmm, context);
	mutex_lock(&spmm->slots->lock);
	list_del(&context->node);
	mutex_unlock(&spmm->slots->lock);

	spmm_vm_fini(&context->vm);
	xa_destroy(&context->queues);
	kfree(context->counters);
	kfree(context);
	drm_dev_put(&spmm->drm);
	module_put(THIS_MODULE);
}

void spmm_context_get(struct spmm_context *context)
{
	kref_get(&context->reference);
}

void spmm_context_put(struct spmm_context *context)
{
	kref_put(&context->reference, context_release);
	wake_up_all(&references_dropped);
}

static struct spmm_context *context_alloc(struct spmm_device *spmm)
{
	struct spmm_context *context;

	context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);
	if (!context)
		return NULL;
	context->counters =
		kcalloc(SPMM_COUNTER_COUNT, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!context->counters) {
		kfree(context);
		return NULL;
	}
	kref_init(&context->reference);
	xa_init_flags(&context->queues, XA_FLAGS_ALLOC);
	context->spmm = spmm;
	context->first_reset = atomic_read(&spmm->resets);
	return context;
}

int spmm_context_open(struct drm_device *drm, struct drm_file *file)
{
	struct spmm_device *spmm = to_spmm(drm);
	struct spmm_context *context;
	int ret;

	context = context_alloc(spmm);
	if (!context)
		return -ENOMEM;
	ret = spmm_vm_init(&context->vm, spmm, context);
	if (ret) {
		kfree(context->counters);
		kfree(context);
		return ret;
	}
	__module_get(THIS_MODULE);
	drm_dev_get(drm);
	mutex_lock(&spmm->slots->lock);
	list_add_tail(&context->node, &spmm->slots->contexts);
	mutex_unlock(&spmm->slots->lock);
	file->driver_priv = context;
	return 0;
}

void spmm_context_close(struct drm_device *drm, struct drm_file *file)
{
	struct spmm_context *context = file->driver_priv;

	spmm_queues_close(context);
	/* So that all is given back when a process has ended; if not, it will be later. */
	wait_event_timeout(references_dropped,
			   kref_read(&context->reference) == 1,
			   msecs_to_jiffies(CLOSE_MS));
	spmm_context_put(context);
}

int spmm_context_restart_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	const struct drm_spmm_context_restart *arguments = data;
	struct spmm_context *context = file->driver_priv;

	if (arguments->flags || arguments->pad)
		return -EINVAL;
	atomic_set(&context->memory_lost, 0);
	return 0;
}
