/* SPDX-License-Identifier: MIT */
#include "markup.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 65536

/* Room for so much more, and the NUL. */
static bool reserve(struct markup *markup, size_t more)
{
	size_t capacity = markup->capacity ? markup->capacity : CAPACITY_FIRST;
	char *text;

	while (!markup->failed && capacity - markup->length <= more)
		markup->failed = __builtin_mul_overflow(capacity, 2, &capacity);
	if (markup->failed || capacity == markup->capacity)
		return !markup->failed;
	text = realloc(markup->text, capacity);
	if (!text) {
		markup->failed = true;
		return false;
	}
	markup->text = text;
	markup->capacity = capacity;
	return true;
}

void markup_add(struct markup *markup, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0 || !reserve(markup, (size_t)length)) {
		markup->failed = true;
		return;
	}
	va_start(arguments, format);
	vsnprintf(markup->text + markup->length, (size_t)length + 1, format,
		  arguments);
	va_end(arguments);
	markup->length += (size_t)length;
}

static void escape_character(struct markup *markup, char c)
{
	switch (c) {
	case '&':
		markup_add(markup, "&amp;");
		break;
	case '<':
		markup_add(markup, "&lt;");
		break;
	case '>':
		markup_add(markup, "&gt;");
		break;
	case '"':
		markup_add(markup, "&quot;");
		break;
	case '\'':
		markup_add(markup, "&#39;");
		break;
	default:
		/* Control characters are allowed in neither HTML nor SVG. */
		if ((unsigned char)c < ' ' || c == 0x7f)
			markup_add(markup, "&#xfffd;");
		else
			markup_add(markup, "%c", c);
	}
}

void markup_escape(struct markup *markup, const char *text)
{
	for (; *text; text++)
		escape_character(markup, *text);
}

void markup_escape_end(struct markup *markup, const char *text, size_t most)
{
	size_t length = strlen(text);
	size_t skip = length > most ? length - most : 0;

	/* not from within a character of UTF-8 */
	while (skip && ((unsigned char)text[skip] & 0xc0) == 0x80)
		skip++;
	if (skip)
		markup_add(markup, "&#8230;");
	markup_escape(markup, text + skip);
}

void markup_count(struct markup *markup, uint64_t count)
{
	if (count >= 1000) {
		markup_count(markup, count / 1000);
		markup_add(markup, "&#8239;%03" PRIu64, count % 1000);
	} else {
		markup_add(markup, "%" PRIu64, count);
	}
}

void markup_number(struct markup *markup, double value, int decimals)
{
	if (isnan(value))
		markup_add(markup, "<td>&#8211;</td>");
	else if (isinf(value))
		markup_add(markup, "<td>exact</td>");
	else
		markup_add(markup, "<td>%.*f</td>", decimals, value);
}

void markup_release(struct markup *markup)
{
	free(markup->text);
	*markup = (struct markup){ .text = NULL };
}
