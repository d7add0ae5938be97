/* SPDX-License-Identifier: MIT */
/* gzip files (RFC 1952). Part of libaccel-compress. */
#ifndef FORMATS_GZIP_H
#define FORMATS_GZIP_H

#include <stdbool.h>
#include <stddef.h>

/* Do these bytes begin like a gzip file? */
bool gzip_is(const void *data, size_t size);

/*
 * Expand a whole file to at most limit bytes, for free(3). -EBADMSG for a damaged
 * one, -EFBIG for more than the limit, -ENOMEM.
 */
int gzip_expand(const void *data, size_t size, size_t limit, void **expanded,
		size_t *expanded_size);

#endif
