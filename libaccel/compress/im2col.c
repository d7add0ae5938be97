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
 * @plane: index of the channel's first pixel
 * @offset: image row and column of the tap in window (0, 0)
 * @first: windows of a row before this one see no pixel
 * @end: windows of a row from this one on see no pixel
 */
struct tap {
	int64_t plane;
	int64_t offset[2];
	int64_t first, end;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static int64_t divide_up(int64_t value, int64_t divisor)
{
	return value <= 0 ? 0 : (value + divisor - 1) / divisor;
}

static struct tap tap_of_row(const struct im2col *w, int64_t row)
{
	int64_t x = row % w->kernel[WIDTH];
	int64_t y = row / w->kernel[WIDTH] % w->kernel[HEIGHT];
	int64_t channel = row / w->kernel[WIDTH] / w->kernel[HEIGHT];
	struct tap tap = {
		.plane = channel * w->image[HEIGHT] * w->image[WIDTH],
		.offset = { y * w->dilation[HEIGHT] - w->pad[HEIGHT],
			    x * w->dilation[WIDTH] - w->pad[WIDTH] },
	};

	tap.first = divide_up(-tap.offset[WIDTH], w->stride[WIDTH]);
	tap.end = divide_up(w->image[WIDTH] - tap.offset[WIDTH],
			    w->stride[WIDTH]);
	tap.first = clamp(tap.first, 0, w->windows[WIDTH]);
	tap.end = clamp(tap.end, tap.first, w->windows[WIDTH]);
	return tap;
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

/* Windows x … of row y, of at most count. */
static struct run run_at(const struct im2col *w, const struct tap *tap,
			 int64_t y, int64_t x, int64_t count)
{
	int64_t image_y = y * w->stride[HEIGHT] + tap->offset[HEIGHT];
	int64_t left = w->windows[WIDTH] - x;
	struct run run = { .count = count < left ? count : left };

	if (image_y < 0 || image_y >= w->image[HEIGHT])
		return run;
	run.first = clamp(tap->first - x, 0, run.count);
	run.end = clamp(tap->end - x, run.first, run.count);
	run.pixel = tap->plane + image_y * w->image[WIDTH] +
		    (x + run.first) * w->stride[WIDTH] + tap->offset[WIDTH];
	return run;
}

static void run_gather(const struct run *run, int64_t stride,
		       const float *restrict image, float *restrict columns)
{
	int64_t seen = run->end - run->first;
	const float *restrict from = image + run->pixel;
	float *restrict to = columns + run->first;

	for (int64_t i = 0; i < run->first; i++)
		columns[i] = 0;
	/* The compiler makes vectors of strides that it knows. */
	if (stride == 1)
		memcpy(to, from, (size_t)seen * sizeof(*to));
	else if (stride == 2)
		for (int64_t i = 0; i < seen; i++)
			to[i] = from[i * 2];
	else
		for (int64_t i = 0; i < seen; i++)
			to[i] = from[i * stride];
	for (int64_t i = run->end; i < run->count; i++)
		columns[i] = 0;
}

static void run_scatter(const struct run *run, int64_t stride,
			const float *restrict columns, float *restrict image)
{
	int64_t seen = run->end - run->first;
	const float *restrict from = columns + run->first;
	float *restrict to = image + run->pixel;

	if (stride == 1)
		for (int64_t i = 0; i < seen; i++)
			to[i] += from[i];
	else if (stride == 2)
		for (int64_t i = 0; i < seen; i++)
			to[i * 2] += from[i];
	else
		for (int64_t i = 0; i < seen; i++)
			to[i * stride] += from[i];
}

/*
 * Do windows and pixels advance alike, and are these whole rows of windows? Then
 * what a tap sees is one piece of the image, but for the columns at the border.
 */
static bool is_shift(const struct im2col *w, int64_t first, int64_t count)
{
	return w->stride[HEIGHT] == 1 && w->stride[WIDTH] == 1 &&
	       w->windows[WIDTH] == w->image[WIDTH] &&
	       first % w->windows[WIDTH] == 0 && count % w->windows[WIDTH] == 0;
}

/* That piece: window @first sees pixel 0 of the plane + @pixel, and so on. */
static struct run shift_of(const struct im2col *w, const struct tap *tap,
			   int64_t first, int64_t count)
{
	int64_t pixels = w->image[HEIGHT] * w->image[WIDTH];
	int64_t shift = first + tap->offset[HEIGHT] * w->image[WIDTH] +
			tap->offset[WIDTH];
	struct run run = { .count = count };

	run.first = clamp(-shift, 0, count);
	run.end = clamp(pixels - shift, run.first, count);
	run.pixel = tap->plane + shift + run.first;
	return run;
}

/* Zero what windows see beyond the left or right border. */
static void clear_border(const struct im2col *w, const struct tap *tap,
			 int64_t count, float *columns)
{
	int64_t width = w->windows[WIDTH];

	for (int64_t row = 0; row < count; row += width) {
		for (int64_t x = 0; x < tap->first; x++)
			columns[row + x] = 0;
		for (int64_t x = tap->end; x < width; x++)
			columns[row + x] = 0;
	}
}

void im2col_gather(const struct im2col *windows, const float *image,
		   int64_t first, int64_t count, float *columns, int64_t stride)
{
	int64_t rows = im2col_rows(windows), width = windows->windows[WIDTH];
	bool shift = is_shift(windows, first, count);

	for (int64_t row = 0; row < rows; row++, columns += stride) {
		struct tap tap = tap_of_row(windows, row);
		int64_t y = first / width, x = first % width;
		struct run run;

		if (shift) {
			run = shift_of(windows, &tap, first, count);
			run_gather(&run, 1, image, columns);
			clear_border(windows, &tap, count, columns);
			continue;
		}
		for (int64_t i = 0; i < count; i += run.count, y++, x = 0) {
			run = run_at(windows, &tap, y, x, count - i);
			run_gather(&run, windows->stride[WIDTH], image,
				   columns + i);
		}
	}
}

void im2col_scatter(const struct im2col *windows, float *columns, int64_t first,
		    int64_t count, int64_t stride, float *image)
{
	int64_t rows = im2col_rows(windows), width = windows->windows[WIDTH];
	bool shift = is_shift(windows, first, count);

	for (int64_t row = 0; row < rows; row++, columns += stride) {
		struct tap tap = tap_of_row(windows, row);
		int64_t y = first / width, x = first % width;
		struct run run;

		if (shift) {
			run = shift_of(windows, &tap, first, count);
			clear_border(windows, &tap, count, columns);
			run_scatter(&run, 1, columns, image);
			continue;
		}
		for (int64_t i = 0; i < count; i += run.count, y++, x = 0) {
			run = run_at(windows, &tap, y, x, count - i);
			run_scatter(&run, windows->stride[WIDTH], columns + i,
				    image);
		}
	}
}
