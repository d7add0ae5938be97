/* SPDX-License-Identifier: MIT */
#include "host_write.h"

#include "host.h"

#include <core/deadline.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* errno, which is small enough for an exit status. */
static int write_file(const char *path, const char *line)
{
	int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	char text[PATH_MAX];
	int length = snprintf(text, sizeof(text), "%s\n", line);
	ssize_t count;

	if (file < 0)
		return errno;
	count = write(file, text, (size_t)length);
	if (count < 0)
		return errno;
	close(file);
	return count == length ? 0 : EIO;
}

/* −errno as the other process has it, −ETIMEDOUT if it is not done. */
static int wait_for_writer(pid_t writer, int handle, uint64_t deadline)
{
	struct pollfd ready = { .fd = handle, .events = POLLIN };
	uint64_t left = deadline_remaining(deadline);
	struct timespec timeout = { .tv_sec = (time_t)(left / 1000000000),
				    .tv_nsec = (long)(left % 1000000000) };
	int status;

	if (ppoll(&ready, 1, &timeout, NULL) != 1) {
		kill(writer, SIGKILL);
		return -ETIMEDOUT;
	}
	if (waitpid(writer, &status, 0) != writer || !WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

int host_write(const char *line, uint64_t deadline, const char *format, ...)
{
	char below[PATH_MAX / 2], path[PATH_MAX];
	int handle, ret;
	va_list list;
	pid_t writer;

	va_start(list, format);
	vsnprintf(below, sizeof(below), format, list);
	va_end(list);
	host_path(path, "%s", below);
	writer = fork();
	if (!writer)
		_exit(write_file(path, line));
	if (writer < 0)
		return -errno;
	handle = pidfd_open(writer, 0);
	if (handle < 0) {
		ret = -errno;
		kill(writer, SIGKILL);
		return ret;
	}
	ret = wait_for_writer(writer, handle, deadline);
	close(handle);
	return ret;
}
