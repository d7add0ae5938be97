/* SPDX-License-Identifier: MIT */
/* The images of Debian's dataset-fashion-mnist. */
#ifndef FASHION_MNIST_H
#define FASHION_MNIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FASHION_MNIST_PIXELS ((size_t)(28 * 28))
#define FASHION_MNIST_CLASSES 10

/** struct fashion_mnist - some images of a set, owned */
struct fashion_mnist {
	size_t count;
	float *pixels; /* [count][28][28], 0 … 1 */
	int64_t *labels;
};

/* Is the package installed? */
bool fashion_mnist_present(void);

/*
 * Read the first images of "train" (60,000) or "t10k" (10,000).
 */
int fashion_mnist_read(struct fashion_mnist *images, const char *set,
		       size_t count);

void fashion_mnist_release(struct fashion_mnist *images);

/* Write images as .npy, [count][1][28][28]. */
int fashion_mnist_write(const struct fashion_mnist *images, const char *path);

#endif
