/* SPDX-License-Identifier: MIT */
/* What came of a target, and why: on standard error, for people. */
#ifndef TOOL_TARGET_REPORT_H
#define TOOL_TARGET_REPORT_H

#include "target.h"

/* As people know it, and what it is called. */
double target_quality(const struct automatic_target *target, double quality);
const char *target_quality_unit(const struct automatic_target *target);

/* What was tried, and a table of the layers. */
void target_report(const struct target_request *request,
		   const struct automatic_result *result);

/*
 * The same, and the error's text: the best that was reached, and the command that gets
 * it. Returns @error.
 */
int target_report_failure(const struct target_request *request,
			  const struct automatic_result *result, int error);

#endif
