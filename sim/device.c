/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <core/checked.h>
#include <core/deadline.h>
#include <core/error.h>
#include <sim/admin.h>
#include <sim/control.h>
#include <sim/doorbell.h>
#include <sim/flight.h>
#include <sim/engine/link.h>
#include <sim/inject.h>
#include <sim/inject_hooks.h>
#include <sim/instance.h>
#include <sim/interrupt.h>
#include <sim/memory.h>
#include <sim/pause.h>
#include <sim/queue.h>
#include <sim/registers.h>
#include <sim/sram.h>
#include <sim/matrix.h>
#include <sim/tlb.h>

/* How often semaphores in memory are looked at. */
#define SEMAPHORE_POLL_NS 50000

static struct geometry geometry_of(const struct sim_config *config)
{
	return (struct geometry){
		.clusters = config->clusters,
		.lanes = config->lanes,
		.vector_width = config->vector_width,
		.banks = config->banks,
		.accumulators = config->accumulators,
		.decoder_rate = config->decoder_rate,
		.activation_buffer = config->activation_buffer,
		.schedule_window = config->schedule_window,
		.sram_port_bytes = config->sram_port_bytes,
		.epilogue_rate = config->epilogue_rate,
		.clock_hz = config->clock_hz,
		.memory_kind = config->memory_kind,
		.sram_bytes = config->sram_bytes,
		.memory_bytes = config->memory_bytes,
		.memory_bandwidth = sim_config_dram_bandwidth(config),
		.link_bandwidth = link_bandwidth(config),
	};
}

/*
 * Every doorbell and request counts. Who saw a count, looked for work and found
 * none may sleep while it is unchanged: no wake-up is lost between the two.
 */
static uint64_t kicks_read(struct sim_device *device)
{
	uint64_t kicks;

	pthread_mutex_lock(&device->lock);
	kicks = device->kicks;
	pthread_mutex_unlock(&device->lock);
	return kicks;
}

/* There is nothing to do, unless somebody kicked since; the lock is held. */
static void settle(struct sim_device *device, uint64_t seen)
{
	device->kicks_settled = seen;
	pthread_cond_broadcast(&device->done);
}

static void sleep_until_kicked(struct sim_device *device, uint64_t seen)
{
	pthread_mutex_lock(&device->lock);
	settle(device, seen);
	while (device->kicks == seen)
		pthread_cond_wait(&device->wake, &device->lock);
	pthread_mutex_unlock(&device->lock);
}

/*
 * Semaphores may be moved by the host's plain stores, which ring no bell. While
 * nothing else happens, device time follows the wall clock, so that a wait has
 * an end.
 */
static void sleep_and_poll(struct sim_device *device, uint64_t seen)
{
	uint64_t start = monotonic_ns(), ns;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SEMAPHORE_POLL_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&device->lock);
	while (device->kicks == seen)
		if (pthread_cond_timedwait(&device->wake, &device->lock,
					   &until))
			break;
	pthread_mutex_unlock(&device->lock);
	ns = monotonic_ns() - start;
	flights_wait(device, sim_config_cycles(&device->config, ns * 1000));
}

static void *device_thread(void *argument)
{
	struct sim_device *device = argument;

	for (;;) {
		uint64_t seen = kicks_read(device);
		enum queue_step step = QUEUE_IDLE;

		if (!control_serve(device))
			return NULL;
		inject_serve(device);
		interrupt_flush(device);
		if (pause_serve(device, seen))
			continue;
		/* Requests first after each step: a reset must not starve. */
		if (admin_serve(device))
			continue;
		if (device->enabled)
			step = queue_step(device);
		if (step == QUEUE_MOVED)
			continue;
		/* Nothing more is known that could overlap with them. */
		if (flights_retire(device))
			continue;
		if (step == QUEUE_WAITING || inject_waits_admin(device))
			sleep_and_poll(device, seen);
		else
			sleep_until_kicked(device, seen);
	}
}

/* The clock of the poll is the monotonic one: the wall's may be set. */
static int locks_create(struct sim_device *device)
{
	pthread_condattr_t attributes;
	int ret;

	ret = pthread_mutex_init(&device->lock, NULL);
	if (ret)
		return accel_error(-ret, "the simulator cannot make a lock");
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&device->wake, &attributes);
	pthread_cond_init(&device->done, &attributes);
	pthread_condattr_destroy(&attributes);
	return 0;
}

void device_free(struct sim_device *device)
{
	flights_forget(device);
	tlb_destroy(device);
	sram_destroy(device);
	matrix_cache_destroy(device);
	sim_memory_destroy(device);
	inject_destroy(device);
	pthread_cond_destroy(&device->wake);
	pthread_cond_destroy(&device->done);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

int device_allocate(const struct sim_config *config,
		    const struct sim_host *host,
		    const struct sim_options *options, struct sim_device **out)
{
	struct sim_device *device = calloc(1, sizeof(*device));
	int ret;

	*out = NULL;
	if (!device)
		return accel_error(-ENOMEM, "no memory for a simulated device");
	device->config = *config;
	device->host = *host;
	if (options)
		device->options = *options;
	device->geometry = geometry_of(config);
	ret = locks_create(device);
	if (ret) {
		free(device);
		return ret;
	}
	ret = sim_memory_create(device);
	if (!ret)
		ret = sram_create(device);
	if (!ret)
		ret = matrix_cache_create(device);
	if (!ret)
		ret = tlb_create(device);
	if (!ret)
		ret = flights_restart(device);
	if (!ret)
		ret = inject_create(device);
	if (ret) {
		device_free(device);
		return ret;
	}
	*out = device;
	return 0;
}

int device_start(struct sim_device *device)
{
	int ret = -pthread_create(&device->thread, NULL, device_thread, device);

	return ret ? accel_error(ret,
				 "the simulator cannot start its thread: %s",
				 strerror(-ret)) :
		     0;
}

int sim_device_create(const struct sim_config *config,
		      const struct sim_host *host,
		      const struct sim_options *options,
		      struct sim_device **out)
{
	int ret = device_allocate(config, host, options, out);

	if (ret)
		return ret;
	ret = device_start(*out);
	if (ret) {
		device_free(*out);
		*out = NULL;
	}
	return ret;
}

static void device_ask(struct sim_device *device, uint32_t request)
{
	atomic_fetch_or(&device->request, request);
	control_kick(device);
}

void sim_device_destroy(struct sim_device *device)
{
	if (!device)
		return;
	pthread_mutex_lock(&device->lock);
	device_ask(device, SIM_REQUEST_DESTROY);
	pthread_mutex_unlock(&device->lock);
	pthread_join(device->thread, NULL);
	device_free(device);
}

void sim_device_reset(struct sim_device *device)
{
	uint64_t wanted;

	pthread_mutex_lock(&device->lock);
	wanted = ++device->resets_asked;
	control_reset(device);
	while (device->resets_done < wanted)
		pthread_cond_wait(&device->done, &device->lock);
	inject_reset(device);
	pthread_mutex_unlock(&device->lock);
}

static struct timespec time_of(uint64_t deadline)
{
	return (struct timespec){
		.tv_sec = (time_t)(deadline / 1000000000),
		.tv_nsec = (long)(deadline % 1000000000),
	};
}

int sim_device_settle(struct sim_device *device, uint64_t deadline)
{
	struct timespec until = time_of(deadline);
	int ret = 0;

	pthread_mutex_lock(&device->lock);
	while (!ret && device->kicks_settled != device->kicks)
		ret = pthread_cond_timedwait(&device->done, &device->lock,
					     &until);
	pthread_mutex_unlock(&device->lock);
	if (ret)
		return accel_error(-EBUSY,
				   "the simulated device is still at work");
	return 0;
}

void *sim_device_memory(struct sim_device *device)
{
	return device->memory;
}

int sim_device_memory_file(struct sim_device *device)
{
	return device->memory_file;
}

/* The store comes before the kick: who is woken finds the new tail. */
static void doorbells_write(struct sim_device *device, uint64_t offset,
			    uint32_t value)
{
	uint64_t index = offset / device->config.doorbell_stride;
	uint64_t within = offset % device->config.doorbell_stride;

	if (index > device->config.queues)
		return;
	if (within == SPMM_DOORBELL_SQ_TAIL)
		doorbell_write(device, (uint32_t)index, value);
	if (within != SPMM_DOORBELL_CQ_HEAD)
		return;
	atomic_store(&device->doorbells[index].cq_head, value);
	pthread_mutex_lock(&device->lock);
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

static bool register_access_valid(uint64_t offset, size_t length)
{
	return (length == 4 || length == 8) && !(offset & (length - 1)) &&
	       checked_range(offset, length, SPMM_BAR_REGISTERS_SIZE);
}

/* MSI-X table and pending bits, plain storage: the bus plays their part. */
static bool msix_range_valid(uint64_t offset, size_t length)
{
	return checked_range(offset, length, SPMM_MSIX_VECTORS * 16);
}

void sim_device_bar_read(struct sim_device *device, unsigned int bar,
			 uint64_t offset, void *to, size_t length)
{
	uint64_t value = 0;

	if (sim_device_gone(device)) {
		memset(to, 0xff, length);
		return;
	}
	memset(to, 0, length);
	if (bar == SPMM_BAR_MEMORY) {
		if (checked_range(offset, length, device->config.memory_bytes))
			sim_memory_copy(to, device->memory + offset, length);
	} else if (bar == SPMM_BAR_MSIX) {
		pthread_mutex_lock(&device->lock);
		if (msix_range_valid(offset, length))
			memcpy(to, device->msix + offset, length);
		pthread_mutex_unlock(&device->lock);
	} else if (bar == SPMM_BAR_REGISTERS &&
		   register_access_valid(offset, length) &&
		   offset < SPMM_DOORBELL_BASE) {
		value = registers_read(device, (uint32_t)offset, length);
		memcpy(to, &value, length);
	}
}

void sim_device_bar_write(struct sim_device *device, unsigned int bar,
			  uint64_t offset, const void *from, size_t length)
{
	uint64_t value = 0;

	if (sim_device_gone(device))
		return;
	if (bar == SPMM_BAR_MEMORY) {
		if (checked_range(offset, length, device->config.memory_bytes))
			sim_memory_copy(device->memory + offset, from, length);
	} else if (bar == SPMM_BAR_MSIX) {
		pthread_mutex_lock(&device->lock);
		if (msix_range_valid(offset, length))
			memcpy(device->msix + offset, from, length);
		pthread_mutex_unlock(&device->lock);
	} else if (bar == SPMM_BAR_REGISTERS &&
		   register_access_valid(offset, length)) {
		memcpy(&value, from, length);
		if (offset < SPMM_DOORBELL_BASE)
			registers_write(device, (uint32_t)offset, value,
					length);
		else if (length == 4)
			doorbells_write(device, offset - SPMM_DOORBELL_BASE,
					(uint32_t)value);
	}
}
