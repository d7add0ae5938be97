/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/control.h>
#include <sim/doorbell.h>
#include <sim/flight.h>
#include <sim/inject.h>
#include <sim/memory.h>
#include <sim/registers.h>
#include <sim/sram.h>

void control_kick(struct sim_device *device)
{
	device->kicks++;
	pthread_cond_signal(&device->wake);
}

static void control_ask(struct sim_device *device, uint32_t request)
{
	/*
	 * BUSY first: whoever sees it clear again knows that all is done, and
	 * READY stays until the device has really stopped.
	 */
	atomic_fetch_or(&device->status, SPMM_STATUS_BUSY);
	atomic_fetch_or(&device->request, request);
	control_kick(device);
}

void control_set(struct sim_device *device, uint32_t value)
{
	bool was = device->control & SPMM_CONTROL_ENABLE;
	bool is = value & SPMM_CONTROL_ENABLE;

	device->control = value & SPMM_CONTROL_ENABLE;
	if (was && !is)
		control_ask(device, SIM_REQUEST_DISABLE);
	else if (is && !was)
		control_ask(device, SIM_REQUEST_ENABLE);
}

void control_reset(struct sim_device *device)
{
	registers_clear(device);
	control_ask(device, SIM_REQUEST_RESET);
}

/* Queues, contexts, translations: all that ENABLE's clearing forgets. */
static void device_forget(struct sim_device *device)
{
	device->enabled = false;
	flights_drop(device);
	memset(device->contexts, 0, sizeof(device->contexts));
	memset(device->cqs, 0, sizeof(device->cqs));
	memset(device->sqs, 0, sizeof(device->sqs));
	memset(device->tlb, 0, sizeof(device->tlb));
	device->fault_count = 0;
	device->next_queue = 0;
	for (unsigned int i = 0; i < SIM_QUEUES; i++) {
		doorbell_clear(device, i);
		atomic_store(&device->doorbells[i].cq_head, 0);
	}
}

/* What only a reset forgets; registers were cleared when it was asked for. */
static void device_clear(struct sim_device *device)
{
	for (unsigned int i = 0; i < SIM_QUEUES; i++)
		atomic_store(&device->progress[i], 0);
	sim_memory_clear(device);
	/* Who has mapped it asks nobody whether the device is there. */
	if (sim_device_gone(device)) {
		sim_memory_hide(device);
		if (!sim_device_gone(device))
			sim_memory_clear(device);
	}
	sram_clear(device);
	flights_restart(device);
}

static bool ring_valid(const struct sim_device *device, uint64_t address,
		       uint32_t entries)
{
	return entries >= 2 && entries <= device->config.queue_entries &&
	       !(address & (SPMM_PAGE_SIZE - 1));
}

/* The admin queue, from the registers; false if they make no sense. */
static bool device_enable(struct sim_device *device)
{
	uint64_t sq_address, cq_address;
	uint32_t sq_entries, cq_entries;

	pthread_mutex_lock(&device->lock);
	sq_address = device->admin_sq_address;
	cq_address = device->admin_cq_address;
	sq_entries = (device->admin_size & 0xffff) + 1;
	cq_entries = (device->admin_size >> 16) + 1;
	pthread_mutex_unlock(&device->lock);
	if (!device->engine || !ring_valid(device, sq_address, sq_entries) ||
	    !ring_valid(device, cq_address, cq_entries))
		return false;
	device->contexts[0].exists = true;
	device->cqs[0] = (struct sim_cq){ .valid = true,
					  .phase = true,
					  .entries = cq_entries,
					  .users = 1,
					  .address = cq_address };
	device->sqs[0] = (struct sim_sq){ .valid = true,
					  .entries = sq_entries,
					  .address = sq_address };
	device->enabled = true;
	return true;
}

static uint32_t requests_carry_out(struct sim_device *device, uint32_t request,
				   bool enable)
{
	uint32_t status = atomic_load(&device->status) & SPMM_STATUS_FATAL;

	if (request & (SIM_REQUEST_RESET | SIM_REQUEST_DISABLE))
		device_forget(device);
	if (request & SIM_REQUEST_RESET) {
		device_clear(device);
		status = 0;
	}
	/* Nothing but a reset clears FATAL, and starts a device that has it. */
	if (enable && !device->enabled && !status && !device_enable(device))
		status |= SPMM_STATUS_FATAL;
	/* A new one could not be had: only another reset can help. */
	if (!device->engine)
		status |= SPMM_STATUS_FATAL;
	if (device->enabled)
		status |= SPMM_STATUS_READY;
	return status;
}

bool control_serve(struct sim_device *device)
{
	uint32_t request, status;
	uint64_t asked;
	bool enable;

	if (!atomic_load(&device->request))
		return true;
	pthread_mutex_lock(&device->lock);
	request = atomic_exchange(&device->request, 0);
	asked = device->resets_asked;
	enable = device->control & SPMM_CONTROL_ENABLE;
	pthread_mutex_unlock(&device->lock);
	if (request & SIM_REQUEST_DESTROY)
		return false;
	status = requests_carry_out(device, request, enable);
	pthread_mutex_lock(&device->lock);
	if (atomic_load(&device->request))
		status |= SPMM_STATUS_BUSY;
	atomic_store(&device->status, status);
	device->resets_done = asked;
	pthread_cond_broadcast(&device->done);
	pthread_mutex_unlock(&device->lock);
	return true;
}
