/* SPDX-License-Identifier: MIT */
/*
 * Interface of the kernel module for the SpMM accelerator, /dev/accel/accelN.
 *
 * An open file is a context: an address space of the device and the queues in it.
 * Buffer objects are made or imported, bound to device addresses, and named by those
 * addresses in the commands of a job. Nothing is implicit: a job waits for the fences of
 * its in-syncs and signals its out-syncs, and no others.
 *
 * Every flag that is not named here, and every pad, is zero, else the call fails with
 * -EINVAL. Times are absolute, CLOCK_MONOTONIC, in nanoseconds. Structures may grow at
 * their ends. All calls are thread-safe.
 *
 * Specification: Documentation/driver.rst; commands: uapi/spmm/queue.h.
 */
#ifndef UAPI_DRM_SPMM_ACCEL_H
#define UAPI_DRM_SPMM_ACCEL_H

#if defined(__KERNEL__)
#include <drm/drm.h>
#else
#include <drm.h> /* of libdrm, in a folder of its own: pkg-config --cflags libdrm */
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_SPMM_QUERY 0x00
#define DRM_SPMM_BO_CREATE 0x01
#define DRM_SPMM_BO_MMAP_OFFSET 0x02
#define DRM_SPMM_VM_BIND 0x03
#define DRM_SPMM_QUEUE_CREATE 0x04
#define DRM_SPMM_QUEUE_DESTROY 0x05
#define DRM_SPMM_QUEUE_CANCEL 0x06
#define DRM_SPMM_QUEUE_STATUS 0x07
#define DRM_SPMM_JOB_SUBMIT 0x08
#define DRM_SPMM_JOB_WAIT 0x09
#define DRM_SPMM_CONTEXT_RESTART 0x0a

/*
 * Device addresses of a process lie below this; above, the module maps rings and the
 * commands of jobs. The device can write only the completion rings of the file there: who
 * makes it do so by a descriptor forges completions of his own jobs, and no others.
 */
#define DRM_SPMM_ADDRESS_LIMIT (1ull << 47)

/**
 * enum drm_spmm_query_kind - what a query asks for
 * @DRM_SPMM_QUERY_DEVICE: struct drm_spmm_device_info
 * @DRM_SPMM_QUERY_COUNTERS: an array of __u64, enum spmm_counter of uapi/spmm/registers.h,
 *	of the work of this file since it was opened
 * @DRM_SPMM_QUERY_CONTEXT: struct drm_spmm_context_info
 */
enum drm_spmm_query_kind {
	DRM_SPMM_QUERY_DEVICE = 0,
	DRM_SPMM_QUERY_COUNTERS = 1,
	DRM_SPMM_QUERY_CONTEXT = 2,
};

/**
 * struct drm_spmm_query - ask the module
 * @kind: enum drm_spmm_query_kind
 * @size: in: bytes of room at @pointer; out: bytes that the module knows. With 0 nothing
 *	is written; with less than the module knows the first of them are, with more the
 *	rest is zeroed
 * @pointer: user address
 *
 * Errors: -EINVAL for an unknown kind, -EFAULT.
 */
struct drm_spmm_query {
	__u32 kind;
	__u32 size;
	__u64 pointer;
};

/* What the module can do: bits of drm_spmm_device_info.features. */
#define DRM_SPMM_FEATURE_USER_QUEUES (1ull << 0)

/**
 * struct drm_spmm_device_info - what the device is
 * @features: DRM_SPMM_FEATURE_*
 * @memory_bytes: device memory that buffer objects can have
 * @memory_free: of it, at this moment
 * @memory_visible: of @memory_bytes, what can be mapped by a process at all
 * @sram_bytes: shared on-chip memory
 * @memory_bandwidth: attainable bytes a second
 * @link_bandwidth: attainable bytes a second, each way
 * @clock_hz: of the device
 * @version: of the device, major << 16 | minor
 * @clusters: of the array
 * @lanes: of a cluster
 * @vector_width: int8 values of a lane
 * @banks: of a cluster's activation buffer
 * @accumulators: live rows of a lane
 * @decoder_rate: non-zeros a cycle of a cluster
 * @activation_buffer: bytes of a cluster
 * @sram_port_bytes: a cycle of a cluster
 * @epilogue_rate: vectors a cycle of a cluster
 * @schedule_window: weights that a lane looks ahead
 * @stop_cycles: bound on stopping a queue
 * @memory_kind: enum spmm_memory_kind
 * @queues: of the device; the module uses some itself
 * @queue_entries: largest ring
 * @job_commands_max: commands of one job
 * @job_timeout_ms: after so long without progress a job is taken for hung
 * @job_limit_ms: hard maximum of a job's time on the device
 * @omitted: parts that the device lacks, SPMM_OMITTED_* of uapi/spmm/registers.h
 */
struct drm_spmm_device_info {
	__u64 features;
	__u64 memory_bytes;
	__u64 memory_free;
	__u64 memory_visible;
	__u64 sram_bytes;
	__u64 memory_bandwidth;
	__u64 link_bandwidth;
	__u32 clock_hz;
	__u32 version;
	__u32 clusters;
	__u32 lanes;
	__u32 vector_width;
	__u32 banks;
	__u32 accumulators;
	__u32 decoder_rate;
	__u32 activation_buffer;
	__u32 sram_port_bytes;
	__u32 epilogue_rate;
	__u32 schedule_window;
	__u32 stop_cycles;
	__u32 memory_kind;
	__u32 queues;
	__u32 queue_entries;
	__u32 job_commands_max;
	__u32 job_timeout_ms;
	__u32 job_limit_ms;
	__u32 omitted;
};

/* Bits of drm_spmm_context_info.state. */
#define DRM_SPMM_CONTEXT_MEMORY_LOST \
	(1u << 0) /* see DRM_SPMM_CONTEXT_RESTART */

/**
 * struct drm_spmm_context_info - what became of an open file
 * @state: DRM_SPMM_CONTEXT_*
 * @faults: how often its work has failed by a fault of its own
 * @resets: how often the whole device was reset since the file was opened
 * @pad: zero
 */
struct drm_spmm_context_info {
	__u32 state;
	__u32 faults;
	__u32 resets;
	__u32 pad;
};

/* Where a buffer object is; just one of them. */
#define DRM_SPMM_BO_HOST \
	(1u << 0) /* locked from its first use on; counts as locked memory */
#define DRM_SPMM_BO_DEVICE (1u << 1)
/* Device memory that DRM_SPMM_BO_MMAP_OFFSET works for. */
#define DRM_SPMM_BO_VISIBLE (1u << 2)

/**
 * struct drm_spmm_bo_create - make a buffer object, filled with zeros
 * @length: bytes, not 0; rounded up to whole pages of the host, which is returned
 * @flags: DRM_SPMM_BO_*
 * @handle: out
 *
 * Errors: -EINVAL; -ENOMEM; -ENOSPC when device memory (or its visible part) is full;
 * -EPERM when host memory would exceed RLIMIT_MEMLOCK.
 */
struct drm_spmm_bo_create {
	__u64 length;
	__u32 flags;
	__u32 handle;
};

/**
 * struct drm_spmm_bo_mmap_offset - what to give to mmap()
 * @handle: of a buffer object
 * @pad: zero
 * @offset: out
 *
 * Errors: -ENOENT; -EPERM for device memory that is not visible, and for imported memory.
 */
struct drm_spmm_bo_mmap_offset {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

#define DRM_SPMM_VM_BIND_READ (1u << 0)
#define DRM_SPMM_VM_BIND_WRITE (1u << 1)
#define DRM_SPMM_VM_BIND_UNMAP (1u << 2)

/**
 * struct drm_spmm_vm_bind - give pages of a buffer object a device address, or take it
 * @handle: of a buffer object; 0 to unmap
 * @flags: READ, WRITE or both, or UNMAP alone
 * @address: device address, a multiple of 4096, the end below DRM_SPMM_ADDRESS_LIMIT
 * @offset: into the object, a multiple of 4096; 0 to unmap
 * @length: bytes, a multiple of 4096, not 0
 *
 * A range that is mapped must be free. UNMAP takes whole mappings: those that lie in the
 * range; none may be cut. When it returns, the device no longer reaches the pages; a
 * job that still uses them faults. A mapping keeps the object alive.
 *
 * Errors: -EINVAL; -ENOENT, also when there is nothing to unmap; -EEXIST when part of the
 * range is mapped; -ENOMEM; -EIO and -ENODEV when the device does not answer.
 */
struct drm_spmm_vm_bind {
	__u32 handle;
	__u32 flags;
	__u64 address;
	__u64 offset;
	__u64 length;
};

/*
 * The process writes the rings and rings the doorbell itself. Else the queue takes jobs.
 */
#define DRM_SPMM_QUEUE_USER (1u << 0)

/**
 * struct drm_spmm_queue_create - make a queue of this context
 * @flags: DRM_SPMM_QUEUE_*
 * @priority: 0 (lowest) … 3; 3 needs CAP_SYS_NICE
 * @entries: of each ring of a user queue, 2 … queue_entries; else 0
 * @eventfd: signalled when work of the queue completes, or -1
 * @sq_address: device address of the submission ring of a user queue, multiple of 4096;
 *	else 0
 * @cq_address: of its completion ring
 * @doorbell_offset: out: to be given to mmap(), one page of the host, for a user queue
 * @queue: out: number of the queue in this context
 * @pad: zero
 *
 * A user queue holds a queue of the device until it is destroyed. It is outside of all
 * fences. When the module has to take it away (suspend, reset of the device, memory that
 * moves) its doorbell leads nowhere and DRM_SPMM_QUEUE_STATUS says so; what it held is
 * lost, and the process destroys it and makes another.
 *
 * Errors: -EINVAL; -EPERM; -EBUSY when no queue of the device is left; -ENOSPC for more
 * queues than a file may have; -EBADF; -ENOMEM; -EIO, -ENODEV.
 */
struct drm_spmm_queue_create {
	__u32 flags;
	__u32 priority;
	__u32 entries;
	__s32 eventfd;
	__u64 sq_address;
	__u64 cq_address;
	__u64 doorbell_offset;
	__u32 queue;
	__u32 pad;
};

/**
 * struct drm_spmm_queue_destroy - destroy a queue, or cancel what it holds
 * @queue: of this context
 * @pad: zero
 *
 * Jobs that have not completed do so with -ECANCELED; one that waits for a fence of another
 * driver or queue does when that is signalled. Both calls return when the device has let go
 * of them.
 *
 * Errors: -ENOENT; -EINVAL for CANCEL of a user queue.
 */
struct drm_spmm_queue_destroy {
	__u32 queue;
	__u32 pad;
};

/**
 * enum drm_spmm_queue_state - how a queue is
 * @DRM_SPMM_QUEUE_OK: works
 * @DRM_SPMM_QUEUE_FAULTED: a user queue's context was killed by a fault
 * @DRM_SPMM_QUEUE_EVICTED: a user queue was taken away
 * @DRM_SPMM_QUEUE_GONE: the device is gone
 */
enum drm_spmm_queue_state {
	DRM_SPMM_QUEUE_OK = 0,
	DRM_SPMM_QUEUE_FAULTED = 1,
	DRM_SPMM_QUEUE_EVICTED = 2,
	DRM_SPMM_QUEUE_GONE = 3,
};

/**
 * struct drm_spmm_queue_status - ask how a queue is
 * @queue: of this context
 * @state: out: enum drm_spmm_queue_state
 * @device_status: out: enum spmm_status of the last fault
 * @command: out: index of the command in its list
 * @address: out: of the last fault
 * @jobs_submitted: out
 * @jobs_completed: out
 * @progress: out: changes while work of the queue moves on the device
 *
 * Errors: -ENOENT.
 */
struct drm_spmm_queue_status {
	__u32 queue;
	__u32 state;
	__u32 device_status;
	__u32 command;
	__u64 address;
	__u64 jobs_submitted;
	__u64 jobs_completed;
	__u64 progress;
};

#define DRM_SPMM_SYNC_TIMELINE (1u << 0)

/**
 * struct drm_spmm_sync - a sync object to wait for or to signal
 * @handle: of a sync object (DRM_IOCTL_SYNCOBJ_CREATE)
 * @flags: DRM_SPMM_SYNC_*
 * @point: of a timeline; 0 for a binary one
 */
struct drm_spmm_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
};

/**
 * struct drm_spmm_job_submit - hand in commands
 * @queue: of this context, not a user queue
 * @command_count: 1 … job_commands_max
 * @commands: user address of as many struct spmm_sqe, which are copied; LIST and
 *	SEMAPHORE_WAIT are refused, identifiers are 0
 * @in_syncs: user address of struct drm_spmm_sync: the job starts after them
 * @out_syncs: user address of struct drm_spmm_sync: signalled when it is done
 * @in_sync_count: of @in_syncs
 * @out_sync_count: of @out_syncs
 * @flags: zero
 * @pad: zero
 * @job: out: its number, 1 … in the order of the queue
 *
 * The job runs its commands as one list and stops at the first that fails; its fence then
 * carries the error of DRM_SPMM_JOB_WAIT. A fence of @in_syncs that has failed fails the
 * job with the same error; but a timeline forgets the errors of points that are not its
 * newest.
 *
 * Errors: -EINVAL; -ENOENT for an unknown queue or sync object; -EFAULT; -ENOMEM; -ESTALE
 * when device memory was lost, see DRM_SPMM_CONTEXT_RESTART; -EAGAIN when the queue has held
 * 1024 jobs that are not done for a second, -EINTR while waiting for that; -ENODEV.
 */
struct drm_spmm_job_submit {
	__u32 queue;
	__u32 command_count;
	__u64 commands;
	__u64 in_syncs;
	__u64 out_syncs;
	__u32 in_sync_count;
	__u32 out_sync_count;
	__u32 flags;
	__u32 pad;
	__u64 job;
};

/**
 * enum drm_spmm_job_state - what became of a job
 * @DRM_SPMM_JOB_PENDING: not done
 * @DRM_SPMM_JOB_DONE: succeeded
 * @DRM_SPMM_JOB_FAULT: a command failed: @device_status, @command, @address; -EIO,
 *	-EFAULT for a page fault, -EBADMSG for a bad descriptor or weight stream
 * @DRM_SPMM_JOB_TIMEOUT: it did not move, or not end, in time; -ETIMEDOUT
 * @DRM_SPMM_JOB_VICTIM: lost by the fault or reset of another; may be submitted again;
 *	-ECANCELED
 * @DRM_SPMM_JOB_CANCELED: by DRM_SPMM_QUEUE_CANCEL or DRM_SPMM_QUEUE_DESTROY; -ECANCELED
 * @DRM_SPMM_JOB_DEPENDENCY: a fence that it waited for had failed; its error
 * @DRM_SPMM_JOB_GONE: the device is gone; -ENODEV
 */
enum drm_spmm_job_state {
	DRM_SPMM_JOB_PENDING = 0,
	DRM_SPMM_JOB_DONE = 1,
	DRM_SPMM_JOB_FAULT = 2,
	DRM_SPMM_JOB_TIMEOUT = 3,
	DRM_SPMM_JOB_VICTIM = 4,
	DRM_SPMM_JOB_CANCELED = 5,
	DRM_SPMM_JOB_DEPENDENCY = 6,
	DRM_SPMM_JOB_GONE = 7,
};

/* Do not wait for the job's success: leave its error in @error and return 0. */
#define DRM_SPMM_JOB_WAIT_STATUS (1u << 0)

/**
 * struct drm_spmm_job_wait - wait for a job, and learn what became of it
 * @queue: of this context
 * @flags: DRM_SPMM_JOB_WAIT_*
 * @job: its number
 * @timeout_ns: absolute; in the past: do not wait
 * @state: out: enum drm_spmm_job_state
 * @error: out: 0 or a negative errno value
 * @device_status: out: enum spmm_status
 * @command: out: index of the command that failed
 * @address: out: that the command failed at
 *
 * A queue remembers its last 1024 jobs.
 *
 * Errors: -ETIME when the job is still pending; the job's own error, with the fields
 * filled, unless STATUS is set; -ENOENT for an unknown queue or a job that was never
 * submitted or is forgotten; -EINTR.
 */
struct drm_spmm_job_wait {
	__u32 queue;
	__u32 flags;
	__u64 job;
	__s64 timeout_ns;
	__u32 state;
	__s32 error;
	__u32 device_status;
	__u32 command;
	__u64 address;
};

/**
 * struct drm_spmm_context_restart - go on after device memory was lost
 * @flags: zero
 * @pad: zero
 *
 * A reset that clears device memory makes DRM_SPMM_JOB_SUBMIT fail with -ESTALE for every
 * file that had buffer objects there. This call says that the process knows: its objects
 * and mappings are as before, their contents are zero.
 */
struct drm_spmm_context_restart {
	__u32 flags;
	__u32 pad;
};

#define DRM_IOCTL_SPMM_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_QUERY, struct drm_spmm_query)
#define DRM_IOCTL_SPMM_BO_CREATE                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_BO_CREATE, \
		 struct drm_spmm_bo_create)
#define DRM_IOCTL_SPMM_BO_MMAP_OFFSET                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_BO_MMAP_OFFSET, \
		 struct drm_spmm_bo_mmap_offset)
#define DRM_IOCTL_SPMM_VM_BIND \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SPMM_VM_BIND, struct drm_spmm_vm_bind)
#define DRM_IOCTL_SPMM_QUEUE_CREATE                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_QUEUE_CREATE, \
		 struct drm_spmm_queue_create)
#define DRM_IOCTL_SPMM_QUEUE_DESTROY                       \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SPMM_QUEUE_DESTROY, \
		struct drm_spmm_queue_destroy)
#define DRM_IOCTL_SPMM_QUEUE_CANCEL                       \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SPMM_QUEUE_CANCEL, \
		struct drm_spmm_queue_destroy)
#define DRM_IOCTL_SPMM_QUEUE_STATUS                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_QUEUE_STATUS, \
		 struct drm_spmm_queue_status)
#define DRM_IOCTL_SPMM_JOB_SUBMIT                        \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_JOB_SUBMIT, \
		 struct drm_spmm_job_submit)
#define DRM_IOCTL_SPMM_JOB_WAIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_SPMM_JOB_WAIT, struct drm_spmm_job_wait)
#define DRM_IOCTL_SPMM_CONTEXT_RESTART                       \
	DRM_IOW(DRM_COMMAND_BASE + DRM_SPMM_CONTEXT_RESTART, \
		struct drm_spmm_context_restart)

#if defined(__cplusplus)
}
#endif

#endif
