/* SPDX-License-Identifier: MIT */
/* What `accel bench` measured, for people and for programs. */
#ifndef TOOL_BENCH_PRINT_H
#define TOOL_BENCH_PRINT_H

#include "bench_series.h"

/**
 * struct bench_report - what was measured on what
 * @device: that ran it
 * @operation: "nop", "copy" or "run"
 * @bytes: of a copy, else 0
 * @series: the figures
 */
struct bench_report {
	struct accel_device_info device;
	const char *operation;
	uint64_t bytes;
	const struct bench_series *series;
};

void bench_print(const struct bench_report *report);

/* 0 or −ENOMEM. */
int bench_print_json(const struct bench_report *report);

#endif
