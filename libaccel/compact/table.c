/* SPDX-License-Identifier: MIT */
#include <compact/table.h>

#include <golden/table.h>

#include <errno.h>
#include <stdlib.h>

/* Claimed for an entry. */
#define ENTRY_WORK 8

static void entries_code(struct opinion *opinions, const struct odds *odds,
			 struct coder *coder, int8_t *table)
{
	/* bytes, which wrap */
	uint8_t last = 0, step = 0;

	for (int i = 0; i < GOLDEN_TABLE_SIZE; i++) {
		uint8_t bend = (uint8_t)((uint8_t)table[i] - last - step);

		bend = (uint8_t)opinion_tree(opinions, odds, coder, 8, bend);
		step = (uint8_t)(step + bend);
		last = (uint8_t)(last + step);
		if (coder->decodes)
			table[i] = (int8_t)last;
	}
}

int table_code(struct opinion *opinions, const struct odds *odds,
	       struct coder *coder, uint32_t count, int8_t **tables)
{
	if (!coder_claim(coder,
			 (uint64_t)count * GOLDEN_TABLE_SIZE * ENTRY_WORK))
		return coder->error;
	if (coder->decodes) {
		*tables = calloc((size_t)count + 1, GOLDEN_TABLE_SIZE);
		if (!*tables)
			coder_fail(coder, -ENOMEM);
	}
	for (uint32_t i = 0; !coder->error && i < count; i++)
		entries_code(opinions, odds, coder,
			     *tables + (size_t)i * GOLDEN_TABLE_SIZE);
	return coder->error;
}
