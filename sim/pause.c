/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include <core/deadline.h>
#include <core/error.h>
#include <sim/checkpoint.h>
#include <sim/control.h>
#include <sim/flight.h>
#include <sim/pause.h>

/* For what a paused device still does: a reset, at the longest. */
#define HOLD_NS 10000000000ull

bool pause_serve(struct sim_device *device, uint64_t seen)
{
	bool paused;

	pthread_mutex_lock(&device->lock);
	paused = device->pauses || device->holds;
	pthread_mutex_unlock(&device->lock);
	if (paused)
		flights_settle(device);
	pthread_mutex_lock(&device->lock);
	if (paused) {
		device->parked = true;
		pthread_cond_broadcast(&device->done);
	}
	while (paused &&
	       (device->holds || (device->pauses && device->kicks == seen)))
		pthread_cond_wait(&device->wake, &device->lock);
	device->parked = false;
	pthread_mutex_unlock(&device->lock);
	return paused;
}

/* With the lock held; false: the time is over. */
static bool parked_wait(struct sim_device *device, uint64_t timeout_ns)
{
	uint64_t deadline = deadline_after(timeout_ns);
	const struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000000000),
		.tv_nsec = (long)(deadline % 1000000000),
	};

	while (!device->parked)
		if (pthread_cond_timedwait(&device->done, &device->lock,
					   &until))
			return device->parked;
	return true;
}

void pause_ask(struct sim_device *device)
{
	pthread_mutex_lock(&device->lock);
	device->pauses++;
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

int sim_device_pause(struct sim_device *device, uint64_t timeout_ns)
{
	bool parked;

	pthread_mutex_lock(&device->lock);
	device->pauses++;
	control_kick(device);
	parked = parked_wait(device, timeout_ns);
	if (!parked) {
		device->pauses--;
		control_kick(device);
	}
	pthread_mutex_unlock(&device->lock);
	return parked ? 0 :
			accel_error(-ETIMEDOUT,
				    "the simulated device executes an entry "
				    "that did not end in time; allow more");
}

void sim_device_resume(struct sim_device *device)
{
	pthread_mutex_lock(&device->lock);
	if (device->pauses)
		device->pauses--;
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

int pause_hold(struct sim_device *device)
{
	int ret = 0;

	pthread_mutex_lock(&device->lock);
	if (!device->pauses)
		ret = accel_error(-EBUSY,
				  "the simulated device runs; pause it before "
				  "it is saved");
	else if (!parked_wait(device, HOLD_NS))
		ret = accel_error(-ETIMEDOUT,
				  "the simulated device does not come to rest");
	else
		device->holds++;
	pthread_mutex_unlock(&device->lock);
	return ret;
}

void pause_release(struct sim_device *device)
{
	pthread_mutex_lock(&device->lock);
	device->holds--;
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}
