/* SPDX-License-Identifier: MIT */
/* conformance: runs the suite on one device and prints TAP. */
#include "conformance.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of one test; a wait without end is ended by it. */
#define TEST_SECONDS 300

static const char help[] =
	"usage: conformance URI --model FILE [options]\n"
	"\n"
	"Runs the conformance suite on the device and prints TAP.\n"
	"\n"
	"  --model FILE   the model of the suite (make_model writes it)\n"
	"  --fault NAME   the device does this wrong at the first NOP; tests only that\n"
	"  --server PID   who serves the device, for --fault vanished\n"
	"  --cycles N     opens and closes that must leak nothing; 1000\n"
	"  --slack MS     by which a wait may outlast its timeout; 3000\n"
	"  --only TEXT    tests whose name has it\n";

struct settings settings = {
	.cycles = 1000,
	.slack_ns = 3000 * ACCEL_MILLISECOND,
};

static const char *only = "";

static const struct topic {
	const char *name;
	const struct test *tests;
} topics[] = {
	{ "semantics", semantics_tests },
	{ "plans", plan_tests },
	{ "imports", import_tests },
	{ "ordering", ordering_tests },
	{ "errors", error_tests },
	{ "sizes", size_tests },
	{ "rings", ring_tests },
	{ "deadlines", deadline_tests },
	{ "cancellation", cancellation_tests },
	{ "reset", reset_tests },
	{ "concurrency", concurrency_tests },
	{ "exactness", exactness_tests },
	{ "resources", resource_tests },
	{ NULL, NULL },
};

static const struct topic fault_topics[] = {
	{ "faults", fault_tests },
	{ NULL, NULL },
};

#define DEVICE (COMPUTES | TAKES_TIME | COUNTS_QUEUES | OWN_MEMORY)

/* What each kind of device has. Whoever is not listed has to be: nothing is guessed. */
static const struct kind {
	const char *prefix;
	uint32_t properties;
} kinds[] = {
	{ "nil:", SHARED | REACHES_ADDRESSES },
	{ "cpu:", COMPUTES | TAKES_TIME | SHARED | REACHES_ADDRESSES },
	{ "sim:", DEVICE | SHARED | REACHES_ADDRESSES },
	{ "vfio-user:", DEVICE | NEEDS_FILES },
	{ "vfio:", DEVICE | REACHES_ADDRESSES },
	{ "dev:", DEVICE | SHARED | NEEDS_FILES },
};

static const struct {
	enum property property;
	const char *lack;
} lacks[] = {
	{ COMPUTES, "computes nothing" },
	{ TAKES_TIME, "completes at once, so that nothing can be stopped" },
	{ COUNTS_QUEUES, "has any number of queues" },
	{ OWN_MEMORY, "has no memory of its own" },
	{ REACHES_ADDRESSES, "reaches files only" },
	{ NEEDS_FILES, "reaches all memory of the process" },
	{ SHARED, "is for one process that opens it once" },
};

static const struct kind *kind_of(const char *uri)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(uri, kinds[i].prefix, strlen(kinds[i].prefix)))
			return &kinds[i];
	return NULL;
}

static const char *lack_of(const struct test *test, const struct kind *kind)
{
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		if (test->needs & ~kind->properties & lacks[i].property)
			return lacks[i].lack;
	return NULL;
}

/* In a process of its own, which leaves with the status. */
static int test_fork(const struct test *test)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("# fork");
		return -1;
	}
	if (!child) {
		alarm(TEST_SECONDS);
		test->run();
		exit(EXIT_SUCCESS);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ", out of time" : "");
	return status;
}

static bool is_wanted(const struct topic *topic, const struct test *test)
{
	char name[256];

	snprintf(name, sizeof(name), "%s: %s", topic->name, test->name);
	if (settings.fault)
		return !strcmp(test->name, settings.fault);
	return strstr(name, only);
}

/* What a kind of device cannot do by its nature is told, and no test of it. */
static bool is_possible(const struct topic *topic, const struct test *test,
			const struct kind *kind)
{
	const char *lack = lack_of(test, kind);

	if (lack)
		printf("# left out: %s: %s: %s %s\n", topic->name, test->name,
		       kind->prefix, lack);
	return !lack;
}

static unsigned int count(const struct topic *list, const struct kind *kind)
{
	unsigned int tests = 0;

	for (const struct topic *topic = list; topic->name; topic++)
		for (const struct test *t = topic->tests; t->name; t++)
			tests += is_wanted(topic, t) && !lack_of(t, kind);
	return tests;
}

/* False if it failed. */
static bool test_run(unsigned int number, const struct topic *topic,
		     const struct test *test)
{
	bool failed = test_fork(test);

	printf("%s %u - %s: %s\n", failed ? "not ok" : "ok", number,
	       topic->name, test->name);
	fflush(stdout);
	return !failed;
}

static int run(const struct topic *list, const struct kind *kind)
{
	unsigned int number = 0, total = count(list, kind);
	bool good = true;

	if (!total) {
		fprintf(stderr, "conformance: no test is called that\n");
		return 2;
	}
	printf("1..%u\n", total);
	for (const struct topic *topic = list; topic->name; topic++)
		for (const struct test *t = topic->tests; t->name; t++)
			if (is_wanted(topic, t) && is_possible(topic, t, kind))
				good &= test_run(++number, topic, t);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(void)
{
	fputs(help, stderr);
	return -1;
}

static int argument_parse(int option)
{
	switch (option) {
	case 'm':
		settings.model = optarg;
		return 0;
	case 'f':
		settings.fault = optarg;
		return 0;
	case 'p':
		settings.server = atoi(optarg);
		return 0;
	case 'c':
		settings.cycles = (unsigned int)atoi(optarg);
		return 0;
	case 's':
		settings.slack_ns = atoi(optarg) * ACCEL_MILLISECOND;
		return 0;
	case 'o':
		only = optarg;
		return 0;
	}
	return usage();
}

static int arguments_parse(int argc, char **argv)
{
	static const struct option names[] = {
		{ "model", required_argument, NULL, 'm' },
		{ "fault", required_argument, NULL, 'f' },
		{ "server", required_argument, NULL, 'p' },
		{ "cycles", required_argument, NULL, 'c' },
		{ "slack", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (argument_parse(option))
			return -1;
	if (optind != argc - 1 || !settings.model)
		return usage();
	settings.uri = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	const struct kind *kind;

	if (arguments_parse(argc, argv))
		return 2;
	kind = kind_of(settings.uri);
	if (!kind) {
		fprintf(stderr, "conformance: %s is no kind that is listed\n",
			settings.uri);
		return 2;
	}
	return run(settings.fault ? fault_topics : topics, kind);
}
