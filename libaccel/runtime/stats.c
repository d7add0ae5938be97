/* SPDX-License-Identifier: MIT */
#include "runtime/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/stats_page.h"

/* Of pages with one pid: those of dead processes, and of other containers. */
#define NAMES_MAX 256

/**
 * struct stats - a page of this process
 * @page: mapped
 * @file: holds the lock
 * @path: of the file
 * @lock: over the numbers of slots; a leaf
 * @next: of all pages of this process
 */
struct stats {
	struct stats_page *page;
	int file;
	char path[PATH_MAX];
	pthread_mutex_t lock;
	struct stats *next;
};

/* All pages, for a child; before the lock of any. */
static pthread_mutex_t pages_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static struct stats *pages;

/* Queues of this process so far: their numbers are never used again. */
static atomic_uint queue_number;

static int folder_set(char *path, size_t size, const char *root,
		      const char *name)
{
	int length = snprintf(path, size, "%s%s", root, name);

	return length < 0 || (size_t)length >= size ? -ENOENT : 0;
}

int stats_folder(char *path, size_t size)
{
	const char *named = secure_getenv("ACCEL_STATS");
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

	if (named && *named)
		return strcmp(named, "off") ?
			       folder_set(path, size, named, "") :
			       -ENOENT;
	if (!geteuid())
		return folder_set(path, size, "/run", "/accel");
	if (!runtime || *runtime != '/')
		return -ENOENT;
	return folder_set(path, size, runtime, "/accel");
}

/* A file without a name that is locked: it must not be seen before it is. */
static int file_create(const char *folder)
{
	int file;

	/* Others may look at root's; a user's own folder is private anyway. */
	mkdir(folder, geteuid() ? 0700 : 0755);
	file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (file < 0)
		return -1;
	/* Memory for all of it: a full disk must not be a signal later. */
	if (flock(file, LOCK_EX | LOCK_NB) ||
	    posix_fallocate(file, 0, sizeof(struct stats_page))) {
		close(file);
		return -1;
	}
	return file;
}

static void page_fill(struct stats_page *page, const char *uri,
		      const char *backend)
{
	page->magic = STATS_PAGE_MAGIC;
	page->version = STATS_PAGE_VERSION;
	page->slots_offset = offsetof(struct stats_page, slots);
	page->slot_size = sizeof(struct stats_slot);
	page->slot_count = STATS_PAGE_SLOTS;
	page->pid = (uint32_t)getpid();
	snprintf(page->backend, sizeof(page->backend), "%s", backend);
	snprintf(page->program, sizeof(page->program), "%s",
		 program_invocation_short_name);
	snprintf(page->uri, sizeof(page->uri), "%s", uri);
}

/* Give the file a name that is free. */
static int file_name(struct stats *stats, const char *folder)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", stats->file);
	for (int i = 0; i < NAMES_MAX; i++) {
		int length = snprintf(stats->path, sizeof(stats->path),
				      "%s/%ld.%d", folder, (long)getpid(), i);

		if (length < 0 || (size_t)length >= sizeof(stats->path))
			return -1;
		if (!linkat(AT_FDCWD, self, AT_FDCWD, stats->path,
			    AT_SYMLINK_FOLLOW))
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int publish(struct stats *stats, const char *folder, const char *uri,
		   const char *backend)
{
	void *page;

	stats->file = file_create(folder);
	if (stats->file < 0)
		return -1;
	page = mmap(NULL, sizeof(struct stats_page), PROT_READ | PROT_WRITE,
		    MAP_SHARED, stats->file, 0);
	if (page == MAP_FAILED) {
		close(stats->file);
		return -1;
	}
	stats->page = page;
	page_fill(page, uri, backend);
	if (!file_name(stats, folder))
		return 0;
	munmap(page, sizeof(struct stats_page));
	close(stats->file);
	return -1;
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&pages_lock);
	for (struct stats *stats = pages; stats; stats = stats->next)
		pthread_mutex_lock(&stats->lock);
}

static void fork_parent(void)
{
	for (struct stats *stats = pages; stats; stats = stats->next)
		pthread_mutex_unlock(&stats->lock);
	pthread_mutex_unlock(&pages_lock);
}

/*
 * The page tells of the parent: what a child counts goes into a copy that nobody sees, and
 * the parent alone holds the lock that says it lives. Without the copy the page stays: a
 * queue's counters have to be somewhere.
 */
static void fork_child(void)
{
	for (struct stats *stats = pages; stats; stats = stats->next) {
		if (stats->file >= 0) {
			(void)mmap(stats->page, sizeof(*stats->page),
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_FIXED, stats->file, 0);
			close(stats->file);
		}
		stats->file = -1;
		stats->path[0] = '\0';
	}
	fork_parent();
}

static void fork_watch(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

static void pages_add(struct stats *stats)
{
	pthread_once(&fork_once, fork_watch);
	pthread_mutex_lock(&pages_lock);
	stats->next = pages;
	pages = stats;
	pthread_mutex_unlock(&pages_lock);
}

static void pages_remove(const struct stats *stats)
{
	struct stats **link = &pages;

	pthread_mutex_lock(&pages_lock);
	while (*link != stats)
		link = &(*link)->next;
	*link = stats->next;
	pthread_mutex_unlock(&pages_lock);
}

struct stats *stats_create(const char *uri, const char *backend)
{
	char folder[PATH_MAX];
	struct stats *stats;

	if (stats_folder(folder, sizeof(folder)))
		return NULL;
	stats = calloc(1, sizeof(*stats));
	if (!stats)
		return NULL;
	if (publish(stats, folder, uri, backend)) {
		free(stats);
		return NULL;
	}
	pthread_mutex_init(&stats->lock, NULL);
	pages_add(stats);
	return stats;
}

void stats_destroy(struct stats *stats)
{
	if (!stats)
		return;
	pages_remove(stats);
	if (stats->file >= 0) {
		unlink(stats->path);
		close(stats->file);
	}
	munmap(stats->page, sizeof(*stats->page));
	pthread_mutex_destroy(&stats->lock);
	free(stats);
}

static struct stats_slot *slot_take(struct stats_page *page)
{
	for (size_t i = 0; i < STATS_PAGE_SLOTS; i++) {
		struct stats_slot *slot = &page->slots[i];

		if (slot->number)
			continue;
		memset(slot, 0, sizeof(*slot));
		return slot;
	}
	page->unlisted++;
	return NULL;
}

struct queue_counters *stats_queue_add(struct stats *stats, uint32_t depth,
				       uint32_t priority)
{
	struct stats_slot *slot;

	if (!stats)
		return NULL;
	pthread_mutex_lock(&stats->lock);
	slot = slot_take(stats->page);
	if (slot) {
		slot->depth = depth;
		slot->priority = priority;
		/* A reader that sees the number sees the rest. */
		__atomic_store_n(&slot->number,
				 atomic_fetch_add(&queue_number, 1) + 1,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&stats->lock);
	return slot ? &slot->counters : NULL;
}

void stats_queue_remove(struct stats *stats,
			const struct queue_counters *counters)
{
	if (!stats)
		return;
	pthread_mutex_lock(&stats->lock);
	for (size_t i = 0; i < STATS_PAGE_SLOTS; i++)
		if (&stats->page->slots[i].counters == counters)
			__atomic_store_n(&stats->page->slots[i].number, 0,
					 __ATOMIC_RELEASE);
	pthread_mutex_unlock(&stats->lock);
}
