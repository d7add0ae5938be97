/* SPDX-License-Identifier: MIT */
#include <formats/image.h>

#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BORDER 1

int image_create(struct image *image, size_t width, size_t height,
		 size_t channels)
{
	size_t count;

	if (!checked_multiply(width, height, &count) ||
	    !checked_multiply(count, channels, &count) || !count ||
	    (channels != 1 && channels != 3))
		return accel_error(-EINVAL,
				   "no image has %zu x %zu pixels of %zu "
				   "channels; 1 or 3 channels can be shown",
				   width, height, channels);
	image->width = width;
	image->height = height;
	image->channels = channels;
	image->pixels = calloc(count, sizeof(*image->pixels));
	if (!image->pixels)
		return accel_error(-ENOMEM, "no memory for %zu x %zu pixels",
				   width, height);
	return 0;
}

void image_release(struct image *image)
{
	free(image->pixels);
	image->pixels = NULL;
}

/* Where the value of an image's pixel lies in a tensor of that layout. */
static size_t tensor_position(const struct image *image,
			      enum image_layout layout, size_t pixel,
			      size_t channel)
{
	if (layout == IMAGE_HWC)
		return pixel * image->channels + channel;
	return channel * image->width * image->height + pixel;
}

int image_from_tensor(struct image *image, const float *values,
		      enum image_layout layout, size_t channels, size_t height,
		      size_t width, float low, float high)
{
	int ret = image_create(image, width, height, channels);

	if (ret)
		return ret;
	for (size_t pixel = 0; pixel < width * height; pixel++) {
		for (size_t c = 0; c < channels; c++) {
			size_t from = tensor_position(image, layout, pixel, c);

			image->pixels[pixel * channels + c] =
				(values[from] - low) / (high - low);
		}
	}
	return 0;
}

void image_to_tensor(const struct image *image, float *values,
		     enum image_layout layout, float low, float high)
{
	for (size_t pixel = 0; pixel < image->width * image->height; pixel++) {
		for (size_t c = 0; c < image->channels; c++) {
			size_t to = tensor_position(image, layout, pixel, c);

			values[to] =
				low +
				image->pixels[pixel * image->channels + c] *
					(high - low);
		}
	}
}

int image_enlarge(struct image *large, const struct image *image, size_t factor)
{
	size_t width, height;
	int ret;

	if (__builtin_mul_overflow(image->width, factor, &width) ||
	    __builtin_mul_overflow(image->height, factor, &height))
		return accel_error(-EINVAL, "the enlarged image is too large");
	ret = image_create(large, width, height, image->channels);
	if (ret)
		return ret;
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			memcpy(&large->pixels[(y * width + x) * image->channels],
			       &image->pixels[(y / factor * image->width +
					       x / factor) *
					      image->channels],
			       image->channels * sizeof(*image->pixels));
	return 0;
}

static void image_paste(struct image *grid, const struct image *cell, size_t x,
			size_t y)
{
	size_t row = cell->width * cell->channels;

	for (size_t i = 0; i < cell->height; i++)
		memcpy(grid->pixels +
			       ((y + i) * grid->width + x) * grid->channels,
		       cell->pixels + i * row, row * sizeof(*cell->pixels));
}

/* The length of so many cells with borders between them. */
static bool grid_length(size_t cells, size_t size, size_t *length)
{
	return checked_add(size, BORDER, &size) &&
	       checked_multiply(cells, size, length) &&
	       !__builtin_sub_overflow(*length, BORDER, length);
}

int image_grid(struct image *grid, const struct image *cells, size_t count,
	       size_t columns)
{
	size_t width, height;
	int ret;

	if (!count || !columns)
		return accel_error(-EINVAL, "a grid of no images");
	if (columns > count)
		columns = count;
	if (!grid_length(columns, cells->width, &width) ||
	    !grid_length((count + columns - 1) / columns, cells->height,
			 &height))
		return accel_error(-EINVAL, "the grid is too large");
	ret = image_create(grid, width, height, cells->channels);
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++)
		image_paste(grid, &cells[i],
			    i % columns * (cells->width + BORDER),
			    i / columns * (cells->height + BORDER));
	return 0;
}
