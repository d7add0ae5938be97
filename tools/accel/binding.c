/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <core/error.h>

#include <errno.h>
#include <string.h>

static int find_port(const struct binding_ports *ports, const char *name,
		     size_t length)
{
	for (uint32_t i = 0; i < ports->count; i++)
		if (strlen(ports->names[i]) == length &&
		    !strncmp(ports->names[i], name, length))
			return (int)i;
	return -1;
}

/* Files without a name fill the ports from the first on. */
static int first_free(const struct binding_ports *ports, const char **paths)
{
	for (uint32_t i = 0; i < ports->count; i++)
		if (!paths[i])
			return (int)i;
	return -1;
}

static int bind(const struct binding_ports *ports, const char *file,
		const char **paths)
{
	/* a path may hold a '=' too: only a port's name in front of it counts */
	const char *path = strchr(file, '=');
	int port = -1;

	if (path)
		port = find_port(ports, file, (size_t)(path - file));
	if (port >= 0)
		path++;
	else {
		path = file;
		port = first_free(ports, paths);
	}
	if (port < 0)
		return accel_error(-EINVAL, "%s: the model has %u %s%s only",
				   file, ports->count, ports->what,
				   ports->count == 1 ? "" : "s");
	if (paths[port])
		return accel_error(-EINVAL, "%s: that %s has a file already",
				   file, ports->what);
	paths[port] = path;
	return 0;
}

int binding_resolve(const struct binding_ports *ports,
		    const struct option_list *files, const char **paths)
{
	for (int i = 0; i < files->count; i++) {
		int ret = bind(ports, files->items[i], paths);

		if (ret)
			return ret;
	}
	return 0;
}
