/* SPDX-License-Identifier: MIT */
#include <sim/deadline.h>
#include <sim/lower_copy.h>
#include <sim/mmu.h>
#include <sim/flight.h>
#include <sim/semaphore.h>

/* A word is read and written whole only when it is aligned. */
static bool word_aligned(struct sim_execution *execution)
{
	if (!(execution->entry->address & 7))
		return true;
	execution_fail(execution, SPMM_SC_DESCRIPTOR_ADDRESS,
		       execution->entry->address);
	return false;
}

/* Contexts may share a word at different virtual addresses. */
static bool word_find(struct sim_device *device, uint16_t context,
		      uint64_t address, struct sim_signal *out)
{
	struct sim_translation page;

	if (mmu_translate(device, context, address, SIM_READ, &page))
		return false;
	*out = (struct sim_signal){
		.address = page.address | (address & (SPMM_PAGE_SIZE - 1)),
		.device = page.device,
	};
	return true;
}

/* The latest signal to the word is as good as the one that was enough. */
static void signal_follow(struct sim_execution *execution)
{
	struct sim_device *device = execution->device;
	struct sim_signal word;

	if (!word_find(device, execution->context, execution->entry->address,
		       &word))
		return;
	for (uint32_t i = 0; i < SIM_SIGNALS; i++) {
		const struct sim_signal *signal = &device->signals[i];

		if (signal->address == word.address &&
		    signal->device == word.device &&
		    signal->sequence > execution->queue->semaphore)
			execution->queue->semaphore = signal->sequence;
	}
}

void semaphore_wait(struct sim_execution *execution)
{
	struct sim_sq *queue = execution->queue;
	uint64_t value = 0;

	if (!word_aligned(execution) ||
	    execution_read(execution, execution->entry->address, &value, 8))
		return;
	execution->waits = value < execution->entry->value;
	if (!execution->waits) {
		signal_follow(execution);
		return;
	}
	/* What came before it has had its time when the wait begins. */
	if (!queue->waiting && queue->current.opcode != SPMM_IO_LIST) {
		flights_retire(execution->device);
		queue->started = atomic_load(&execution->device->cycles);
	}
	/* Time passes while a queue waits: see sleep_and_poll() in device.c. */
	if (deadline_passed(execution))
		execution_fail(execution, SPMM_SC_TIMEOUT, value);
}

static void word_store(struct sim_execution *execution, uint64_t value)
{
	if (word_aligned(execution) &&
	    !execution_write(execution, execution->entry->address, &value, 8))
		lower_word(execution);
}

void semaphore_signal(struct sim_execution *execution)
{
	word_store(execution, execution->entry->value);
}

/* Device time is known when all earlier commands have had theirs. */
void timestamp_store(struct sim_execution *execution)
{
	flights_retire(execution->device);
	word_store(execution, atomic_load(&execution->device->cycles));
}

void semaphore_signalled(struct sim_device *device, uint16_t context,
			 uint64_t address, uint64_t sequence)
{
	struct sim_signal *slot = &device->signals[device->next_signal];

	if (!word_find(device, context, address, slot))
		return;
	slot->sequence = sequence;
	device->next_signal = (device->next_signal + 1) % SIM_SIGNALS;
}
