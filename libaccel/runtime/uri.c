/* SPDX-License-Identifier: MIT */
#include "runtime/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct uri_known {
	const char *name;
	bool takes_rest;
	enum uri_scheme scheme;
};

static const struct uri_known known[] = {
	{ "sim:", true, URI_SIM },
	{ "cpu:", false, URI_CPU },
	{ "nil:", false, URI_NIL },
	{ "vfio:", true, URI_VFIO },
	{ "vfio-user:", true, URI_VFIO_USER },
	{ "dev:", true, URI_KERNEL },
};

static const struct uri_known *uri_find(const char *uri)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(uri, known[i].name, strlen(known[i].name)))
			return &known[i];
	return NULL;
}

static int uri_identify(const char *text, const struct uri_known **out)
{
	const struct uri_known *found = uri_find(text);
	const char *rest;

	if (!found)
		return accel_error(
			-EINVAL,
			"%s: unknown device; known are sim:, sim:FILE, vfio:ADDRESS, vfio-user:SOCKET, dev:NODE, cpu: and nil:",
			text);
	rest = text + strlen(found->name);
	if (*rest == '?' && !found->takes_rest)
		return accel_error(
			-EINVAL,
			"%s: %s has no parameters; only a simulated device can be recorded",
			text, found->name);
	if (*rest && !found->takes_rest)
		return accel_error(-EINVAL, "%s: nothing may follow %s", text,
				   found->name);
	*out = found;
	return 0;
}

/* Either case (RFC 3986, section 2.1), or −1. */
static int hexadecimal(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* In place; a NUL would hide what is behind it. */
static int decode(const char *uri, char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hexadecimal(from[1]);
		low = high < 0 ? -1 : hexadecimal(from[2]);
		if (low < 0 || !(high | low))
			return accel_error(
				-EINVAL,
				"%s: \"%%\" stands before two hexadecimal digits other than 00; write it as %%25",
				uri);
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return 0;
}

static int set_text(const char *uri, const char *name, const char **field,
		    const char *value)
{
	if (*field)
		return accel_error(-EINVAL, "%s: two of %s=", uri, name);
	*field = value;
	return 0;
}

static int set_engine(const char *uri, struct transport_sim_options *sim,
		      const char *value)
{
	if (!strcmp(value, "fast"))
		sim->mode = ENGINE_FAST;
	else if (!strcmp(value, "reference"))
		sim->mode = ENGINE_REFERENCE;
	else
		return accel_error(
			-EINVAL, "%s: engine=%s; there are fast and reference",
			uri, value);
	return 0;
}

static int set_limit(const char *uri, struct transport_sim_options *sim,
		     const char *value)
{
	if (!sim_config_number(value, &sim->recording.limit) ||
	    !sim->recording.limit)
		return accel_error(
			-EINVAL,
			"%s: limit=%s is no number of events from 1 on", uri,
			value);
	return 0;
}

static int parameter_set(const char *uri, struct transport_sim_options *sim,
			 const char *name, const char *value)
{
	if (!*value)
		return accel_error(-EINVAL, "%s: %s= has no value", uri, name);
	if (!strcmp(name, "trace"))
		return set_text(uri, name, &sim->recording.timeline, value);
	if (!strcmp(name, "vcd"))
		return set_text(uri, name, &sim->recording.waves, value);
	if (!strcmp(name, "limit"))
		return set_limit(uri, sim, value);
	if (!strcmp(name, "engine"))
		return set_engine(uri, sim, value);
	if (!strcmp(name, "fault"))
		return set_text(uri, name, &sim->fault_path, value);
	return accel_error(
		-EINVAL,
		"%s: unknown parameter \"%s\"; known are trace, vcd, limit, engine and fault",
		uri, name);
}

/* NAME=VALUE&... */
static int parameters_parse(const char *uri, char *text, struct uri *out)
{
	char *rest = text, *name;

	while ((name = strsep(&rest, "&"))) {
		char *value = strchr(name, '=');
		int ret;

		if (!value)
			return accel_error(
				-EINVAL,
				"%s: after \"?\" stands NAME=VALUE&...; \"?\" in a file's name is %%3F",
				uri);
		*value++ = '\0';
		ret = decode(uri, value);
		if (!ret)
			ret = parameter_set(uri, &out->sim, name, value);
		if (ret)
			return ret;
	}
	return 0;
}

/* What only several parameters together show. */
static int recording_check(const char *uri,
			   const struct recording_options *recording)
{
	if (recording->limit && !recording->timeline && !recording->waves)
		return accel_error(
			-EINVAL,
			"%s: limit= without trace= or vcd= has nothing to limit",
			uri);
	if (recording->timeline && recording->waves &&
	    !strcmp(recording->timeline, recording->waves))
		return accel_error(
			-EINVAL, "%s: trace= and vcd= name the same file", uri);
	return 0;
}

/* Cut before it is decoded: an escaped "?" or "&" is no mark. */
static int sim_parse(const char *text, struct uri *uri)
{
	char *query = strchr(uri->buffer, '?');
	int ret;

	if (query)
		*query++ = '\0';
	ret = decode(text, uri->buffer);
	uri->sim.config_path = uri->buffer;
	if (!ret && query)
		ret = parameters_parse(text, query, uri);
	return ret ? ret : recording_check(text, &uri->sim.recording);
}

static int socket_parse(const char *text, struct uri *uri)
{
	if (strchr(uri->buffer, '?'))
		return accel_error(
			-EINVAL,
			"%s: vfio-user: has no parameters; who serves the device records it",
			text);
	if (!*uri->buffer)
		return accel_error(
			-EINVAL,
			"%s: which socket? vfio-user:SOCKET, of spmm-sim --socket",
			text);
	return decode(text, uri->buffer);
}

static int vfio_set_iommu(const char *text, struct uri *uri, const char *query)
{
	if (!strcmp(query, "iommu=type1"))
		uri->vfio.iommu = VFIO_IOMMU_TYPE1;
	else if (!strcmp(query, "iommu=iommufd"))
		uri->vfio.iommu = VFIO_IOMMU_IOMMUFD;
	else if (!strcmp(query, "iommu=noiommu"))
		uri->vfio.iommu = VFIO_IOMMU_NONE;
	else
		return accel_error(
			-EINVAL,
			"%s: after \"?\" stands iommu=type1, iommu=iommufd or iommu=noiommu",
			text);
	return 0;
}

/* ADDRESS[?iommu=type1|iommufd|noiommu] */
static int vfio_parse(const char *text, struct uri *uri)
{
	char *query = strchr(uri->buffer, '?');

	if (query)
		*query++ = '\0';
	uri->vfio.address = uri->buffer;
	if (!*uri->buffer)
		return accel_error(
			-EINVAL,
			"%s: which device? vfio:ADDRESS, such as vfio:0000:01:00.0; `accel list` shows them",
			text);
	return query ? vfio_set_iommu(text, uri, query) : 0;
}

/* NODE[?queues=job|user] */
static int kernel_parse(const char *text, struct uri *uri)
{
	char *query = strchr(uri->buffer, '?');

	if (query)
		*query++ = '\0';
	if (!*uri->buffer)
		return accel_error(
			-EINVAL,
			"%s: which device? dev:NODE, such as dev:/dev/accel/accel0",
			text);
	if (query && !strcmp(query, "queues=user"))
		uri->user_queues = true;
	else if (query && strcmp(query, "queues=job"))
		return accel_error(
			-EINVAL,
			"%s: after \"?\" stands queues=job or queues=user",
			text);
	return decode(text, uri->buffer);
}

int uri_parse(const char *text, struct uri *uri)
{
	const struct uri_known *found;
	int ret = uri_identify(text, &found);

	memset(uri, 0, sizeof(*uri));
	if (ret)
		return ret;
	uri->scheme = found->scheme;
	uri->buffer = strdup(text + strlen(found->name));
	if (!uri->buffer)
		return accel_error(-ENOMEM, "out of memory");
	if (uri->scheme == URI_SIM)
		ret = sim_parse(text, uri);
	else if (uri->scheme == URI_VFIO)
		ret = vfio_parse(text, uri);
	else if (uri->scheme == URI_VFIO_USER)
		ret = socket_parse(text, uri);
	else if (uri->scheme == URI_KERNEL)
		ret = kernel_parse(text, uri);
	if (ret)
		uri_free(uri);
	return ret;
}

void uri_free(struct uri *uri)
{
	free(uri->buffer);
	uri->buffer = NULL;
}
