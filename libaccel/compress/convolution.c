/* SPDX-License-Identifier: MIT */
#include <compress/convolution.h>

#include <string.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* A grid of fewer pixels makes products that are mostly overhead. */
#define FEW_PIXELS 128

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool convolution_may_flip(const struct graph_node *node)
{
	return node->conv.stride[0] == 1 && node->conv.stride[1] == 1;
}

static struct im2col windows_over(const struct graph_node *node,
				  const struct graph_shape *image,
				  const struct graph_shape *grid,
				  const int64_t *pads, bool flipped)
{
	const struct graph_conv *conv = &node->conv;
	struct im2col windows = {
		.channels = image->dims[CHANNELS] / conv->group,
	};

	for (int i = 0; i < 2; i++) {
		int64_t reach = conv->dilation[i] * (conv->kernel[i] - 1);

		windows.image[i] = image->dims[HEIGHT + i];
		windows.windows[i] = grid->dims[HEIGHT + i];
		windows.kernel[i] = conv->kernel[i];
		windows.stride[i] = conv->stride[i];
		windows.dilation[i] = conv->dilation[i];
		windows.pad[i] = flipped ? reach - pads[i] : pads[i];
	}
	return windows;
}

/* Tiles of several pictures, of one, or of some rows of one. */
static void cut_tiles(struct convolution *c)
{
	int64_t width = c->windows.windows[1];
	int64_t tile = im2col_tile(c->rows, c->batch * c->pixels);

	c->pictures = 1;
	c->count = smaller(tile, c->pixels);
	if (c->pixels < FEW_PIXELS)
		c->pictures = tile / c->pixels;
	if (c->pictures > 1)
		return;
	c->pictures = 1;
	/* Gathering whole rows is faster. */
	if (c->count > width)
		c->count -= c->count % width;
}

struct convolution convolution_create(const struct graph_node *node,
				      const struct graph_shape *x,
				      const struct graph_shape *y,
				      bool image_is_x)
{
	const struct graph_shape *image = image_is_x ? x : y;
	const struct graph_shape *grid = image_is_x ? y : x;
	struct convolution c = {
		.batch = x->dims[BATCH],
		.group = node->conv.group,
		.flipped = image_is_x != (node->op == GRAPH_CONV),
	};
	int64_t pads[4];

	graph_conv_pads(node, x->dims[HEIGHT], x->dims[WIDTH], pads);
	c.windows = windows_over(node, image, grid, pads, c.flipped);
	c.rows = im2col_rows(&c.windows);
	c.channels = grid->dims[CHANNELS] / c.group;
	c.pixels = c.windows.windows[0] * c.windows.windows[1];
	c.image_size =
		c.windows.channels * c.windows.image[0] * c.windows.image[1];
	cut_tiles(&c);
	return c;
}

int64_t convolution_weight_size(const struct convolution *c)
{
	return c->channels * c->rows;
}

/* Element (grid channel, image channel, tap) of the flipped weight is that of
 * (image channel, grid channel, last tap − tap) of the weight. */
static int64_t unflipped(const struct convolution *c, int64_t row,
			 int64_t column)
{
	int64_t taps = c->rows / c->windows.channels;
	int64_t channel = column / taps, tap = column % taps;

	return (channel * c->channels + row) * taps + taps - 1 - tap;
}

void convolution_flip(const struct convolution *c, const float *weight,
		      float *flipped)
{
	for (int64_t row = 0; row < c->channels; row++)
		for (int64_t i = 0; i < c->rows; i++)
			flipped[row * c->rows + i] =
				weight[unflipped(c, row, i)];
}

void convolution_add_flipped(const struct convolution *c, const float *flipped,
			     float *weight)
{
	for (int64_t row = 0; row < c->channels; row++)
		for (int64_t i = 0; i < c->rows; i++)
			weight[unflipped(c, row, i)] +=
				flipped[row * c->rows + i];
}

static int64_t tile_columns(const struct convolution_tile *tile)
{
	return tile->pictures * tile->count;
}

/* Where a tile of several pictures holds its part of the grid. */
static float *grid_part(const struct convolution *c,
			const struct convolution_tile *tile)
{
	return tile->workspace + c->rows * tile_columns(tile);
}

int64_t convolution_tile_floats(const struct convolution *c)
{
	int64_t columns = c->pictures * c->count;

	if (c->pictures == 1)
		return c->rows * columns;
	return (c->rows + c->channels) * columns;
}

static int64_t tiles_of_picture(const struct convolution *c)
{
	return (c->pixels + c->count - 1) / c->count;
}

int64_t convolution_tile_count(const struct convolution *c)
{
	if (c->pictures > 1)
		return (c->batch + c->pictures - 1) / c->pictures;
	return c->batch * tiles_of_picture(c);
}

struct convolution_tile convolution_tile(const struct convolution *c,
					 int64_t index, float *workspace)
{
	struct convolution_tile tile = {
		.pictures = 1,
		.count = c->count,
		.workspace = workspace,
	};

	if (c->pictures > 1) {
		tile.picture = index * c->pictures;
		tile.pictures = smaller(c->pictures, c->batch - tile.picture);
		return tile;
	}
	tile.picture = index / tiles_of_picture(c);
	tile.first = index % tiles_of_picture(c) * c->count;
	tile.count = smaller(c->count, c->pixels - tile.first);
	return tile;
}

/* A picture's part of the image; const as its reader has it. */
static int64_t image_at(const struct convolution *c, int64_t picture)
{
	return picture * c->group * c->image_size;
}

static int64_t grid_at(const struct convolution *c,
		       const struct convolution_tile *tile, int64_t i)
{
	return (tile->picture + i) * c->group * c->channels * c->pixels +
	       tile->first;
}

void convolution_columns(const struct convolution *c,
			 struct convolution_tile *tile, const float *image)
{
	int64_t stride = tile_columns(tile);

	image += image_at(c, tile->picture);
	if (tile->pictures == 1 && im2col_is_image(&c->windows)) {
		tile->columns =
			(struct blas_matrix){ .values = image + tile->first,
					      .stride = c->pixels };
		return;
	}
	tile->columns = (struct blas_matrix){ .values = tile->workspace,
					      .stride = stride };
	for (int64_t i = 0; i < tile->pictures; i++)
		im2col_gather(&c->windows, image + image_at(c, i), tile->first,
			      tile->count, tile->workspace + i * tile->count,
			      stride);
}

/* The tile's part of the grid as a matrix: in place, or of several pictures put
 * side by side. */
static struct blas_matrix load_grid(const struct convolution *c,
				    const struct convolution_tile *tile,
				    const float *grid)
{
	int64_t stride = tile_columns(tile);
	float *part = grid_part(c, tile);

	if (tile->pictures == 1)
		return (struct blas_matrix){ .values =
						     grid + grid_at(c, tile, 0),
					     .stride = c->pixels };
	for (int64_t i = 0; i < tile->pictures; i++)
		for (int64_t row = 0; row < c->channels; row++)
			memcpy(part + row * stride + i * tile->count,
			       grid + grid_at(c, tile, i) + row * c->pixels,
			       (size_t)tile->count * sizeof(*part));
	return (struct blas_matrix){ .values = part, .stride = stride };
}

static void add_to_grid(const struct convolution *c,
			const struct convolution_tile *tile, float *grid)
{
	const float *part = grid_part(c, tile);
	int64_t stride = tile_columns(tile);

	for (int64_t i = 0; i < tile->pictures; i++)
		for (int64_t row = 0; row < c->channels; row++) {
			const float *from =
				part + row * stride + i * tile->count;
			float *to =
				grid + grid_at(c, tile, i) + row * c->pixels;

			for (int64_t k = 0; k < tile->count; k++)
				to[k] += from[k];
		}
}

int convolution_into_grid(const struct convolution *c,
			  const struct convolution_tile *tile,
			  const float *weight, float *grid)
{
	const struct blas_matrix a = { .values = weight, .stride = c->rows };
	int64_t columns = tile_columns(tile);
	int ret;

	if (tile->pictures == 1)
		return blas_multiply(c->channels, columns, c->rows, a,
				     tile->columns, 1,
				     grid + grid_at(c, tile, 0), c->pixels);
	ret = blas_multiply(c->channels, columns, c->rows, a, tile->columns, 0,
			    grid_part(c, tile), columns);
	if (!ret)
		add_to_grid(c, tile, grid);
	return ret;
}

int convolution_into_image(const struct convolution *c,
			   const struct convolution_tile *tile,
			   const float *weight, const float *grid, float *image)
{
	const struct blas_matrix a = { .values = weight,
				       .stride = c->rows,
				       .transposed = true };
	int64_t columns = tile_columns(tile);
	int ret;

	image += image_at(c, tile->picture);
	if (tile->pictures == 1 && im2col_is_image(&c->windows))
		return blas_multiply(c->rows, columns, c->channels, a,
				     load_grid(c, tile, grid), 1,
				     image + tile->first, c->pixels);
	ret = blas_multiply(c->rows, columns, c->channels, a,
			    load_grid(c, tile, grid), 0, tile->workspace,
			    columns);
	for (int64_t i = 0; i < tile->pictures && !ret; i++)
		im2col_scatter(&c->windows, tile->workspace + i * tile->count,
			       tile->first, tile->count, columns,
			       image + image_at(c, i));
	return ret;
}

int convolution_into_weight(const struct convolution *c,
			    const struct convolution_tile *tile,
			    const float *grid, float *weight)
{
	struct blas_matrix columns = tile->columns;

	columns.transposed = true;
	return blas_multiply(c->channels, c->rows, tile_columns(tile),
			     load_grid(c, tile, grid), columns, 1, weight,
			     c->rows);
}
