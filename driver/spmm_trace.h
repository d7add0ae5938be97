/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM spmm

#if !defined(SPMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SPMM_TRACE_H

#include <drm/drm_device.h>
#include <linux/tracepoint.h>

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
