/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite: what the public headers promise, on any device. It is a user of
 * the library and sees nothing else of it. Each test runs in a process of its own, which
 * ends at the first promise that is broken.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <accel/accel.h>

#include <stdbool.h>
#include <stdint.h>

/**
 * enum property - what only some devices have; a test that needs it is skipped on others
 * @COMPUTES: operations have results
 * @TAKES_TIME: what was submitted can still be stopped
 * @COUNTS_QUEUES: there are so many queues and no more
 * @OWN_MEMORY: device memory is the device's and ends
 * @SHARED: the URI can be opened again while it is open
 * @REACHES_ADDRESSES: any memory of the process can be imported
 * @NEEDS_FILES: only what has a file can be
 */
enum property {
	COMPUTES = 1 << 0,
	TAKES_TIME = 1 << 1,
	COUNTS_QUEUES = 1 << 2,
	OWN_MEMORY = 1 << 3,
	SHARED = 1 << 4,
	REACHES_ADDRESSES = 1 << 5,
	NEEDS_FILES = 1 << 6,
};

/**
 * struct settings - what the command line says
 * @uri: the device
 * @model: a file with every operation, of dynamic height and width
 * @fault: which fault the device has armed, or NULL
 * @server: process that serves the device, for the fault "vanished"
 * @cycles: how often a device is opened and closed to find leaks
 * @slack_ns: by how much a wait may outlast its timeout, on this machine
 * @stall_ns: without progress the device is taken for hung, 0: the default
 */
struct settings {
	const char *uri;
	const char *model;
	const char *fault;
	int server;
	unsigned int cycles;
	int64_t slack_ns;
	int64_t stall_ns;
};

extern struct settings settings;

/**
 * struct test - one promise
 * @name: as a sentence
 * @run: returns if it is kept
 * @needs: enum property, all of them
 */
struct test {
	const char *name;
	void (*run)(void);
	uint32_t needs;
};

/* Each ends with an entry without a name. */
extern const struct test semantics_tests[];
extern const struct test plan_tests[];
extern const struct test import_tests[];
extern const struct test ordering_tests[];
extern const struct test error_tests[];
extern const struct test size_tests[];
extern const struct test ring_tests[];
extern const struct test deadline_tests[];
extern const struct test cancellation_tests[];
extern const struct test reset_tests[];
extern const struct test concurrency_tests[];
extern const struct test exactness_tests[];
extern const struct test resource_tests[];

/* With a fault: these, by its name, and nothing else. */
extern const struct test fault_tests[];

#endif
