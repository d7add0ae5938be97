/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints: the state of a simulated device in a file, and devices that go on from
 * one. A device is paused, saved and resumed; the restored one is paused at the same
 * point and, once resumed, does what the saved one does after its resumption: the same
 * bytes in the same cycles. Documentation/simulator.rst has an example.
 *
 * A file holds the device and no byte of the host: the host keeps, and has in place
 * before it resumes the restored device, the memory that the device reaches by DMA
 * (rings, page tables, buffers), at the same bus addresses and as it was while the
 * device was paused, and what its driver knows (tails, heads, phases).
 */
#ifndef SIM_CHECKPOINT_H
#define SIM_CHECKPOINT_H

#include <stdint.h>

#include "sim/device.h"

/**
 * sim_device_pause() - stop a device between two entries
 * @device: to be stopped
 * @timeout_ns: how long the entry that runs may still take
 *
 * An entry of a list counts for itself, so that the device may be in the middle of a
 * list. Until it is resumed, the device executes nothing and writes no memory of the
 * host's; device time stands still. Registers answer, doorbells are remembered, ENABLE
 * and resets are carried out. From any thread but those of the host's callbacks;
 * pauses add up.
 *
 * Return: 0, or −ETIMEDOUT: the entry still runs, and the device is not paused.
 */
int sim_device_pause(struct sim_device *device, uint64_t timeout_ns);

/**
 * sim_device_resume() - take back one sim_device_pause(), or that of a restoration
 * @device: paused
 *
 * From any thread, not only the one that paused.
 */
void sim_device_resume(struct sim_device *device);

/**
 * sim_device_save() - write the state of a device to a file
 * @device: paused, and it stays so
 * @path: replaced as a whole, or as it was after an error
 *
 * The size follows the pages of device memory that are not zero. What the host does
 * to the device meanwhile may be in the file or not; it is best to do nothing. From
 * any thread but those of the host's callbacks.
 *
 * Return: 0; −EBUSY if the device is not paused; −errno of the file. The text of an
 * error is set.
 */
int sim_device_save(struct sim_device *device, const char *path);

/**
 * sim_device_restore() - a new device in the state of a file
 * @config: of the saved device; NULL: as the file says
 * @host: of the new device, see struct sim_host
 * @options: of the new device; NULL as for sim_device_create()
 * @path: written by sim_device_save(); it stays, and may be used again
 * @out: the device, paused; NULL after an error
 *
 * A file may come from anybody: what cannot be the state of a device is refused.
 *
 * Return: 0; −EINVAL if the file is damaged, of another version, or of a device with
 * another configuration (the text names the field); −ENOMEM; −errno of the file. The
 * text of an error is set.
 */
int sim_device_restore(const struct sim_config *config,
		       const struct sim_host *host,
		       const struct sim_options *options, const char *path,
		       struct sim_device **out);

#endif
