/* SPDX-License-Identifier: MIT */
/* Any bytes parse or are refused; what parses is written and parses to the same. */
#include <formats/npy.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npy_array array, back;
	size_t encoded_size;
	void *encoded;

	if (npy_parse(&array, data, size))
		return 0;
	if (npy_encode(&array, &encoded, &encoded_size) ||
	    npy_parse(&back, encoded, encoded_size) ||
	    back.count != array.count ||
	    memcmp(back.data, array.data,
		   array.count * npy_type_size(array.type)))
		abort();
	npy_to_float(&back);
	npy_release(&back);
	npy_release(&array);
	free(encoded);
	return 0;
}
