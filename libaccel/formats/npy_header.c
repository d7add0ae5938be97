/* SPDX-License-Identifier: MIT */
#include <formats/npy_header.h>

#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6
/* Elements begin at a multiple of this. */
#define HEADER_ALIGNMENT 64
#define MAX_HEADER 1024

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FOREIGN_ORDER '>'
#define OWN_ORDER "<"
#else
#define FOREIGN_ORDER '<'
#define OWN_ORDER ">"
#endif

/* Without the character of the byte order. */
static const char *const type_codes[NPY_TYPES] = {
	[NPY_BOOL] = "b1",  [NPY_INT8] = "i1",	 [NPY_UINT8] = "u1",
	[NPY_INT16] = "i2", [NPY_UINT16] = "u2", [NPY_FLOAT16] = "f2",
	[NPY_INT32] = "i4", [NPY_UINT32] = "u4", [NPY_FLOAT32] = "f4",
	[NPY_INT64] = "i8", [NPY_UINT64] = "u8", [NPY_FLOAT64] = "f8",
};

static const char *const type_descriptions[NPY_TYPES] = {
	[NPY_BOOL] = "|b1",
	[NPY_INT8] = "|i1",
	[NPY_UINT8] = "|u1",
	[NPY_INT16] = OWN_ORDER "i2",
	[NPY_UINT16] = OWN_ORDER "u2",
	[NPY_FLOAT16] = OWN_ORDER "f2",
	[NPY_INT32] = OWN_ORDER "i4",
	[NPY_UINT32] = OWN_ORDER "u4",
	[NPY_FLOAT32] = OWN_ORDER "f4",
	[NPY_INT64] = OWN_ORDER "i8",
	[NPY_UINT64] = OWN_ORDER "u8",
	[NPY_FLOAT64] = OWN_ORDER "f8",
};

const char *npy_type_description(enum npy_type type)
{
	return type_descriptions[type];
}

/* What is left of the dictionary's text. */
struct cursor {
	const char *at;
	const char *end;
};

static void skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end && strchr(" \t\r\n", *cursor->at) &&
	       *cursor->at)
		cursor->at++;
}

static bool take(struct cursor *cursor, char wanted)
{
	skip_space(cursor);
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);

	skip_space(cursor);
	if ((size_t)(cursor->end - cursor->at) < length ||
	    memcmp(cursor->at, word, length))
		return false;
	cursor->at += length;
	return true;
}

/* A string in either kind of quotes, without escapes: NumPy writes none. */
static bool take_string(struct cursor *cursor, char *string, size_t size)
{
	size_t length;
	const char *close;
	char quote;

	skip_space(cursor);
	if (cursor->at == cursor->end ||
	    (*cursor->at != '\'' && *cursor->at != '"'))
		return false;
	quote = *cursor->at++;
	close = memchr(cursor->at, quote, (size_t)(cursor->end - cursor->at));
	if (!close || (size_t)(close - cursor->at) >= size)
		return false;
	length = (size_t)(close - cursor->at);
	memcpy(string, cursor->at, length);
	string[length] = '\0';
	cursor->at = close + 1;
	return true;
}

static bool take_number(struct cursor *cursor, size_t *number)
{
	const char *start;

	skip_space(cursor);
	start = cursor->at;
	*number = 0;
	while (cursor->at < cursor->end && *cursor->at >= '0' &&
	       *cursor->at <= '9') {
		if (!checked_multiply(*number, 10, number) ||
		    !checked_add(*number, (size_t)(*cursor->at - '0'), number))
			return false;
		cursor->at++;
	}
	if (cursor->at == start)
		return false;
	/* Python 2 wrote long integers as 3L. */
	if (cursor->at < cursor->end && *cursor->at == 'L')
		cursor->at++;
	return true;
}

static int parse_description(struct cursor *cursor, struct npy_header *header)
{
	char text[16];

	if (!take_string(cursor, text, sizeof(text)) || !text[0])
		return accel_error(
			-EINVAL, "no simple element type; save plain numbers");
	header->swapped = text[0] == FOREIGN_ORDER;
	for (int type = 0; type < NPY_TYPES; type++) {
		if (strchr("<>=|", text[0]) &&
		    !strcmp(text + 1, type_codes[type])) {
			header->type = (enum npy_type)type;
			return 0;
		}
	}
	return accel_error(
		-EINVAL, "element type %s is not supported; use float32", text);
}

static int parse_order(struct cursor *cursor, struct npy_header *header)
{
	header->fortran = take_word(cursor, "True");
	if (!header->fortran && !take_word(cursor, "False"))
		return accel_error(-EINVAL,
				   "fortran_order is neither True nor False");
	return 0;
}

static int parse_shape(struct cursor *cursor, struct npy_header *header)
{
	if (!take(cursor, '('))
		return accel_error(-EINVAL, "the shape is not a tuple");
	header->rank = 0;
	while (!take(cursor, ')')) {
		if (header->rank == NPY_MAX_RANK)
			return accel_error(-EINVAL, "more than %d dimensions",
					   NPY_MAX_RANK);
		if (!take_number(cursor, &header->shape[header->rank++]))
			return accel_error(-EINVAL,
					   "the shape holds no numbers");
		if (!take(cursor, ',')) {
			if (!take(cursor, ')'))
				return accel_error(-EINVAL,
						   "the shape has no end");
			break;
		}
	}
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct cursor *cursor, struct npy_header *header);
} fields[] = {
	{ "descr", parse_description },
	{ "fortran_order", parse_order },
	{ "shape", parse_shape },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static int parse_field(struct cursor *cursor, struct npy_header *header,
		       unsigned int *seen)
{
	char name[16];

	if (!take_string(cursor, name, sizeof(name)) || !take(cursor, ':'))
		return accel_error(-EINVAL, "the header is no dictionary");
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(name, fields[i].name))
			continue;
		if (*seen & 1u << i)
			return accel_error(-EINVAL, "%s is given twice", name);
		*seen |= 1u << i;
		return fields[i].parse(cursor, header);
	}
	return accel_error(-EINVAL, "unknown header field %s", name);
}

static int parse_dictionary(struct cursor *cursor, struct npy_header *header)
{
	unsigned int seen = 0;

	if (!take(cursor, '{'))
		return accel_error(-EINVAL, "the header is no dictionary");
	while (!take(cursor, '}')) {
		int ret = parse_field(cursor, header, &seen);

		if (ret)
			return ret;
		if (!take(cursor, ',')) {
			if (!take(cursor, '}'))
				return accel_error(-EINVAL,
						   "the header has no end");
			break;
		}
	}
	skip_space(cursor);
	if (cursor->at != cursor->end)
		return accel_error(-EINVAL, "the header has a surplus");
	if (seen != (1u << FIELDS) - 1)
		return accel_error(
			-EINVAL,
			"the header lacks descr, fortran_order or shape");
	return 0;
}

/* The bytes before the dictionary, and its length, by the format's version. */
static int parse_preamble(const uint8_t *bytes, size_t size, size_t *start,
			  size_t *length)
{
	if (size < MAGIC_SIZE + 4 || memcmp(bytes, MAGIC, MAGIC_SIZE))
		return accel_error(-EINVAL, "not a .npy file");
	if (bytes[6] == 1) {
		*start = 10;
		*length = bytes[8] | (size_t)bytes[9] << 8;
		return 0;
	}
	if (bytes[6] != 2 && bytes[6] != 3)
		return accel_error(-EINVAL,
				   ".npy version %d; 1 to 3 are supported",
				   bytes[6]);
	if (size < 12)
		return accel_error(-EINVAL, "the header is cut off");
	*start = 12;
	*length = bytes[8] | (size_t)bytes[9] << 8 | (size_t)bytes[10] << 16 |
		  (size_t)bytes[11] << 24;
	return 0;
}

int npy_header_parse(struct npy_header *header, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	struct cursor cursor;
	size_t start, length;
	int ret;

	ret = parse_preamble(bytes, size, &start, &length);
	if (ret)
		return ret;
	if (!checked_range(start, length, size))
		return accel_error(-EINVAL, "the header is cut off");
	cursor.at = (const char *)bytes + start;
	cursor.end = cursor.at + length;
	header->size = start + length;
	return parse_dictionary(&cursor, header);
}

/* A tuple of one element has its comma. */
static void print_shape(FILE *stream, unsigned int rank, const size_t *shape)
{
	fputc('(', stream);
	for (unsigned int i = 0; i < rank; i++)
		fprintf(stream, i + 1 < rank ? "%zu, " : "%zu", shape[i]);
	fputs(rank == 1 ? ",)" : ")", stream);
}

int npy_header_print(const char *description, unsigned int rank,
		     const size_t *shape, char **text, size_t *size)
{
	char *header = calloc(1, MAX_HEADER);
	size_t length, total;
	FILE *stream;

	stream = header ? fmemopen(header + 10, MAX_HEADER - 10, "w") : NULL;
	if (!stream) {
		free(header);
		return accel_error(-ENOMEM, "no memory");
	}
	fprintf(stream, "{'descr': '%s', 'fortran_order': False, 'shape': ",
		description);
	print_shape(stream, rank, shape);
	fputs(", }", stream);
	fclose(stream);

	length = strlen(header + 10);
	total = 10 + length + 1 + HEADER_ALIGNMENT - 1;
	total -= total % HEADER_ALIGNMENT;
	memset(header + 10 + length, ' ', total - 10 - length - 1);
	header[total - 1] = '\n';
	memcpy(header, MAGIC "\x01\x00", 8);
	header[8] = (char)((total - 10) & 0xff);
	header[9] = (char)((total - 10) >> 8);
	*text = header;
	*size = total;
	return 0;
}
