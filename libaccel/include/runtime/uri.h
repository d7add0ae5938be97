/* SPDX-License-Identifier: MIT */
/* Device URIs: SCHEME:REST. */
#ifndef RUNTIME_URI_H
#define RUNTIME_URI_H

enum uri_scheme {
	URI_SIM,
	URI_CPU,
	URI_NIL,
};

/* *rest is what follows the colon: a configuration file of sim:, else empty. */
int uri_parse(const char *uri, enum uri_scheme *scheme, const char **rest);

#endif
