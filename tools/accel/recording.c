/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As %XX what has a meaning in a device URI. */
static void put_escaped(FILE *stream, const char *text)
{
	for (; *text; text++)
		if (strchr("%?&=", *text))
			fprintf(stream, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, stream);
}

static void put_parameter(FILE *stream, char *separator, const char *name,
			  const char *value)
{
	if (!value)
		return;
	fprintf(stream, "%c%s=", *separator, name);
	put_escaped(stream, value);
	*separator = '&';
}

/* For the caller to free. */
static int compose_uri(const char *uri, const struct recording_files *files,
		       char **out)
{
	char separator = strchr(uri, '?') ? '&' : '?';
	size_t size;
	FILE *stream;

	*out = NULL;
	stream = open_memstream(out, &size);
	if (!stream)
		return accel_error(-ENOMEM, "out of memory");
	fputs(uri, stream);
	put_parameter(stream, &separator, "trace", files->trace);
	put_parameter(stream, &separator, "vcd", files->vcd);
	if (!fclose(stream))
		return 0;
	free(*out);
	*out = NULL;
	return accel_error(-ENOMEM, "out of memory");
}

int recording_open(struct session *session, const char *uri,
		   const struct recording_files *files,
		   const struct workload *workload)
{
	char *composed;
	int ret = compose_uri(uri, files, &composed);

	if (!ret)
		ret = session_open(session, composed, workload, 0);
	free(composed);
	return ret;
}
