/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/counters.h>
#include <sim/fault.h>
#include <sim/interrupt.h>

static void fault_log(struct sim_device *device,
		      const struct spmm_fault_record *record)
{
	/* The oldest is dropped; the cause of a flood is at its beginning only
	 * for a host that does not read the log when told to.
	 */
	if (device->fault_count == SIM_FAULT_LOG_ENTRIES) {
		memmove(device->faults, device->faults + 1,
			sizeof(device->faults) - sizeof(device->faults[0]));
		device->fault_count--;
	}
	device->faults[device->fault_count++] = *record;
}

void fault_raise(struct sim_device *device, const struct sim_sq *queue,
		 const struct sim_completion *completion)
{
	struct spmm_fault_record record = {
		.cycle = atomic_load(&device->cycles),
		.address = completion->result,
		.status = (uint16_t)completion->status,
		.context = queue->context,
		.queue = queue->id,
		.id = completion->id,
		.list_index = completion->list_index,
	};

	fault_log(device, &record);
	device->contexts[queue->context].dead = true;
	counters_add(device, queue->context, SPMM_COUNTER_FAULTS, 1);
	interrupt_raise(device, 0);
}

uint32_t fault_take(struct sim_device *device, uint16_t context,
		    struct spmm_fault_record *out, uint32_t count)
{
	uint32_t taken = 0, kept = 0;

	for (uint32_t i = 0; i < device->fault_count; i++) {
		const struct spmm_fault_record *record = &device->faults[i];
		bool wanted = !context || record->context == context;

		if (wanted && taken < count)
			out[taken++] = *record;
		else
			device->faults[kept++] = *record;
	}
	device->fault_count = kept;
	return taken;
}
