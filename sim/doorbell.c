/* SPDX-License-Identifier: MIT */
#include <sim/control.h>
#include <sim/doorbell.h>

/* The latest doorbells of a log that is full count as one. */
static void tail_append(struct sim_doorbell_log *log, uint32_t tail)
{
	if (log->count < SIM_DOORBELL_LOG)
		log->count++;
	log->tails[(log->first + log->count - 1) % SIM_DOORBELL_LOG] = tail;
}

static uint32_t tail_take(struct sim_doorbell_log *log)
{
	uint32_t tail = log->tails[log->first];

	log->first = (log->first + 1) % SIM_DOORBELL_LOG;
	log->count--;
	return tail;
}

void doorbell_write(struct sim_device *device, uint32_t queue, uint32_t tail)
{
	pthread_mutex_lock(&device->lock);
	/* Admin commands take no device time. */
	if (queue)
		tail_append(&device->doorbell_logs[queue], tail);
	else
		atomic_store(&device->doorbells[0].sq_tail, tail);
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

bool doorbell_next(struct sim_device *device, struct sim_sq *queue)
{
	struct sim_doorbell_log *log = &device->doorbell_logs[queue->id];
	_Atomic uint32_t *tail = &device->doorbells[queue->id].sq_tail;

	pthread_mutex_lock(&device->lock);
	while (log->count && atomic_load(tail) == queue->head)
		atomic_store(tail, tail_take(log));
	pthread_mutex_unlock(&device->lock);
	if (atomic_load(tail) == queue->head)
		return false;
	queue->announced = true;
	queue->block_left = 0;
	return true;
}

bool doorbell_waits(struct sim_device *device, const struct sim_sq *queue)
{
	bool waits;

	pthread_mutex_lock(&device->lock);
	waits = device->doorbell_logs[queue->id].count;
	pthread_mutex_unlock(&device->lock);
	return waits;
}

void doorbell_all(struct sim_device *device, struct sim_sq *queue)
{
	struct sim_doorbell_log *log = &device->doorbell_logs[queue->id];

	pthread_mutex_lock(&device->lock);
	while (log->count)
		atomic_store(&device->doorbells[queue->id].sq_tail,
			     tail_take(log));
	pthread_mutex_unlock(&device->lock);
}

void doorbell_clear(struct sim_device *device, uint32_t queue)
{
	pthread_mutex_lock(&device->lock);
	device->doorbell_logs[queue].count = 0;
	atomic_store(&device->doorbells[queue].sq_tail, 0);
	pthread_mutex_unlock(&device->lock);
}
