/* SPDX-License-Identifier: MIT */
#include "driver/admin.h"

#include <endian.h>
#include <errno.h>
#include <spmm/page_table.h>
#include <spmm/registers.h>
#include <string.h>
#include <time.h>

#include "core/deadline.h"
#include "core/error.h"
#include "driver/registers.h"
#include "driver/status.h"
#include "transport/transport.h"

#define ENTRIES 32
#define CQ_OFFSET SPMM_PAGE_SIZE

/* A command may have to wait for work to stop at a tile boundary. */
#define TIMEOUT_NS 10000000000ull
#define SPIN_NS 50000
#define PAUSE_NS 20000

_Static_assert(ENTRIES * sizeof(struct spmm_admin_sqe) <= CQ_OFFSET,
	       "the submission ring fits a page");

int admin_create(struct transport *transport, struct admin_queue *admin)
{
	memset(admin, 0, sizeof(*admin));
	admin->transport = transport;
	pthread_mutex_init(&admin->lock, NULL);
	return dma_allocate(transport, CQ_OFFSET + SPMM_PAGE_SIZE,
			    &admin->memory);
}

void admin_destroy(struct admin_queue *admin)
{
	dma_release(admin->transport, &admin->memory);
	pthread_mutex_destroy(&admin->lock);
}

void admin_attach(struct admin_queue *admin, uint32_t most)
{
	const struct transport_operations *operations =
		admin->transport->operations;
	uint64_t bus = admin->memory.bus;
	uint32_t entries = ENTRIES;

	/* A ring's counters wrap at a power of two. */
	while (entries > most && entries > 2)
		entries /= 2;

	memset(admin->memory.address, 0, admin->memory.length);
	admin->sq = (struct ring){ .entries = entries };
	admin->cq = (struct ring){ .entries = entries };
	admin->dead = false;
	operations->write32(admin->transport, SPMM_REG_ADMIN_QUEUE_SIZE,
			    (entries - 1) | (entries - 1) << 16);
	operations->write64(admin->transport, SPMM_REG_ADMIN_SQ_ADDRESS, bus);
	operations->write64(admin->transport, SPMM_REG_ADMIN_CQ_ADDRESS,
			    bus + CQ_OFFSET);
}

static void submit(struct admin_queue *admin,
		   const struct spmm_admin_sqe *command, uint16_t id)
{
	struct spmm_admin_sqe *ring = admin->memory.address;
	struct spmm_admin_sqe entry = *command;

	entry.id = htole16(id);
	ring[ring_index(&admin->sq, admin->sq.tail)] = entry;
	admin->sq.tail++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	admin->transport->operations->write32(
		admin->transport, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL,
		ring_index(&admin->sq, admin->sq.tail));
}

/* The next completion if it is there. */
static bool complete(struct admin_queue *admin, struct spmm_cqe *out)
{
	const struct spmm_cqe *ring =
		(const void *)((const char *)admin->memory.address + CQ_OFFSET);
	const struct spmm_cqe *entry =
		&ring[ring_index(&admin->cq, admin->cq.head)];

	if (!ring_is_complete(&admin->cq, admin->cq.head, entry))
		return false;
	*out = *entry;
	admin->cq.head++;
	admin->transport->operations->write32(
		admin->transport, SPMM_DOORBELL_BASE + SPMM_DOORBELL_CQ_HEAD,
		ring_index(&admin->cq, admin->cq.head));
	return true;
}

static int wrong(unsigned int opcode)
{
	return accel_error(
		-EIO,
		"admin command 0x%02x: the completion is of another command; reset the device",
		opcode);
}

static int not_completed(unsigned int opcode)
{
	return accel_error(
		-ETIMEDOUT,
		"admin command 0x%02x did not complete; reset the device",
		opcode);
}

/* Nothing else is outstanding: after one that was given up on there is no other. */
static int wait_for(struct admin_queue *admin, uint16_t id, unsigned int opcode,
		    struct spmm_cqe *out)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t deadline = deadline_after(TIMEOUT_NS);
	uint64_t spin = deadline_after(SPIN_NS);

	for (;;) {
		int ret;

		if (complete(admin, out))
			return ring_is_oldest(&admin->sq, id, out) && !out->sq ?
				       0 :
				       wrong(opcode);
		if (!deadline_expired(spin))
			continue;
		ret = registers_check_alive(admin->transport);
		if (ret)
			return ret;
		if (deadline_expired(deadline))
			return not_completed(opcode);
		nanosleep(&pause, NULL);
	}
}

/* A device that is gone is not to be reset. */
static int dead(struct admin_queue *admin)
{
	int ret = registers_check_alive(admin->transport);

	if (ret == -ENODEV)
		return ret;
	return accel_error(
		-EIO, "the device's admin queue is dead; reset the device");
}

bool admin_is_dead(struct admin_queue *admin)
{
	bool dead;

	pthread_mutex_lock(&admin->lock);
	dead = admin->dead;
	pthread_mutex_unlock(&admin->lock);
	return dead;
}

int admin_execute(struct admin_queue *admin,
		  const struct spmm_admin_sqe *command, uint64_t *result)
{
	struct spmm_cqe completion;
	unsigned int status;
	uint16_t id;
	int ret;

	pthread_mutex_lock(&admin->lock);
	if (admin->dead) {
		pthread_mutex_unlock(&admin->lock);
		return dead(admin);
	}
	id = (uint16_t)admin->sq.tail;
	submit(admin, command, id);
	ret = wait_for(admin, id, command->opcode, &completion);
	admin->sq.head = admin->sq.tail;
	admin->dead = ret;
	pthread_mutex_unlock(&admin->lock);
	if (ret)
		return ret;
	status = le16toh(completion.status) >> 1;
	if (result)
		*result = le64toh(completion.result);
	if (status)
		return accel_error(status_errno(status),
				   "admin command 0x%02x: %s (0x%02x)",
				   command->opcode, status_text(status),
				   status);
	return 0;
}
