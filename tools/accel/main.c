/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <accel/error.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/** struct command - a subcommand; the table ends with a NULL name */
struct command {
	const char *name;
	int (*run)(int count, char **arguments);
	const char *summary;
};

static const struct command commands[] = {
	{ "compress", command_compress, "make a sparse int8 model from ONNX" },
	{ "train", command_train, "train a network from a description" },
	{ "distill", command_distill,
	  "train a sparse model to do what a dense one does" },
	{ "pack", command_pack, "pack a model for one device" },
	{ "inspect", command_inspect, "show what is in a model" },
	{ "run", command_run, "run a model on a device" },
	{ "explain", command_explain,
	  "say where a model's time goes, and whether it pays" },
	{ "verify", command_verify,
	  "compare a device with the golden results" },
	{ "export", command_export, "write a model as ONNX or as scipy .npz" },
	{ "evaluate", command_evaluate,
	  "hold models against the dense network" },
	{ "sweep", command_sweep,
	  "run a model on a grid of simulated devices" },
	{ "compare", command_compare, "measure how far two arrays are apart" },
	{ "bench", command_bench,
	  "measure a device's queue over batch and depth" },
	{ "info", command_info, "describe a device" },
	{ "list", command_list, "list the devices of this machine" },
	{ "bind", command_bind, "give a PCI device to a driver" },
	{ "stats", command_stats, "print what queues have counted" },
	{ "top", command_top, "watch queues at work" },
	{ "doctor", command_doctor, "say what keeps a device from being used" },
	{ NULL, NULL, NULL },
};

static void print_usage(FILE *stream)
{
	fprintf(stream, "usage: accel COMMAND ...\n\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(stream, "  %-10s %s\n", c->name, c->summary);
	fprintf(stream, "\naccel COMMAND --help says more.\n");
}

int command_fail(const char *command)
{
	fprintf(stderr, "accel %s: %s\n", command, accel_last_error());
	return STATUS_FAILED;
}

static int dispatch(int count, char **arguments)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(arguments[0], c->name))
			return c->run(count, arguments);
	fprintf(stderr, "accel: no command %s\n", arguments[0]);
	print_usage(stderr);
	return STATUS_USAGE;
}

/* What was printed has to have arrived: a full disk is a failure. */
static int close_output(int status)
{
	errno = 0;
	if (!ferror(stdout) && !fflush(stdout))
		return status;
	fprintf(stderr, "accel: standard output: %s\n",
		errno ? strerror(errno) : "write error");
	return status == STATUS_USAGE ? status : STATUS_FAILED;
}

int main(int count, char **arguments)
{
	/* A reader that goes away and a limit on files make writes fail; no signal. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (count < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(arguments[1], "--help") || !strcmp(arguments[1], "-h")) {
		print_usage(stdout);
		return close_output(STATUS_OK);
	}
	return close_output(dispatch(count - 1, arguments + 1));
}
