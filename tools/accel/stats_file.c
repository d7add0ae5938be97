/* SPDX-License-Identifier: MIT */
#include "stats_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t stats_queue_outstanding(const struct stats_queue *queue)
{
	uint64_t submitted = queue->counters.submitted;
	uint64_t completed = queue->counters.completed;

	/* The two are not of one moment. */
	return submitted > completed ? submitted - completed : 0;
}

/* What a terminal or another program would take for more than a text is "?". */
static void text_clean(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
	for (; *to; to++)
		if (*to < ' ' || *to > '~')
			*to = '?';
}

static bool header_is_good(const struct stats_page *header, size_t length)
{
	uint64_t end = header->slots_offset +
		       (uint64_t)header->slot_size * header->slot_count;

	return header->magic == STATS_PAGE_MAGIC &&
	       header->version == STATS_PAGE_VERSION &&
	       header->slot_size >= sizeof(struct stats_slot) &&
	       header->slots_offset >= offsetof(struct stats_page, slots) &&
	       end <= length;
}

static void slot_read(struct stats_page_read *page, const char *bytes)
{
	struct stats_slot slot;

	memcpy(&slot, bytes, sizeof(slot));
	if (!slot.number)
		return;
	if (page->queue_count == STATS_PAGE_SLOTS) {
		page->unlisted++;
		return;
	}
	page->queues[page->queue_count++] = (struct stats_queue){
		.number = slot.number,
		.depth = slot.depth,
		.priority = slot.priority,
		.counters = slot.counters,
	};
}

int stats_file_parse(const void *bytes, size_t length,
		     struct stats_page_read *page)
{
	struct stats_page header;

	memset(page, 0, sizeof(*page));
	if (length < offsetof(struct stats_page, slots))
		return -EINVAL;
	memcpy(&header, bytes, offsetof(struct stats_page, slots));
	if (!header_is_good(&header, length))
		return -EINVAL;
	page->pid = header.pid;
	page->unlisted = header.unlisted;
	text_clean(page->backend, header.backend, sizeof(page->backend));
	text_clean(page->program, header.program, sizeof(page->program));
	text_clean(page->uri, header.uri, sizeof(page->uri));
	for (uint32_t i = 0; i < header.slot_count; i++)
		slot_read(page, (const char *)bytes + header.slots_offset +
					(size_t)header.slot_size * i);
	return 0;
}

/* Read, not mapped: whoever cuts a file short must not stop its readers. */
static int content_parse(int file, size_t length, struct stats_page_read *page)
{
	char *bytes = malloc(length + 1);
	ssize_t count;
	int ret;

	if (!bytes)
		return -ENOMEM;
	count = pread(file, bytes, length, 0);
	ret = count < 0 ? -errno : stats_file_parse(bytes, (size_t)count, page);
	free(bytes);
	return ret;
}

static int file_parse(int file, uid_t owner, struct stats_page_read *page,
		      bool *dead)
{
	struct stat status;
	bool unlocked;
	int ret;

	if (fstat(file, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != owner ||
	    status.st_size > STATS_FILE_MAX)
		return -EINVAL;
	unlocked = !flock(file, LOCK_SH | LOCK_NB);
	ret = content_parse(file, (size_t)status.st_size, page);
	*dead = unlocked && !ret;
	return ret;
}

int stats_file_read(int folder, const char *name, uid_t owner,
		    struct stats_page_read *page, bool *dead)
{
	int file = openat(folder, name,
			  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int ret;

	*dead = false;
	if (file < 0)
		return -errno;
	ret = file_parse(file, owner, page, dead);
	close(file);
	return ret;
}
