/* SPDX-License-Identifier: MIT */
#ifndef TOOL_TRAINING_REPORT_H
#define TOOL_TRAINING_REPORT_H

#include <stdbool.h>

struct task;
struct training_result;

/* Measure on the whole test, and print that and the curve. 0 or -errno. */
int training_report(struct task *task, const struct training_result *result,
		    const char *path, bool json);

#endif
