/* SPDX-License-Identifier: MIT */
/* A text that grows, for HTML and SVG; what comes from files is escaped. */
#ifndef TOOL_MARKUP_H
#define TOOL_MARKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct markup - begins as all zero
 * @text: ends with a NUL, or NULL while empty
 * @length: of @text
 * @capacity: private
 * @failed: memory was short; nothing more is added
 */
struct markup {
	char *text;
	size_t length;
	size_t capacity;
	bool failed;
};

/* Our own markup: strings in the arguments must be ours, too. */
__attribute__((format(printf, 2, 3))) void markup_add(struct markup *markup,
						      const char *format, ...);

/* Anybody's text, for contents and for quoted attributes. */
void markup_escape(struct markup *markup, const char *text);

/*
 * At most so many of its last bytes, behind an ellipsis: the end of a long name tells
 * layers apart better than its beginning.
 */
void markup_escape_end(struct markup *markup, const char *text, size_t most);

/* A whole number with thin spaces between its thousands. */
void markup_count(struct markup *markup, uint64_t count);

/* A cell of a table with a figure, or a dash for one that there is not. */
void markup_number(struct markup *markup, double value, int decimals);

void markup_release(struct markup *markup);

#endif
