/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <sim/config.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LENGTH 64
/* Longer parts of a name than this are no accident. */
#define PART_MIN 3

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Letters to insert, drop or replace to make b of a: Levenshtein's distance, row by
 * row of its table.
 */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LENGTH + 1];
	size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < length; j++) {
			unsigned int replace = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = smaller(replace,
					     smaller(row[j], row[j + 1]) + 1);
		}
	}
	return row[length];
}

/* A letter in three may be wrong, or the name is a part of the right one. */
static bool is_close(const char *name, const char *field)
{
	size_t length = strlen(name);

	if (length > NAME_MAX_LENGTH || strlen(field) > NAME_MAX_LENGTH)
		return false;
	if (length >= PART_MIN && strstr(field, name))
		return true;
	return edit_distance(name, field) <= (length + 2) / 3;
}

void suggest_fields(const char *name, char *text, size_t size)
{
	const char *field;
	size_t used = 0;

	*text = '\0';
	for (unsigned int i = 0; (field = sim_config_field(i)); i++) {
		if (!is_close(name, field) || used + strlen(field) + 3 > size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 used ? ", " : "", field);
	}
}
