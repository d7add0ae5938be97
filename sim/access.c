/* SPDX-License-Identifier: MIT */
#include <sim/access.h>
#include <sim/memory.h>
#include <sim/mmu.h>

/* A run of bytes that is contiguous after translation. */
struct run {
	uint64_t address;
	size_t length;
	bool device;
};

static size_t page_rest(uint64_t address)
{
	return SPMM_PAGE_SIZE - (address & (SPMM_PAGE_SIZE - 1));
}

static int run_find(struct sim_device *device, uint16_t context,
		    uint64_t address, size_t length, enum sim_access access,
		    struct run *run)
{
	struct sim_translation page;
	int ret;

	ret = mmu_translate(device, context, address, access, &page);
	if (ret)
		return ret;
	run->address = page.address | (address & (SPMM_PAGE_SIZE - 1));
	run->device = page.device;
	/* Bus addresses are contiguous by themselves. */
	run->length = context ? page_rest(address) : length;
	while (run->length < length) {
		if (mmu_translate(device, context, address + run->length,
				  access, &page) ||
		    page.device != run->device ||
		    page.address != run->address + run->length)
			break;
		run->length += SPMM_PAGE_SIZE;
	}
	if (run->length > length)
		run->length = length;
	return 0;
}

int access_read(struct sim_device *device, uint16_t context, uint64_t address,
		void *to, size_t length, uint64_t *fault)
{
	uint8_t *at = to;
	struct run run;
	int ret;

	while (length) {
		*fault = address;
		ret = run_find(device, context, address, length, SIM_READ,
			       &run);
		if (ret)
			return ret;
		if (run.device)
			sim_memory_copy(at, device->memory + run.address,
					run.length);
		else if (device->host.dma_read(device->host.opaque, run.address,
					       at, run.length))
			return SPMM_SC_BUS_ERROR;
		address += run.length;
		at += run.length;
		length -= run.length;
	}
	return 0;
}

int access_write(struct sim_device *device, uint16_t context, uint64_t address,
		 const void *from, size_t length, uint64_t *fault)
{
	const uint8_t *at = from;
	struct run run;
	int ret;

	while (length) {
		*fault = address;
		ret = run_find(device, context, address, length, SIM_WRITE,
			       &run);
		if (ret)
			return ret;
		if (run.device)
			sim_memory_copy(device->memory + run.address, at,
					run.length);
		else if (device->host.dma_write(device->host.opaque,
						run.address, at, run.length))
			return SPMM_SC_BUS_ERROR;
		address += run.length;
		at += run.length;
		length -= run.length;
	}
	return 0;
}
