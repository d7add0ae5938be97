/* SPDX-License-Identifier: MIT */
/*
 * Structures as JSON objects: one list of fields serves the writer and the reader,
 * so they cannot differ.
 */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum field_type {
	FIELD_END,
	FIELD_U32,
	FIELD_I32,
	FIELD_U64, /* at most INT64_MAX: JSON's integers */
	FIELD_BOOL,
	FIELD_FLOAT, /* finite */
	FIELD_NAME, /* an enum as a word of @names */
	FIELD_TEXT, /* char *, from malloc */
	FIELD_OPTIONAL_TEXT, /* may be NULL, and is then left out */
};

/**
 * struct field - one member of a structure
 * @key: of the JSON object; a list ends with FIELD_END
 * @type: of the member
 * @offset: of the member
 * @names: FIELD_NAME: the words of 0, 1, …, and NULL
 */
struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	const char *const *names;
};

/* Append an object's members to a JSON object; false without memory. */
_Bool fields_write(const struct field *fields, const void *object,
		   json_t *json);

/* −EINVAL with a text that names the key. Texts that were read stay with object. */
int fields_read(const struct field *fields, const json_t *json, void *object);

/* An array of 32-bit integers. */
json_t *fields_write_array(const int32_t *values, uint32_t count);
int fields_read_array(const json_t *json, const char *key, int32_t *values,
		      uint32_t limit, uint32_t *count);

/* json's member that is an array, or NULL with a text. */
json_t *fields_array(const json_t *json, const char *key, size_t limit);

#endif
