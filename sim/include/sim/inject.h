/* SPDX-License-Identifier: MIT */
/* Faults of a script, as those see them that own a device (Documentation/faults.rst). */
#ifndef SIM_INJECT_H
#define SIM_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct inject_script;
struct sim_device;

/* −errno with a text that has the line. */
int inject_script_load(const char *path, struct inject_script **out);
int inject_script_read(FILE *file, const char *name,
		       struct inject_script **out);
void inject_script_free(struct inject_script *script);

/**
 * struct inject_fault - a fault of the script: its rules of one name
 * @name: of it
 * @fired: how often since it was armed
 * @armed: it can fire
 */
struct inject_fault {
	const char *name;
	uint32_t fired;
	bool armed;
};

/* How many the device's script has; 0 without one. Like the next two, from any thread. */
unsigned int sim_device_faults(const struct sim_device *device);

/* Arms fault 1 … anew; 0 disarms all. Others do nothing. */
void sim_device_arm(struct sim_device *device, unsigned int fault);

/* false: there is no such fault. */
bool sim_device_fault(struct sim_device *device, unsigned int fault,
		      struct inject_fault *out);

/* The bus finds nobody: all reads are ones. */
bool sim_device_gone(struct sim_device *device);

/* Another card of the same make is put in: reset, and the script at its beginning. */
void sim_device_replug(struct sim_device *device);

#endif
