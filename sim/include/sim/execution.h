/* SPDX-License-Identifier: MIT */
/* One command in execution, and what it costs. */
#ifndef SIM_EXECUTION_H
#define SIM_EXECUTION_H

#include <sim/state.h>

struct lowering;

/**
 * struct sim_work - what a command amounts to, for its statistics
 * @compute_cycles: of the busiest cluster, had memory been infinitely fast
 * @macs: useful ones
 * @slot_macs: that the issued slots could have done
 * @nonzeros: kept positions
 * @sram_bytes: between SRAM and clusters
 * @dram_read_bytes: counted by traffic.c, as all the following
 * @dram_write_bytes: evictions and streamed stores
 * @pcie_read_bytes: operands in host memory
 * @pcie_write_bytes: likewise
 * @hit_bytes: operands read that were on chip
 * @kept_bytes: results written that were left there
 * @evicted_bytes: dirty lines that made room
 * @compulsory_bytes: of the hard roof; 0 for commands without one
 */
struct sim_work {
	uint64_t compute_cycles;
	uint64_t macs;
	uint64_t slot_macs;
	uint64_t nonzeros;
	uint64_t sram_bytes;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint64_t pcie_read_bytes;
	uint64_t pcie_write_bytes;
	uint64_t hit_bytes;
	uint64_t kept_bytes;
	uint64_t evicted_bytes;
	uint64_t compulsory_bytes;
};

/**
 * struct sim_execution - the command that runs
 * @status: why it failed, enum spmm_status
 * @result: of the completion: for a failure, the offending address or index
 * @stop_status: set by an admin command that wants it to end at a tile
 * @waits: a semaphore has not come yet
 * @lowered: what it becomes in the engine
 */
struct sim_execution {
	struct sim_device *device;
	struct sim_sq *queue;
	const struct spmm_sqe *entry;
	uint16_t context;
	int status;
	int stop_status;
	uint64_t result;
	bool waits;
	struct sim_work work;
	struct lowering *lowered;
};

/* Fails the command, once; returns the status for convenience. */
static inline int execution_fail(struct sim_execution *execution, int status,
				 uint64_t result)
{
	if (!execution->status) {
		execution->status = status;
		execution->result = result;
	}
	return execution->status;
}

/* Reads and writes of the command's memory; a failure fails the command. */
int execution_read(struct sim_execution *execution, uint64_t address, void *to,
		   size_t length);
int execution_write(struct sim_execution *execution, uint64_t address,
		    const void *from, size_t length);

/* The descriptor that the entry names; its length must be the structure's. */
int execution_read_descriptor(struct sim_execution *execution, void *to,
			      size_t length);

/*
 * To be called at every tile: moves the progress register and serves the admin
 * queue. Non-zero: the command has to end with this status.
 */
int execution_checkpoint(struct sim_execution *execution);

/* Executes one entry; LISTs are the queue's. What it was lowered to is in it. */
int execution_run(struct sim_execution *execution);

#endif
