// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X vectors, and who listens to them. */
#include "spmm_interrupt.h"

#include "spmm_admin.h"
#include "spmm_device.h"

#include <drm/drm_managed.h>
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

/**
 * struct spmm_interrupt_vector - one MSI-X vector
 * @spmm: its device
 * @number: of the vector
 * @lock: vector.lock of spmm_device.h; protects @listeners, and is held while they are
 *	notified
 * @listeners: struct spmm_interrupt_listener
 */
struct spmm_interrupt_vector {
	struct spmm_device *spmm;
	u32 number;
	spinlock_t lock; /* of the list */
	struct list_head listeners;
};

/**
 * struct spmm_interrupts - all vectors
 * @count: granted
 * @vectors: as many
 */
struct spmm_interrupts {
	u32 count;
	struct spmm_interrupt_vector vectors[] __counted_by(count);
};

/* Vectors are not shared with other devices: an interrupt is always ours. */
static irqreturn_t interrupt(int irq, void *data)
{
	struct spmm_interrupt_vector *vector = data;
	struct spmm_interrupt_listener *listener;

	if (vector->number == 0)
		spmm_admin_interrupt(vector->spmm);

	spin_lock(&vector->lock);
	list_for_each_entry(listener, &vector->listeners, node)
		listener->notify(listener);
	spin_unlock(&vector->lock);
	return IRQ_HANDLED;
}

static int request_vector(struct spmm_device *spmm, u32 number)
{
	struct spmm_interrupt_vector *vector =
		&spmm->interrupts->vectors[number];
	struct device *dev = &spmm->pdev->dev;
	char *name;

	vector->spmm = spmm;
	vector->number = number;
	spin_lock_init(&vector->lock);
	INIT_LIST_HEAD(&vector->listeners);

	name = devm_kasprintf(dev, GFP_KERNEL, "spmm-%s-%u", dev_name(dev),
			      number);
	if (!name)
		return -ENOMEM;
	return devm_request_irq(dev, pci_irq_vector(spmm->pdev, number),
				interrupt, 0, name, vector);
}

int spmm_interrupts_init(struct spmm_device *spmm)
{
	u32 wanted = spmm->capabilities.queues + 1;
	struct spmm_interrupts *interrupts;
	int count, ret;
	u32 i;

	/* Freed by the PCI core: pcim_enable_device() makes them managed. */
	count = pci_alloc_irq_vectors(spmm->pdev, 1, wanted, PCI_IRQ_MSIX);
	if (count < 0)
		return count;

	interrupts = drmm_kzalloc(&spmm->drm,
				  struct_size(interrupts, vectors, count),
				  GFP_KERNEL);
	if (!interrupts)
		return -ENOMEM;
	interrupts->count = count;
	spmm->interrupts = interrupts;

	for (i = 0; i < interrupts->count; i++) {
		ret = request_vector(spmm, i);
		if (ret)
			return ret;
	}
	return 0;
}

/* Vector 0 is the admin queue's alone, unless there is no other. */
u32 spmm_interrupt_vector(struct spmm_device *spmm, u32 queue)
{
	u32 count = spmm->interrupts->count;

	return queue == 0 || count == 1 ? 0 : 1 + (queue - 1) % (count - 1);
}

static struct spmm_interrupt_vector *vector_of(struct spmm_device *spmm,
					       u32 queue)
{
	return &spmm->interrupts->vectors[spmm_interrupt_vector(spmm, queue)];
}

void spmm_interrupt_listen(struct spmm_device *spmm, u32 queue,
			   struct spmm_interrupt_listener *listener)
{
	struct spmm_interrupt_vector *vector = vector_of(spmm, queue);

	spin_lock_irq(&vector->lock);
	list_add_tail(&listener->node, &vector->listeners);
	spin_unlock_irq(&vector->lock);
}

void spmm_interrupt_ignore(struct spmm_device *spmm, u32 queue,
			   struct spmm_interrupt_listener *listener)
{
	struct spmm_interrupt_vector *vector = vector_of(spmm, queue);

	spin_lock_irq(&vector->lock);
	list_del(&listener->node);
	spin_unlock_irq(&vector->lock);
}
