/* SPDX-License-Identifier: MIT */
/* A device behind a vfio-user server ("vfio-user:SOCKET"), spmm-sim for one. */
#ifndef TRANSPORT_VFIO_USER_H
#define TRANSPORT_VFIO_USER_H

#include "transport/transport.h"

/*
 * Connects. Memory for its map_dma() must come from a file, which the server maps:
 * transport->operations->shares_memory. After a lost connection every read is all ones,
 * and reset() connects again.
 */
int transport_vfio_user_open(const char *path, struct transport **out);

#endif
