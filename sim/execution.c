/* SPDX-License-Identifier: MIT */
#include <sim/access.h>
#include <sim/admin.h>
#include <sim/dma.h>
#include <sim/eltwise.h>
#include <sim/execution.h>
#include <sim/recurrent.h>
#include <sim/spmm.h>
#include <sim/timing.h>
#include <sim/traffic.h>

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

/* A word is read and written whole only when it is aligned. */
static bool word_aligned(struct sim_execution *execution)
{
	if (!(execution->entry->address & 7))
		return true;
	execution_fail(execution, SPMM_SC_DESCRIPTOR_ADDRESS,
		       execution->entry->address);
	return false;
}

static void semaphore_wait(struct sim_execution *execution)
{
	uint64_t value = 0;

	if (!word_aligned(execution) ||
	    execution_read(execution, execution->entry->address, &value, 8))
		return;
	execution->waits = value < execution->entry->value;
	/* Time passes while a queue waits: see sleep_and_poll() in device.c. */
	if (execution->waits && timing_hopeless(execution, 1))
		execution_fail(execution, SPMM_SC_TIMEOUT, value);
}

static void word_write(struct sim_execution *execution, uint64_t value)
{
	if (!word_aligned(execution))
		return;
	execution_write(execution, execution->entry->address, &value, 8);
	traffic_write(execution, execution->entry->address, 8, SPMM_HINT_KEEP);
}

static void dispatch(struct sim_execution *execution)
{
	switch (execution->entry->opcode) {
	case SPMM_IO_NOP:
	case SPMM_IO_FENCE: /* a queue executes in order */
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
		recurrent_execute(execution);
		return;
	case SPMM_IO_SEMAPHORE_WAIT:
		semaphore_wait(execution);
		return;
	case SPMM_IO_SEMAPHORE_SIGNAL:
		word_write(execution, execution->entry->value);
		return;
	case SPMM_IO_TIMESTAMP:
		word_write(execution, atomic_load(&execution->device->cycles));
		return;
	}
	execution_fail(execution, SPMM_SC_INVALID_OPCODE, 0);
}

static uint8_t flags_of(uint8_t opcode)
{
	bool copies = opcode == SPMM_IO_COPY || opcode == SPMM_IO_COPY_STRIDED;

	return copies ? SPMM_SQE_FENCE | SPMM_SQE_STREAM : SPMM_SQE_FENCE;
}

static bool entry_valid(const struct spmm_sqe *entry)
{
	return !(entry->flags & ~flags_of(entry->opcode)) && !entry->reserved &&
	       !entry->pad && !(entry->stats_address & 7);
}

int execution_run(struct sim_execution *execution)
{
	if (!entry_valid(execution->entry)) {
		execution_fail(execution, SPMM_SC_INVALID_FIELD, 0);
		return execution->status;
	}
	dispatch(execution);
	/* One that waits has not happened yet: it takes no device time. */
	if (!execution->status && !execution->waits)
		timing_finish(execution);
	return execution->status;
}
