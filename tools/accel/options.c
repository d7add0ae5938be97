/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "command.h"

#include <compress/array.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX (365.0 * 24 * 3600)

/* One line for each: -o, --output FILE    what it is */
static void print_options(const struct option *options)
{
	for (const struct option *o = options; o->name; o++) {
		char left[64];
		int length = 0;

		if (o->letter)
			length = snprintf(left, sizeof(left), "-%c, ",
					  o->letter);
		snprintf(left + length, sizeof(left) - (size_t)length,
			 "--%s %s", o->name, o->argument ? o->argument : "");
		printf("  %-28s %s\n", left, o->help);
	}
}

/* A command may take nothing at all, and no blank follows its name then. */
static void print_synopsis(FILE *stream, const struct option_usage *usage)
{
	fprintf(stream, "usage: accel %s%s%s\n", usage->command,
		*usage->synopsis ? " " : "", usage->synopsis);
}

static void print_help(const struct option_usage *usage)
{
	print_synopsis(stdout, usage);
	printf("\n%s\n", usage->about);
	if (usage->options->name)
		printf("\n");
	print_options(usage->options);
	if (usage->notes)
		printf("\n%s", usage->notes);
}

int options_misuse(const struct option_usage *usage, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "accel %s: ", usage->command);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	print_synopsis(stderr, usage);
	return STATUS_USAGE;
}

/* ---- values ---- */

static bool parse_count(const char *text, void *value)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < 1 || number > INT32_MAX)
		return false;
	*(int64_t *)value = number;
	return true;
}

static bool parse_seed(const char *text, void *value)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* strtoull() takes a minus sign, and turns the number around */
	if (errno || end == text || *end || strchr(text, '-'))
		return false;
	*(uint64_t *)value = number;
	return true;
}

static bool parse_seconds(const char *text, void *value)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || !(number >= 0 && number <= SECONDS_MAX))
		return false;
	*(double *)value = number;
	return true;
}

/* One colon: neither number can hold another. */
static bool parse_range(const char *text, void *value)
{
	struct quantize_range range;
	char *end;

	range.low = strtof(text, &end);
	if (end == text || *end != ':')
		return false;
	text = end + 1;
	range.high = strtof(text, &end);
	if (end == text || *end || !isfinite(range.low) ||
	    !isfinite(range.high) || !(range.low < range.high))
		return false;
	*(struct quantize_range *)value = range;
	return true;
}

static bool parse_layout(const char *text, void *value)
{
	enum array_layout *layout = value;

	if (!strcmp(text, "nchw"))
		*layout = ARRAY_LAYOUT_NCHW;
	else if (!strcmp(text, "nhwc"))
		*layout = ARRAY_LAYOUT_NHWC;
	else
		return false;
	return true;
}

/* An empty value is a variable that a script forgot to set. */
static bool parse_text(const char *text, void *value)
{
	*(const char **)value = text;
	return *text;
}

static bool parse_list(const char *text, void *value)
{
	struct option_list *list = value;

	if (!*text || list->count == OPTION_LIST_MAX)
		return false;
	list->items[list->count++] = text;
	return true;
}

/** struct kind - how a kind of value is read, and what to say if it cannot be */
struct kind {
	bool (*parse)(const char *text, void *value);
	const char *wanted;
};

static const struct kind kinds[] = {
	[OPTION_TEXT] = { parse_text, "a text" },
	[OPTION_LIST] = { parse_list, "a text, and not so many of them" },
	[OPTION_COUNT] = { parse_count, "a whole number from 1 on" },
	[OPTION_SEED] = { parse_seed, "a whole number from 0 on" },
	[OPTION_SECONDS] = { parse_seconds,
			     "a number of seconds, at most a year" },
	[OPTION_RANGE] = { parse_range, "LOW:HIGH with LOW below HIGH" },
	[OPTION_LAYOUT] = { parse_layout, "nchw or nhwc" },
};

/* ---- the command line ---- */

/** struct parser - where the parser is in the arguments */
struct parser {
	const struct option_usage *usage;
	char **arguments;
	int count;
	int next;
	const char **operands;
	int operand_count;
};

/* Give an option its value, inline or the next argument; 0 or STATUS_USAGE. */
static int take_value(struct parser *parser, const struct option *option,
		      const char *value)
{
	const struct kind *kind = &kinds[option->kind];

	if (option->kind == OPTION_FLAG) {
		if (value)
			return options_misuse(parser->usage,
					      "--%s takes no value",
					      option->name);
		*(bool *)option->value = true;
		return STATUS_OK;
	}
	if (!value && parser->next < parser->count)
		value = parser->arguments[parser->next++];
	if (!value)
		return options_misuse(parser->usage, "--%s needs %s",
				      option->name, option->argument);
	if (!kind->parse(value, option->value))
		return options_misuse(parser->usage, "--%s %s: it takes %s",
				      option->name, value, kind->wanted);
	return STATUS_OK;
}

/* --name, --name=value */
static int take_long(struct parser *parser, const char *argument)
{
	size_t length = strcspn(argument, "=");
	const char *value = argument[length] ? argument + length + 1 : NULL;

	for (const struct option *o = parser->usage->options; o->name; o++)
		if (strlen(o->name) == length &&
		    !strncmp(o->name, argument, length))
			return take_value(parser, o, value);
	return options_misuse(parser->usage, "no option --%.*s", (int)length,
			      argument);
}

/* -x, -xVALUE */
static int take_short(struct parser *parser, const char *argument)
{
	const char *value = argument[1] ? argument + 1 : NULL;

	for (const struct option *o = parser->usage->options; o->name; o++)
		if (o->letter == argument[0])
			return take_value(parser, o, value);
	return options_misuse(parser->usage, "no option -%c", argument[0]);
}

/* What is no option: a file. */
static int take_operand(struct parser *parser, const char *argument)
{
	if (parser->operand_count == parser->usage->operands_max)
		return options_misuse(parser->usage,
				      "one argument too many: %s", argument);
	parser->operands[parser->operand_count++] = argument;
	return STATUS_OK;
}

static int take_argument(struct parser *parser, bool *only_operands)
{
	const char *argument = parser->arguments[parser->next++];

	if (*only_operands || argument[0] != '-' || !argument[1])
		return take_operand(parser, argument);
	if (!strcmp(argument, "--")) {
		*only_operands = true;
		return STATUS_OK;
	}
	if (argument[1] == '-')
		return take_long(parser, argument + 2);
	return take_short(parser, argument + 1);
}

/* Wherever it stands: who asks for help may have the rest wrong. */
static bool wants_help(int count, char **arguments)
{
	for (int i = 1; i < count && strcmp(arguments[i], "--") != 0; i++)
		if (!strcmp(arguments[i], "--help") ||
		    !strcmp(arguments[i], "-h"))
			return true;
	return false;
}

bool options_parse(const struct option_usage *usage, int count,
		   char **arguments, const char **operands, int *status)
{
	struct parser parser = {
		.usage = usage,
		.arguments = arguments,
		.count = count,
		.next = 1,
		.operands = operands,
	};
	bool only_operands = false;

	*status = STATUS_OK;
	if (wants_help(count, arguments)) {
		print_help(usage);
		return false;
	}
	while (parser.next < count && *status == STATUS_OK)
		*status = take_argument(&parser, &only_operands);
	if (*status == STATUS_OK && parser.operand_count < usage->operands_min)
		*status = options_misuse(usage, "an argument is missing");
	return *status == STATUS_OK;
}
