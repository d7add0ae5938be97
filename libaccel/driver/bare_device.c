/* SPDX-License-Identifier: MIT */
#include "driver/bare.h"

#include <linux/types.h>
#include <spmm/page_table.h>
#include <spmm/registers.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "core/deadline.h"
#include "core/error.h"
#include "driver/memory.h"
#include "driver/page_table.h"
#include "transport/transport.h"

/* Address 0 stays unmapped, and so do its neighbours. */
#define FIRST_ADDRESS SPMM_LARGE_PAGE_SIZE
#define LAST_ADDRESS (1ull << SPMM_VIRTUAL_ADDRESS_BITS)

static int enable(struct bare_device *device)
{
	struct transport *transport = device->transport;
	uint64_t deadline =
		deadline_after(device->base.capabilities.ready_timeout_ns);
	int ret = registers_wait_status(transport, UINT32_MAX, 0, deadline);

	if (ret)
		return ret;
	admin_attach(&device->admin, device->base.capabilities.queue_entries);
	transport->operations->write32(transport, SPMM_REG_CONTROL,
				       SPMM_CONTROL_ENABLE);
	return registers_wait_status(transport,
				     SPMM_STATUS_READY | SPMM_STATUS_BUSY,
				     SPMM_STATUS_READY, deadline);
}

/* Whatever a former owner left running. */
static int disable(struct bare_device *device)
{
	struct transport *transport = device->transport;
	uint64_t deadline =
		deadline_after(device->base.capabilities.ready_timeout_ns);

	transport->operations->write32(transport, SPMM_REG_RESET,
				       SPMM_RESET_MAGIC);
	return registers_wait_status(transport, UINT32_MAX, 0, deadline);
}

static unsigned int queue_limit(const struct capabilities *capabilities)
{
	unsigned int limit = capabilities->queues;

	/* Each queue has a context; number 0 is the untranslated one. */
	if (limit >= capabilities->contexts)
		limit = capabilities->contexts ? capabilities->contexts - 1 : 0;
	return limit < 64 ? limit : 64;
}

/* Commands have one queue, the bytes that they need another. */
static int queues_limit(struct bare_device *device)
{
	struct capabilities *capabilities = &device->base.capabilities;
	unsigned int limit = queue_limit(capabilities);

	if (limit >= 2) {
		capabilities->queues = limit;
		return 0;
	}
	return accel_error(
		-EINVAL,
		"the device has %u queues and %u contexts; needed are 2 queues, and a context for each beside context 0 (queues and contexts in the configuration of a simulated one)",
		capabilities->queues, capabilities->contexts);
}

/* Each queue has an interrupt of its own, beside the admin queue's. */
static void vectors_share(struct bare_device *device)
{
	struct capabilities *capabilities = &device->base.capabilities;
	unsigned int vectors = device->transport->vectors;

	if (vectors && capabilities->queues > vectors - 1)
		capabilities->queues = vectors - 1;
}

static int bring_up(struct bare_device *device)
{
	struct transport *transport = device->transport;
	int ret = registers_read_capabilities(transport,
					      &device->base.capabilities);

	vectors_share(device);
	if (!ret)
		ret = queues_limit(device);
	if (!ret)
		ret = registers_read_geometry(transport,
					      &device->base.geometry);
	if (!ret)
		ret = admin_create(transport, &device->admin);
	if (!ret)
		ret = disable(device);
	if (!ret)
		ret = enable(device);
	return ret;
}

static int address_space_create(struct bare_device *device)
{
	int ret = page_table_create(device->transport, &device->tables);

	if (!ret)
		ret = range_set_create(&device->addresses, FIRST_ADDRESS,
				       LAST_ADDRESS - FIRST_ADDRESS);
	if (!ret)
		ret = range_set_create(&device->memory, 0,
				       device->base.geometry.memory_bytes);
	return ret;
}

int bare_queue_number_take(struct bare_device *device)
{
	unsigned int limit = device->base.capabilities.queues;
	int number = 0;

	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < limit && !number; i++)
		if (!(device->queues & 1ull << i))
			number = (int)i + 1;
	if (number)
		device->queues |= 1ull << (number - 1);
	pthread_mutex_unlock(&device->lock);
	if (number)
		return number;
	return accel_error(
		-EBUSY, "all %u queues of the device are in use; destroy one",
		limit);
}

void bare_queue_number_give(struct bare_device *device, unsigned int number)
{
	pthread_mutex_lock(&device->lock);
	device->queues &= ~(1ull << (number - 1));
	device->watched &= ~(1ull << (number - 1));
	pthread_mutex_unlock(&device->lock);
}

int bare_queue_number_watch(struct bare_device *device, unsigned int number)
{
	struct transport *transport = device->transport;
	int event;

	pthread_mutex_lock(&device->lock);
	event = transport->operations->interrupt_fd(transport, number);
	if (event >= 0)
		device->watched |= 1ull << (number - 1);
	pthread_mutex_unlock(&device->lock);
	return event;
}

/* What they wait for will not come: they find out when they look. The lock is held. */
static void watchers_wake(struct bare_device *device)
{
	struct transport *transport = device->transport;

	for (unsigned int i = 0; i < 64; i++) {
		int event;

		if (!(device->watched & 1ull << i))
			continue;
		event = transport->operations->interrupt_fd(transport, i + 1);
		if (event >= 0)
			eventfd_write(event, 1);
	}
}

static uint16_t bare_labels_take(struct driver_device *base, uint32_t count)
{
	struct bare_device *device = bare_device(base);
	uint32_t first = 0;

	if (!device->transport->operations->name_command)
		return 0;
	pthread_mutex_lock(&device->lock);
	if (count <= UINT16_MAX - device->labels) {
		first = device->labels + 1;
		device->labels += count;
	}
	pthread_mutex_unlock(&device->lock);
	return (uint16_t)first;
}

static int bare_label_name(struct driver_device *device, uint16_t label,
			   const char *name)
{
	struct transport *transport = bare_device(device)->transport;

	return transport->operations->name_command(transport, label, name);
}

static int bare_end_trace(struct driver_device *device, uint64_t deadline)
{
	struct transport *transport = bare_device(device)->transport;

	if (!transport->operations->end_trace)
		return 0;
	return transport->operations->end_trace(transport, deadline);
}

static void bare_device_destroy(struct driver_device *base)
{
	struct bare_device *device = bare_device(base);

	/* The device must not touch memory that is about to be freed. */
	if (device->admin.memory.address)
		disable(device);
	page_table_destroy(device->tables);
	range_set_destroy(&device->addresses);
	range_set_destroy(&device->memory);
	if (device->admin.transport)
		admin_destroy(&device->admin);
	pthread_mutex_destroy(&device->lock);
	device->transport->operations->close(device->transport);
	free(device);
}

static int bare_device_reset(struct driver_device *base)
{
	struct bare_device *device = bare_device(base);
	int ret;

	pthread_mutex_lock(&device->lock);
	atomic_fetch_add(&base->generation, 1);
	ret = transport_check(device->transport);
	if (!ret)
		ret = disable(device);
	/* One that is gone may have come back: the transport knows how to see. */
	if (ret == -ETIMEDOUT || ret == -ENODEV || ret == -EIO) {
		ret = device->transport->operations->reset(device->transport);
		if (ret)
			accel_error_prefix(ret, "the device cannot be reset");
	}
	if (!ret)
		ret = enable(device);
	watchers_wake(device);
	pthread_mutex_unlock(&device->lock);
	return ret;
}

static const struct driver_operations bare_operations = {
	.destroy = bare_device_destroy,
	.reset = bare_device_reset,
	.memory_allocate = bare_memory_allocate,
	.memory_import = bare_memory_import,
	.memory_release = bare_memory_release,
	.memory_used = bare_memory_used,
	.queue_create = bare_queue_create,
	.queue_destroy = bare_queue_destroy,
	.queue_recover = bare_queue_recover,
	.queue_abort = bare_queue_abort,
	.queue_sleep = bare_queue_sleep,
	.queue_event = bare_queue_event,
	.queue_ring = bare_queue_ring,
	.queue_report = bare_queue_report,
	.queue_check = bare_queue_check,
	.fault_find = bare_fault_find,
	.labels_take = bare_labels_take,
	.label_name = bare_label_name,
	.end_trace = bare_end_trace,
};

int bare_device_create(struct transport *transport, uint64_t stall_timeout_ns,
		       struct driver_device **out)
{
	struct bare_device *device = calloc(1, sizeof(*device));
	int ret;

	if (!device) {
		transport->operations->close(transport);
		return accel_error(-ENOMEM, "out of memory");
	}
	device->base.operations = &bare_operations;
	device->base.stall_timeout_ns = stall_timeout_ns;
	device->transport = transport;
	pthread_mutex_init(&device->lock, NULL);
	ret = bring_up(device);
	if (!ret)
		ret = address_space_create(device);
	if (ret) {
		bare_device_destroy(&device->base);
		return ret;
	}
	*out = &device->base;
	return 0;
}
