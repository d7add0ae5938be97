/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/trace/names.h>

#define TEXT_MAX 512 /* bytes before escapes; what is longer is cut */
#define REPLACEMENT "\\ufffd"
#define LONGEST_ESCAPE 6

/* Bytes of the well-formed UTF-8 sequence at @text (RFC 3629), 0 for none. */
static size_t sequence_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	/* no longer than needed, no surrogates, nothing above U+10FFFF */
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* One character; how many bytes of @from it was. */
static size_t escape_one(const unsigned char *from, char **to)
{
	size_t length = sequence_length(from);

	if (!length) {
		*to = stpcpy(*to, REPLACEMENT);
		return 1;
	}
	if (*from < 0x20 || *from == 0x7f) {
		*to += sprintf(*to, "\\u%04x", *from);
	} else {
		if (*from == '"' || *from == '\\')
			*(*to)++ = '\\';
		memcpy(*to, from, length);
		*to += length;
	}
	return length;
}

/* As it stands in JSON (RFC 8259, section 7); what is no UTF-8 becomes U+FFFD. */
static char *escape(const char *text)
{
	char *escaped = malloc(TEXT_MAX * LONGEST_ESCAPE + LONGEST_ESCAPE + 1);
	const unsigned char *from = (const unsigned char *)text;
	const unsigned char *end = from + strnlen(text, TEXT_MAX);
	char *to = escaped;

	if (!escaped)
		return NULL;
	while (from < end)
		from += escape_one(from, &to);
	*to = '\0';
	/* most names are short, and there may be many */
	to = realloc(escaped, (size_t)(to - escaped) + 1);
	return to ? to : escaped;
}

int trace_names_set(struct trace_names *names, uint32_t label, const char *text)
{
	char *escaped;

	if (!label || label >= TRACE_LABELS)
		return 0;
	if (!names->texts)
		names->texts = calloc(TRACE_LABELS, sizeof(*names->texts));
	escaped = names->texts ? escape(text) : NULL;
	if (!escaped)
		return -ENOMEM;
	free(names->texts[label]);
	names->texts[label] = escaped;
	return 0;
}

const char *trace_names_get(const struct trace_names *names, uint32_t label)
{
	if (!names->texts || label >= TRACE_LABELS)
		return NULL;
	return names->texts[label];
}

void trace_names_free(struct trace_names *names)
{
	for (uint32_t i = 0; names->texts && i < TRACE_LABELS; i++)
		free(names->texts[i]);
	free(names->texts);
	names->texts = NULL;
}
