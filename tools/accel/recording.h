/* SPDX-License-Identifier: MIT */
/* --trace and --vcd: a session on a device that records what it does. */
#ifndef TOOL_RECORDING_H
#define TOOL_RECORDING_H

#include "session.h"

/** struct recording_files - either may be NULL */
struct recording_files {
	const char *trace;
	const char *vcd;
};

/* The options of a command that records, for its list of options. */
#define RECORDING_OPTIONS(files)                                       \
	{ "trace",     0,                                              \
	  OPTION_TEXT, &(files)->trace,                                \
	  "FILE.json", "time line to write, for Perfetto or Chrome" }, \
	{                                                              \
		"vcd", 0, OPTION_TEXT, &(files)->vcd, "FILE.vcd",      \
			"waves to write, for GTKWave and the like"     \
	}

/*
 * session_open() with the files added to the URI; −EINVAL with a text for a device that
 * cannot record. accel_device_end_trace() completes them.
 */
int recording_open(struct session *session, const char *uri,
		   const struct recording_files *files,
		   const struct workload *workload);

#endif
