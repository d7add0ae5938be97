/* SPDX-License-Identifier: MIT */
/*
 * Device URIs: SCHEME:[FILE][?NAME=VALUE[&NAME=VALUE...]]. What has a meaning, "?", "&",
 * "=" and "%", stands as %XX where it is part of a file's name; any byte may.
 */
#ifndef RUNTIME_URI_H
#define RUNTIME_URI_H

#include <stdbool.h>

#include "transport/sim.h"
#include "transport/vfio.h"

enum uri_scheme {
	URI_SIM,
	URI_VFIO,
	URI_VFIO_USER,
	URI_KERNEL,
	URI_CPU,
	URI_NIL,
};

/**
 * struct uri - a parsed one
 * @scheme: of it
 * @sim: of URI_SIM; the texts are in @buffer
 * @vfio: of URI_VFIO; the address is in @buffer
 * @user_queues: of URI_KERNEL
 * @buffer: decoded: the file, the socket's path, or the device's node
 */
struct uri {
	enum uri_scheme scheme;
	struct transport_sim_options sim;
	struct transport_vfio_options vfio;
	bool user_queues;
	char *buffer;
};

/* −EINVAL, −ENOTSUP or −ENOMEM with a text, and then there is nothing to free. */
int uri_parse(const char *text, struct uri *uri);
void uri_free(struct uri *uri);

#endif
