/* SPDX-License-Identifier: MIT */
/* Arrays in files become parts of a data set. */
#include <train/dataset.h>

#include <compress/graph_shape.h>
#include <core/error.h>
#include <formats/idx.h>
#include <formats/npy.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CLASSES 100000

/** struct reading - files on their way into a data set */
struct reading {
	struct dataset *dataset;
	const struct dataset_want *want;
	/* the part that labels to come belong to */
	struct dataset_part *current;
};

static int read_array(struct npy_array *array, const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && !strcasecmp(dot, ".npy"))
		return npy_read(array, path);
	return idx_read(array, path);
}

/* ---- shapes ---- */

/* The next axis that is longer than one, or the end. */
static int skip_ones(const struct graph_shape *shape, int axis)
{
	while (axis < shape->rank && shape->dims[axis] == 1)
		axis++;
	return axis;
}

static bool same_but_ones(const struct graph_shape *a,
			  const struct graph_shape *b)
{
	int i = skip_ones(a, 0), j = skip_ones(b, 0);

	while (i < a->rank && j < b->rank && a->dims[i] == b->dims[j]) {
		i = skip_ones(a, i + 1);
		j = skip_ones(b, j + 1);
	}
	return i == a->rank && j == b->rank;
}

static int check_sample(const struct npy_array *array,
			const struct dataset_want *want)
{
	struct graph_shape shape = { .rank = (int)array->rank - 1 };
	char held[GRAPH_SHAPE_TEXT_SIZE], wanted[GRAPH_SHAPE_TEXT_SIZE];

	for (int i = 0; i < shape.rank; i++)
		shape.dims[i] = (int64_t)array->shape[i + 1];
	if (same_but_ones(&shape, &want->sample) ||
	    (want->sample.rank == 1 &&
	     graph_shape_count(&shape) == want->sample.dims[0]))
		return 0;
	return accel_error(-EINVAL,
			   "samples of shape %s, but the network takes %s",
			   graph_shape_text(&shape, held),
			   graph_shape_text(&want->sample, wanted));
}

/* ---- values ---- */

static int check_values(const struct dataset_part *part,
			const struct quantize_range *range)
{
	size_t count = part->count * part->size;
	float low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < count; i++) {
		if (!isfinite(part->values[i]))
			return accel_error(-EINVAL,
					   "sample %zu: not a finite number",
					   i / part->size);
		low = fminf(low, part->values[i]);
		high = fmaxf(high, part->values[i]);
	}
	if (range->low == range->high ||
	    (low >= range->low && high <= range->high))
		return 0;
	return accel_error(
		-EINVAL,
		"values from %g to %g, but the description's range is %g to %g",
		(double)low, (double)high, (double)range->low,
		(double)range->high);
}

/* Take over an array's elements. */
static int take_values(struct dataset_part *part, struct npy_array *array,
		       const struct dataset_want *want)
{
	int ret;

	part->range = want->range;
	if (part->range.low == part->range.high)
		part->range = (struct quantize_range){ 0, 1 };
	if (array->type == NPY_UINT8) {
		part->bytes = array->data;
		array->data = NULL;
		return 0;
	}
	ret = npy_to_float(array);
	if (ret)
		return ret;
	part->values = array->data;
	array->data = NULL;
	return check_values(part, &want->range);
}

static int add_samples(struct reading *reading, struct npy_array *array)
{
	struct dataset *dataset = reading->dataset;
	struct dataset_part *part = dataset->train.count ? &dataset->test :
							   &dataset->train;
	int ret = check_sample(array, reading->want);

	if (ret)
		return ret;
	if (!array->shape[0])
		return accel_error(-EINVAL, "holds no samples");
	if (part->count)
		return accel_error(
			-EINVAL,
			"a third file of samples; one is for training, one for the test");
	part->count = array->shape[0];
	part->size = array->count / array->shape[0];
	reading->current = part;
	return take_values(part, array, reading->want);
}

/* ---- labels ---- */

static int take_label(float value, int64_t *label, int64_t *classes)
{
	if (!(value >= 0 && value < MAX_CLASSES) || value != floorf(value))
		return accel_error(-EINVAL,
				   "a label of %g; labels are 0, 1, 2 …",
				   (double)value);
	*label = (int64_t)value;
	if (*label >= *classes)
		*classes = *label + 1;
	return 0;
}

static int add_labels(struct reading *reading, struct npy_array *array)
{
	struct dataset_part *part = reading->current;
	const float *values;
	int ret;

	if (!part || part->labels)
		return accel_error(
			-EINVAL,
			"an array of rank 1 holds labels, and follows its samples");
	if (array->count != part->count)
		return accel_error(-EINVAL, "%zu labels for %zu samples",
				   array->count, part->count);
	part->labels = calloc(part->count, sizeof(*part->labels));
	if (!part->labels)
		return accel_error(-ENOMEM, "no memory for %zu labels",
				   part->count);
	ret = npy_to_float(array);
	values = array->data;
	for (size_t i = 0; i < part->count && !ret; i++)
		ret = take_label(values[i], &part->labels[i],
				 &reading->dataset->classes);
	return ret;
}

static int add_file(struct reading *reading, const char *path)
{
	struct npy_array array = { .rank = 0 };
	int ret = read_array(&array, path);

	if (ret)
		return ret;
	ret = array.rank < 2 ? add_labels(reading, &array) :
			       add_samples(reading, &array);
	npy_release(&array);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

/* ---- folders ---- */

/* MNIST's names, gzipped or plain; labels may be missing. */
static const char *const mnist_names[] = {
	"train-images-idx3-ubyte",
	"train-labels-idx1-ubyte",
	"t10k-images-idx3-ubyte",
	"t10k-labels-idx1-ubyte",
};

static char *find_mnist(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return NULL;
	if (!access(path, R_OK))
		return path;
	free(path);
	if (asprintf(&path, "%s/%s.gz", folder, name) < 0)
		return NULL;
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

/* Return 1 if it is a folder of MNIST's files. */
static int add_mnist(struct reading *reading, const char *folder)
{
	int found = 0;

	for (size_t i = 0; i < sizeof(mnist_names) / sizeof(*mnist_names);
	     i++) {
		char *path = find_mnist(folder, mnist_names[i]);
		int ret = path ? add_file(reading, path) : 0;

		found += path != NULL;
		free(path);
		if (ret)
			return ret;
	}
	return found > 0;
}

static int add_folder(struct reading *reading, const char *path)
{
	struct dataset *dataset = reading->dataset;
	struct dataset_part *part = dataset->train.count ? &dataset->test :
							   &dataset->train;
	int ret = add_mnist(reading, path);

	if (ret)
		return ret < 0 ? ret : 0;
	if (part->count)
		return accel_error(-EINVAL, "%s: a third set of samples", path);
	ret = dataset_read_folder(part, path, reading->want);
	for (size_t i = 0; i < part->count && !ret && part->labels; i++)
		if (part->labels[i] >= dataset->classes)
			dataset->classes = part->labels[i] + 1;
	return ret;
}

static int add_path(struct reading *reading, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	return S_ISDIR(status.st_mode) ? add_folder(reading, path) :
					 add_file(reading, path);
}

int dataset_read(struct dataset *dataset, const char *const *paths, int count,
		 const struct dataset_want *want)
{
	struct reading reading = { .dataset = dataset, .want = want };
	int ret = 0;

	*dataset = (struct dataset){ .classes = 0 };
	for (int i = 0; i < count && !ret; i++)
		ret = add_path(&reading, paths[i]);
	if (!ret && !dataset->train.count)
		ret = accel_error(-EINVAL, "the data hold no samples");
	if (!ret && !dataset->test.count)
		ret = dataset_split(dataset);
	if (ret)
		dataset_release(dataset);
	return ret;
}
