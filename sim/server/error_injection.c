/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/inject.h>
#include <sim/server/config_space.h>
#include <sim/server/error_injection.h>
#include <spmm/error_injection.h>

#define AT(field) (SPMM_INJECTION_OFFSET + SPMM_INJECTION_##field)

void error_injection_add(struct config_space *space, struct sim_device *device)
{
	if (!sim_device_faults(device))
		return;
	config_space_add_injection(space);
	config_space_put32(space, AT(COUNT), sim_device_faults(device));
}

void error_injection_refresh(struct config_space *space,
			     struct sim_device *device)
{
	struct inject_fault fault = { .name = "" };

	if (!sim_device_faults(device))
		return;
	sim_device_fault(device, config_space_get32(space, AT(SELECT)), &fault);
	config_space_put32(space, AT(FIRED), fault.fired);
	config_space_put32(space, AT(ARMED), fault.armed);
	memset(space->bytes + AT(NAME), 0, SPMM_INJECTION_NAME_BYTES);
	memcpy(space->bytes + AT(NAME), fault.name, strlen(fault.name));
}

/* The number of the fault whose name was written, or 0. */
static uint32_t name_find(const struct config_space *space,
			  struct sim_device *device)
{
	char name[SPMM_INJECTION_NAME_BYTES] = { 0 };
	struct inject_fault fault;
	unsigned int number = 1;

	memcpy(name, space->bytes + AT(NAME), sizeof(name) - 1);
	while (sim_device_fault(device, number, &fault)) {
		if (!strcmp(fault.name, name))
			return number;
		number++;
	}
	return 0;
}

void error_injection_written(struct config_space *space,
			     struct sim_device *device, uint32_t offset,
			     uint32_t length)
{
	if (offset < AT(NAME) + SPMM_INJECTION_NAME_BYTES &&
	    offset + length > AT(NAME))
		config_space_put32(space, AT(SELECT), name_find(space, device));
	if (offset <= AT(ARM) && AT(ARM) - offset < length)
		sim_device_arm(device, config_space_get32(space, AT(ARM)));
}
