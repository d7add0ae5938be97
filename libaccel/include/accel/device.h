/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_DEVICE_H
#define ACCEL_DEVICE_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct accel_device_options - how to open a device
 * @size: sizeof(struct accel_device_options)
 * @stall_timeout_ns: a device whose progress register stands still for so long
 *	while it has work is taken for hung: waits fail with -EIO until
 *	accel_queue_cancel() or accel_device_reset(); 0: 30 s. On "dev:" the module has
 *	a limit of its own, and ends the work itself, with -ETIMEDOUT
 */
struct accel_device_options {
	size_t size;
	int64_t stall_timeout_ns;
};

/**
 * struct accel_device_info - what a device is
 * @size: sizeof(struct accel_device_info)
 * @uri: as it was opened
 * @name: for people
 * @backend: "sim", "vfio", "dev", "cpu" or "nil"
 * @memory_bytes: device memory; 0 where the host's is used
 * @memory_used: allocated of it
 * @sram_bytes: shared on-chip memory
 * @memory_bandwidth: attainable bytes per second
 * @link_bandwidth: attainable bytes per second, each way
 * @clock_hz: 0 where no cycles are counted
 * @clusters: of the array
 * @lanes: per cluster
 * @vector_width: int8 multiply-accumulates per lane and cycle
 * @queue_count: queues that can exist at once; on "dev:" those of all processes, which
 *	share them. The first plan takes one for uploads
 * @queue_depth: largest depth of a queue
 * @memory_kind: standard of the device memory: "DDR4", "LPDDR5X", "HBM2E",
 *	"other"; NULL without any
 */
struct accel_device_info {
	size_t size;
	const char *uri;
	const char *name;
	const char *backend;
	uint64_t memory_bytes;
	uint64_t memory_used;
	uint64_t sram_bytes;
	uint64_t memory_bandwidth;
	uint64_t link_bandwidth;
	uint32_t clock_hz;
	uint32_t clusters;
	uint32_t lanes;
	uint32_t vector_width;
	uint32_t queue_count;
	uint32_t queue_depth;
	const char *memory_kind;
};

/**
 * accel_device_open() - open the device that a URI names
 * @uri: "sim:" (the simulator in this process), "sim:FILE" (the same with a
 *	configuration file), either of them with "?NAME=VALUE&NAME=VALUE...";
 *	"vfio:ADDRESS" (a device on the PCI bus, such as vfio:0000:01:00.0, that the
 *	kernel's vfio-pci driver has: this process drives it, without the module);
 *	"vfio-user:SOCKET" (a device that another process serves, see spmm-sim);
 *	"dev:NODE" (a device of the kernel module, such as dev:/dev/accel/accel0);
 *	"cpu:" (the golden arithmetic on this processor), "nil:" (does nothing,
 *	at once); NULL means "sim:"
 * @options: NULL for the defaults
 * @device: the result, to be closed by accel_device_close()
 *
 * The parameters of "sim:":
 *
 *	trace=FILE	write a time line for Perfetto or Chrome
 *	vcd=FILE	write waves for a viewer such as GTKWave
 *	limit=N		of events in either file; 5000000
 *	engine=MODE	"fast" or "reference": from event to event, or cycle by
 *			cycle; both give the same results
 *	fault=FILE	a fault script, for tests: what the device does wrong
 *
 * The parameter of "vfio:":
 *
 *	iommu=KIND	"iommufd" or "type1", which is what the kernel keeps the device in
 *			with: the first where there is one; "noiommu": nothing does, and
 *			the whole machine's memory is the device's
 *
 * Only one process at a time has such a device. When the kernel wants it back, because it
 * is unbound or removed, it gets it: what is outstanding fails with -ENODEV.
 * accel_device_reset() opens it again.
 *
 * The parameter of "dev:":
 *
 *	queues=KIND	"job": each operation is a system call, ordered and timed by the
 *			module (the default); "user": queues that the device reads
 *			itself, without the module; -EBUSY when they are all in use
 *
 * On "dev:" all queues of an open device share one context: an operation that fails
 * cancels what the others have outstanding.
 *
 * In file names "%", "?" and "&" are written "%25", "%3F" and "%26", and any byte may
 * be written "%XX". See accel_device_end_trace().
 *
 * The device that was named is opened or none is: there is no falling back.
 *
 * Return: 0; -EINVAL for an unknown URI, a bad option or a mistake in the
 * configuration; -ENOENT, -EACCES, -EIO, -ECONNREFUSED as the system says of the file or
 * socket or node; -EBUSY if another process or driver has the device, -ENOTSUP if the
 * kernel or the machine has no such IOMMU, or the device or module has an interface that
 * this library does not know; -ENODEV, -ETIMEDOUT, -EPROTO or -EIO if the
 * device does not come up; -ENOMEM.
 * Thread-safe.
 */
int accel_device_open(const char *uri,
		      const struct accel_device_options *options,
		      struct accel_device **device);

/**
 * accel_device_close() - drop the caller's reference
 * @device: or NULL
 *
 * Plans, queues and buffers keep the device open until they are destroyed.
 * Thread-safe, as long as no other thread uses this reference.
 */
void accel_device_close(struct accel_device *device);

/**
 * accel_device_get_info() - describe a device
 * @device: open
 * @info: @size set by the caller; strings hold until the device is closed
 *
 * Return: 0; -EINVAL if @info->size is not one that the library knows.
 * Thread-safe.
 */
int accel_device_get_info(struct accel_device *device,
			  struct accel_device_info *info);

/**
 * accel_device_end_trace() - complete the record of what a device did
 * @device: open
 *
 * For a device whose URI asked for one: its files are complete then, and what the
 * device does later is not in them. accel_device_close() does the same, but has no
 * way to say that a disk was full. Does nothing for others, and the second time.
 *
 * Return: 0; -EBUSY if a queue still has work; -EIO, -ENOSPC or what else the file system
 * said of the first write that failed, of which the file holds a part.
 * Thread-safe.
 */
int accel_device_end_trace(struct accel_device *device);

/**
 * accel_device_reset() - reset a device that is hung or has failed
 * @device: open
 *
 * All its queues have to be idle or failed; what they had outstanding completes
 * with -ECANCELED. Device memory is lost: plans fail with -ESTALE and have to be
 * made anew.
 *
 * Return: 0; -ENODEV if the device is gone; -ETIMEDOUT or -EIO.
 * Not thread-safe: no other call on this device may be under way.
 */
int accel_device_reset(struct accel_device *device);

#ifdef __cplusplus
}
#endif

#endif
