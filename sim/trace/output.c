/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <core/error.h>
#include <sim/trace/output.h>

#define CAPACITY (1u << 20)
/* No entry is longer, whatever the names in it. */
#define ENTRY_MAX (1u << 13)

/* Not stdio: an early end must not cut an entry, and numbers are formatted faster. */
struct trace_output {
	int fd;
	int error;
	char *path;
	size_t used;
	char buffer[CAPACITY];
};

int trace_output_open(const char *path, struct trace_output **out)
{
	struct trace_output *output = malloc(sizeof(*output));
	char *copy = strdup(path);

	*out = NULL;
	if (!output || !copy) {
		free(output);
		free(copy);
		return accel_error(-ENOMEM, "%s: no memory for a trace", path);
	}
	output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output->fd < 0) {
		int error = errno;

		free(output);
		free(copy);
		return accel_error(-error, "%s: %s", path, strerror(error));
	}
	output->path = copy;
	output->error = 0;
	output->used = 0;
	*out = output;
	return 0;
}

/* After an error the bytes are dropped, so that the buffer never grows. */
static void flush(struct trace_output *output)
{
	size_t done = 0;

	while (!output->error && done < output->used) {
		ssize_t written = write(output->fd, output->buffer + done,
					output->used - done);

		if (written > 0)
			done += (size_t)written;
		else if (written < 0 && errno != EINTR)
			output->error = -errno;
	}
	output->used = 0;
}

void trace_bytes(struct trace_output *output, const void *bytes, size_t length)
{
	if (length > CAPACITY - output->used)
		flush(output);
	if (length > CAPACITY) {
		trace_output_fail(output, -EMSGSIZE);
		return;
	}
	memcpy(output->buffer + output->used, bytes, length);
	output->used += length;
}

void trace_text(struct trace_output *output, const char *text)
{
	trace_bytes(output, text, strlen(text));
}

void trace_decimal(struct trace_output *output, uint64_t value,
		   unsigned int digits)
{
	char text[24]; /* 20 digits and a point */
	char *at = text + sizeof(text);
	unsigned int count = 0;

	do {
		if (count && count == digits)
			*--at = '.';
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (++count <= digits || value);
	trace_bytes(output, at, (size_t)(text + sizeof(text) - at));
}

void trace_number(struct trace_output *output, uint64_t value)
{
	trace_decimal(output, value, 0);
}

/* Written out here, where an entry ends, long before the buffer is full. */
void trace_mark(struct trace_output *output)
{
	if (output->used > CAPACITY - ENTRY_MAX)
		flush(output);
}

void trace_output_fail(struct trace_output *output, int error)
{
	if (!output->error)
		output->error = error;
}

int trace_output_close(struct trace_output *output)
{
	int error;

	flush(output);
	/* some file systems have their errors only now */
	if (close(output->fd))
		trace_output_fail(output, -errno);
	error = output->error;
	if (error)
		accel_error_set("%s: %s; what is in it is not all",
				output->path, strerror(-error));
	free(output->path);
	free(output);
	return error;
}
