/* SPDX-License-Identifier: MIT */
#include <core/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 1024

static _Thread_local char error_text[TEXT_SIZE];

const char *accel_last_error(void)
{
	return error_text;
}

void accel_error_set(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	memcpy(error_text, text, sizeof(text));
}

void accel_error_set_prefix(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	length = strlen(text);
	snprintf(text + length, sizeof(text) - length, ": %s", error_text);
	memcpy(error_text, text, sizeof(text));
}
