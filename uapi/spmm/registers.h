/* SPDX-License-Identifier: MIT */
/*
 * Registers of the SpMM accelerator, BAR0.
 *
 * Every register is 32 or 64 bits wide, naturally aligned and little-endian. A
 * 64-bit register may be read as two 32-bit halves; the counters are latched
 * (see SPMM_REG_COUNTER_LATCH). A read of all ones means that the device is
 * gone. Reserved registers read as zero and ignore writes.
 *
 * Specification: Documentation/device.rst.
 */
#ifndef UAPI_SPMM_REGISTERS_H
#define UAPI_SPMM_REGISTERS_H

#include <linux/types.h>

/* PCI identity. The class is a processing accelerator. */
#define SPMM_PCI_VENDOR_ID 0x1de5
#define SPMM_PCI_DEVICE_ID 0x5b01
#define SPMM_PCI_CLASS 0x120000

#define SPMM_BAR_REGISTERS 0
#define SPMM_BAR_MEMORY 2
#define SPMM_BAR_MSIX 4
#define SPMM_BAR_REGISTERS_SIZE (8u << 20)
#define SPMM_MSIX_VECTORS 65 /* 0: admin queue and errors; 1–64: I/O */
#define SPMM_IO_QUEUES_MAX 64
#define SPMM_CONTEXTS_MAX 64

/*
 * Capabilities and control. Bring-up: wait until STATUS is 0, write the three
 * ADMIN registers, set CONTROL.ENABLE, wait for STATUS.READY. Clearing ENABLE or
 * writing RESET stops all work at a tile boundary and forgets queues and
 * contexts; RESET and a function-level reset clear all else too.
 */
#define SPMM_REG_CAP 0x0000 /* u64, SPMM_CAP_* */
#define SPMM_REG_VERSION 0x0008 /* u32, major << 16 | minor */
#define SPMM_REG_CONTROL 0x000c /* u32, SPMM_CONTROL_* */
#define SPMM_REG_STATUS 0x0010 /* u32, SPMM_STATUS_* */
#define SPMM_REG_RESET 0x0014 /* u32, write SPMM_RESET_MAGIC */
/*
 * One bit for each vector 0–63 (MSI-X masks 64 too); an interrupt that comes
 * while its bit is set is raised when the bit is cleared. Both read as the mask.
 */
#define SPMM_REG_INTERRUPT_MASK_SET 0x0018 /* u64 */
#define SPMM_REG_INTERRUPT_MASK_CLEAR 0x0020 /* u64 */
#define SPMM_REG_ADMIN_QUEUE_SIZE 0x0028 /* u32, entries − 1: SQ | CQ << 16 */
#define SPMM_REG_ADMIN_SQ_ADDRESS 0x0030 /* u64, bus address, 4 KiB aligned */
#define SPMM_REG_ADMIN_CQ_ADDRESS 0x0038 /* u64 */

#define SPMM_CAP_QUEUE_ENTRIES_MASK 0xffffull /* largest queue, entries − 1 */
#define SPMM_CAP_DOORBELL_STRIDE_SHIFT 16 /* log2(stride) − 12, 4 bits */
#define SPMM_CAP_READY_TIMEOUT_SHIFT 20 /* u8, 500 ms units */
#define SPMM_CAP_JOB_TIMEOUT_SHIFT 28 /* u8, hard maximum, seconds */
#define SPMM_CAP_QUEUES_SHIFT 36 /* u8, I/O queue pairs */
#define SPMM_CAP_CONTEXTS_SHIFT 44 /* u8, address-space slots */

/* Bits 63–52 are for what a host may ignore that does not know it. */
#define SPMM_CAP_RESERVED_SHIFT 52

#define SPMM_VERSION_1_0 0x00010000
#define SPMM_VERSION_MAJOR(version) ((version) >> 16)
#define SPMM_VERSION_MINOR(version) (0xffffu & (version))

#define SPMM_CONTROL_ENABLE (1u << 0)

#define SPMM_STATUS_READY (1u << 0)
#define SPMM_STATUS_FATAL (1u << 1) /* only a reset helps */
#define SPMM_STATUS_BUSY (1u << 2) /* a reset or ENABLE is being carried out */

#define SPMM_RESET_MAGIC 0x5350524d

/* Geometry: what the packer and the planner need. */
#define SPMM_REG_CLUSTERS 0x0100 /* u32 */
#define SPMM_REG_LANES 0x0104 /* u32, per cluster */
#define SPMM_REG_VECTOR_WIDTH 0x0108 /* u32, int8 values */
#define SPMM_REG_BANKS 0x010c /* u32, activation-buffer banks per cluster */
#define SPMM_REG_ACCUMULATORS 0x0110 /* u32, live rows per lane */
#define SPMM_REG_DECODER_RATE 0x0114 /* u32, non-zeros per cycle per cluster */
#define SPMM_REG_ACTIVATION_BUFFER 0x0118 /* u32, bytes per cluster */
#define SPMM_REG_CLOCK_HZ 0x011c /* u32 */
#define SPMM_REG_SRAM_BYTES 0x0120 /* u64 */
#define SPMM_REG_MEMORY_BYTES 0x0128 /* u64, device DRAM */
#define SPMM_REG_MEMORY_BANDWIDTH 0x0130 /* u64, attainable bytes/s */
#define SPMM_REG_LINK_BANDWIDTH 0x0138 /* u64, attainable bytes/s per way */
#define SPMM_REG_SRAM_PORT_BYTES 0x0140 /* u32, per cycle per cluster */
#define SPMM_REG_EPILOGUE_RATE 0x0144 /* u32, vectors per cycle per cluster */
#define SPMM_REG_SCHEDULE_WINDOW 0x0148 /* u32, bank reorder window, issues */
#define SPMM_REG_STOP_CYCLES 0x014c /* u32, bound on stopping a queue */
#define SPMM_REG_MEMORY_KIND 0x0150 /* u32, enum spmm_memory_kind */

/*
 * Parts of the interface that this device has left out; zero where it has them all. A host
 * that does not know a bit cannot know what it must not use, and leaves the device alone.
 */
#define SPMM_REG_OMITTED 0x0154 /* u32, SPMM_OMITTED_* */
#define SPMM_OMITTED_RECURRENT (1u << 0) /* SPMM_IO_RECURRENT */
#define SPMM_OMITTED_STREAM (1u << 1) /* SPMM_SQE_STREAM */
#define SPMM_OMITTED_KNOWN (SPMM_OMITTED_RECURRENT | SPMM_OMITTED_STREAM)

/**
 * enum spmm_memory_kind - standard of the device memory
 * @SPMM_MEMORY_OTHER: none of these; a number that a program does not know is the same
 * @SPMM_MEMORY_DDR4: DDR4
 * @SPMM_MEMORY_LPDDR5X: LPDDR5X
 * @SPMM_MEMORY_HBM2E: HBM2E
 * @SPMM_MEMORY_KIND_COUNT: how many there are
 */
enum spmm_memory_kind {
	SPMM_MEMORY_OTHER,
	SPMM_MEMORY_DDR4,
	SPMM_MEMORY_LPDDR5X,
	SPMM_MEMORY_HBM2E,
	SPMM_MEMORY_KIND_COUNT,
};

/* Sensors. */
#define SPMM_REG_TEMPERATURE 0x0180 /* u32, millidegree Celsius */
#define SPMM_REG_POWER 0x0184 /* u32, milliwatt */

/* Device time: it passes while there is work, at whatever speed the host has. */
#define SPMM_REG_CYCLES 0x0200 /* u64 */

/*
 * Performance counters of one context: write its number to COUNTER_LATCH, then
 * read the array. Indices are enum spmm_counter. They start at 0 with CREATE_CONTEXT; those
 * of context 0 are the sums over all contexts since RESET.
 */
#define SPMM_REG_COUNTER_LATCH 0x0208 /* u32, context */
#define SPMM_REG_COUNTER_BASE 0x0240 /* u64 each */

/**
 * enum spmm_counter - performance counters of a context
 * @SPMM_COUNTER_BUSY_CYCLES: from the start to the end of these
 * @SPMM_COUNTER_COMMANDS: that succeeded, each entry of a list for itself
 * @SPMM_COUNTER_MACS: useful multiply-accumulates
 * @SPMM_COUNTER_DRAM_READ_BYTES: from device memory
 * @SPMM_COUNTER_DRAM_WRITE_BYTES: to device memory
 * @SPMM_COUNTER_PCIE_READ_BYTES: from host memory
 * @SPMM_COUNTER_PCIE_WRITE_BYTES: to host memory
 * @SPMM_COUNTER_FAULTS: of its commands and rings
 * @SPMM_COUNTER_PADDING_MACS: slots spent on vector, lane and window padding
 * @SPMM_COUNTER_SRAM_BYTES: between SRAM and clusters, both ways
 * @SPMM_COUNTER_LANE_CYCLES: the first of one for each cause, enum spmm_stall, that of
 *	idleness being 0; divided by the lanes, they sum to the cycles that the device
 *	spent on the context, where those of @SPMM_COUNTER_BUSY_CYCLES count once for
 *	each of the commands that overlap
 * @SPMM_COUNTER_COUNT: how many there are
 */
enum spmm_counter {
	SPMM_COUNTER_BUSY_CYCLES,
	SPMM_COUNTER_COMMANDS,
	SPMM_COUNTER_MACS,
	SPMM_COUNTER_DRAM_READ_BYTES,
	SPMM_COUNTER_DRAM_WRITE_BYTES,
	SPMM_COUNTER_PCIE_READ_BYTES,
	SPMM_COUNTER_PCIE_WRITE_BYTES,
	SPMM_COUNTER_FAULTS,
	SPMM_COUNTER_PADDING_MACS,
	SPMM_COUNTER_SRAM_BYTES,
	SPMM_COUNTER_LANE_CYCLES,
	SPMM_COUNTER_COUNT = SPMM_COUNTER_LANE_CYCLES + 12,
};

/* Progress of queue q: changes while its work moves. Queue 0 is the admin's. */
#define SPMM_REG_PROGRESS(q) (0x0400 + 8 * (q)) /* u64 */

/*
 * Doorbells: one page for each queue pair, SPMM_DOORBELL_BASE + q * stride. The
 * stride is 64 KiB by default so that any host's page size isolates a queue.
 */
#define SPMM_DOORBELL_BASE 0x100000
#define SPMM_DOORBELL_SQ_TAIL 0x0 /* u32 */
#define SPMM_DOORBELL_CQ_HEAD 0x4 /* u32 */

#endif
