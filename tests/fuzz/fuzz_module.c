/* SPDX-License-Identifier: MIT */
/*
 * The kernel module's pure parts. Commands that pass its checks keep its promises, which
 * are stated here once more in wider arithmetic; a ring follows a queue of plain counters,
 * whatever heads a device tells.
 */
#include <drm/spmm_accel.h>
#include <spmm/queue.h>

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spmm_ring.h"
#include "spmm_validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COMMANDS_MAX 64

typedef unsigned __int128 wide;

static void require(int condition)
{
	if (!condition)
		abort();
}

static void range_require(uint64_t address, uint64_t length)
{
	require((wide)address + length <= DRM_SPMM_ADDRESS_LIMIT);
}

static void command_require(const struct spmm_sqe *command)
{
	uint64_t length = le64toh(command->length);

	require(command->opcode != SPMM_IO_LIST);
	require(command->opcode != SPMM_IO_SEMAPHORE_WAIT);
	require(command->opcode <= SPMM_IO_TIMESTAMP);
	require(!command->id && !command->reserved && !command->pad);
	range_require(le64toh(command->address), length);
	range_require(le64toh(command->stats_address),
		      sizeof(struct spmm_command_stats));
	if (command->opcode == SPMM_IO_COPY)
		range_require(le64toh(command->destination), length);
	else
		require(!command->destination);
}

static void commands_try(const uint8_t *data, size_t size)
{
	struct spmm_sqe commands[COMMANDS_MAX];
	uint32_t count = (uint32_t)(size / sizeof(commands[0]));
	uint32_t bad = UINT32_MAX;

	if (count > COMMANDS_MAX)
		count = COMMANDS_MAX;
	memcpy(commands, data, count * sizeof(commands[0]));
	if (spmm_validate_commands(commands, count, &bad))
		require(bad < count);
	else
		bad = count;
	for (uint32_t i = 0; i < bad; i++)
		command_require(&commands[i]);
}

static void arguments_try(const uint8_t *data, size_t size)
{
	struct drm_spmm_vm_bind bind;
	struct drm_spmm_job_submit submit;

	if (size >= sizeof(bind)) {
		memcpy(&bind, data, sizeof(bind));
		if (!spmm_validate_vm_bind(&bind)) {
			range_require(bind.address, bind.length);
			require((wide)bind.offset + bind.length <= UINT64_MAX);
			require(bind.length && !(bind.length % 4096));
		}
	}
	if (size >= sizeof(submit)) {
		memcpy(&submit, data, sizeof(submit));
		if (!spmm_validate_job_submit(&submit))
			require(submit.command_count && !submit.flags &&
				!submit.pad);
	}
}

/* Each byte pushes, or takes a completion with a head that it names. */
static void ring_try(const uint8_t *data, size_t size)
{
	struct spmm_ring ring;
	uint64_t pushed = 0, consumed = 0, taken = 0;
	uint32_t entries = 2 + data[0];

	spmm_ring_init(&ring, entries);
	for (size_t i = 1; i < size; i++) {
		uint32_t head = data[i] >> 1;
		uint64_t ahead =
			(head + entries - consumed % entries) % entries;

		require(spmm_ring_room(&ring) ==
			entries - 1 - (pushed - consumed));
		if (data[i] & 1) {
			if (spmm_ring_room(&ring))
				require(spmm_ring_push(&ring) ==
					pushed++ % entries);
			continue;
		}
		if (head < entries && ahead <= pushed - consumed) {
			require(!spmm_ring_take(&ring, (uint16_t)head));
			consumed += ahead;
			taken++;
		} else {
			require(spmm_ring_take(&ring, (uint16_t)head));
		}
		require(ring.cq_head == taken % entries);
		require(ring.phase == !(taken / entries % 2));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	commands_try(data, size);
	arguments_try(data, size);
	ring_try(data, size);
	return 0;
}
