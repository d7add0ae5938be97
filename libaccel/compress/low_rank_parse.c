// SPDX-License-Identifier: MIT
#include <compress/low_rank.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARSE_DEFAULT 0.5
#define WORDS_MAX 5

bool low_rank_is_none(const struct low_rank *low_rank)
{
	return !low_rank->rank && !(low_rank->ratio > 0) && !low_rank->atoms;
}

/* "16" or "0.5" */
static bool parse_size(const char *text, struct low_rank *low_rank)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0) || value > INT_MAX ||
	    (value >= 1 && value != floor(value)))
		return false;
	if (value >= 1)
		low_rank->rank = (int64_t)value;
	else
		low_rank->ratio = value;
	return true;
}

/* A part, if the next word is one. */
static bool parse_part(const char *text, double *part)
{
	char *end;

	*part = strtod(text, &end);
	return end != text && !*end && *part > 0 && *part < 1;
}

static bool parse_words(char *const *words, int count,
			struct low_rank *low_rank)
{
	for (int i = 1; i < count; i++) {
		if (!strcmp(words[i], "whitened")) {
			low_rank->whitened = true;
		} else if (!strcmp(words[i], "global")) {
			low_rank->global = true;
		} else if (!strcmp(words[i], "sparse")) {
			low_rank->sparse = SPARSE_DEFAULT;
			if (i + 1 < count &&
			    parse_part(words[i + 1], &low_rank->sparse))
				i++;
			else
				low_rank->sparse = SPARSE_DEFAULT;
		} else {
			return false;
		}
	}
	return true;
}

int low_rank_parse(const char *text, struct low_rank *low_rank)
{
	char copy[64], *words[WORDS_MAX], *rest = copy;
	int count = 0;

	*low_rank = (struct low_rank){ .rank = 0 };
	if (!strcmp(text, "none"))
		return 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while (count < WORDS_MAX && rest)
		words[count++] = strsep(&rest, ":");
	if (strlen(text) >= sizeof(copy) || rest ||
	    !parse_size(words[0], low_rank) ||
	    !parse_words(words, count, low_rank))
		return accel_error(
			-EINVAL,
			"%s: a rank is a whole number, a ratio is between 0 and 1; :whitened, :global and :sparse[:PART] may follow",
			text);
	if (low_rank->global && low_rank->rank)
		return accel_error(
			-EINVAL,
			"%s: a rank is the same for all layers: global takes a ratio",
			text);
	return 0;
}

int low_rank_parse_dictionary(const char *text, struct low_rank *low_rank)
{
	char *end;
	long long nonzeros = 0, atoms = strtoll(text, &end, 10);

	*low_rank = (struct low_rank){ .rank = 0 };
	if (*end == ':' && end != text) {
		text = end + 1;
		nonzeros = strtoll(text, &end, 10);
	}
	if (*end || end == text || atoms < 1 || atoms > INT_MAX ||
	    nonzeros < 1 || nonzeros > atoms)
		return accel_error(
			-EINVAL,
			"a dictionary is ATOMS:NONZEROS, 1 <= NONZEROS <= ATOMS");
	low_rank->atoms = atoms;
	low_rank->nonzeros = nonzeros;
	return 0;
}
