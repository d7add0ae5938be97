/* SPDX-License-Identifier: MIT */
#include "runtime/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"

struct uri_known {
	const char *name;
	bool supported;
	bool takes_rest;
	enum uri_scheme scheme;
};

static const struct uri_known known[] = {
	{ "sim:", true, true, URI_SIM },
	{ "cpu:", true, false, URI_CPU },
	{ "nil:", true, false, URI_NIL },
	{ "vfio:", false, true, URI_SIM },
	{ "vfio-user:", false, true, URI_SIM },
	{ "dev:", false, true, URI_SIM },
};

static const struct uri_known *uri_find(const char *uri)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(uri, known[i].name, strlen(known[i].name)))
			return &known[i];
	return NULL;
}

int uri_parse(const char *uri, enum uri_scheme *scheme, const char **rest)
{
	const struct uri_known *found = uri_find(uri);

	if (!found)
		return accel_error(
			-EINVAL,
			"%s: unknown device; known are sim:, sim:FILE, cpu: and nil:",
			uri);
	if (!found->supported)
		return accel_error(
			-ENOTSUP,
			"%s: %s is not in this version; sim:, cpu: and nil: are",
			uri, found->name);
	*rest = uri + strlen(found->name);
	if (**rest && !found->takes_rest)
		return accel_error(-EINVAL, "%s: nothing may follow %s", uri,
				   found->name);
	*scheme = found->scheme;
	return 0;
}
