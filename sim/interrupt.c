/* SPDX-License-Identifier: MIT */
#include <sim/interrupt.h>

void interrupt_raise(struct sim_device *device, unsigned int vector)
{
	bool masked = false;

	pthread_mutex_lock(&device->lock);
	if (vector < 64 && device->interrupt_mask >> vector & 1) {
		device->interrupt_pending |= 1ull << vector;
		masked = true;
	}
	pthread_mutex_unlock(&device->lock);
	if (!masked)
		device->host.interrupt(device->host.opaque, vector);
}

void interrupt_flush(struct sim_device *device)
{
	uint64_t ready;

	pthread_mutex_lock(&device->lock);
	ready = device->interrupt_pending & ~device->interrupt_mask;
	device->interrupt_pending &= ~ready;
	pthread_mutex_unlock(&device->lock);
	for (unsigned int vector = 0; ready; vector++, ready >>= 1)
		if (ready & 1)
			device->host.interrupt(device->host.opaque, vector);
}
