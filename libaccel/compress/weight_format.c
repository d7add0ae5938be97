/* SPDX-License-Identifier: MIT */
#include <compress/weight_format.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MIN 2
#define BITS_MAX 8
#define CENTROIDS_MIN 2
#define WORDS_MAX 4

/* A whole number from low to high, or −1. */
static int number(const char *text, int low, int high)
{
	char *end;
	long value = strtol(text, &end, 10);

	return end == text || *end || value < low || value > high ? -1 :
								    (int)value;
}

/* tensor, channel, group:N, mse behind the first word, in any order. */
static bool parse_scales(char *const *words, int count,
			 struct weight_format *format)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(words[i], "mse")) {
			format->search = true;
		} else if (!strcmp(words[i], "channel")) {
			format->granularity = WEIGHT_PER_CHANNEL;
		} else if (!strcmp(words[i], "tensor")) {
			format->granularity = WEIGHT_PER_TENSOR;
		} else if (!strcmp(words[i], "group") && i + 1 < count) {
			format->granularity = WEIGHT_PER_GROUP;
			format->group = number(words[++i], 1, 1 << 20);
			if (format->group < 0)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

static bool parse_integer(char *const *words, int count,
			  struct weight_format *format)
{
	format->bits = number(words[0] + strlen("int"), BITS_MIN, BITS_MAX);
	return format->bits > 0 && parse_scales(words + 1, count - 1, format);
}

static bool parse_codebook(char *const *words, int count,
			   struct weight_format *format)
{
	format->kind = WEIGHT_CODEBOOK;
	if (count < 2 || count > 3)
		return false;
	format->centroids =
		number(words[1], CENTROIDS_MIN, WEIGHT_CENTROIDS_MAX);
	if (count == 3)
		format->vector =
			words[2][0] == 'v' ?
				number(words[2] + 1, 2, WEIGHT_VECTOR_MAX) :
				-1;
	return format->centroids > 0 && format->vector >= 0;
}

static bool parse_fixed(char *const *words, int count,
			struct weight_format *format)
{
	format->kind = WEIGHT_FIXED;
	format->bits = count == 1 ? BITS_MAX :
				    number(words[1], BITS_MIN, BITS_MAX);
	return count <= 2 && format->bits > 0;
}

static bool parse_words(char *const *words, int count,
			struct weight_format *format)
{
	if (!strncmp(words[0], "int", 3))
		return parse_integer(words, count, format);
	if (!strcmp(words[0], "codebook"))
		return parse_codebook(words, count, format);
	if (!strcmp(words[0], "fixed"))
		return parse_fixed(words, count, format);
	format->kind = strcmp(words[0], "fp16") ? WEIGHT_FLOAT8 : WEIGHT_HALF;
	return count == 1 &&
	       (!strcmp(words[0], "fp16") || !strcmp(words[0], "fp8"));
}

int weight_format_parse(const char *text, struct weight_format *format)
{
	char copy[64], *words[WORDS_MAX], *rest = copy;
	int count = 0;

	*format = (struct weight_format){ .kind = WEIGHT_INTEGER };
	snprintf(copy, sizeof(copy), "%s", text);
	while (count < WORDS_MAX && rest)
		words[count++] = strsep(&rest, ":");
	if (strlen(text) < sizeof(copy) && !rest &&
	    parse_words(words, count, format))
		return 0;
	return accel_error(
		-EINVAL,
		"weights as %s: int2 to int8, with :channel, :tensor or :group:N and :mse; codebook:2 to codebook:256, with :v2 to :v8 of vectors; fp16; fp8; fixed:2 to fixed:8",
		text);
}

static int bits_of(const struct weight_format *format)
{
	return format->bits ? format->bits : BITS_MAX;
}

void weight_format_print(const struct weight_format *format, char *text,
			 size_t size)
{
	char scales[32] = "";

	if (format->granularity == WEIGHT_PER_TENSOR)
		snprintf(scales, sizeof(scales), ":tensor");
	if (format->granularity == WEIGHT_PER_GROUP)
		snprintf(scales, sizeof(scales), ":group:%d", format->group);
	switch (format->kind) {
	case WEIGHT_INTEGER:
		snprintf(text, size, "int%d%s%s", bits_of(format), scales,
			 format->search ? ":mse" : "");
		break;
	case WEIGHT_CODEBOOK:
		if (format->vector)
			snprintf(text, size, "codebook:%d:v%d",
				 format->centroids, format->vector);
		else
			snprintf(text, size, "codebook:%d", format->centroids);
		break;
	case WEIGHT_HALF:
		snprintf(text, size, "fp16");
		break;
	case WEIGHT_FLOAT8:
		snprintf(text, size, "fp8");
		break;
	case WEIGHT_FIXED:
		snprintf(text, size, "fixed:%d", bits_of(format));
		break;
	}
}

bool weight_format_is_plain(const struct weight_format *format)
{
	return format->kind == WEIGHT_INTEGER && bits_of(format) == BITS_MAX &&
	       format->granularity == WEIGHT_PER_CHANNEL && !format->search;
}

int weight_format_code_max(const struct weight_format *format)
{
	return (1 << ((format->bits ? format->bits : 8) - 1)) - 1;
}

double weight_format_bits(const struct weight_format *format)
{
	switch (format->kind) {
	case WEIGHT_CODEBOOK:
		return log2(format->centroids) /
		       (format->vector ? format->vector : 1);
	case WEIGHT_HALF:
		return 16;
	case WEIGHT_FLOAT8:
		return 8;
	default:
		return bits_of(format);
	}
}
