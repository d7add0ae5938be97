/* SPDX-License-Identifier: MIT */
#include "folder.h"

#include <errno.h>
#include <sys/stat.h>
#include <zlib.h>

#include <accel/error.h>
#include <formats/idx.h>
#include <formats/image.h>
#include <formats/npy.h>
#include <train/dataset.h>
#include <train/dataset_order.h>

#define COUNT 40

static const struct dataset_want want_2x3 = {
	.sample = { .rank = 3, .dims = { 1, 2, 3 } },
	.range = { -1, 1 },
};

/* ---- files ---- */

/* An IDX array of bytes: element i of a sample n is 10·n + i. */
static size_t make_images(uint8_t bytes[16 + COUNT * 6])
{
	const uint8_t header[16] = { 0, 0, 8, 3, 0, 0, 0, COUNT,
				     0, 0, 0, 2, 0, 0, 0, 3 };

	memcpy(bytes, header, sizeof(header));
	for (int i = 0; i < COUNT * 6; i++)
		bytes[16 + i] = (uint8_t)(i / 6 * 5 + i % 6);
	return 16 + COUNT * 6;
}

static size_t make_labels(uint8_t bytes[8 + COUNT], int count)
{
	const uint8_t header[8] = { 0, 0, 8, 1, 0, 0, 0, (uint8_t)count };

	memcpy(bytes, header, sizeof(header));
	for (int i = 0; i < count; i++)
		bytes[8 + i] = (uint8_t)(i % 4);
	return 8 + (size_t)count;
}

static char *save(const char *folder, const char *name, const void *data,
		  size_t size, int compressed)
{
	char *path = strdup(folder_path(folder, name));

	if (compressed) {
		gzFile file = gzopen(path, "wb");

		assert_int_equal(gzwrite(file, data, (unsigned int)size), size);
		gzclose(file);
	} else {
		FILE *file = fopen(path, "wb");

		assert_int_equal(fwrite(data, 1, size, file), size);
		fclose(file);
	}
	return path;
}

static char *save_images(const char *folder, const char *name, int compressed)
{
	uint8_t bytes[16 + COUNT * 6];

	return save(folder, name, bytes, make_images(bytes), compressed);
}

static char *save_labels(const char *folder, const char *name, int count)
{
	uint8_t bytes[8 + COUNT];

	return save(folder, name, bytes, make_labels(bytes, count), 0);
}

static void assert_fails(const char *const *paths, int count,
			 const struct dataset_want *want, const char *text)
{
	struct dataset dataset;

	assert_true(dataset_read(&dataset, paths, count, want) < 0);
	if (!strstr(accel_last_error(), text))
		fail_msg("'%s' does not say '%s'", accel_last_error(), text);
}

/* ---- reading ---- */

static void bytes_are_scaled_to_the_range(void **state)
{
	char *paths[2] = { save_images(*state, "images.gz", 1),
			   save_labels(*state, "labels", COUNT) };
	struct dataset dataset;
	float sample[6];

	assert_int_equal(dataset_read(&dataset, (const char *const *)paths, 2,
				      &want_2x3),
			 0);
	/* every tenth is held out: number 9 is the test's first */
	assert_int_equal(dataset.train.count, COUNT - COUNT / 10);
	assert_int_equal(dataset.test.count, COUNT / 10);
	assert_int_equal(dataset.classes, 4);
	dataset_sample(&dataset.train, 9, sample);
	assert_true(sample[1] == -1 + 2 * 51.0f / 255);
	assert_int_equal(dataset.train.labels[9], 10 % 4);
	dataset_sample(&dataset.test, 0, sample);
	assert_true(sample[0] == -1 + 2 * 45.0f / 255);
	assert_int_equal(dataset.test.labels[0], 9 % 4);
	dataset_release(&dataset);
	free(paths[0]);
	free(paths[1]);
}

static void a_folder_of_mnist_has_its_own_test(void **state)
{
	char *train = save_images(*state, "train-images-idx3-ubyte.gz", 1);
	char *labels = save_labels(*state, "train-labels-idx1-ubyte", COUNT);
	char *test = save_images(*state, "t10k-images-idx3-ubyte", 0);
	const char *folder = *state;
	struct dataset dataset;

	assert_int_equal(dataset_read(&dataset, &folder, 1, &want_2x3), 0);
	assert_int_equal(dataset.train.count, COUNT);
	assert_int_equal(dataset.test.count, COUNT);
	assert_non_null(dataset.train.labels);
	assert_null(dataset.test.labels);
	dataset_release(&dataset);
	free(train);
	free(labels);
	free(test);
}

static char *save_npy(const char *folder, const char *name, float *values,
		      size_t count, size_t features)
{
	const struct npy_array array = {
		.type = NPY_FLOAT32,
		.rank = 2,
		.shape = { count, features },
		.data = values,
	};
	char *path = strdup(folder_path(folder, name));

	assert_int_equal(npy_write(path, &array), 0);
	return path;
}

static void numbers_must_lie_in_the_range(void **state)
{
	float values[20 * 6] = { [7] = 255 };
	char *path = save_npy(*state, "x.npy", values, 20, 6);
	struct dataset_want want = { .sample = { .rank = 1, .dims = { 6 } } };
	struct dataset dataset;

	/* without a range, any will do */
	assert_int_equal(dataset_read(&dataset, (const char *const *)&path, 1,
				      &want),
			 0);
	assert_true(dataset.train.values[7] == 255);
	dataset_release(&dataset);
	want.range.high = 1;
	assert_fails((const char *const *)&path, 1, &want,
		     "values from 0 to 255, but the description's range is 0");
	want.sample.dims[0] = 7;
	assert_fails((const char *const *)&path, 1, &want,
		     "shape [6], but the network takes [7]");
	free(path);
	values[3] = 0.0f / 0.0f;
	path = save_npy(*state, "nan.npy", values, 20, 6);
	want.sample.dims[0] = 6;
	assert_fails((const char *const *)&path, 1, &want,
		     "sample 0: not a finite number");
	free(path);
}

static void labels_must_suit_their_samples(void **state)
{
	char *paths[2] = { save_images(*state, "images", 0),
			   save_labels(*state, "labels", COUNT - 1) };
	const char *reversed[2] = { paths[1], paths[0] };

	assert_fails((const char *const *)paths, 2, &want_2x3,
		     "39 labels for 40 samples");
	assert_fails(reversed, 2, &want_2x3, "follows its samples");
	free(paths[0]);
	free(paths[1]);
}

static void damage_is_found(void **state)
{
	uint8_t bytes[16 + COUNT * 6];
	size_t size = make_images(bytes);
	char *cut = save(*state, "cut", bytes, size - 1, 0);
	char *text = save(*state, "text", "hello, world", 12, 0);
	char *gzip = save_images(*state, "whole.gz", 1);
	struct npy_array array;
	struct stat status;

	assert_int_equal(idx_read(&array, cut), -EBADMSG);
	assert_int_equal(idx_read(&array, text), -EBADMSG);
	assert_int_equal(stat(gzip, &status), 0);
	assert_int_equal(truncate(gzip, status.st_size - 9), 0);
	assert_int_equal(idx_read(&array, gzip), -EBADMSG);
	assert_non_null(strstr(accel_last_error(), "cut-off gzip"));
	free(cut);
	free(text);
	free(gzip);
}

static void save_picture(const char *folder, const char *name, float gray)
{
	struct image image;

	assert_int_equal(image_create(&image, 3, 2, 1), 0);
	for (int i = 0; i < 6; i++)
		image.pixels[i] = gray;
	assert_int_equal(image_write_png(folder_path(folder, name), &image), 0);
	image_release(&image);
}

/* Folders "bag" and "shoe", ten pictures each. */
static void make_classes(const char *root)
{
	static const char *const names[] = { "bag", "shoe" };

	for (int c = 0; c < 2; c++) {
		char folder[FOLDER_PATH], name[16];

		snprintf(folder, sizeof(folder), "%s/%s", root, names[c]);
		assert_int_equal(mkdir(folder, 0777), 0);
		for (int i = 0; i < 10; i++) {
			snprintf(name, sizeof(name), "%d.png", i);
			save_picture(folder, name, (float)c);
		}
	}
}

static void remove_classes(const char *root)
{
	static const char *const names[] = { "bag", "shoe" };

	for (int c = 0; c < 2; c++) {
		char folder[FOLDER_PATH];

		snprintf(folder, sizeof(folder), "%s/%s", root, names[c]);
		folder_walk(folder, 1);
		rmdir(folder);
	}
}

static void folders_of_pictures_are_classes(void **state)
{
	const char *folder = *state;
	struct dataset dataset;
	float sample[6];

	make_classes(folder);
	assert_int_equal(dataset_read(&dataset, &folder, 1, &want_2x3), 0);
	remove_classes(folder);
	assert_int_equal(dataset.classes, 2);
	assert_int_equal(dataset.train.count, 18);
	for (size_t i = 0; i < 18; i++) {
		dataset_sample(&dataset.train, i, sample);
		assert_int_equal(dataset.train.labels[i], i / 9);
		assert_true(sample[5] == (i < 9 ? -1 : 1));
	}
	dataset_release(&dataset);
}

static void an_empty_folder_is_refused(void **state)
{
	assert_fails((const char *const *)state, 1, &want_2x3,
		     "holds no .png and no IDX files");
}

/* ---- order ---- */

static void every_epoch_takes_each_sample_once(void **state)
{
	struct dataset_order order;
	size_t indices[COUNT], before[COUNT];

	(void)state;
	assert_int_equal(dataset_order_create(&order, COUNT, 3), 0);
	for (uint64_t epoch = 0; epoch < 3; epoch++) {
		int seen[COUNT] = { 0 };

		dataset_order_batch(&order, epoch, COUNT, indices);
		for (int i = 0; i < COUNT; i++)
			seen[indices[i]]++;
		for (int i = 0; i < COUNT; i++)
			assert_int_equal(seen[i], 1);
		if (epoch)
			assert_memory_not_equal(indices, before,
						sizeof(before));
		memcpy(before, indices, sizeof(before));
	}
	dataset_order_release(&order);
}

/* What a training that resumes relies on. */
static void a_batch_depends_on_nothing_before_it(void **state)
{
	struct dataset_order walked, jumped;
	size_t a[7], b[7];

	(void)state;
	assert_int_equal(dataset_order_create(&walked, COUNT, 9), 0);
	for (uint64_t step = 0; step <= 17; step++)
		dataset_order_batch(&walked, step, 7, a);
	assert_int_equal(dataset_order_create(&jumped, COUNT, 9), 0);
	dataset_order_batch(&jumped, 17, 7, b);
	assert_memory_equal(a, b, sizeof(a));
	dataset_order_release(&walked);
	dataset_order_release(&jumped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(bytes_are_scaled_to_the_range),
		folder_test(a_folder_of_mnist_has_its_own_test),
		folder_test(numbers_must_lie_in_the_range),
		folder_test(labels_must_suit_their_samples),
		folder_test(damage_is_found),
		folder_test(folders_of_pictures_are_classes),
		folder_test(an_empty_folder_is_refused),
		cmocka_unit_test(every_epoch_takes_each_sample_once),
		cmocka_unit_test(a_batch_depends_on_nothing_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
