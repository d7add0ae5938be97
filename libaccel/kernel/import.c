/* SPDX-License-Identifier: MIT */
/* Memory that others have allocated, as objects of the kernel module: dma-bufs, memfds. */
#include "kernel/import.h"

#include <drm/spmm_accel.h>
#include <linux/udmabuf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "kernel/device.h"
#include "transport/transport.h"

#define UDMABUF "/dev/udmabuf"

/**
 * struct kernel_import - an object; the kernel gives the same handle for the same dma-buf
 * @handle: of it
 * @references: buffers that have it
 * @next: in the device's list
 */
struct kernel_import {
	uint32_t handle;
	uint32_t references;
	struct kernel_import *next;
};

/* The lock is held. NULL: out of memory. */
static struct kernel_import *import_get(struct kernel_device *device,
					uint32_t handle)
{
	struct kernel_import *import = device->imports;

	while (import && import->handle != handle)
		import = import->next;
	if (!import) {
		import = calloc(1, sizeof(*import));
		if (!import)
			return NULL;
		import->handle = handle;
		import->next = device->imports;
		device->imports = import;
	}
	import->references++;
	return import;
}

static void handle_close(const struct kernel_device *device, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	kernel_ioctl(device, DRM_IOCTL_GEM_CLOSE, &close);
}

void kernel_import_put(struct kernel_device *device, uint32_t handle)
{
	struct kernel_import **link = &device->imports, *import;

	pthread_mutex_lock(&device->lock);
	while ((*link)->handle != handle)
		link = &(*link)->next;
	import = *link;
	if (!--import->references) {
		*link = import->next;
		handle_close(device, handle);
		free(import);
	}
	pthread_mutex_unlock(&device->lock);
}

/* −EINVAL for what is no dma-buf, as the kernel says; no text. */
static int dma_buf_get(struct kernel_device *device, int file, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = file };
	int ret;

	pthread_mutex_lock(&device->lock);
	ret = kernel_ioctl(device, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	if (!ret && !import_get(device, prime.handle)) {
		handle_close(device, prime.handle);
		ret = -ENOMEM;
	}
	pthread_mutex_unlock(&device->lock);
	*handle = prime.handle;
	return ret;
}

static int udmabuf_failed(const struct transport_memory *shown)
{
	int seals = fcntl(shown->file, F_GET_SEALS);

	if (seals < 0)
		return accel_error(
			-ENOTSUP,
			"import: dev: takes dma-bufs and memfds, and file %d is neither",
			shown->file);
	if (!(seals & F_SEAL_SHRINK) || seals & F_SEAL_WRITE)
		return accel_error(
			-ENOTSUP,
			"import: dev: takes a memfd that cannot shrink and can be written: memfd_create(…, MFD_ALLOW_SEALING), fcntl(…, F_ADD_SEALS, F_SEAL_SHRINK)");
	return accel_error(
		-ENOTSUP,
		"import: " UDMABUF
		": %zu bytes of a memfd: %s; its parameter size_limit_mb limits them",
		shown->length, strerror(errno));
}

/* A dma-buf over part of a memfd, or −errno with a text. */
static int udmabuf_create(const struct transport_memory *shown)
{
	struct udmabuf_create create = {
		.memfd = (uint32_t)shown->file,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = shown->offset,
		.size = shown->length,
	};
	int udmabuf = open(UDMABUF, O_RDWR | O_CLOEXEC);
	int file;

	if (udmabuf < 0)
		return accel_error(
			-ENOTSUP,
			"import: dev: takes dma-bufs; for files it needs " UDMABUF
			": %s (as root: modprobe udmabuf)",
			strerror(errno));
	file = ioctl(udmabuf, UDMABUF_CREATE, &create);
	if (file < 0)
		file = udmabuf_failed(shown);
	close(udmabuf);
	return file;
}

int kernel_import_get(struct kernel_device *device,
		      const struct transport_memory *shown, uint32_t *handle,
		      uint64_t *offset)
{
	int file;
	int ret;

	if (shown->address)
		return accel_error(
			-ENOTSUP,
			"import: dev: takes memory by its file alone: a dma-buf or a memfd, and no address");
	*offset = shown->offset;
	ret = dma_buf_get(device, shown->file, handle);
	if (ret == -EINVAL) {
		*offset = 0;
		file = udmabuf_create(shown);
		if (file < 0)
			return file;
		ret = dma_buf_get(device, file, handle);
		close(file);
	}
	return ret ? accel_error(ret, "import: the kernel refuses: %s",
				 strerror(-ret)) :
		     0;
}
