/* SPDX-License-Identifier: MIT */
/* The checks of `accel doctor`: each judges facts that were read, and reads nothing. */
#ifndef TOOL_DOCTOR_CHECK_H
#define TOOL_DOCTOR_CHECK_H

#include <stdbool.h>

struct doctor_facts;

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARN, /* the device can be used */
	DOCTOR_FAIL, /* it cannot */
	DOCTOR_SKIP, /* does not matter here, or cannot be known */
};

/**
 * struct doctor_finding - what a check has found
 * @status: of it
 * @text: one line
 * @repair: a command of the shell, or ""
 * @repair_by_root: only root can
 */
struct doctor_finding {
	enum doctor_status status;
	char text[256];
	char repair[256];
	bool repair_by_root;
};

/**
 * struct doctor_check - one check; a NULL name ends a table of them
 * @name: one word
 * @judge: fill in the finding, which is all zeros
 */
struct doctor_check {
	const char *name;
	void (*judge)(const struct doctor_facts *facts,
		      struct doctor_finding *finding);
};

/* Of kernel and modules, of the process, of the card; repairs in this order build up. */
extern const struct doctor_check doctor_system_checks[];
extern const struct doctor_check doctor_card_checks[];
extern const struct doctor_check doctor_process_checks[];

__attribute__((format(printf, 3, 4))) void
doctor_find(struct doctor_finding *finding, enum doctor_status status,
	    const char *format, ...);

/* By any user, in the shell that the tool was started from. */
__attribute__((format(printf, 2, 3))) void
doctor_repair(struct doctor_finding *finding, const char *format, ...);

__attribute__((format(printf, 2, 3))) void
doctor_repair_by_root(struct doctor_finding *finding, const char *format, ...);

#endif
