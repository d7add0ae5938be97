/* SPDX-License-Identifier: MIT */
#include "fashion_mnist.h"

#include <core/error.h>
#include <formats/npy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define FOLDER "/usr/share/datasets/fashion-mnist"

/* Both kinds of file begin with a magic number and the count, 4 bytes each. */
#define LABELS_HEADER 8
#define IMAGES_HEADER 16

bool fashion_mnist_present(void)
{
	return !access(FOLDER, X_OK);
}

static int read_bytes(const char *set, const char *kind, z_off_t header,
		      uint8_t *bytes, size_t size)
{
	char path[128];
	gzFile file;
	int got = -1;

	snprintf(path, sizeof(path), FOLDER "/%s-%s-ubyte.gz", set, kind);
	file = gzopen(path, "rb");
	if (!file)
		return accel_error(
			-ENOENT,
			"%s: cannot be opened; install dataset-fashion-mnist",
			path);
	if (gzseek(file, header, SEEK_SET) == header)
		got = gzread(file, bytes, (unsigned int)size);
	gzclose(file);
	if (got == (int)size)
		return 0;
	return accel_error(-EINVAL, "%s: is too short", path);
}

static int read_set(struct fashion_mnist *images, const char *set,
		    uint8_t *bytes)
{
	size_t pixels = images->count * FASHION_MNIST_PIXELS;
	int ret = read_bytes(set, "images-idx3", IMAGES_HEADER, bytes, pixels);

	if (ret)
		return ret;
	for (size_t i = 0; i < pixels; i++)
		images->pixels[i] = (float)bytes[i] / 255;
	ret = read_bytes(set, "labels-idx1", LABELS_HEADER, bytes,
			 images->count);
	for (size_t i = 0; !ret && i < images->count; i++)
		images->labels[i] = bytes[i];
	return ret;
}

int fashion_mnist_read(struct fashion_mnist *images, const char *set,
		       size_t count)
{
	size_t pixels = count * FASHION_MNIST_PIXELS;
	uint8_t *bytes = malloc(pixels);
	int ret = -ENOMEM;

	*images = (struct fashion_mnist){
		.count = count,
		.pixels = malloc(pixels * sizeof(float)),
		.labels = malloc(count * sizeof(int64_t)),
	};
	if (bytes && images->pixels && images->labels)
		ret = read_set(images, set, bytes);
	else
		accel_error(ret, "no memory for %zu images", count);
	free(bytes);
	if (ret)
		fashion_mnist_release(images);
	return ret;
}

void fashion_mnist_release(struct fashion_mnist *images)
{
	free(images->pixels);
	free(images->labels);
	*images = (struct fashion_mnist){ .count = 0 };
}

int fashion_mnist_write(const struct fashion_mnist *images, const char *path)
{
	const struct npy_array array = {
		.type = NPY_FLOAT32,
		.rank = 4,
		.shape = { images->count, 1, 28, 28 },
		.count = images->count * FASHION_MNIST_PIXELS,
		.data = images->pixels,
	};

	return npy_write(path, &array);
}
