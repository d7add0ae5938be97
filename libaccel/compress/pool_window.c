/* SPDX-License-Identifier: MIT */
#include <compress/pool_window.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

struct pool_window pool_window_at(const struct graph_pool *pool,
				  const int64_t pads[4],
				  const struct graph_shape *x, int64_t row,
				  int64_t column)
{
	const int64_t position[2] = { row, column };
	struct pool_window window = { .padded = 1 };

	for (int i = 0; i < 2; i++) {
		int64_t size = x->dims[HEIGHT + i];
		int64_t step = pool->dilation[i];
		int64_t start = position[i] * pool->stride[i] - pads[i];
		int64_t end = start + (pool->kernel[i] - 1) * step + 1;
		int64_t limit = size + pads[i + 2];
		int64_t last = end < limit ? end : limit;

		window.padded *= (last - start + step - 1) / step;
		while (start < 0)
			start += step;
		window.first[i] = start;
		window.end[i] = end < size ? end : size;
		window.step[i] = step;
	}
	return window;
}

int64_t pool_window_count(const struct pool_window *window, bool count_padding)
{
	int64_t count = 1;

	if (count_padding)
		return window->padded;
	for (int i = 0; i < 2; i++) {
		int64_t span = window->end[i] - window->first[i];

		count *= span > 0 ? (span + window->step[i] - 1) /
					    window->step[i] :
				    0;
	}
	return count;
}

int64_t pool_window_largest(const struct pool_window *w, const float *plane,
			    int64_t width)
{
	int64_t largest = -1;

	for (int64_t y = w->first[0]; y < w->end[0]; y += w->step[0])
		for (int64_t x = w->first[1]; x < w->end[1]; x += w->step[1]) {
			int64_t at = y * width + x;

			/* a network that diverged must not look healthy */
			if (plane[at] != plane[at])
				return at;
			if (largest < 0 || plane[at] > plane[largest])
				largest = at;
		}
	return largest;
}
