/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <unistd.h>

#include <sim/server/interrupts.h>

void interrupts_create(struct interrupts *interrupts)
{
	pthread_mutex_init(&interrupts->lock, NULL);
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		interrupts->descriptors[i] = -1;
}

static void descriptor_set(struct interrupts *interrupts, unsigned int vector,
			   int descriptor)
{
	int old;

	pthread_mutex_lock(&interrupts->lock);
	old = interrupts->descriptors[vector];
	interrupts->descriptors[vector] = descriptor;
	pthread_mutex_unlock(&interrupts->lock);
	if (old >= 0)
		close(old);
}

void interrupts_clear(struct interrupts *interrupts)
{
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		descriptor_set(interrupts, i, -1);
}

void interrupts_destroy(struct interrupts *interrupts)
{
	interrupts_clear(interrupts);
	pthread_mutex_destroy(&interrupts->lock);
}

void interrupts_raise(struct interrupts *interrupts, unsigned int vector)
{
	uint64_t one = 1;

	if (vector >= SPMM_MSIX_VECTORS)
		return;
	pthread_mutex_lock(&interrupts->lock);
	/* A counter that is full is as good as one more. */
	if (interrupts->descriptors[vector] >= 0 &&
	    write(interrupts->descriptors[vector], &one, sizeof(one)) < 0)
		(void)errno;
	pthread_mutex_unlock(&interrupts->lock);
}

/* With a descriptor for each vector of the range, or with none: they go. */
static int descriptors_set(struct interrupts *interrupts,
			   const struct vfio_irq_set *set,
			   struct message *message)
{
	if (message->descriptor_count &&
	    message->descriptor_count != set->count)
		return -EINVAL;
	for (unsigned int i = 0; i < set->count; i++) {
		int descriptor = -1;

		if (message->descriptor_count) {
			descriptor = message->descriptors[i];
			message->descriptors[i] = -1;
		}
		descriptor_set(interrupts, set->start + i, descriptor);
	}
	return 0;
}

/* A trigger by hand, as a client's test does it. */
static void range_raise(struct interrupts *interrupts,
			const struct vfio_irq_set *set, const uint8_t *wanted)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (!wanted || wanted[i])
			interrupts_raise(interrupts, set->start + i);
}

int interrupts_set(struct interrupts *interrupts, struct message *message)
{
	const uint8_t *data = message->payload + sizeof(struct vfio_irq_set);
	struct vfio_irq_set set;

	if (message->length < sizeof(set))
		return -EINVAL;
	memcpy(&set, message->payload, sizeof(set));
	/* Neither INTx nor MSI exist; QEMU turns them off all the same. */
	if (set.index != VFIO_PCI_MSIX_IRQ_INDEX)
		return set.index < VFIO_PCI_NUM_IRQS && !set.count ? 0 :
								     -EINVAL;
	if (set.start > SPMM_MSIX_VECTORS ||
	    set.count > SPMM_MSIX_VECTORS - set.start)
		return -EINVAL;
	/* Masking is the client's: it emulates the table. */
	if (!(set.flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;
	switch (set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return descriptors_set(interrupts, &set, message);
	case VFIO_IRQ_SET_DATA_BOOL:
		if (message->length - sizeof(set) < set.count)
			return -EINVAL;
		range_raise(interrupts, &set, data);
		return 0;
	case VFIO_IRQ_SET_DATA_NONE:
		if (set.count)
			range_raise(interrupts, &set, NULL);
		else
			interrupts_clear(interrupts);
		return 0;
	}
	return -EINVAL;
}
