/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_DATASET_H
#define TRAIN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include <compress/graph.h>
#include <compress/quantize.h>

/**
 * struct dataset_part - samples of one kind, for training or for the test
 * @count: number of samples
 * @size: elements of each
 * @bytes: of files that hold 8 bits; kept so, since that is a quarter of the memory
 * @values: of all others, NULL if there are @bytes
 * @labels: class of each sample, 0 or more; NULL if there are none
 * @range: what 0 and 255 of @bytes stand for
 */
struct dataset_part {
	size_t count;
	size_t size;
	uint8_t *bytes;
	float *values;
	int64_t *labels;
	struct quantize_range range;
};

/**
 * struct dataset - what a network is trained and tested on
 * @train: at least one sample
 * @test: the files' own, or every tenth of the samples; never trained on
 * @classes: one more than the largest label; 0 without labels
 */
struct dataset {
	struct dataset_part train;
	struct dataset_part test;
	int64_t classes;
};

/**
 * struct dataset_want - what the network takes
 * @sample: shape of a sample; axes of length one may be missing in the files, and
 *	a sample of rank 1 may come from any shape of as many elements
 * @range: of values: pictures and bytes are scaled to it, others must lie in it;
 *	low = high: bytes to 0 … 1, others may be any
 */
struct dataset_want {
	struct graph_shape sample;
	struct quantize_range range;
};

/**
 * dataset_read() - read IDX (plain or gzip), .npy or folders
 * @dataset: result, for dataset_release()
 * @paths: files in order: arrays of samples, the first for training, the second, if
 *	any, for the test, each followed by its labels (of rank 1) if any; or a folder:
 *	of MNIST's files, of .png, or of one folder of .png for each class
 * @count: of @paths
 * @want: what the network takes
 *
 * Return: 0; −EINVAL with a text that names the file, and what it should hold, for
 * shapes, numbers or labels that do not fit; what the file system says; −ENOMEM.
 */
int dataset_read(struct dataset *dataset, const char *const *paths, int count,
		 const struct dataset_want *want);

/* NULL members are allowed. */
void dataset_release(struct dataset *dataset);

/* One sample's numbers. */
void dataset_sample(const struct dataset_part *part, size_t index,
		    float *values);

/* ---- parts, for those who read files ---- */

void dataset_part_release(struct dataset_part *part);

/* Move every tenth sample to the test. 0, −EINVAL for too few, −ENOMEM. */
int dataset_split(struct dataset *dataset);

/* dataset_folder.c: .png in a folder, or in one folder for each class. */
int dataset_read_folder(struct dataset_part *part, const char *path,
			const struct dataset_want *want);

#endif
