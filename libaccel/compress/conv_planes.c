/* SPDX-License-Identifier: MIT */
#include <compress/conv_planes.h>

#include <string.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Both sides' planes of some pictures, so that they stay in a second-level cache. */
#define CACHE_FLOATS (160 * 1024)
/* Elements of a cache line, which vectors are aligned to. */
#define LINE 16

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t round_up(int64_t value, int64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static int64_t divide_down(int64_t value, int64_t divisor)
{
	return value >= 0 ? value / divisor :
			    -((-value + divisor - 1) / divisor);
}

/* Whole steps from a window to what a tap of an axis sees. */
static int64_t shift_of(const struct conv_planes *p, int axis, int64_t tap)
{
	return divide_down(tap * p->dilation[axis] - p->pad[axis],
			   p->image.step[axis]);
}

/* How far taps reach before and behind the window, in steps. */
static int64_t before(const struct conv_planes *p, int axis)
{
	return larger(0, -shift_of(p, axis, 0));
}

static int64_t behind(const struct conv_planes *p, int axis)
{
	return larger(0, shift_of(p, axis, p->kernel[axis] - 1));
}

/* Rows or columns of the largest phase. */
static int64_t steps_of(const struct conv_side *side, int axis)
{
	return (side->size[axis] + side->step[axis] - 1) / side->step[axis];
}

/* Rows or columns of both sides' planes, with zeros that the taps reach; they serve
 * the row or picture before as well as that behind. */
static int64_t extent(const struct conv_planes *p, int axis)
{
	return larger(steps_of(&p->grid, axis) + behind(p, axis),
		      steps_of(&p->image, axis) + before(p, axis));
}

static struct conv_side side_of(const struct graph_shape *shape, int64_t group)
{
	return (struct conv_side){
		.channels = shape->dims[CHANNELS] / group,
		.size = { shape->dims[HEIGHT], shape->dims[WIDTH] },
		.step = { 1, 1 },
		.picture = shape->dims[CHANNELS] * shape->dims[HEIGHT] *
			   shape->dims[WIDTH],
	};
}

static void place(struct conv_planes *p)
{
	int64_t channels = p->image.channels * conv_side_phases(&p->image) +
			   p->grid.channels;
	int64_t reach;

	p->rows = extent(p, 0);
	p->pitch = extent(p, 1);
	p->pictures = CACHE_FLOATS / (channels * p->rows * p->pitch);
	p->pictures = smaller(larger(p->pictures, 1), p->batch);
	reach = larger(before(p, 0), behind(p, 0)) * p->pitch +
		larger(before(p, 1), behind(p, 1));
	p->lead = round_up(reach, LINE);
	p->span = round_up(p->pictures * p->rows * p->pitch, LINE) + CONV_TILE;
}

struct conv_planes conv_planes_create(const struct graph_node *node,
				      const struct graph_shape *x,
				      const struct graph_shape *y)
{
	const struct graph_conv *conv = &node->conv;
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	struct conv_planes p = {
		.image = side_of(transposed ? y : x, conv->group),
		.grid = side_of(transposed ? x : y, conv->group),
		.batch = x->dims[BATCH],
		.group = conv->group,
	};
	int64_t pads[4];

	graph_conv_pads(node, x->dims[HEIGHT], x->dims[WIDTH], pads);
	for (int i = 0; i < 2; i++) {
		p.image.step[i] = conv->stride[i];
		p.kernel[i] = conv->kernel[i];
		p.dilation[i] = conv->dilation[i];
		p.pad[i] = pads[i];
	}
	place(&p);
	return p;
}

struct conv_tap conv_planes_tap(const struct conv_planes *p, int64_t tap)
{
	const int64_t taps[2] = { tap / p->kernel[1], tap % p->kernel[1] };
	int64_t shift[2], phase[2];

	for (int i = 0; i < 2; i++) {
		shift[i] = shift_of(p, i, taps[i]);
		phase[i] = taps[i] * p->dilation[i] - p->pad[i] -
			   shift[i] * p->image.step[i];
	}
	return (struct conv_tap){
		.phase = phase[0] * p->image.step[1] + phase[1],
		.offset = shift[0] * p->pitch + shift[1],
	};
}

int64_t conv_planes_stride(const struct conv_planes *planes)
{
	return planes->lead + planes->span;
}

int64_t conv_side_phases(const struct conv_side *side)
{
	return side->step[0] * side->step[1];
}

int64_t conv_side_length(const struct conv_planes *planes,
			 const struct conv_side *side)
{
	return (steps_of(side, 0) - 1) * planes->pitch + steps_of(side, 1);
}

int64_t conv_side_floats(const struct conv_planes *planes,
			 const struct conv_side *side)
{
	return side->channels * conv_side_phases(side) *
		       conv_planes_stride(planes) +
	       planes->lead;
}

static void load_row(const float *from, int64_t step, int64_t count, float *to)
{
	if (step == 1)
		memcpy(to, from, (size_t)count * sizeof(*to));
	else if (step == 2)
		for (int64_t i = 0; i < count; i++)
			to[i] = from[i * 2];
	else
		for (int64_t i = 0; i < count; i++)
			to[i] = from[i * step];
}

static void add_row(const float *from, int64_t step, int64_t count, float *to)
{
	if (step == 1)
		for (int64_t i = 0; i < count; i++)
			to[i] += from[i];
	else if (step == 2)
		for (int64_t i = 0; i < count; i++)
			to[i * 2] += from[i];
	else
		for (int64_t i = 0; i < count; i++)
			to[i * step] += from[i];
}

/**
 * struct phase - one phase of one channel
 * @plane: index
 * @pixel: of the channel's picture, the first one of the phase
 * @count: pixels of it; height, width
 */
struct phase {
	int64_t plane;
	int64_t pixel;
	int64_t count[2];
};

static struct phase phase_of(const struct conv_side *side, int64_t plane)
{
	int64_t phases = conv_side_phases(side);
	const int64_t place[2] = { plane % phases / side->step[1],
				   plane % side->step[1] };
	struct phase phase = {
		.plane = plane,
		.pixel = (plane / phases * side->size[0] + place[0]) *
				 side->size[1] +
			 place[1],
	};

	for (int i = 0; i < 2; i++)
		phase.count[i] = larger(0, side->size[i] - place[i] +
						   side->step[i] - 1) /
				 side->step[i];
	return phase;
}

/* The first element of a row of picture i of those in the planes. */
static int64_t row_at(const struct conv_planes *p, const struct phase *phase,
		      int64_t i, int64_t row)
{
	return phase->plane * conv_planes_stride(p) + p->lead +
	       (i * p->rows + row) * p->pitch;
}

static int64_t pixel_at(const struct conv_side *side, const struct phase *phase,
			int64_t picture, int64_t row)
{
	return picture * side->picture + phase->pixel +
	       row * side->step[0] * side->size[1];
}

void conv_planes_load(const struct conv_planes *p, const struct conv_side *side,
		      int64_t picture, const float *values, float *result)
{
	int64_t planes = side->channels * conv_side_phases(side);
	int64_t stride = conv_planes_stride(p);
	int64_t pictures = smaller(p->pictures, p->batch - picture);

	for (int64_t plane = 0; plane < planes; plane++) {
		struct phase phase = phase_of(side, plane);

		memset(result + plane * stride, 0,
		       (size_t)stride * sizeof(*result));
		for (int64_t i = 0; i < pictures; i++)
			for (int64_t row = 0; row < phase.count[0]; row++)
				load_row(values + pixel_at(side, &phase,
							   picture + i, row),
					 side->step[1], phase.count[1],
					 result + row_at(p, &phase, i, row));
	}
	memset(result + planes * stride, 0, (size_t)p->lead * sizeof(*result));
}

void conv_planes_add(const struct conv_planes *p, const struct conv_side *side,
		     int64_t picture, const float *result, float *values)
{
	int64_t planes = side->channels * conv_side_phases(side);
	int64_t pictures = smaller(p->pictures, p->batch - picture);

	for (int64_t i = 0; i < pictures; i++)
		for (int64_t plane = 0; plane < planes; plane++) {
			struct phase phase = phase_of(side, plane);

			for (int64_t row = 0; row < phase.count[0]; row++)
				add_row(result + row_at(p, &phase, i, row),
					side->step[1], phase.count[1],
					values + pixel_at(side, &phase,
							  picture + i, row));
		}
}
