/* SPDX-License-Identifier: MIT */
#include <compress/array.h>
#include <compress/graph_shape.h>
#include <compress/operator.h>
#include <core/error.h>
#include <formats/idx.h>
#include <formats/image.h>
#include <formats/npy.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FEATURES_RANK = 2, SEQUENCE_RANK = 3, IMAGE_RANK = 4 };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

bool array_path_is_png(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcasecmp(dot, ".png");
}

/* As MNIST's files are called: train-images-idx3-ubyte.gz. */
static bool path_is_idx(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *idx = strstr(slash ? slash : path, "-idx");

	return idx && idx[4] >= '1' && idx[4] <= '9' && idx[5] == '-';
}

void array_to_nchw(const float *nhwc, const struct graph_shape *shape,
		   float *nchw)
{
	int64_t channels = shape->dims[CHANNELS];
	int64_t pixels = shape->dims[HEIGHT] * shape->dims[WIDTH];

	for (int64_t n = 0; n < shape->dims[BATCH]; n++)
		for (int64_t c = 0; c < channels; c++)
			for (int64_t i = 0; i < pixels; i++)
				*nchw++ = nhwc[(n * pixels + i) * channels + c];
}

/* Does a shape have the sizes that are wanted, where they are? */
static bool shape_fits(const struct graph_shape *wanted,
		       const struct graph_shape *shape)
{
	if (wanted->rank != shape->rank)
		return false;
	for (int i = 0; i < wanted->rank; i++)
		if (wanted->dims[i] >= 0 && wanted->dims[i] != shape->dims[i])
			return false;
	return true;
}

/* An axis of length 1. */
static void insert_axis(struct graph_shape *shape, int axis)
{
	for (int i = shape->rank; i > axis; i--)
		shape->dims[i] = shape->dims[i - 1];
	shape->dims[axis] = 1;
	shape->rank++;
}

static struct graph_shape nhwc_to_nchw(const struct graph_shape *s)
{
	return (struct graph_shape){
		.rank = IMAGE_RANK,
		.dims = { s->dims[0], s->dims[3], s->dims[1], s->dims[2] },
	};
}

/* Take images, their axes in either order, if the port takes them so. */
static bool image_fits(const struct graph_shape *wanted,
		       const struct graph_shape *shape,
		       enum array_layout layout, struct array *array)
{
	struct graph_shape nchw;

	if (wanted->rank != IMAGE_RANK || shape->rank != IMAGE_RANK)
		return false;
	if (layout != ARRAY_LAYOUT_NHWC && shape_fits(wanted, shape)) {
		array->shape = *shape;
		array->layout = ARRAY_LAYOUT_NCHW;
		return true;
	}
	nchw = nhwc_to_nchw(shape);
	if (layout == ARRAY_LAYOUT_NCHW || !shape_fits(wanted, &nchw))
		return false;
	array->shape = nchw;
	array->layout = ARRAY_LAYOUT_NHWC;
	return true;
}

/* Signals, [N, C, L]: the lengths lie along the height. */
static bool signal_fits(const struct graph_shape *wanted,
			const struct graph_shape *shape, struct array *array)
{
	array->shape = *shape;
	insert_axis(&array->shape, WIDTH);
	if (wanted->dims[WIDTH] != 1 || !shape_fits(wanted, &array->shape))
		return false;
	array->layout = ARRAY_LAYOUT_NCL;
	return true;
}

/* One image without its batch axis, gray ones without their channel axis, signals. */
static bool resolve_image(const struct graph_shape *wanted,
			  const struct graph_shape *shape,
			  enum array_layout layout, struct array *array)
{
	struct graph_shape gray = *shape, single = *shape;

	if (shape->rank != IMAGE_RANK - 1)
		return image_fits(wanted, shape, layout, array);
	insert_axis(&gray, CHANNELS);
	insert_axis(&single, BATCH);
	return image_fits(wanted, &single, layout, array) ||
	       image_fits(wanted, &gray, ARRAY_LAYOUT_NCHW, array) ||
	       signal_fits(wanted, shape, array);
}

/* [T, F] of one sequence, [N, F] of states, [F] of one latent. */
static bool resolve_short(const struct graph_shape *wanted,
			  const struct graph_shape *shape, struct array *array)
{
	array->shape = *shape;
	insert_axis(&array->shape, wanted->rank == SEQUENCE_RANK ? 1 : 0);
	if (shape_fits(wanted, &array->shape))
		return true;
	array->shape = *shape;
	insert_axis(&array->shape, 0);
	return shape_fits(wanted, &array->shape);
}

/* Images where rows of features are wanted: the same numbers. */
static bool resolve_flat(const struct graph_shape *wanted,
			 const struct graph_shape *shape, struct array *array)
{
	array->shape = (struct graph_shape){
		.rank = FEATURES_RANK,
		.dims = { shape->dims[0],
			  operator_extent(shape, 1, shape->rank) },
	};
	return shape_fits(wanted, &array->shape);
}

/* The file's shape, with the axes that it may leave out, against the port's. */
static bool resolve_shape(const struct graph_shape *wanted,
			  const struct graph_shape *shape,
			  enum array_layout layout, struct array *array)
{
	array->layout = ARRAY_LAYOUT_NCHW;
	if (wanted->rank == IMAGE_RANK)
		return resolve_image(wanted, shape, layout, array);
	if (wanted->rank == FEATURES_RANK && shape->rank > FEATURES_RANK)
		return resolve_flat(wanted, shape, array);
	if (shape->rank == wanted->rank - 1)
		return resolve_short(wanted, shape, array);
	array->shape = *shape;
	return shape_fits(wanted, shape);
}

/* One NaN would become a code like any other, and nobody would know. */
static int check_finite(const float *values, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]))
			return accel_error(-EINVAL,
					   "%s: element %zu is not finite",
					   path, i);
	return 0;
}

static int shape_error(const struct array_port *port,
		       const struct graph_shape *shape, const char *path)
{
	char have[GRAPH_SHAPE_TEXT_SIZE], want[GRAPH_SHAPE_TEXT_SIZE];

	return accel_error(-EINVAL, "%s: its shape is %s, but %s takes %s",
			   path, graph_shape_text(shape, have), port->name,
			   graph_shape_text(&port->shape, want));
}

static int npy_shape(const struct npy_array *npy, const char *path,
		     struct graph_shape *shape)
{
	*shape = (struct graph_shape){ .rank = (int)npy->rank };
	for (unsigned int i = 0; i < npy->rank; i++)
		shape->dims[i] = (int64_t)npy->shape[i];
	if (npy->count)
		return 0;
	return accel_error(-EINVAL, "%s: holds no numbers", path);
}

/* Move the numbers, in the port's order, from the file's array. */
static int take_values(struct array *array, struct npy_array *npy)
{
	if (array->layout != ARRAY_LAYOUT_NHWC) {
		array->values = npy->data;
		npy->data = NULL;
		return 0;
	}
	array->values = malloc(npy->count * sizeof(float));
	if (!array->values)
		return accel_error(-ENOMEM, "no memory for %zu numbers",
				   npy->count);
	array_to_nchw(npy->data, &array->shape, array->values);
	return 0;
}

static int check_range(const struct array_port *port, const char *path)
{
	if (port->range.low < port->range.high)
		return 0;
	return accel_error(
		-EINVAL,
		"%s: which values are black and white? Give --input-range LOW:HIGH, such as 0:255",
		path);
}

/* IDX of bytes holds pictures, from 0, black, to 255. */
static int read_idx(struct npy_array *npy, const struct array_port *port,
		    const char *path)
{
	int ret = idx_read(npy, path);
	bool bytes = !ret && npy->type == NPY_UINT8;
	float *values;

	if (ret)
		return ret;
	if (bytes)
		ret = check_range(port, path);
	if (!ret)
		ret = npy_to_float(npy);
	values = npy->data;
	for (size_t i = 0; i < npy->count && bytes && !ret; i++)
		values[i] =
			port->range.low + (port->range.high - port->range.low) *
						  values[i] / 255.0f;
	if (ret)
		npy_release(npy);
	return ret;
}

static int read_numbers(struct array *array, const struct array_port *port,
			const char *path, enum array_layout layout)
{
	struct graph_shape shape;
	struct npy_array npy;
	int ret = path_is_idx(path) ? read_idx(&npy, port, path) :
				      npy_read_float(&npy, path);

	if (ret)
		return ret;
	ret = npy_shape(&npy, path, &shape);
	if (!ret && !resolve_shape(&port->shape, &shape, layout, array))
		ret = shape_error(port, &shape, path);
	if (!ret)
		ret = check_finite(npy.data, npy.count, path);
	if (!ret)
		ret = take_values(array, &npy);
	npy_release(&npy);
	return ret;
}

/* Gray becomes as many equal channels as the port takes. */
static int spread_gray(struct image *image, size_t channels)
{
	size_t pixels = image->width * image->height;
	float *spread;

	if (image->channels != 1 || channels < 2 || channels > 4)
		return 0;
	spread = malloc(pixels * channels * sizeof(*spread));
	if (!spread)
		return accel_error(-ENOMEM, "no memory for %zu pixels", pixels);
	for (size_t i = 0; i < pixels * channels; i++)
		spread[i] = image->pixels[i / channels];
	free(image->pixels);
	image->pixels = spread;
	image->channels = channels;
	return 0;
}

static int image_values(struct array *array, const struct array_port *port,
			const struct image *image, const char *path)
{
	struct graph_shape shape = {
		.rank = IMAGE_RANK,
		.dims = { 1, (int64_t)image->channels, (int64_t)image->height,
			  (int64_t)image->width },
	};

	if (!shape_fits(&port->shape, &shape))
		return shape_error(port, &shape, path);
	array->shape = shape;
	array->layout = ARRAY_LAYOUT_NCHW;
	array->values = malloc((size_t)graph_shape_count(&shape) *
			       sizeof(*array->values));
	if (!array->values)
		return accel_error(-ENOMEM, "no memory for the pixels of %s",
				   path);
	image_to_tensor(image, array->values, IMAGE_CHW, port->range.low,
			port->range.high);
	return 0;
}

static int read_png(struct array *array, const struct array_port *port,
		    const char *path)
{
	struct image image;
	int ret;

	if (port->shape.rank != IMAGE_RANK)
		return accel_error(-EINVAL,
				   "%s: %s takes no pictures; give a .npy file",
				   path, port->name);
	ret = check_range(port, path);
	if (ret)
		return ret;
	ret = image_read_png(&image, path);
	if (ret)
		return ret;
	ret = spread_gray(&image, port->shape.dims[CHANNELS] > 0 ?
					  (size_t)port->shape.dims[CHANNELS] :
					  1);
	if (!ret)
		ret = image_values(array, port, &image, path);
	image_release(&image);
	return ret;
}

int array_read(struct array *array, const struct array_port *port,
	       const char *path, enum array_layout layout)
{
	*array = (struct array){ .values = NULL };
	if (array_path_is_png(path))
		return read_png(array, port, path);
	return read_numbers(array, port, path, layout);
}

void array_release(struct array *array)
{
	free(array->values);
	*array = (struct array){ .values = NULL };
}
