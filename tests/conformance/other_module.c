/* SPDX-License-Identifier: MIT */
/*
 * Preloaded, makes of the module that answers another one: of what OTHER_MODULE says. "older"
 * tells less of the device, "newer" more, "another-major" has another interface.
 */
#include <drm/spmm_accel.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* What a version to come tells beyond what this one knows. */
#define ADDED 48

static int is(const char *kind)
{
	const char *asked = getenv("OTHER_MODULE");

	return asked && !strcmp(asked, kind);
}

/* The first member that the library can do without. */
static void tell_less(struct drm_spmm_query *query, uint32_t room)
{
	uint32_t told = offsetof(struct drm_spmm_device_info, omitted);

	if (room > told)
		memset((char *)(uintptr_t)query->pointer + told, 0,
		       room - told);
	query->size = told;
}

static void tell_more(struct drm_spmm_query *query, uint32_t room)
{
	struct drm_spmm_device_info *info = (void *)(uintptr_t)query->pointer;

	if (room >= sizeof(info->features))
		info->features |= ~(uint64_t)DRM_SPMM_FEATURE_USER_QUEUES;
	query->size += ADDED;
}

static void change(unsigned long request, void *argument, uint32_t room)
{
	struct drm_spmm_query *query = argument;

	if (request == DRM_IOCTL_VERSION && is("another-major"))
		((struct drm_version *)argument)->version_major = 2;
	if (request == DRM_IOCTL_VERSION && is("newer"))
		((struct drm_version *)argument)->version_minor = 99;
	if (request != DRM_IOCTL_SPMM_QUERY ||
	    query->kind != DRM_SPMM_QUERY_DEVICE)
		return;
	if (is("older"))
		tell_less(query, room);
	if (is("newer"))
		tell_more(query, room);
}

int ioctl(int file, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) =
		(int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	uint32_t room = 0;
	va_list arguments;
	void *argument;
	int ret;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == DRM_IOCTL_SPMM_QUERY)
		room = ((struct drm_spmm_query *)argument)->size;
	ret = real(file, request, argument);
	if (!ret)
		change(request, argument, room);
	return ret;
}
