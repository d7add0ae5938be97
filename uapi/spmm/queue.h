/* SPDX-License-Identifier: MIT */
/*
 * Submission and completion queue entries.
 *
 * Queue 0 is the admin queue; its addresses are bus addresses. An I/O queue
 * belongs to a context: its rings and every address in its entries are virtual
 * addresses of that context. A ring is empty when head equals tail; the host
 * moves the SQ tail and the CQ head, the device the SQ head and the CQ tail. The
 * phase bit of a completion starts at 1 and flips on each pass of the ring.
 *
 * The commands of one I/O queue complete in order, and have the results that they
 * would have if each were executed when the one before has completed; the device
 * overlaps them as far as nobody can tell but by their times. A command that
 * fails for any reason but SPMM_SC_ABORTED kills its context: an entry joins the
 * fault log, vector 0 is raised, and all other commands of the context complete
 * with SPMM_SC_CONTEXT_RESET until RESET_CONTEXT. A failed admin command kills
 * nothing.
 *
 * Specification: Documentation/device.rst.
 */
#ifndef UAPI_SPMM_QUEUE_H
#define UAPI_SPMM_QUEUE_H

#include <linux/types.h>

/**
 * enum spmm_admin_opcode - commands of the admin queue
 * @SPMM_ADMIN_CREATE_CQ: create a completion queue
 * @SPMM_ADMIN_DELETE_CQ: delete one that no SQ uses
 * @SPMM_ADMIN_CREATE_SQ: create a submission queue
 * @SPMM_ADMIN_DELETE_SQ: delete one; what it holds is aborted
 * @SPMM_ADMIN_CREATE_CONTEXT: create an address space
 * @SPMM_ADMIN_DELETE_CONTEXT: delete one that has no queues
 * @SPMM_ADMIN_SET_PAGE_TABLE: give a context its root
 * @SPMM_ADMIN_INVALIDATE: forget translations
 * @SPMM_ADMIN_ABORT: stop a command, or all of a queue
 * @SPMM_ADMIN_RESET_CONTEXT: revive a context that a fault has killed
 * @SPMM_ADMIN_GET_LOG: move fault records to a buffer
 * @SPMM_ADMIN_SET_PRIORITY: of a submission queue
 */
enum spmm_admin_opcode {
	SPMM_ADMIN_CREATE_CQ = 0x01,
	SPMM_ADMIN_DELETE_CQ = 0x02,
	SPMM_ADMIN_CREATE_SQ = 0x03,
	SPMM_ADMIN_DELETE_SQ = 0x04,
	SPMM_ADMIN_CREATE_CONTEXT = 0x05,
	SPMM_ADMIN_DELETE_CONTEXT = 0x06,
	SPMM_ADMIN_SET_PAGE_TABLE = 0x07,
	SPMM_ADMIN_INVALIDATE = 0x08,
	SPMM_ADMIN_ABORT = 0x09,
	SPMM_ADMIN_RESET_CONTEXT = 0x0a,
	SPMM_ADMIN_GET_LOG = 0x0b,
	SPMM_ADMIN_SET_PRIORITY = 0x0c,
};

/**
 * enum spmm_io_opcode - commands of I/O queues and of command lists
 * @SPMM_IO_NOP: completes
 * @SPMM_IO_FENCE: completes after all earlier entries
 * @SPMM_IO_COPY: copies bytes, linear
 * @SPMM_IO_COPY_STRIDED: struct spmm_copy_descriptor
 * @SPMM_IO_SPMM: struct spmm_descriptor
 * @SPMM_IO_ELTWISE: struct spmm_eltwise_descriptor
 * @SPMM_IO_RECURRENT: struct spmm_recurrent_descriptor
 * @SPMM_IO_LIST: an array of entries, run in order; no nesting
 * @SPMM_IO_SEMAPHORE_WAIT: until the word at address is ≥ value
 * @SPMM_IO_SEMAPHORE_SIGNAL: stores value at address
 * @SPMM_IO_TIMESTAMP: stores the cycle counter at address
 */
enum spmm_io_opcode {
	SPMM_IO_NOP = 0x00,
	SPMM_IO_FENCE = 0x01,
	SPMM_IO_COPY = 0x02,
	SPMM_IO_COPY_STRIDED = 0x03,
	SPMM_IO_SPMM = 0x04,
	SPMM_IO_ELTWISE = 0x05,
	SPMM_IO_RECURRENT = 0x06,
	SPMM_IO_LIST = 0x07,
	SPMM_IO_SEMAPHORE_WAIT = 0x08,
	SPMM_IO_SEMAPHORE_SIGNAL = 0x09,
	SPMM_IO_TIMESTAMP = 0x0a,
};

/**
 * struct spmm_sqe - one command of an I/O queue or of a command list
 * @opcode: enum spmm_io_opcode
 * @flags: SPMM_SQE_*; unknown bits fail the command
 * @id: returned in the completion; in a list it is ignored
 * @reserved: zero
 * @address: what the command works on: a descriptor, an array of entries
 *	(LIST), the source (COPY), or a 64-bit word (SEMAPHORE_*, TIMESTAMP)
 * @destination: COPY only
 * @length: bytes (COPY), entries (LIST), bytes of the descriptor (others)
 * @value: SEMAPHORE_*: the value to wait for or to store
 * @deadline_cycles: fail with SPMM_SC_TIMEOUT after so many cycles; 0: CAP's
 * @stats_address: a struct spmm_command_stats to be written, or 0
 * @pad: zero
 */
struct spmm_sqe {
	__u8 opcode;
	__u8 flags;
	__le16 id;
	__le32 reserved;
	__le64 address;
	__le64 destination;
	__le64 length;
	__le64 value;
	__le64 deadline_cycles;
	__le64 stats_address;
	__le64 pad;
};

#define SPMM_SQE_FENCE 0x01 /* start after all earlier entries completed */
#define SPMM_SQE_STREAM 0x02 /* COPY*: leave neither operand in SRAM */

/**
 * struct spmm_admin_sqe - one command of the admin queue
 * @opcode: enum spmm_admin_opcode
 * @flags: zero
 * @id: returned in the completion
 * @queue: I/O queue number, 1…, for queue commands and ABORT
 * @context: context number, 1…
 *	(CREATE_*, *_CONTEXT, SET_PAGE_TABLE, INVALIDATE); GET_LOG: 0 for all
 * @address: ring, aligned to 4 KiB (CREATE_*); the root table in the form of a
 *	page-table entry, SPMM_PTE_VALID | its address | SPMM_PTE_DEVICE if it
 *	is in device memory, or 0 for none (SET_PAGE_TABLE); first virtual
 *	address (INVALIDATE); buffer, a bus address (GET_LOG)
 * @length: bytes; 0 means everything (INVALIDATE), or the buffer's (GET_LOG,
 *	which moves the oldest records there; the completion's result is how
 *	many)
 * @entries: ring entries − 1, at least 1 (CREATE_*)
 * @vector: MSI-X vector (CREATE_CQ)
 * @cq: the completion queue of a CREATE_SQ, of the same context
 * @priority: 0 lowest … 3 (CREATE_SQ, SET_PRIORITY)
 * @command: the id to abort, SPMM_ABORT_ALL: all that the queue holds (ABORT)
 * @pad: zero
 *
 * A translation that was used may be remembered until INVALIDATE or
 * SET_PAGE_TABLE; an absent one never is. A context is created without a page
 * table. DELETE_SQ aborts what the queue still holds,
 * DELETE_CQ fails with SPMM_SC_BUSY while an SQ uses the queue, DELETE_CONTEXT
 * while a queue does. RESET_CONTEXT completes all that its queues hold with
 * SPMM_SC_CONTEXT_RESET, then the context is alive again.
 */
struct spmm_admin_sqe {
	__u8 opcode;
	__u8 flags;
	__le16 id;
	__le16 queue;
	__le16 context;
	__le64 address;
	__le64 length;
	__le16 entries;
	__le16 vector;
	__le16 cq;
	__le16 priority;
	__le32 command;
	__le32 pad[7];
};

#define SPMM_ABORT_ALL 0x10000

/**
 * struct spmm_cqe - one completion
 * @result: by command: 0; for a failed command the offending address or index
 * @sq_head: how far the device has read the submission queue
 * @sq: the submission queue
 * @list_index: of a failed LIST, the low 8 bits of the index of the entry that
 *	failed (the fault record has all of them); else 0
 * @id: of the entry
 * @status: enum spmm_status << 1 | phase
 */
struct spmm_cqe {
	__le64 result;
	__le16 sq_head;
	__u8 sq;
	__u8 list_index;
	__le16 id;
	__le16 status;
};

#define SPMM_CQE_PHASE 0x1

/**
 * struct spmm_fault_record - an entry of the fault log (GET_LOG)
 * @cycle: when
 * @address: context-virtual address or descriptor address
 * @status: enum spmm_status
 * @context: whose
 * @queue: on which queue
 * @id: of the entry
 * @list_index: entry of its command list, else 0
 * @pad: zero
 */
struct spmm_fault_record {
	__le64 cycle;
	__le64 address;
	__le16 status;
	__le16 context;
	__le16 queue;
	__le16 id;
	__le32 list_index;
	__le32 pad;
};

/**
 * struct spmm_command_stats - what a command cost
 * @start_cycle: device cycle of the first thing that was done for it: its fetch, if
 *	lanes waited for that or it is the queue's own entry, else what it reads
 * @end_cycle: device cycle of its last write; completions follow
 * @macs: multiply-accumulates that were useful: non-zeros × N
 * @padding_macs: slots spent on vector, lane and window padding
 * @nonzeros: kept positions in the weight stream
 * @dram_read_bytes: from device memory
 * @dram_write_bytes: to device memory
 * @sram_bytes: between SRAM and clusters, both ways
 * @pcie_read_bytes: from host memory
 * @pcie_write_bytes: to host memory
 * @compute_cycles: of the busiest cluster, had memory been infinitely fast
 * @resident_bytes: of the operands, how many were in SRAM at the start (also
 *	through prefetch), were left there at the end, or are in host memory:
 *	bytes for which the command did not have to wait for device memory
 * @stall: lane-cycles by cause, enum spmm_stall
 * @work_cycle: device cycle in which its first lane, or the copy engine, began; 0 if
 *	none did
 * @dram_activates: rows that the device memory opened since the command before it
 *	ended; for a LIST the sum
 *
 * Commands overlap: their times do, and @end_cycle − @start_cycle of one contains the
 * work of others. Lane-cycles are counted once, each for one command or for none.
 */
struct spmm_command_stats {
	__le64 start_cycle;
	__le64 end_cycle;
	__le64 macs;
	__le64 padding_macs;
	__le64 nonzeros;
	__le64 dram_read_bytes;
	__le64 dram_write_bytes;
	__le64 sram_bytes;
	__le64 pcie_read_bytes;
	__le64 pcie_write_bytes;
	__le64 compute_cycles;
	__le64 resident_bytes;
	__le64 stall[12];
	__le64 work_cycle;
	__le64 dram_activates;
};

/**
 * enum spmm_stall - what the lane-cycles of a command went to
 * @SPMM_STALL_ISSUE: useful work
 * @SPMM_STALL_BANK: the bank schedule, and fillers
 * @SPMM_STALL_WEIGHTS: the decoder, or the port that feeds it
 * @SPMM_STALL_ACTIVATIONS: the port for the input, or the write side of the buffer
 * @SPMM_STALL_EPILOGUE: its rate, or the port for the results
 * @SPMM_STALL_TAIL: uneven parts, and results that another cluster has yet to store
 * @SPMM_STALL_DRAM: device memory, its latency included
 * @SPMM_STALL_DMA: the engine of the copies
 * @SPMM_STALL_PCIE: the link, its latency included
 * @SPMM_STALL_COMMAND: fetching and checking
 * @SPMM_STALL_IDLE: nobody's, or those of commands of another queue; counted where the
 *	queue's own entry ends: 0 for each entry of a LIST
 * @SPMM_STALL_RESERVED: zero
 * @SPMM_STALL_COUNT: how many there are
 *
 * For an entry of a queue, which may be a LIST, they sum to lanes × (end − start). Those
 * of the entries of a LIST and its idle ones are the LIST's.
 */
enum spmm_stall {
	SPMM_STALL_ISSUE,
	SPMM_STALL_BANK,
	SPMM_STALL_WEIGHTS,
	SPMM_STALL_ACTIVATIONS,
	SPMM_STALL_EPILOGUE,
	SPMM_STALL_TAIL,
	SPMM_STALL_DRAM,
	SPMM_STALL_DMA,
	SPMM_STALL_PCIE,
	SPMM_STALL_COMMAND,
	SPMM_STALL_IDLE,
	SPMM_STALL_RESERVED,
	SPMM_STALL_COUNT,
};

#endif
