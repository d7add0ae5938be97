/* SPDX-License-Identifier: MIT */
/*
 * Submitting and reaping make no system call, allocate nothing, take no lock, read no
 * register, and ring at most one doorbell for a batch: of the device that a URI names.
 * usage: fastpath [--self-test] [--messages] URI
 * With --self-test it breaks each of these, and is content if that is noticed.
 * With --messages doorbells are messages: sending is the one system call allowed.
 */
#include "scene.h"

#include <inttypes.h>
#include <plain_device.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct scene scenes[] = {
	{ .name = "nop, batches of 32",
	  .opcode = ACCEL_OPERATION_NOP,
	  .batch = 32 },
	{ .name = "nop, one by one", .opcode = ACCEL_OPERATION_NOP, .batch = 1 },
	{ .name = "fence, batches of 7",
	  .opcode = ACCEL_OPERATION_FENCE,
	  .batch = 7 },
	{ .name = "copy, batches of 8",
	  .opcode = ACCEL_OPERATION_COPY,
	  .batch = 8 },
	{ .name = "run, batches of 2",
	  .opcode = ACCEL_OPERATION_RUN,
	  .batch = 2 },
	{ .name = "nop, waited for",
	  .opcode = ACCEL_OPERATION_NOP,
	  .batch = 32,
	  .waits = true },
};

#define SCENE_COUNT (sizeof(scenes) / sizeof(scenes[0]))

/* What is wrong with an outcome, or NULL. */
static const char *fault_find(const struct scene *scene,
			      const struct outcome *outcome)
{
	const struct watch *seen = &outcome->watch;

	if (outcome->signal == SIGSYS)
		return "a system call";
	if (outcome->signal)
		return "killed, or it took too long";
	if (outcome->status)
		return "it failed";
	if (seen->register_reads)
		return "registers were read";
	if (seen->register_writes)
		return "registers were written";
	if (seen->tails > outcome->batches ||
	    outcome->stats.doorbells > outcome->batches)
		return "more than one doorbell for a batch";
	/* What was taken is told a quarter of a ring at a time; some was before. */
	if (outcome->stats.reports * SCENE_DEPTH / 2 >
	    outcome->operations + SCENE_DEPTH / 2)
		return "more reports of completions than are due";
	if (outcome->stats.batches != outcome->batches)
		return "the library counts other batches";
	if (scene->counts_doorbells)
		return seen->tails == outcome->stats.doorbells &&
				       seen->heads == outcome->stats.reports ?
			       NULL :
			       "the library counts other doorbells";
	if (seen->allocations)
		return "memory was allocated or freed";
	/* A message is sent under a lock, which is taken and let go. */
	if (seen->locks >
	    (scene->messages ? 2 * (seen->tails + seen->heads) : 0))
		return "locks were taken";
	return NULL;
}

static void print_heading(const char *uri)
{
	printf("%s\n%-36s %10s %8s %9s %8s %7s %6s %6s\n", uri, "",
	       "operations", "batches", "doorbells", "reports", "reads", "heap",
	       "locks");
}

static void print_outcome(const struct scene *scene,
			  const struct outcome *outcome, const char *fault)
{
	const struct watch *seen = &outcome->watch;
	char name[64];

	snprintf(name, sizeof(name), "%s%s", scene->name,
		 scene->counts_doorbells ? ", not mapped" : "");
	printf("%-36s %10" PRIu64 " %8" PRIu64 " %9" PRIu64 " %8" PRIu64
	       " %7" PRIu64 " %6" PRIu64 " %6" PRIu64 "  %s%s%s\n",
	       name, outcome->operations, outcome->batches,
	       outcome->stats.doorbells, outcome->stats.reports,
	       seen->register_reads, seen->allocations, seen->locks,
	       fault ? "FAILED: " : "ok", fault ? fault : "",
	       outcome->status ? outcome->text : "");
}

static bool scene_holds(const struct scene *scene)
{
	struct outcome outcome;
	const char *fault;

	scene_run(scene, &outcome);
	fault = fault_find(scene, &outcome);
	print_outcome(scene, &outcome, fault);
	return !fault;
}

/* A device that answers in its own time is waited for in sleep; a plain one runs nothing. */
static bool can_play(const struct scene *scene, const char *uri)
{
	if (scene->waits)
		return !strcmp(uri, "nil:");
	return scene->opcode != ACCEL_OPERATION_RUN || strcmp(uri, PLAIN_URI);
}

static bool scenes_hold(const char *uri, bool messages)
{
	bool holds = true;

	print_heading(uri);
	for (size_t i = 0; i < SCENE_COUNT; i++) {
		struct scene scene = scenes[i];

		if (!can_play(&scene, uri))
			continue;
		scene.uri = uri;
		scene.messages = messages;
		holds &= scene_holds(&scene);
	}
	return holds;
}

/* Doorbells that are plain memory nobody sees: once they are left unmapped. */
static bool doorbells_hold(const char *uri)
{
	bool holds = true;

	for (size_t i = 0; i < SCENE_COUNT; i++) {
		struct scene scene = scenes[i];

		if (scene.waits || !can_play(&scene, uri))
			continue;
		scene.uri = uri;
		scene.counts_doorbells = true;
		holds &= scene_holds(&scene);
	}
	return holds;
}

static bool has_transport(const char *uri)
{
	return strcmp(uri, "nil:") && strcmp(uri, "cpu:") &&
	       strncmp(uri, "dev:", 4);
}

static bool violations_are_noticed(const char *uri)
{
	static const struct {
		enum violation violation;
		const char *fault;
		bool counts_doorbells;
	} cases[] = {
		{ VIOLATION_SYSTEM_CALL, "a system call", false },
		{ VIOLATION_ALLOCATION, "memory was allocated or freed",
		  false },
		{ VIOLATION_LOCK, "locks were taken", false },
		{ VIOLATION_REGISTER_READ, "registers were read", false },
		{ VIOLATION_DOORBELL, "more than one doorbell for a batch",
		  true },
	};
	bool noticed = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scenes[0];
		struct outcome outcome;
		const char *fault;

		scene.uri = uri;
		scene.violation = cases[i].violation;
		scene.counts_doorbells = cases[i].counts_doorbells;
		scene_run(&scene, &outcome);
		fault = fault_find(&scene, &outcome);
		printf("%s: %s\n", cases[i].fault,
		       fault ? fault : "NOT NOTICED");
		noticed &= fault && !strcmp(fault, cases[i].fault);
	}
	return noticed;
}

int main(int count, char **arguments)
{
	bool self_test = false, messages = false;
	const char *uri = NULL;
	bool holds;

	for (int i = 1; i < count; i++) {
		if (!strcmp(arguments[i], "--self-test"))
			self_test = true;
		else if (!strcmp(arguments[i], "--messages"))
			messages = true;
		else
			uri = arguments[i];
	}
	if (!uri) {
		fprintf(stderr,
			"usage: fastpath [--self-test] [--messages] URI\n");
		return EXIT_FAILURE;
	}
	if (self_test)
		return violations_are_noticed(uri) ? EXIT_SUCCESS :
						     EXIT_FAILURE;
	holds = scenes_hold(uri, messages);
	if (has_transport(uri) && !messages)
		holds &= doorbells_hold(uri);
	return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
