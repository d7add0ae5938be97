/* SPDX-License-Identifier: MIT */
#include <compress/im2col.h>

#include <string.h>

/* Half of a common second-level cache: the other half is for the weights. */
#define TILE_FLOATS (128 * 1024)
/* Below this sgemm spends more on packing than on products. */
#define TILE_COLUMNS_MIN 128

enum { HEIGHT, WIDTH };

int64_t im2col_rows(const struct im2col *windows)
{
	return windows->channels * windows->kernel[HEIGHT] *
	       windows->kernel[WIDTH];
}

bool im2col_is_image(const struct im2col *w)
{
	for (int i = 0; i < 2; i++)
		if (w->kernel[i] != 1 || w->stride[i] != 1 || w->pad[i] != 0 ||
		    w->image[i] != w->windows[i])
			return false;
	return true;
}

int64_t im2col_tile(int64_t rows, int64_t columns)
{
	int64_t tile = TILE_FLOATS / (rows > 0 ? rows : 1);

	if (tile < TILE_COLUMNS_MIN)
		tile = TILE_COLUMNS_MIN;
	return tile < columns ? tile : columns;
}

/**
 * struct tap - one tap of the kernel in one channel
 * @channel: of the image
 * @offset: image row and column of the tap in window (0, 0)
 */
struct tap {
	int64_t channel;
	int64_t offset[2];
};

static struct tap tap_of_row(const struct im2col *w, int64_t row)
{
	int64_t x = row % w->kernel[WIDTH];
	int64_t y = row / w->kernel[WIDTH] % w->kernel[HEIGHT];

	return (struct tap){
		.channel = row / w->kernel[WIDTH] / w->kernel[HEIGHT],
		.offset = { y * w->dilation[HEIGHT] - w->pad[HEIGHT],
			    x * w->dilation[WIDTH] - w->pad[WIDTH] },
	};
}

/**
 * struct run - neighbouring windows of one row, as one tap sees them
 * @count: windows
 * @first: windows before this one see no pixel
 * @end: windows from this one on see no pixel
 * @pixel: index in the image of what window @first sees
 */
struct run {
	int64_t count;
	int64_t first;
	int64_t end;
	int64_t pixel;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static int64_t divide_up(int64_t value, int64_t divisor)
{
	return value <= 0 ? 0 : (value + divisor - 1) / divisor;
}

/* The longest run from one window on, of at most count. */
static struct run run_at(const struct im2col *w, const struct tap *tap,
			 int64_t window, int64_t count)
{
	int64_t x = window % w->windows[WIDTH];
	int64_t image_y = window / w->windows[WIDTH] * w->stride[HEIGHT] +
			  tap->offset[HEIGHT];
	int64_t left = w->windows[WIDTH] - x;
	struct run run = { .count = count < left ? count : left };
	int64_t image_x;

	if (image_y < 0 || image_y >= w->image[HEIGHT])
		return run;
	run.first = divide_up(-tap->offset[WIDTH], w->stride[WIDTH]) - x;
	run.end = divide_up(w->image[WIDTH] - tap->offset[WIDTH],
			    w->stride[WIDTH]) -
		  x;
	run.first = clamp(run.first, 0, run.count);
	run.end = clamp(run.end, run.first, run.count);
	image_x = (x + run.first) * w->stride[WIDTH] + tap->offset[WIDTH];
	run.pixel =
		(tap->channel * w->image[HEIGHT] + image_y) * w->image[WIDTH] +
		image_x;
	return run;
}

static void run_gather(const struct run *run, int64_t stride,
		       const float *image, float *columns)
{
	int64_t seen = run->end - run->first;

	memset(columns, 0, (size_t)run->first * sizeof(*columns));
	if (stride == 1)
		memcpy(columns + run->first, image + run->pixel,
		       (size_t)seen * sizeof(*columns));
	else
		for (int64_t i = 0; i < seen; i++)
			columns[run->first + i] =
				image[run->pixel + i * stride];
	memset(columns + run->end, 0,
	       (size_t)(run->count - run->end) * sizeof(*columns));
}

void im2col_gather(const struct im2col *windows, const float *image,
		   int64_t first, int64_t count, float *columns)
{
	int64_t rows = im2col_rows(windows);

	for (int64_t row = 0; row < rows; row++) {
		struct tap tap = tap_of_row(windows, row);
		struct run run;

		for (int64_t i = 0; i < count; i += run.count) {
			run = run_at(windows, &tap, first + i, count - i);
			run_gather(&run, windows->stride[WIDTH], image,
				   columns + row * count + i);
		}
	}
}

static void run_scatter(const struct run *run, int64_t stride,
			const float *columns, float *image)
{
	for (int64_t i = 0; i < run->end - run->first; i++)
		image[run->pixel + i * stride] += columns[run->first + i];
}

void im2col_scatter(const struct im2col *windows, const float *columns,
		    int64_t first, int64_t count, float *image)
{
	int64_t rows = im2col_rows(windows);

	for (int64_t row = 0; row < rows; row++) {
		struct tap tap = tap_of_row(windows, row);
		struct run run;

		for (int64_t i = 0; i < count; i += run.count) {
			run = run_at(windows, &tap, first + i, count - i);
			run_scatter(&run, windows->stride[WIDTH],
				    columns + row * count + i, image);
		}
	}
}
