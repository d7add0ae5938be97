/* SPDX-License-Identifier: MIT */
/*
 * Any checkpoint, its checksums made right: it is refused, or the device that comes
 * of it runs, can be saved and ends.
 */
#include "../unit/unit.h"

#include "../unit/seal.h"
#include "../unit/sim_host.h"
#include "checkpoint_config.h"

#include <sim/checkpoint.h>
#include <sim/checkpoint_read.h>

#include <stdlib.h>

/* For an entry in the middle of which it was told to be. */
#define PAUSE_NS 1000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim_config config;
static struct test_host host;

static void setup(void)
{
	if (checkpoint_config(&config))
		abort();
	host.memory = calloc(1, HOST_MEMORY_BYTES);
	if (!host.memory)
		abort();
}

static int restore(const uint8_t *data, size_t size)
{
	struct sim_host calls = host_calls(&host);
	uint8_t *bytes = malloc(size);
	FILE *in;
	int ret;

	if (!bytes)
		abort();
	memcpy(bytes, data, size);
	checkpoint_seal(bytes, size);
	in = fmemopen(bytes, size, "r");
	if (!in)
		abort();
	ret = checkpoint_read(in, &config, &calls, NULL, &host.device);
	fclose(in);
	free(bytes);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!host.memory)
		setup();
	if (!size || restore(data, size))
		return 0;
	if (sim_device_save(host.device, "/dev/null"))
		abort();
	sim_device_resume(host.device);
	if (!sim_device_pause(host.device, PAUSE_NS) &&
	    sim_device_save(host.device, "/dev/null"))
		abort();
	sim_device_destroy(host.device);
	return 0;
}
