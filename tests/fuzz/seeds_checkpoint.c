/* SPDX-License-Identifier: MIT */
#include "../unit/unit.h"

#include "../unit/sim_host.h"
#include "checkpoint_config.h"
#include "seeds_checkpoint.h"

#include <sim/checkpoint.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND 1000000000ull

/* Offset of what HOST_VIRTUAL_HOST maps. */
#define DATA (HOST_MEMORY_BYTES - HOST_VIRTUAL_HOST_BYTES)

static int device_save(struct test_host *host, const char *folder,
		       const char *name)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ret = sim_device_pause(host->device, SECOND);
	if (!ret)
		ret = sim_device_save(host->device, path);
	sim_device_resume(host->device);
	return ret;
}

/* Its last entry waits for a semaphore that nobody moves. */
static void list_start(struct test_host *host)
{
	const struct spmm_sqe entries[] = {
		{ .opcode = SPMM_IO_NOP },
		{ .opcode = SPMM_IO_SEMAPHORE_WAIT,
		  .address = HOST_VIRTUAL_HOST + 4096,
		  .value = 1 },
	};
	const struct spmm_sqe list = { .opcode = SPMM_IO_LIST,
				       .address = HOST_VIRTUAL_HOST,
				       .length = 2 };

	memcpy(host->memory + DATA, entries, sizeof(entries));
	host_submit(host, 1, &list, 1);
}

int checkpoint_seeds(const char *folder)
{
	const struct spmm_sqe fault = { .opcode = SPMM_IO_COPY, .length = 8 };
	const struct spmm_sqe copy = { .opcode = SPMM_IO_COPY,
				       .address = HOST_VIRTUAL_HOST,
				       .destination = host_virtual(8192),
				       .length = 5000 };
	struct sim_config config;
	struct test_host *host;
	char path[PATH_MAX];
	int ret;

	ret = checkpoint_config(&config);
	if (ret)
		return ret;
	mkdir(folder, 0777);
	snprintf(path, sizeof(path), "%s/checkpoint", folder);
	mkdir(path, 0777);
	host = host_start(&config);
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	memset(host->memory + DATA, 1, 5000);
	host_run(host, 1, copy, NULL);
	host_run(host, 2, fault, NULL);
	list_start(host);
	ret = device_save(host, path, "list");
	sim_device_reset(host->device);
	if (!ret)
		ret = device_save(host, path, "off");
	host_stop(host);
	return ret;
}
