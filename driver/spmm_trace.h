/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM spmm

#if !defined(SPMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SPMM_TRACE_H

#include <drm/drm_device.h>
#include <linux/tracepoint.h>

/* A job's way: queues are told by the context of their fences. */
DECLARE_EVENT_CLASS(spmm_job_event,
	TP_PROTO(struct drm_device *drm, u64 queue, u64 job, u32 hardware,
		 u32 commands),
	TP_ARGS(drm, queue, job, hardware, commands),
	TP_STRUCT__entry(
		__string(device, dev_name(drm->dev))
		__field(u64, queue)
		__field(u64, job)
		__field(u32, hardware)
		__field(u32, commands)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
		__entry->job = job;
		__entry->hardware = hardware;
		__entry->commands = commands;
	),
	TP_printk("%s: queue=%llu job=%llu hardware=%u commands=%u",
		  __get_str(device), __entry->queue, __entry->job,
		  __entry->hardware, __entry->commands)
);

/* A process handed it in; it waits for fences. */
DEFINE_EVENT(spmm_job_event, spmm_job_submit,
	TP_PROTO(struct drm_device *drm, u64 queue, u64 job, u32 hardware,
		 u32 commands),
	TP_ARGS(drm, queue, job, hardware, commands)
);

/* It is in the ring of a hardware queue. */
DEFINE_EVENT(spmm_job_event, spmm_job_run,
	TP_PROTO(struct drm_device *drm, u64 queue, u64 job, u32 hardware,
		 u32 commands),
	TP_ARGS(drm, queue, job, hardware, commands)
);

/* Its fence is about to be signalled. */
TRACE_EVENT(spmm_job_done,
	TP_PROTO(struct drm_device *drm, u64 queue, u64 job, u32 state,
		 int error),
	TP_ARGS(drm, queue, job, state, error),
	TP_STRUCT__entry(
		__string(device, dev_name(drm->dev))
		__field(u64, queue)
		__field(u64, job)
		__field(u32, state)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
		__entry->job = job;
		__entry->state = state;
		__entry->error = error;
	),
	TP_printk("%s: queue=%llu job=%llu state=%u error=%d",
		  __get_str(device), __entry->queue, __entry->job,
		  __entry->state, __entry->error)
);

/* The device is reset, and why. */
TRACE_EVENT(spmm_reset,
	TP_PROTO(struct drm_device *drm, const char *why),
	TP_ARGS(drm, why),
	TP_STRUCT__entry(
		__string(device, dev_name(drm->dev))
		__string(why, why)
	),
	TP_fast_assign(
		__assign_str(device);
		__assign_str(why);
	),
	TP_printk("%s: %s", __get_str(device), __get_str(why))
);

/* A wait for a register is over: what it was for, what it last read, and the verdict. */
TRACE_EVENT(spmm_poll,
	TP_PROTO(struct drm_device *drm, u32 offset, u32 mask, u32 want,
		 u32 got, s64 microseconds, int result),
	TP_ARGS(drm, offset, mask, want, got, microseconds, result),
	TP_STRUCT__entry(
		__string(device, dev_name(drm->dev))
		__field(u32, offset)
		__field(u32, mask)
		__field(u32, want)
		__field(u32, got)
		__field(s64, microseconds)
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->offset = offset;
		__entry->mask = mask;
		__entry->want = want;
		__entry->got = got;
		__entry->microseconds = microseconds;
		__entry->result = result;
	),
	TP_printk("%s: offset=%#x mask=%#x want=%#x got=%#x us=%lld result=%d",
		  __get_str(device), __entry->offset, __entry->mask,
		  __entry->want, __entry->got, __entry->microseconds,
		  __entry->result)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE spmm_trace
#include <trace/define_trace.h>
