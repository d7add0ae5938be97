/* SPDX-License-Identifier: MIT */
/* A page that shows what compression cost and brought. */
#ifndef TOOL_EVALUATION_REPORT_H
#define TOOL_EVALUATION_REPORT_H

#include "evaluation.h"

/**
 * struct evaluation_report - what the page is of
 * @set: evaluated
 * @dense: path of the dense network
 * @command: that made it, and by which it can be made again
 * @seed: of what was sampled
 */
struct evaluation_report {
	const struct evaluation_set *set;
	const char *dense;
	const char *command;
	uint64_t seed;
};

/*
 * One file, that needs no other, and its figures in one beside it, .json for .html or
 * else behind it. 0 or −errno.
 */
int evaluation_report_write(const struct evaluation_report *report,
			    const char *path);

/* The words of a command line as a user typed them, to be freed; NULL without memory. */
char *evaluation_report_command(int count, char *const *words);

#endif
