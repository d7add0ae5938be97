/* SPDX-License-Identifier: MIT */
/*
 * Arms the faults of the simulated device's script: Documentation/faults.rst.
 */
#ifndef KSELFTEST_FAULTS_H
#define KSELFTEST_FAULTS_H

#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <spmm/error_injection.h>

/* The configuration space of the device that has a node, or -1. */
static inline int fault_open(void)
{
	glob_t found;
	int fd;

	if (glob("/sys/class/accel/accel*/device/config", 0, NULL, &found))
		return -1;
	fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	globfree(&found);
	return fd;
}

/* The next read or write at @offset of the capability. */
static inline int fault_write(int config, uint32_t offset, uint32_t value)
{
	off_t at = SPMM_INJECTION_OFFSET + (off_t)offset;

	return pwrite(config, &value, sizeof(value), at) == sizeof(value);
}

static inline uint32_t fault_read(int config, uint32_t offset)
{
	uint32_t value = 0;

	if (pread(config, &value, sizeof(value),
		  SPMM_INJECTION_OFFSET + (off_t)offset) != sizeof(value))
		return 0;
	return value;
}

/* Return: its number, 0 if the script has none of this name. */
static inline uint32_t fault_find(int config, const char *name)
{
	char padded[SPMM_INJECTION_NAME_BYTES] = "";

	strncpy(padded, name, sizeof(padded) - 1);
	if (pwrite(config, padded, sizeof(padded),
		   SPMM_INJECTION_OFFSET + SPMM_INJECTION_NAME) !=
	    sizeof(padded))
		return 0;
	return fault_read(config, SPMM_INJECTION_SELECT);
}

static inline int fault_arm(int config, const char *name)
{
	uint32_t number = fault_find(config, name);

	return number && fault_write(config, SPMM_INJECTION_ARM, number);
}

static inline int fault_disarm(int config)
{
	return fault_write(config, SPMM_INJECTION_ARM, 0);
}

static inline uint32_t fault_fired(int config, const char *name)
{
	return fault_find(config, name) ?
		       fault_read(config, SPMM_INJECTION_FIRED) :
		       0;
}

#endif
