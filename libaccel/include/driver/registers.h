/* SPDX-License-Identifier: MIT */
/* What the driver reads from a device once and waits for. */
#ifndef DRIVER_REGISTERS_H
#define DRIVER_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "pack/geometry.h"

struct transport;

/**
 * struct capabilities - CAP, decoded
 * @queue_entries: largest ring
 * @doorbell_stride: bytes from one queue's doorbells to the next's
 * @ready_timeout_ns: how long ENABLE and RESET may take
 * @job_timeout_ns: hard maximum of one command, 0 for none
 * @queues: I/O queue pairs
 * @contexts: address-space slots, context 0 included
 * @omitted: parts that the device lacks, SPMM_OMITTED_*
 * @list_entries: most commands of a list, 0 for no limit
 */
struct capabilities {
	uint32_t queue_entries;
	uint32_t doorbell_stride;
	uint64_t ready_timeout_ns;
	uint64_t job_timeout_ns;
	uint32_t queues;
	uint32_t contexts;
	uint32_t omitted;
	uint32_t list_entries;
};

/*
 * −ENODEV when the device does not answer, −EOPNOTSUPP for another major version, and for
 * one that lacks what is not known here. A higher minor version and unknown bits of CAP
 * are nothing to mind.
 */
int registers_read_capabilities(struct transport *transport,
				struct capabilities *capabilities);
int registers_read_geometry(struct transport *transport,
			    struct geometry *geometry);

/*
 * −EOPNOTSUPP with a text for a peer of another major version, and for a device that lacks
 * what nobody here knows to do without.
 */
int registers_check_version(uint32_t version, const char *whose);
int registers_check_omitted(uint32_t omitted);

/* −EIO with a text for one that cannot be. */
int registers_check_geometry(const struct geometry *geometry);

/* 0, −ENODEV when it is gone, −EIO when its state is fatal. */
int registers_check_alive(struct transport *transport);

/* Wait until STATUS & mask is value; fails at once when it turns FATAL. */
int registers_wait_status(struct transport *transport, uint32_t mask,
			  uint32_t value, uint64_t deadline);

#endif
