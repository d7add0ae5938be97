/* SPDX-License-Identifier: MIT */
/* A fault script in memory: what the device does wrong, and when. */
#ifndef SIM_INJECT_SCRIPT_H
#define SIM_INJECT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include <spmm/error_injection.h>

#define INJECT_RULES_MAX 64
#define INJECT_ANY 0x100 /* no opcode: all of them */
#define INJECT_ALWAYS UINT64_MAX

enum inject_action {
	INJECT_HANG,
	INJECT_SLOW,
	INJECT_MEMORY_ERROR,
	INJECT_DMA_READ,
	INJECT_DMA_WRITE,
	INJECT_FATAL,
	INJECT_GONE,
	INJECT_CORRUPT,
	INJECT_REPEAT,
	INJECT_DROP,
	INJECT_LOSE_INTERRUPT,
	INJECT_INTERRUPT,
	INJECT_IGNORE,
	INJECT_ACTION_COUNT,
};

/* What ends a fault that lasts, in the order of escalation. */
enum inject_end {
	INJECT_UNTIL_ABORT,
	INJECT_UNTIL_CONTEXT,
	INJECT_UNTIL_QUEUE,
	INJECT_UNTIL_DEVICE,
	INJECT_UNTIL_RESET,
	INJECT_UNTIL_PLUG,
	INJECT_UNTIL_COUNT,
};

/* The part of a completion that is wrong. */
enum inject_field {
	INJECT_FIELD_ID,
	INJECT_FIELD_HEAD,
	INJECT_FIELD_QUEUE,
	INJECT_FIELD_STATUS,
	INJECT_FIELD_PHASE,
	INJECT_FIELD_COUNT,
};

/**
 * struct inject_rule - a line of the script
 * @action: what goes wrong
 * @argument: of the action: milliseconds, an address, a vector plus one, an enum
 *	inject_field; 0 where it has none
 * @end: what ends it, of an action that lasts
 * @engine: a hang stops all queues
 * @admin: it watches admin commands, else those of I/O queues
 * @opcode: of the commands that it watches, or INJECT_ANY
 * @queue: of them, or 0: all
 * @after: so many of them pass first
 * @times: it fires so often, or INJECT_ALWAYS
 * @now: it watches nothing: it fires when it is armed
 * @armed: from the start
 * @fault: its name's number, from 1
 */
struct inject_rule {
	enum inject_action action;
	uint64_t argument;
	enum inject_end end;
	bool engine;
	bool admin;
	unsigned int opcode;
	unsigned int queue;
	uint64_t after;
	uint64_t times;
	bool now;
	bool armed;
	unsigned int fault;
};

/**
 * struct inject_script - rules in their order
 * @names: of faults 1 …
 */
struct inject_script {
	unsigned int rule_count;
	unsigned int fault_count;
	struct inject_rule rules[INJECT_RULES_MAX];
	char names[INJECT_RULES_MAX + 1][SPMM_INJECTION_NAME_BYTES];
};

#endif
