/* SPDX-License-Identifier: MIT */
#include <compress/conv_direct.h>
#include <compress/conv_kernel.h>

/* Larger planes of one picture are left to tiles of columns. */
#define PLANES_MAX (1024 * 1024)
/* Where shifts begin to be faster than columns, as measured on Zen 4. */
#define CHANNELS_MIN 16
#define PIXELS_MIN 32
/* On the way back columns serve two products. */
#define PIXELS_MIN_BACK 128

/**
 * struct tables - a group's weight and offsets as the kernels want them
 * @weight: packed
 * @offsets: of its depth
 * @image: planes of the image, from the first row on
 * @grid: planes of the grid, likewise
 */
struct tables {
	float *weight;
	int32_t *offsets;
	float *image, *grid;
};

static int64_t taps_of(const struct conv_planes *p)
{
	return p->kernel[0] * p->kernel[1];
}

/* Elements of a row of the weight [grid channels][image channels · taps]. */
static int64_t depth_of(const struct conv_planes *p)
{
	return p->image.channels * taps_of(p);
}

static int64_t weight_size(const struct conv_planes *p)
{
	return p->grid.channels * depth_of(p);
}

/*
 * Columns cost least where one side has few channels, or there is one tap; and the
 * zeros between the rows of small pictures are multiplied too.
 */
static bool pays(const struct conv_planes *p, bool back)
{
	return taps_of(p) > 1 && p->image.channels >= CHANNELS_MIN &&
	       p->grid.channels >= CHANNELS_MIN &&
	       p->grid.size[0] * p->grid.size[1] >=
		       (back ? PIXELS_MIN_BACK : PIXELS_MIN);
}

bool conv_direct_create(struct conv_direct *direct,
			const struct graph_node *node,
			const struct graph_shape *x,
			const struct graph_shape *y, bool back)
{
	const struct conv_planes *p = &direct->planes;

	direct->planes = conv_planes_create(node, x, y);
	direct->image_is_x = node->op == GRAPH_CONV;
	return conv_kernel_is_supported() && pays(p, back) &&
	       conv_side_floats(p, &p->image) + conv_side_floats(p, &p->grid) <=
		       PLANES_MAX;
}

int64_t conv_direct_workspace(const struct conv_direct *direct)
{
	const struct conv_planes *p = &direct->planes;

	/* The offsets are as many as the weights of a row or a column. */
	return conv_side_floats(p, &p->image) + conv_side_floats(p, &p->grid) +
	       weight_size(p) + depth_of(p) + p->grid.channels * taps_of(p) +
	       CONV_TILE;
}

/* Planes begin at a cache line, as far as the workspace lets them. */
static struct tables tables_of(const struct conv_planes *p, float *workspace)
{
	uintptr_t line = 64, at = (uintptr_t)workspace % line;
	float *image = workspace + (at ? (line - at) / sizeof(float) : 0);
	float *grid = image + conv_side_floats(p, &p->image);
	float *weight = grid + conv_side_floats(p, &p->grid);

	return (struct tables){
		.image = image,
		.grid = grid,
		.weight = weight,
		.offsets = (int32_t *)(void *)(weight + weight_size(p)),
	};
}

/* The pictures in a side's planes, but for the zeros below them. */
static struct conv_range range_of(const struct conv_planes *p,
				  const struct conv_side *side)
{
	return (struct conv_range){
		.pieces = p->pictures,
		.step = p->rows * p->pitch,
		.length = conv_side_length(p, side),
	};
}

/* ---- grid = weight · shifts of the image ---- */

static void image_offsets(const struct conv_planes *p, int32_t *offsets)
{
	int64_t taps = taps_of(p), phases = conv_side_phases(&p->image);

	for (int64_t tap = 0; tap < taps; tap++) {
		struct conv_tap t = conv_planes_tap(p, tap);

		for (int64_t c = 0; c < p->image.channels; c++)
			offsets[c * taps + tap] =
				(int32_t)((c * phases + t.phase) *
						  conv_planes_stride(p) +
					  t.offset);
	}
}

static void pack_for_grid(const struct conv_planes *p, const float *weight,
			  float *packed)
{
	int64_t rows = p->grid.channels, depth = depth_of(p);

	for (int64_t first = 0, block; first < rows; first += block) {
		block = conv_kernel_block(rows, first);
		for (int64_t row = first; row < first + block; row++)
			for (int64_t k = 0; k < depth; k++)
				packed[first * depth + k * block + row - first] =
					weight[row * depth + k];
	}
}

static struct conv_shifts image_shifts(const struct conv_planes *p,
				       const struct tables *t)
{
	return (struct conv_shifts){
		.values = t->image + p->lead,
		.offsets = t->offsets,
		.depth = depth_of(p),
	};
}

static void into_grid(const struct conv_planes *p, const struct tables *t)
{
	struct conv_shifts shifts = image_shifts(p, t);
	struct conv_range range = range_of(p, &p->grid);

	conv_kernel_multiply(t->weight, p->grid.channels, &shifts, &range,
			     t->grid + p->lead, conv_planes_stride(p));
}

/* ---- image = weightᵀ · shifts of the grid, phase by phase ---- */

/* The place of a tap among those of its phase, and how many there are. */
static int64_t place_of(const struct conv_planes *p, int64_t tap,
			int64_t *count)
{
	int64_t phase = conv_planes_tap(p, tap).phase, place = 0;

	*count = 0;
	for (int64_t other = 0; other < taps_of(p); other++) {
		if (conv_planes_tap(p, other).phase != phase)
			continue;
		if (other < tap)
			place++;
		++*count;
	}
	return place;
}

/* Taps of the phases before a tap's. */
static int64_t taps_before(const struct conv_planes *p, int64_t phase)
{
	int64_t count = 0;

	for (int64_t tap = 0; tap < taps_of(p); tap++)
		count += conv_planes_tap(p, tap).phase < phase;
	return count;
}

static void pack_tap(const struct conv_planes *p, const float *weight,
		     int64_t tap, struct tables *t)
{
	struct conv_tap at = conv_planes_tap(p, tap);
	int64_t taps = taps_of(p), rows = p->image.channels, count;
	int64_t place = place_of(p, tap, &count);
	int64_t first = taps_before(p, at.phase) * p->grid.channels;
	int64_t depth = p->grid.channels * count;
	float *packed = t->weight + first * rows;

	for (int64_t m = 0; m < p->grid.channels; m++) {
		int64_t k = m * count + place;

		t->offsets[first + k] =
			(int32_t)(m * conv_planes_stride(p) - at.offset);
		for (int64_t row = 0, block; row < rows; row += block) {
			block = conv_kernel_block(rows, row);
			for (int64_t i = 0; i < block; i++)
				packed[row * depth + k * block + i] =
					weight[(m * rows + row + i) * taps +
					       tap];
		}
	}
}

static void into_image(const struct conv_planes *p, const struct tables *t)
{
	int64_t phases = conv_side_phases(&p->image);
	int64_t stride = conv_planes_stride(p);
	struct conv_range range = range_of(p, &p->image);

	for (int64_t phase = 0; phase < phases; phase++) {
		int64_t first = taps_before(p, phase) * p->grid.channels;
		int64_t end = taps_before(p, phase + 1) * p->grid.channels;
		struct conv_shifts shifts = {
			.values = t->grid + p->lead,
			.offsets = t->offsets + first,
			.depth = end - first,
		};

		conv_kernel_multiply(t->weight + first * p->image.channels,
				     p->image.channels, &shifts, &range,
				     t->image + phase * stride + p->lead,
				     phases * stride);
	}
}

/* ---- all pictures and groups ---- */

/* The tables of one of the two products with a group's weight. */
static void prepare(const struct conv_planes *p, const float *weight,
		    bool for_grid, struct tables *t)
{
	if (for_grid) {
		pack_for_grid(p, weight, t->weight);
		image_offsets(p, t->offsets);
	} else {
		for (int64_t tap = 0; tap < taps_of(p); tap++)
			pack_tap(p, weight, tap, t);
	}
}

static int64_t part_of(const struct conv_side *side, int64_t group)
{
	return group * side->channels * side->size[0] * side->size[1];
}

/* grid += weight · columns of the image, or image += the way back of that */
static void add_product(const struct conv_planes *p, bool to_grid,
			int64_t group, const float *from, const float *weight,
			float *to, struct tables *t)
{
	const struct conv_side *source = to_grid ? &p->image : &p->grid;
	const struct conv_side *target = to_grid ? &p->grid : &p->image;

	from += part_of(source, group);
	to += part_of(target, group);
	prepare(p, weight + group * weight_size(p), to_grid, t);
	for (int64_t i = 0; i < p->batch; i += p->pictures) {
		conv_planes_load(p, source, i, from,
				 to_grid ? t->image : t->grid);
		if (to_grid)
			into_grid(p, t);
		else
			into_image(p, t);
		conv_planes_add(p, target, i, to_grid ? t->grid : t->image, to);
	}
}

static void add_weight(const struct conv_planes *p, int64_t group,
		       const float *image, const float *grid, float *weight,
		       struct tables *t)
{
	struct conv_shifts shifts = image_shifts(p, t);
	struct conv_range range = range_of(p, &p->grid);

	image += part_of(&p->image, group);
	grid += part_of(&p->grid, group);
	image_offsets(p, t->offsets);
	for (int64_t i = 0; i < p->batch; i += p->pictures) {
		conv_planes_load(p, &p->image, i, image, t->image);
		conv_planes_load(p, &p->grid, i, grid, t->grid);
		conv_kernel_correlate(t->grid + p->lead, p->grid.channels,
				      conv_planes_stride(p), &shifts, &range,
				      weight + group * weight_size(p));
	}
}

void conv_direct_run(const struct conv_direct *direct, const float *x,
		     const float *weight, float *y, float *workspace)
{
	const struct conv_planes *p = &direct->planes;
	struct tables t = tables_of(p, workspace);

	for (int64_t group = 0; group < p->group; group++)
		add_product(p, direct->image_is_x, group, x, weight, y, &t);
}

void conv_direct_back(const struct conv_direct *direct, const float *x,
		      const float *weight, const float *dy, float *dx,
		      float *dw, float *workspace)
{
	const struct conv_planes *p = &direct->planes;
	struct tables t = tables_of(p, workspace);
	const float *image = direct->image_is_x ? x : dy;
	const float *grid = direct->image_is_x ? dy : x;

	for (int64_t group = 0; group < p->group; group++) {
		if (dw)
			add_weight(p, group, image, grid, dw, &t);
		if (dx)
			add_product(p, !direct->image_is_x, group, dy, weight,
				    dx, &t);
	}
}
