/* SPDX-License-Identifier: MIT */
/*
 * The vfio-user protocol, version 0.1, as QEMU and libvfio-user speak it: messages over
 * a UNIX stream socket, in the byte order of the host. Commands have a reply with the
 * same id, unless VFIO_USER_NO_REPLY is set. Both sides send commands: the client about
 * the device, the server DMA_READ and DMA_WRITE.
 *
 * Regions, interrupts and their flags are those of linux/vfio.h.
 */
#ifndef UAPI_VFIO_USER_PROTOCOL_H
#define UAPI_VFIO_USER_PROTOCOL_H

#include <linux/types.h>

#define VFIO_USER_MAJOR 0
#define VFIO_USER_MINOR 1

/**
 * enum vfio_user_command - what a message asks for
 * @VFIO_USER_VERSION: first of all: versions and capabilities
 * @VFIO_USER_DMA_MAP: bus addresses that the device may use
 * @VFIO_USER_DMA_UNMAP: no longer
 * @VFIO_USER_DEVICE_GET_INFO: how many regions and interrupts
 * @VFIO_USER_DEVICE_GET_REGION_INFO: size and flags of one
 * @VFIO_USER_DEVICE_GET_REGION_IO_FDS: not offered here
 * @VFIO_USER_DEVICE_GET_IRQ_INFO: one kind of interrupt
 * @VFIO_USER_DEVICE_SET_IRQS: eventfds, masks, triggers
 * @VFIO_USER_REGION_READ: of a BAR or the configuration space
 * @VFIO_USER_REGION_WRITE: likewise
 * @VFIO_USER_DMA_READ: by the server: host memory without a descriptor
 * @VFIO_USER_DMA_WRITE: likewise
 * @VFIO_USER_DEVICE_RESET: function-level
 */
enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,
	VFIO_USER_DMA_WRITE = 12,
	VFIO_USER_DEVICE_RESET = 13,
};

#define VFIO_USER_TYPE_MASK 0xfu
#define VFIO_USER_TYPE_COMMAND 0x0u
#define VFIO_USER_TYPE_REPLY 0x1u
#define VFIO_USER_NO_REPLY (1u << 4)
#define VFIO_USER_ERROR (1u << 5)

/**
 * struct vfio_user_header - before each message
 * @id: the sender's; a reply has its command's
 * @command: enum vfio_user_command
 * @size: bytes of the message with this header
 * @flags: VFIO_USER_TYPE_*, VFIO_USER_NO_REPLY, VFIO_USER_ERROR
 * @error: errno of a reply with VFIO_USER_ERROR
 */
struct vfio_user_header {
	__u16 id;
	__u16 command;
	__u32 size;
	__u32 flags;
	__u32 error;
};

/* Followed by the capabilities, JSON that ends with a zero byte; it may be left out. */
struct vfio_user_version {
	__u16 major;
	__u16 minor;
};

#define VFIO_USER_DMA_READABLE (1u << 0)
#define VFIO_USER_DMA_WRITABLE (1u << 1)

/**
 * struct vfio_user_dma_map - bus addresses
 * @argsz: bytes of this structure
 * @flags: VFIO_USER_DMA_READABLE and VFIO_USER_DMA_WRITABLE
 * @offset: into the file whose descriptor comes with the message; without one the
 *	server must ask by DMA_READ and DMA_WRITE
 * @address: first bus address
 * @size: bytes
 */
struct vfio_user_dma_map {
	__u32 argsz;
	__u32 flags;
	__u64 offset;
	__u64 address;
	__u64 size;
};

#define VFIO_USER_UNMAP_DIRTY (1u << 0)
#define VFIO_USER_UNMAP_ALL (1u << 1)

struct vfio_user_dma_unmap {
	__u32 argsz;
	__u32 flags;
	__u64 address;
	__u64 size;
};

/* Before the data of REGION_READ's reply and of REGION_WRITE. */
struct vfio_user_region_access {
	__u64 offset;
	__u32 region;
	__u32 count;
};

/* Before the data of DMA_READ's reply and of DMA_WRITE. */
struct vfio_user_dma_access {
	__u64 address;
	__u64 count;
};

#endif
