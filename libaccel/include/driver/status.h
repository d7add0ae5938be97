/* SPDX-License-Identifier: MIT */
/* What a device's status codes mean here. */
#ifndef DRIVER_STATUS_H
#define DRIVER_STATUS_H

/* A negative errno value; 0 for SPMM_SC_SUCCESS. */
int status_errno(unsigned int status);

/* What happened, for a message. */
const char *status_text(unsigned int status);

#endif
