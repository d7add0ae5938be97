/* SPDX-License-Identifier: MIT */
#include <core/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 1024

static _Thread_local char error_text[TEXT_SIZE];
static _Thread_local unsigned int error_holds; /* nobody changes the text */

const char *accel_last_error(void)
{
	return error_text;
}

static void text_store(const char text[TEXT_SIZE])
{
	if (!error_holds)
		memcpy(error_text, text, TEXT_SIZE);
}

void accel_error_set(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	text_store(text);
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
	text_store(text);
}

void accel_error_hold(void)
{
	error_holds++;
}

void accel_error_release(void)
{
	error_holds--;
}
