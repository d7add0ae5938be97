// SPDX-License-Identifier: GPL-2.0-only
/* What the device looked like before it was reset, for /sys/class/devcoredump. */
#include "spmm_coredump.h"

#include "spmm_admin.h"
#include "spmm_blit.h"
#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_queue.h"
#include "spmm_slot.h"
#include "spmm_user_queue.h"

#include <drm/drm_managed.h>
#include <linux/devcoredump.h>
#include <linux/pci.h>
#include <linux/seq_buf.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <spmm/registers.h>

/* What does not fit is cut off: two lines for each queue, one for each slot and fault. */
#define DUMP_BYTES SZ_32K

/**
 * struct spmm_coredump - a dump on its way
 * @text: that is being written; without a buffer between dumps
 * @spare: room for the next one; NULL until the last one is handed out
 * @taken: is to be handed out
 * @length: of @taken
 */
struct spmm_coredump {
	struct seq_buf text;
	char *spare;
	char *taken;
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
	{ "interrupt_mask", SPMM_REG_INTERRUPT_MASK_SET, 8 },
	{ "admin_queue_size", SPMM_REG_ADMIN_QUEUE_SIZE, 4 },
	{ "admin_sq_address", SPMM_REG_ADMIN_SQ_ADDRESS, 8 },
	{ "admin_cq_address", SPMM_REG_ADMIN_CQ_ADDRESS, 8 },
	{ "temperature", SPMM_REG_TEMPERATURE, 4 },
	{ "power", SPMM_REG_POWER, 4 },
	{ "cycles", SPMM_REG_CYCLES, 8 },
};

static void free_dumps(struct drm_device *drm, void *data)
{
	struct spmm_coredump *dump = data;

	vfree(dump->text.buffer);
	vfree(dump->spare);
	vfree(dump->taken);
}

int spmm_coredump_init(struct spmm_device *spmm)
{
	struct spmm_coredump *dump;

	dump = drmm_kzalloc(&spmm->drm, sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->spare = vmalloc(DUMP_BYTES);
	if (!dump->spare)
		return -ENOMEM;
	spmm->coredump = dump;
	return drmm_add_action_or_reset(&spmm->drm, free_dumps, dump);
}

static void print_register(struct spmm_device *spmm, struct seq_buf *text,
			   u32 i)
{
	u64 value = registers[i].bytes == 8 ?
			    spmm_hw_read64(spmm, registers[i].offset) :
			    spmm_hw_read32(spmm, registers[i].offset);

	seq_buf_printf(text, "%s: 0x%llx\n", registers[i].name, value);
}

void spmm_coredump_take_registers(struct spmm_device *spmm, const char *why)
{
	struct spmm_coredump *dump = spmm->coredump;
	struct seq_buf *text = &dump->text;
	char *room;
	u32 i;

	if (spmm_device_is_gone(spmm))
		return;
	room = xchg(&dump->spare, NULL);
	if (!room)
		return;
	seq_buf_init(text, room, DUMP_BYTES);
	seq_buf_printf(text, "driver: spmm\nkernel: %s\n",
		       init_utsname()->release);
	seq_buf_printf(text, "time: %lld\nreason: %s\nresets: %d\n",
		       ktime_get_real_seconds(), why,
		       atomic_read(&spmm->resets));
	for (i = 0; i < ARRAY_SIZE(registers); i++)
		print_register(spmm, text, i);
	for (i = 0; i <= spmm->capabilities.queues; i++)
		seq_buf_printf(text, "progress[%u]: 0x%llx\n", i,
			       spmm_hw_progress(spmm, i));
}

static void print_ring(struct seq_buf *text, u32 hardware,
		       const struct spmm_ring *ring)
{
	seq_buf_printf(text, "ring[%u]: entries %u sq_tail %u sq_head %u",
		       hardware, ring->entries, ring->sq_tail, ring->sq_head);
	seq_buf_printf(text, " cq_head %u phase %u\n", ring->cq_head,
		       ring->phase);
}

static void print_jobs(struct seq_buf *text, struct spmm_queue *queue)
{
	struct spmm_job *first;

	spin_lock_irq(&queue->lock);
	first = list_first_entry_or_null(&queue->jobs, struct spmm_job, node);
	seq_buf_printf(text, " completed %llu of %llu on_device %u first %llu",
		       queue->completed, queue->submitted, queue->on_device,
		       first ? first->number : 0);
	seq_buf_printf(text, " trouble %u stopped %u\n", queue->trouble,
		       queue->is_stopped);
	if (!queue->user)
		print_ring(text, queue->hardware, &queue->ring);
	spin_unlock_irq(&queue->lock);
}

static void print_queue(struct seq_buf *text, struct spmm_queue *queue)
{
	seq_buf_printf(text, "queue[%u]: context %u number %u priority %u",
		       queue->hardware, queue->context->slot, queue->number,
		       queue->priority);
	if (queue->user)
		seq_buf_printf(text, " user %u", spmm_user_queue_state(queue));
	print_jobs(text, queue);
}

static void print_fault(struct seq_buf *text,
			const struct spmm_fault_record *record)
{
	seq_buf_printf(text, "fault: cycle %llu context %u queue %u id %u",
		       le64_to_cpu(record->cycle), le16_to_cpu(record->context),
		       le16_to_cpu(record->queue), le16_to_cpu(record->id));
	seq_buf_printf(text, " index %u status 0x%x address 0x%llx\n",
		       le32_to_cpu(record->list_index),
		       le16_to_cpu(record->status),
		       le64_to_cpu(record->address));
}

static void print_context(struct seq_buf *text,
			  const struct spmm_context *context)
{
	seq_buf_printf(text, "context[%u]: faults %d memory_lost %d\n",
		       context->slot, atomic_read(&context->faults),
		       atomic_read(&context->memory_lost));
}

static void print_slots(struct seq_buf *text, struct spmm_slots *slots)
{
	u32 i;

	lockdep_assert_held(&slots->lock);
	for (i = SPMM_SLOT_FIRST; i <= SPMM_CONTEXTS_MAX; i++)
		if (slots->holders[i])
			print_context(text, slots->holders[i]);
	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++)
		if (slots->owners[i])
			print_queue(text, slots->owners[i]);
	/* The last one first. */
	for (i = 0; i < min_t(u32, slots->seen, SPMM_FAULTS_SEEN); i++)
		print_fault(text, &slots->faults_seen[(slots->seen - 1 - i) %
						      SPMM_FAULTS_SEEN]);
}

void spmm_coredump_take_queues(struct spmm_device *spmm)
{
	struct spmm_coredump *dump = spmm->coredump;
	char *text = dump->text.buffer;

	if (!text)
		return;
	print_ring(&dump->text, 0, spmm_admin_ring(spmm));
	print_ring(&dump->text, SPMM_BLIT_QUEUE, spmm_blit_ring(spmm));
	mutex_lock(&spmm->slots->lock);
	print_slots(&dump->text, spmm->slots);
	mutex_unlock(&spmm->slots->lock);

	dump->length = seq_buf_used(&dump->text);
	dump->text.buffer = NULL;
	/* With its length: for xchg() in spmm_coredump_publish(). */
	smp_store_release(&dump->taken, text);
}

void spmm_coredump_publish(struct spmm_device *spmm)
{
	struct spmm_coredump *dump = spmm->coredump;
	char *text = xchg(&dump->taken, NULL);

	if (!text)
		return;
	/* Which frees it, also if there is an older one that nobody has read. */
	dev_coredumpv(&spmm->pdev->dev, text, dump->length, GFP_KERNEL);
	/* If there is none, this was the last dump. */
	WRITE_ONCE(dump->spare, vmalloc(DUMP_BYTES));
}
