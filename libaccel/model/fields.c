/* SPDX-License-Identifier: MIT */
#include <model/fields.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An enum is stored as its word, so that a file does not depend on its numbers. */
static json_t *name_write(const struct field *field, const void *member)
{
	const int *value = member;

	return json_string(field->names[*value]);
}

static json_t *member_write(const struct field *field, const void *member)
{
	switch (field->type) {
	case FIELD_U32:
		return json_integer(*(const uint32_t *)member);
	case FIELD_I32:
		return json_integer(*(const int32_t *)member);
	case FIELD_U64:
		return json_integer((json_int_t) * (const uint64_t *)member);
	case FIELD_BOOL:
		return json_boolean(*(const _Bool *)member);
	case FIELD_FLOAT:
		return json_real((double)*(const float *)member);
	case FIELD_NAME:
		return name_write(field, member);
	case FIELD_TEXT:
	case FIELD_OPTIONAL_TEXT:
		return json_string(*(char *const *)member);
	case FIELD_END:
		break;
	}
	return NULL;
}

_Bool fields_write(const struct field *fields, const void *object, json_t *json)
{
	for (; fields->type != FIELD_END; fields++) {
		const void *member = (const char *)object + fields->offset;

		if (fields->type == FIELD_OPTIONAL_TEXT &&
		    !*(char *const *)member)
			continue;
		if (json_object_set_new(json, fields->key,
					member_write(fields, member)))
			return 0;
	}
	return 1;
}

static int bad_member(const struct field *field, const char *what)
{
	return accel_error(-EINVAL, "the graph's '%s' is missing or no %s",
			   field->key, what);
}

static int integer_read(const struct field *field, const json_t *json,
			int64_t low, int64_t high, int64_t *value)
{
	if (!json_is_integer(json) || json_integer_value(json) < low ||
	    json_integer_value(json) > high)
		return accel_error(
			-EINVAL,
			"the graph's '%s' is missing or no integer from %lld to %lld",
			field->key, (long long)low, (long long)high);
	*value = json_integer_value(json);
	return 0;
}

static int unsigned_read(const struct field *field, const json_t *json,
			 void *member)
{
	int64_t high = field->type == FIELD_U32 ? UINT32_MAX : INT64_MAX;
	int64_t value;
	int ret = integer_read(field, json, 0, high, &value);

	if (ret)
		return ret;
	if (field->type == FIELD_U32)
		*(uint32_t *)member = (uint32_t)value;
	else
		*(uint64_t *)member = (uint64_t)value;
	return 0;
}

static int signed_read(const struct field *field, const json_t *json,
		       void *member)
{
	int64_t value;
	int ret = integer_read(field, json, INT32_MIN, INT32_MAX, &value);

	if (!ret)
		*(int32_t *)member = (int32_t)value;
	return ret;
}

/* A number beyond binary32 becomes infinite here and is refused. */
static int float_read(const struct field *field, const json_t *json,
		      void *member)
{
	double value = json_number_value(json);

	if (!json_is_number(json) || !isfinite((float)value))
		return bad_member(field, "binary32 number");
	*(float *)member = (float)value;
	return 0;
}

static int name_read(const struct field *field, const json_t *json,
		     void *member)
{
	const char *text = json_string_value(json);

	for (int i = 0; text && field->names[i]; i++) {
		if (!strcmp(text, field->names[i])) {
			*(int *)member = i;
			return 0;
		}
	}
	return bad_member(field, "word that this version knows");
}

/* JSON allows \u0000 in a text; a C string would end there unseen. */
static int text_read(const struct field *field, const json_t *json,
		     char **member)
{
	if (!json && field->type == FIELD_OPTIONAL_TEXT)
		return 0;
	if (!json_is_string(json) ||
	    strlen(json_string_value(json)) != json_string_length(json))
		return bad_member(field, "text");
	*member = strdup(json_string_value(json));
	if (!*member)
		return accel_error(-ENOMEM, "no memory for the model");
	return 0;
}

static int member_read(const struct field *field, const json_t *json,
		       void *member)
{
	switch (field->type) {
	case FIELD_U32:
	case FIELD_U64:
		return unsigned_read(field, json, member);
	case FIELD_I32:
		return signed_read(field, json, member);
	case FIELD_BOOL:
		if (!json_is_boolean(json))
			return bad_member(field, "true or false");
		*(_Bool *)member = json_is_true(json);
		return 0;
	case FIELD_FLOAT:
		return float_read(field, json, member);
	case FIELD_NAME:
		return name_read(field, json, member);
	case FIELD_TEXT:
	case FIELD_OPTIONAL_TEXT:
		return text_read(field, json, member);
	case FIELD_END:
		break;
	}
	return 0;
}

int fields_read(const struct field *fields, const json_t *json, void *object)
{
	int ret = 0;

	if (!json_is_object(json))
		return accel_error(-EINVAL, "a part of the graph is no object");
	for (; !ret && fields->type != FIELD_END; fields++)
		ret = member_read(fields, json_object_get(json, fields->key),
				  (char *)object + fields->offset);
	return ret;
}

json_t *fields_write_array(const int32_t *values, uint32_t count)
{
	json_t *array = json_array();

	for (uint32_t i = 0; array && i < count; i++) {
		if (json_array_append_new(array, json_integer(values[i]))) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

json_t *fields_array(const json_t *json, const char *key, size_t limit)
{
	json_t *array = json_object_get(json, key);

	if (json_is_array(array) && json_array_size(array) <= limit)
		return array;
	accel_error(-EINVAL,
		    "the graph's '%s' is missing or no list of at most %zu",
		    key, limit);
	return NULL;
}

int fields_read_array(const json_t *json, const char *key, int32_t *values,
		      uint32_t limit, uint32_t *count)
{
	const struct field field = { key, FIELD_I32, 0, NULL };
	const json_t *array = fields_array(json, key, limit);
	int ret = 0;

	if (!array)
		return -EINVAL;
	*count = (uint32_t)json_array_size(array);
	for (uint32_t i = 0; !ret && i < *count; i++)
		ret = signed_read(&field, json_array_get(array, i), &values[i]);
	return ret;
}
