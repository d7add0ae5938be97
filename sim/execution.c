/* SPDX-License-Identifier: MIT */
#include <sim/access.h>
#include <sim/admin.h>
#include <sim/dma.h>
#include <sim/eltwise.h>
#include <sim/execution.h>
#include <sim/lower.h>
#include <sim/recurrent.h>
#include <sim/spmm.h>
#include <sim/flight.h>
#include <sim/semaphore.h>

int execution_read(struct sim_execution *execution, uint64_t address, void *to,
		   size_t length)
{
	uint64_t fault = 0;
	int status = access_read(execution->device, execution->context, address,
				 to, length, &fault);

	return status ? execution_fail(execution, status, fault) : 0;
}

int execution_write(struct sim_execution *execution, uint64_t address,
		    const void *from, size_t length)
{
	uint64_t fault = 0;
	int status = access_write(execution->device, execution->context,
				  address, from, length, &fault);

	return status ? execution_fail(execution, status, fault) : 0;
}

/*
 * A copy, made once: the host may change the descriptor at any time, and what was
 * checked must be what is executed.
 */
int execution_read_descriptor(struct sim_execution *execution, void *to,
			      size_t length)
{
	const struct spmm_sqe *entry = execution->entry;

	if (entry->length != length)
		return execution_fail(execution, SPMM_SC_INVALID_FIELD,
				      entry->length);
	if (entry->address & 7)
		return execution_fail(execution, SPMM_SC_DESCRIPTOR_ADDRESS,
				      entry->address);
	return execution_read(execution, entry->address, to, length);
}

int execution_checkpoint(struct sim_execution *execution)
{
	struct sim_device *device = execution->device;

	atomic_fetch_add(&device->progress[execution->queue->id], 1);
	/* A reset or disable forgets the queue: nothing is completed. */
	if (atomic_load(&device->request))
		return execution_fail(execution, SPMM_SC_CONTEXT_RESET, 0);
	admin_serve(device);
	if (execution->stop_status)
		return execution_fail(execution, execution->stop_status, 0);
	return execution->status;
}

static void dispatch(struct sim_execution *execution)
{
	switch (execution->entry->opcode) {
	case SPMM_IO_NOP:
	case SPMM_IO_FENCE: /* the engine's */
		return;
	case SPMM_IO_COPY:
		dma_copy(execution);
		return;
	case SPMM_IO_COPY_STRIDED:
		dma_copy_strided(execution);
		return;
	case SPMM_IO_SPMM:
		spmm_execute(execution);
		return;
	case SPMM_IO_ELTWISE:
		eltwise_execute(execution);
		return;
	case SPMM_IO_RECURRENT:
		if (execution->device->config.omitted & SPMM_OMITTED_RECURRENT)
			break;
		recurrent_execute(execution);
		return;
	case SPMM_IO_SEMAPHORE_WAIT:
		semaphore_wait(execution);
		return;
	case SPMM_IO_SEMAPHORE_SIGNAL:
		semaphore_signal(execution);
		return;
	case SPMM_IO_TIMESTAMP:
		timestamp_store(execution);
		return;
	}
	execution_fail(execution, SPMM_SC_INVALID_OPCODE, 0);
}

static uint8_t flags_of(uint8_t opcode, uint32_t omitted)
{
	bool copies = opcode == SPMM_IO_COPY || opcode == SPMM_IO_COPY_STRIDED;

	if (!copies || omitted & SPMM_OMITTED_STREAM)
		return SPMM_SQE_FENCE;
	return SPMM_SQE_FENCE | SPMM_SQE_STREAM;
}

static bool entry_valid(const struct spmm_sqe *entry, uint32_t omitted)
{
	uint8_t flags = flags_of(entry->opcode, omitted);

	return !(entry->flags & ~flags) && !entry->reserved && !entry->pad &&
	       !(entry->stats_address & 7);
}

int execution_run(struct sim_execution *execution)
{
	if (!entry_valid(execution->entry, execution->device->config.omitted)) {
		execution_fail(execution, SPMM_SC_INVALID_FIELD, 0);
		return execution->status;
	}
	dispatch(execution);
	/* One that waits has not happened yet. */
	if (!execution->status && !execution->waits && !execution->lowered)
		lower_begin(execution, ENGINE_NOBODY);
	if (execution->status)
		lower_drop(execution);
	return execution->status;
}
