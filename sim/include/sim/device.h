/* SPDX-License-Identifier: MIT */
/*
 * The simulated device, as a bus sees it: BARs, DMA, interrupts, reset. Whoever
 * carries these to a host (transport/sim.c in this process, spmm-sim over
 * vfio-user) uses this header, sim/checkpoint.h and sim/inject.h, and no other of the
 * simulator.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/config.h"
#include "sim/engine/engine.h"

struct inject_script;
struct sim_device;

/**
 * struct sim_host - the only ways by which the device reaches the host
 * @opaque: handed to the functions
 * @dma_read: copy @length bytes from bus address @address; −errno when any of
 *	them does not answer
 * @dma_write: likewise, towards the host
 * @interrupt: raise MSI-X vector @vector
 *
 * They are called by the device's own thread, with no lock of the device held;
 * they must not call back into the device.
 */
struct sim_host {
	void *opaque;
	int (*dma_read)(void *opaque, uint64_t address, void *to,
			size_t length);
	int (*dma_write)(void *opaque, uint64_t address, const void *from,
			 size_t length);
	void (*interrupt)(void *opaque, unsigned int vector);
};

/**
 * struct sim_options - how a device is simulated, which changes nothing of what it does
 *	but for @faults
 * @mode: of its engine
 * @observer: told what happens, by the device's own thread; must outlive the device;
 *	or NULL
 * @share_memory: device memory is a file that other processes can map
 * @window: its first bytes, which they do: ones while the device is gone
 * @faults: what goes wrong (sim/inject.h); must outlive the device; or NULL
 */
struct sim_options {
	enum engine_mode mode;
	const struct engine_observer *observer;
	bool share_memory;
	uint64_t window;
	const struct inject_script *faults;
};

/*
 * Starts a device in its power-on state. @options may be NULL: the fast engine, and
 * nobody looks on. The text of an error is set.
 */
int sim_device_create(const struct sim_config *config,
		      const struct sim_host *host,
		      const struct sim_options *options,
		      struct sim_device **out);

/* Stops it at a tile boundary; no callback runs after the return. */
void sim_device_destroy(struct sim_device *device);

/*
 * A BAR access of 4 or 8 bytes, naturally aligned; BAR2 takes any. Others read
 * as zero and write nothing. From any thread, and never waits for work.
 */
void sim_device_bar_read(struct sim_device *device, unsigned int bar,
			 uint64_t offset, void *to, size_t length);
void sim_device_bar_write(struct sim_device *device, unsigned int bar,
			  uint64_t offset, const void *from, size_t length);

/* Device memory (BAR2) as plain memory of memory_bytes. */
void *sim_device_memory(struct sim_device *device);

/* The same as a file with share_memory, or −1; stays the device's. */
int sim_device_memory_file(struct sim_device *device);

/*
 * Waits until the device has done all that it was asked to do, and told its observer:
 * by @deadline (core/deadline.h), or −EBUSY with a text.
 */
int sim_device_settle(struct sim_device *device, uint64_t deadline);

/* Function-level reset; returns when the device is as after power-on. */
void sim_device_reset(struct sim_device *device);

#endif
