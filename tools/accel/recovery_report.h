/* SPDX-License-Identifier: MIT */
/* What a training tells when it is over. */
#ifndef TOOL_RECOVERY_REPORT_H
#define TOOL_RECOVERY_REPORT_H

struct distill_result;
struct recipe;
struct recovery;

/* OUTPUT.report.json, to be freed; NULL without memory. */
char *recovery_report_path(const struct recovery *recovery);

/*
 * Print it to standard error, for people, and write its file with the whole
 * curve and recipe. 0 or −errno.
 */
int recovery_report(const struct recovery *recovery,
		    const struct recipe *recipe,
		    const struct distill_result *result);

#endif
