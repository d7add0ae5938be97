/* SPDX-License-Identifier: MIT */
/*
 * The simulated device as a vfio-user server: for QEMU, which shows it to a guest as a PCI
 * device, and for libaccel's own client. One client at a time; when it leaves, the device
 * is reset and the next is waited for.
 */
#ifndef SIM_SERVER_SERVER_H
#define SIM_SERVER_SERVER_H

#include <stdbool.h>

#include <sim/config.h>
#include <sim/device.h>

struct server;

/**
 * struct server_options
 * @config: of the device
 * @sim: of the simulation
 * @window: bytes of BAR2, a power of two, at most the device's memory
 * @by_message: ask the client for all host memory, mapped or not, so that the client
 *	sees every bad address (a virtual machine's IOMMU logs it)
 * @verbose: say on standard error who comes and goes
 */
struct server_options {
	struct sim_config config;
	struct sim_options sim;
	uint64_t window;
	bool by_message;
	bool verbose;
};

/* −errno with a text. */
int server_create(const struct server_options *options, struct server **out);
void server_destroy(struct server *server);

/*
 * Serves one client on a connected socket, which stays the caller's, until it leaves or
 * @stop (a descriptor) becomes readable. Return: 0, or −EPROTO with a text when it broke
 * the protocol. The device is as after power-on then.
 */
int server_serve(struct server *server, int socket, int stop);

/* Binds a UNIX socket at a path; replaces one that nobody listens to. A descriptor. */
int server_listen(const char *path);

/* Serves client after client until @stop becomes readable. */
int server_run(struct server *server, int listener, int stop);

#endif
