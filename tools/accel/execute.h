/* SPDX-License-Identifier: MIT */
#ifndef TOOL_EXECUTE_H
#define TOOL_EXECUTE_H

#include "session.h"

#define EXECUTE_TIMEOUT_DEFAULT 3600

/* The option for @timeout_seconds, for a command's table. */
#define EXECUTE_TIMEOUT_OPTION(seconds)                           \
	{                                                         \
		"timeout", 0, OPTION_SECONDS, seconds, "SECONDS", \
			"deadline of each run (3600)"             \
	}

/**
 * struct execution - one plan, run some times
 * @session: open
 * @repeat: how often
 * @timeout_seconds: for each run
 * @quiet: this is a part of something that shows its own progress
 * @host_seconds: result: the median, from submission to completion
 */
struct execution {
	const struct session *session;
	int64_t repeat;
	double timeout_seconds;
	bool quiet;
	double host_seconds;
};

/* 0; −ETIMEDOUT; what the device says. Shows progress unless it is @quiet. */
int execute(struct execution *execution);

#endif
