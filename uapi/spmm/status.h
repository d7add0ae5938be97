/* SPDX-License-Identifier: MIT */
/*
 * Status codes of completions. Code 0 is success; every other code names one
 * cause, and Documentation/device.rst lists what the host can do about it.
 */
#ifndef UAPI_SPMM_STATUS_H
#define UAPI_SPMM_STATUS_H

/**
 * enum spmm_status - status of a completion or fault record
 * @SPMM_SC_SUCCESS: done
 * @SPMM_SC_INVALID_OPCODE: unknown, or a list in a list
 * @SPMM_SC_INVALID_FIELD: a reserved bit, unknown flag or enumerator, or a
 *	wrong length
 * @SPMM_SC_INVALID_QUEUE: no such queue, or it exists already
 * @SPMM_SC_INVALID_CONTEXT: no such context, or it exists already
 * @SPMM_SC_INVALID_ENTRIES: a size or doorbell outside of the ring
 * @SPMM_SC_BUSY: still in use
 * @SPMM_SC_ABORTED: by ABORT or DELETE_SQ
 * @SPMM_SC_TIMEOUT: more cycles than the deadline
 * @SPMM_SC_CONTEXT_RESET: victim of its context's reset or fault
 * @SPMM_SC_INTERNAL: the device contradicts itself
 * @SPMM_SC_PAGE_FAULT_READ: not mapped for reading
 * @SPMM_SC_PAGE_FAULT_WRITE: not mapped for writing
 * @SPMM_SC_BUS_ERROR: memory did not answer
 * @SPMM_SC_MEMORY_ERROR: device memory has lost data (uncorrectable ECC error)
 * @SPMM_SC_DESCRIPTOR_VERSION: another version
 * @SPMM_SC_DESCRIPTOR_SHAPE: sizes that contradict each other or exceed a
 *	limit
 * @SPMM_SC_DESCRIPTOR_ADDRESS: misaligned or overflowing
 * @SPMM_SC_DESCRIPTOR_SCALE: not finite or not positive
 * @SPMM_SC_STREAM_HEADER: is not of this matrix
 * @SPMM_SC_STREAM_TRUNCATED: ends too soon
 * @SPMM_SC_STREAM_BLOCK: unknown or malformed block
 * @SPMM_SC_STREAM_ROW: row out of range or out of order
 * @SPMM_SC_STREAM_COLUMN: column out of range
 * @SPMM_SC_STREAM_GEOMETRY: packed for another geometry
 */
enum spmm_status {
	SPMM_SC_SUCCESS = 0x00,
	SPMM_SC_INVALID_OPCODE = 0x01,
	SPMM_SC_INVALID_FIELD = 0x02,
	SPMM_SC_INVALID_QUEUE = 0x03,
	SPMM_SC_INVALID_CONTEXT = 0x04,
	SPMM_SC_INVALID_ENTRIES = 0x05,
	SPMM_SC_BUSY = 0x06,
	SPMM_SC_ABORTED = 0x07,
	SPMM_SC_TIMEOUT = 0x08,
	SPMM_SC_CONTEXT_RESET = 0x09,
	SPMM_SC_INTERNAL = 0x0a,

	SPMM_SC_PAGE_FAULT_READ = 0x20,
	SPMM_SC_PAGE_FAULT_WRITE = 0x21,
	SPMM_SC_BUS_ERROR = 0x22,
	SPMM_SC_MEMORY_ERROR = 0x23,

	SPMM_SC_DESCRIPTOR_VERSION = 0x40,
	SPMM_SC_DESCRIPTOR_SHAPE = 0x41,
	SPMM_SC_DESCRIPTOR_ADDRESS = 0x42,
	SPMM_SC_DESCRIPTOR_SCALE = 0x43,

	SPMM_SC_STREAM_HEADER = 0x60,
	SPMM_SC_STREAM_TRUNCATED = 0x61,
	SPMM_SC_STREAM_BLOCK = 0x62,
	SPMM_SC_STREAM_ROW = 0x63,
	SPMM_SC_STREAM_COLUMN = 0x64,
	SPMM_SC_STREAM_GEOMETRY = 0x65,
};

#endif
