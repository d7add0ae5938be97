/* SPDX-License-Identifier: MIT */
/*
 * A declarative parser of command lines: a command lists its options, where their
 * values go and what to say about them; usage texts come from the same list.
 */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an option's value may be, and the type that it is stored in. */
enum option_kind {
	OPTION_FLAG, /* no value; bool */
	OPTION_TEXT, /* const char * */
	OPTION_LIST, /* may be repeated; struct option_list */
	OPTION_COUNT, /* 1 … 2³¹ − 1; int64_t */
	OPTION_SEED, /* 0 … 2⁶⁴ − 1; uint64_t */
	OPTION_SECONDS, /* ≥ 0, at most a year; double */
	OPTION_RANGE, /* LOW:HIGH, LOW < HIGH; struct quantize_range */
	OPTION_LAYOUT, /* nchw or nhwc; enum array_layout */
};

#define OPTION_LIST_MAX 64

/** struct option_list - values of a repeated option, in order */
struct option_list {
	const char *items[OPTION_LIST_MAX];
	int count;
};

/**
 * struct option - one option; a NULL name ends a list of them
 * @name: without its dashes
 * @letter: its short form, or 0
 * @kind: of the value
 * @value: where it goes; holds the default before
 * @argument: what the usage text calls the value
 * @help: one line
 */
struct option {
	const char *name;
	char letter;
	enum option_kind kind;
	void *value;
	const char *argument;
	const char *help;
};

/**
 * struct option_usage - the command line of one command
 * @command: its name
 * @synopsis: what follows the name
 * @about: a paragraph
 * @options: ends with a NULL name
 * @notes: what is to be said after the options, or NULL
 * @operands_min: arguments that are no options, at least
 * @operands_max: at most
 */
struct option_usage {
	const char *command;
	const char *synopsis;
	const char *about;
	const struct option *options;
	const char *notes;
	int operands_min;
	int operands_max;
};

/*
 * Parse arguments[1] on; operands has room for usage->operands_max, and those that
 * are missing stay as they are. False if the command is over, with *status: help
 * was asked for and printed, or the usage was wrong and the error says how.
 */
bool options_parse(const struct option_usage *usage, int count,
		   char **arguments, const char **operands, int *status);

/* Report a wrong use that only the command can see; STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int
options_misuse(const struct option_usage *usage, const char *format, ...);

#endif
