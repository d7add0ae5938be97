/* SPDX-License-Identifier: MIT */
/* What a client's messages do to the device: one function for each command. */
#ifndef SIM_SERVER_SESSION_H
#define SIM_SERVER_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>

#include <sim/device.h>
#include <sim/server/config_space.h>
#include <sim/server/connection.h>
#include <sim/server/host_memory.h>
#include <sim/server/interrupts.h>

/**
 * struct session - the device and all that a client has set
 * @space: the session's thread alone
 * @bus_master: of @space, for the device's thread
 * @greeted: versions have been agreed upon
 */
struct session {
	struct sim_device *device;
	struct connection *connection;
	struct host_memory *memory;
	struct interrupts interrupts;
	struct config_space space;
	_Atomic bool bus_master;
	uint64_t window;
	bool by_message;
	bool greeted;
};

/* −EPROTO: the connection is of no use any more. Others were the reply's. */
int session_handle(struct session *session, struct message *message);

/* Function-level reset: the device and its configuration space, not the maps. */
void session_reset(struct session *session);

/* The client has left: the next one finds another card of the same make. */
void session_replug(struct session *session);

#endif
