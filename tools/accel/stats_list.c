/* SPDX-License-Identifier: MIT */
#include "stats_list.h"

#include <core/error.h>
#include <runtime/stats.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Other users' pages, for root. */
#define USER_FOLDERS "/run/user/*/accel"

/* More than that many would be somebody's joke. */
#define PAGES_MAX 4096

static int page_add(struct stats_list *list, const struct stats_page_read *page)
{
	struct stats_page_read *grown;

	if (list->count == PAGES_MAX)
		return 0;
	grown = realloc(list->pages, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return accel_error(-ENOMEM, "no memory for the statistics");
	list->pages = grown;
	list->pages[list->count++] = *page;
	return 0;
}

/* PID.NUMBER, as the library names pages: no other file is read, or removed. */
static bool is_page_name(const char *name)
{
	size_t pid = strspn(name, "0123456789");
	size_t number;

	if (!pid || name[pid] != '.')
		return false;
	number = strspn(name + pid + 1, "0123456789");
	return number && !name[pid + 1 + number];
}

static int file_add(struct stats_list *list, int folder, uid_t owner,
		    const char *name, const char *uri)
{
	struct stats_page_read page;
	bool dead;

	if (stats_file_read(folder, name, owner, &page, &dead))
		return 0;
	if (dead) {
		/* In another's folder it stays for its owner to remove. */
		if (owner == geteuid())
			unlinkat(folder, name, 0);
		return 0;
	}
	if (uri && strcmp(uri, page.uri) != 0)
		return 0;
	return page_add(list, &page);
}

/* Its owner may have put a link to anywhere in its place. */
static DIR *folder_open(const char *path, uid_t *owner)
{
	int folder =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	DIR *stream = NULL;

	if (folder < 0)
		return NULL;
	if (!fstat(folder, &status))
		stream = fdopendir(folder);
	if (!stream) {
		close(folder);
		return NULL;
	}
	*owner = status.st_uid;
	return stream;
}

static int folder_add(struct stats_list *list, const char *path,
		      const char *uri)
{
	struct dirent *entry;
	uid_t owner;
	DIR *stream = folder_open(path, &owner);
	int ret = 0;

	if (!stream)
		return 0;
	while (!ret && (entry = readdir(stream)))
		if (is_page_name(entry->d_name))
			ret = file_add(list, dirfd(stream), owner,
				       entry->d_name, uri);
	closedir(stream);
	return ret;
}

static int user_folders_add(struct stats_list *list, const char *uri)
{
	glob_t found;
	int ret = 0;

	if (glob(USER_FOLDERS, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && !ret; i++)
		ret = folder_add(list, found.gl_pathv[i], uri);
	globfree(&found);
	return ret;
}

static int page_compare(const void *a, const void *b)
{
	const struct stats_page_read *first = a, *second = b;

	if (first->pid != second->pid)
		return first->pid < second->pid ? -1 : 1;
	return strcmp(first->uri, second->uri);
}

int stats_list_read(struct stats_list *list, const char *uri)
{
	const char *named = getenv("ACCEL_STATS");
	char folder[PATH_MAX];
	int ret = 0;

	*list = (struct stats_list){ 0 };
	if (!stats_folder(folder, sizeof(folder)))
		ret = folder_add(list, folder, uri);
	if (!ret && !geteuid() && !(named && *named))
		ret = user_folders_add(list, uri);
	if (ret) {
		stats_list_free(list);
		return ret;
	}
	if (list->count)
		qsort(list->pages, list->count, sizeof(*list->pages),
		      page_compare);
	return 0;
}

void stats_list_free(struct stats_list *list)
{
	free(list->pages);
	*list = (struct stats_list){ 0 };
}

const struct stats_queue *stats_list_find(const struct stats_list *list,
					  uint32_t pid, uint32_t number)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct stats_page_read *page = &list->pages[i];

		for (uint32_t j = 0; page->pid == pid && j < page->queue_count;
		     j++)
			if (page->queues[j].number == number)
				return &page->queues[j];
	}
	return NULL;
}
