/* SPDX-License-Identifier: MIT */
/* Pictures in folders become a part of a data set. */
#include <train/dataset.h>

#include <core/error.h>
#include <formats/image.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/** struct folder_reading - pictures of one folder after the other */
struct folder_reading {
	struct dataset_part *part;
	const struct dataset_want *want;
	size_t capacity;
	int64_t label; /* negative: none */
};

static int is_picture(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcasecmp(dot, ".png");
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* strcmp, not strcoll: classes must not depend on the user's language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int reserve(struct folder_reading *reading)
{
	struct dataset_part *part = reading->part;
	size_t capacity = reading->capacity ? reading->capacity * 2 : 256;
	float *values;
	int64_t *labels;

	if (part->count < reading->capacity)
		return 0;
	values = realloc(part->values, capacity * part->size * sizeof(*values));
	if (values)
		part->values = values;
	labels = realloc(part->labels, capacity * sizeof(*labels));
	if (labels)
		part->labels = labels;
	if (!values || !labels)
		return accel_error(-ENOMEM, "no memory for %zu pictures",
				   capacity);
	reading->capacity = capacity;
	return 0;
}

/* [C, H, W]; gray pictures may be [H, W]. */
static int check_picture(const struct image *image,
			 const struct graph_shape *sample)
{
	int rank = sample->rank;
	int64_t channels = rank == 3 ? sample->dims[0] : 1;

	if ((rank == 3 || rank == 2) && channels == (int64_t)image->channels &&
	    sample->dims[rank - 2] == (int64_t)image->height &&
	    sample->dims[rank - 1] == (int64_t)image->width)
		return 0;
	return accel_error(
		-EINVAL,
		"a picture of %zu x %zu with %zu channels is not what the network takes",
		image->width, image->height, image->channels);
}

static int add_picture(struct folder_reading *reading, const char *path)
{
	struct dataset_part *part = reading->part;
	struct image image;
	int ret = image_read_png(&image, path);

	if (ret)
		return ret;
	ret = check_picture(&image, &reading->want->sample);
	if (ret)
		ret = accel_error_prefix(ret, "%s", path);
	else
		ret = reserve(reading);
	if (!ret) {
		image_to_tensor(&image, part->values + part->count * part->size,
				IMAGE_CHW, part->range.low, part->range.high);
		part->labels[part->count++] = reading->label;
	}
	image_release(&image);
	return ret;
}

static int add_entry(struct folder_reading *reading, const char *folder,
		     const char *name)
{
	char *path;
	int ret;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return accel_error(-ENOMEM, "no memory");
	ret = add_picture(reading, path);
	free(path);
	return ret;
}

static int add_pictures(struct folder_reading *reading, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_picture, by_name);
	int ret = 0;

	if (count < 0)
		return accel_error(-errno, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!ret)
			ret = add_entry(reading, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

/* A sub-folder is the next class, if it is a folder and holds pictures. */
static int add_class(struct folder_reading *reading, const char *folder,
		     const char *name)
{
	size_t before = reading->part->count;
	struct stat status;
	char *path;
	int ret = 0;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return accel_error(-ENOMEM, "no memory");
	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		ret = add_pictures(reading, path);
	free(path);
	if (!ret && reading->part->count > before)
		reading->label++;
	return ret;
}

static int add_classes(struct folder_reading *reading, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, by_name);
	int ret = 0;

	if (count < 0)
		return accel_error(-errno, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!ret)
			ret = add_class(reading, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

int dataset_read_folder(struct dataset_part *part, const char *path,
			const struct dataset_want *want)
{
	struct folder_reading reading = { .part = part,
					  .want = want,
					  .label = -1 };
	int64_t size = graph_shape_count(&want->sample);
	int ret;

	part->size = (size_t)size;
	part->range = want->range;
	if (part->range.low == part->range.high)
		part->range = (struct quantize_range){ 0, 1 };
	ret = add_pictures(&reading, path);
	if (ret)
		return ret;
	if (part->count) { /* without classes */
		free(part->labels);
		part->labels = NULL;
		return 0;
	}
	reading.label = 0;
	ret = add_classes(&reading, path);
	if (!ret && !part->count)
		ret = accel_error(-ENOENT, "%s: holds no .png and no IDX files",
				  path);
	return ret;
}
