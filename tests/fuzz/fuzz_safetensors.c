/* SPDX-License-Identifier: MIT */
/* Any bytes parse or are refused; all of what parses can be read. */
#include <formats/safetensors.h>

#include <core/crc32c.h>

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct safetensors_file *file;

	if (safetensors_parse(&file, data, size))
		return 0;
	for (size_t i = 0; i < safetensors_count(file); i++) {
		const struct safetensors_tensor *tensor =
			safetensors_at(file, i);

		if (safetensors_find(file, tensor->name) != tensor)
			abort();
		crc32c(0, tensor->data, tensor->size);
	}
	safetensors_metadata(file, "graph");
	safetensors_close(file);
	return 0;
}
