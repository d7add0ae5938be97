/* SPDX-License-Identifier: MIT */
/* A stats page of any bytes is refused, or its texts are printable and its counts small. */
#include <stats_file.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_check(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	if (length == size)
		abort();
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stats_page_read page;

	if (stats_file_parse(data, size, &page))
		return 0;
	text_check(page.backend, sizeof(page.backend));
	text_check(page.program, sizeof(page.program));
	text_check(page.uri, sizeof(page.uri));
	if (page.queue_count > STATS_PAGE_SLOTS)
		abort();
	return 0;
}
