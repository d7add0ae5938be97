/* SPDX-License-Identifier: MIT */
#include <sim/deadline.h>

uint64_t deadline_cycles(const struct sim_device *device,
			 const struct spmm_sqe *entry)
{
	uint64_t most = (uint64_t)device->config.job_timeout_seconds *
			device->config.clock_hz;

	if (entry->deadline_cycles && entry->deadline_cycles < most)
		return entry->deadline_cycles;
	return most;
}

bool deadline_hopeless(const struct sim_execution *execution, uint64_t cycles)
{
	const struct sim_device *device = execution->device;

	return cycles > deadline_cycles(device, execution->entry) ||
	       cycles > deadline_cycles(device, &execution->queue->current);
}

bool deadline_passed(const struct sim_execution *execution)
{
	const struct sim_device *device = execution->device;

	return deadline_hopeless(execution, atomic_load(&device->cycles) -
						    execution->queue->started +
						    1);
}
