/* SPDX-License-Identifier: MIT */
/*
 * Any descriptor over any weights: the command completes, with whatever status,
 * memory that its context does not map stays as it is, and another context's
 * command succeeds. The first byte chooses the opcode; the next 256 are XORed onto
 * the descriptor of a good layer, the rest onto its weights, so that an input of
 * zeros is that layer.
 */
#include "../unit/unit.h"

#include "../unit/sim_layer.h"

#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR_BYTES 256
#define DEADLINE_CYCLES 20000

/* Page tables map 64 MiB for each context; this lies behind those of two. */
#define FOREIGN_OFFSET (2 * HOST_VIRTUAL_DEVICE_BYTES)
#define FOREIGN_BYTES (64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct test_host *host;
static struct layer layer;
static uint8_t *good_stream;

static void setup(void)
{
	struct layer_shape shape = layer_shape_plain(8, 4, 9, 7, 30);
	struct layer_memory memory;
	uint64_t random = 1;

	shape.batch = 2;
	shape.flags = SPMM_FLAG_RESIDUAL;
	host = host_start(NULL);
	host_open_queue(host, 1);
	host_open_queue(host, 2);
	memory = (struct layer_memory){ host, 4096 };
	layer_create(&memory, &random, &shape, &layer);
	good_stream = malloc(layer.d.weights_length);
	if (!good_stream)
		abort();
	memcpy(good_stream,
	       host_device(host, layer.d.weights - host_virtual(0)),
	       layer.d.weights_length);
	memset(host_device(host, FOREIGN_OFFSET), 0x5a, FOREIGN_BYTES);
}

static void bytes_change(uint8_t *to, const uint8_t *good, size_t length,
			 const uint8_t *data, size_t size)
{
	memcpy(to, good, length);
	for (size_t i = 0; i < length && i < size; i++)
		to[i] ^= data[i];
}

static void others_are_well(void)
{
	struct spmm_sqe nop = { .opcode = SPMM_IO_NOP };
	const uint8_t *foreign = host_device(host, FOREIGN_OFFSET);

	for (unsigned int i = 0; i < FOREIGN_BYTES; i++)
		if (foreign[i] != 0x5a)
			abort();
	if (host_run(host, 2, nop, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spmm_admin_sqe reset = { .opcode = SPMM_ADMIN_RESET_CONTEXT,
					.context = 1 };
	struct spmm_sqe entry;
	size_t fields;

	if (!host)
		setup();
	if (!size)
		return 0;
	fields = size - 1 < DESCRIPTOR_BYTES ? size - 1 : DESCRIPTOR_BYTES;
	bytes_change(host_device(host, layer.descriptor_offset),
		     (const uint8_t *)&layer.d, DESCRIPTOR_BYTES, data + 1,
		     fields);
	bytes_change(host_device(host, layer.d.weights - host_virtual(0)),
		     good_stream, layer.d.weights_length, data + 1 + fields,
		     size - 1 - fields);
	entry = layer_entry(&layer);
	entry.opcode = SPMM_IO_SPMM;
	if (data[0])
		entry.opcode = (uint8_t)(SPMM_IO_COPY_STRIDED + data[0] % 4);
	entry.deadline_cycles = DEADLINE_CYCLES;
	if (host_run(host, 1, entry, NULL) && host_admin(host, reset, NULL))
		abort();
	others_are_well();
	return 0;
}
