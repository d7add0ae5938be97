/* SPDX-License-Identifier: MIT */
#include "driver/bare.h"

#include <endian.h>
#include <spmm/page_table.h>

#include "driver/dma.h"
#include "driver/queue.h"

#define RECORDS (SPMM_PAGE_SIZE / sizeof(struct spmm_fault_record))

bool bare_fault_find(struct driver_queue *queue, uint16_t id,
		     struct spmm_fault_record *record)
{
	struct bare_device *device = bare_device(queue->device);
	struct spmm_admin_sqe command = {
		.opcode = SPMM_ADMIN_GET_LOG,
		.context = htole16(queue->number),
		.length = htole64(RECORDS * sizeof(*record)),
	};
	const struct spmm_fault_record *records;
	struct dma_memory memory;
	uint64_t count = 0;
	bool found = false;

	if (dma_allocate(device->transport, SPMM_PAGE_SIZE, &memory))
		return false;
	command.address = htole64(memory.bus);
	records = memory.address;
	if (admin_execute(&device->admin, &command, &count))
		count = 0;
	for (uint64_t i = 0; i < count && i < RECORDS; i++)
		if (le16toh(records[i].id) == id) {
			*record = records[i];
			found = true;
		}
	dma_release(device->transport, &memory);
	return found;
}
