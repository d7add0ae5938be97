/* SPDX-License-Identifier: MIT */
/* Operators that move or pool elements: every element has to come from its place. */
#include "unit.h"

#include "one_node.h"

static struct graph_shape random_shape(int rank, int64_t longest)
{
	struct graph_shape shape = { .rank = rank };

	for (int i = 0; i < rank; i++)
		shape.dims[i] = random_integer(1, longest);
	return shape;
}

static void split_index(const struct graph_shape *shape, int64_t element,
			int64_t *index)
{
	for (int i = shape->rank - 1; i >= 0; i--) {
		index[i] = element % shape->dims[i];
		element /= shape->dims[i];
	}
}

static int64_t join_index(const struct graph_shape *shape, const int64_t *index)
{
	int64_t element = 0;

	for (int i = 0; i < shape->rank; i++)
		element = element * shape->dims[i] + index[i];
	return element;
}

static void concat_joins_along_its_axis(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct graph_shape shapes[3];
		int rank = (int)random_integer(1, 4);
		int axis = (int)random_integer(0, rank - 1);
		struct one_node one;
		const struct graph_shape *y;

		shapes[0] = shapes[1] = shapes[2] = random_shape(rank, 5);
		for (int i = 0; i < 3; i++)
			shapes[i].dims[axis] = random_integer(1, 4);
		one = one_node_create(GRAPH_CONCAT, 3, shapes, 1, 2, 1);
		one.node->axis = axis;
		one_node_run(&one);
		y = one_node_shape(&one, 0);
		for (int64_t i = 0; i < graph_shape_count(y); i++) {
			int64_t index[GRAPH_MAX_RANK];
			int part = 0;

			split_index(y, i, index);
			while (index[axis] >= shapes[part].dims[axis])
				index[axis] -= shapes[part++].dims[axis];
			assert_true(one_node_result(&one, 0)[i] ==
				    one.values[part][join_index(&shapes[part],
								index)]);
		}
		one_node_destroy(&one);
	}
}

static void slice_takes_its_elements(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		int rank = (int)random_integer(1, 4);
		struct graph_shape x = random_shape(rank, 9);
		int axis = (int)random_integer(0, rank - 1);
		int64_t length = x.dims[axis];
		int64_t start = random_integer(0, length - 1);
		int64_t end = random_integer(start + 1, length);
		struct one_node one =
			one_node_create(GRAPH_SLICE, 1, &x, 1, 1, 1);
		const struct graph_shape *y;

		one.node->slice = (struct graph_slice){
			.axis = axis,
			.start = round % 2 ? start - length : start,
			.end = end == length ? GRAPH_SLICE_END : end,
			.step = random_integer(1, 3),
		};
		one_node_run(&one);
		y = one_node_shape(&one, 0);
		assert_int_equal(y->dims[axis],
				 (end - start + one.node->slice.step - 1) /
					 one.node->slice.step);
		for (int64_t i = 0; i < graph_shape_count(y); i++) {
			int64_t index[GRAPH_MAX_RANK];

			split_index(y, i, index);
			index[axis] =
				start + index[axis] * one.node->slice.step;
			assert_true(one_node_result(&one, 0)[i] ==
				    one.values[0][join_index(&x, index)]);
		}
		one_node_destroy(&one);
	}
}

/* Reflection and repetition of an index, one step at a time. */
static int64_t walk_inside(int64_t index, int64_t length,
			   enum graph_pad_mode mode)
{
	while (index < 0 || index >= length) {
		if (mode == GRAPH_PAD_CONSTANT)
			return -1;
		if (mode == GRAPH_PAD_EDGE)
			index += index < 0 ? 1 : -1;
		else
			index = index < 0 ? -index : 2 * (length - 1) - index;
	}
	return index;
}

static void pad_fills_by_its_mode(void **state)
{
	(void)state;
	for (int round = 0; round < 150; round++) {
		struct graph_shape x = random_shape(4, 5);
		struct one_node one =
			one_node_create(GRAPH_PAD, 1, &x, 1, 1, 1);
		struct graph_pad *pad = &one.node->pad;
		const struct graph_shape *y;

		*pad = (struct graph_pad){ .mode = round % 3, .value = 7.5f };
		for (int i = 0; i < 4; i++) {
			/* a single element cannot be reflected */
			int64_t most = x.dims[i] - 1;

			pad->before[i] = random_integer(0, most);
			pad->after[i] = random_integer(0, most);
		}
		one_node_run(&one);
		y = one_node_shape(&one, 0);
		for (int64_t i = 0; i < graph_shape_count(y); i++) {
			int64_t index[GRAPH_MAX_RANK];
			float expected = pad->value;
			bool inside = true;

			split_index(y, i, index);
			for (int a = 0; a < 4; a++) {
				index[a] =
					walk_inside(index[a] - pad->before[a],
						    x.dims[a], pad->mode);
				inside = inside && index[a] >= 0;
			}
			if (inside)
				expected = one.values[0][join_index(&x, index)];
			assert_true(one_node_result(&one, 0)[i] == expected);
		}
		one_node_destroy(&one);
	}
}

static void transpose_permutes_axes(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		int rank = (int)random_integer(1, 5);
		struct graph_shape x = random_shape(rank, 4);
		struct one_node one =
			one_node_create(GRAPH_TRANSPOSE, 1, &x, 1, 1, 1);
		int *perm = one.node->transpose.perm;
		const struct graph_shape *y;

		for (int i = 0; i < rank; i++) {
			int j = (int)random_integer(0, i);

			perm[i] = perm[j];
			perm[j] = i;
		}
		one_node_run(&one);
		y = one_node_shape(&one, 0);
		for (int64_t i = 0; i < graph_shape_count(y); i++) {
			int64_t index[GRAPH_MAX_RANK], from[GRAPH_MAX_RANK];

			split_index(y, i, index);
			for (int a = 0; a < rank; a++)
				from[perm[a]] = index[a];
			assert_true(one_node_result(&one, 0)[i] ==
				    one.values[0][join_index(&x, from)]);
		}
		one_node_destroy(&one);
	}
}

static void reshape_keeps_the_order(void **state)
{
	struct graph_shape x = SHAPE(2, 3, 4);
	struct one_node one = one_node_create(GRAPH_RESHAPE, 1, &x, 1, 1, 1);

	(void)state;
	one.node->reshape = (struct graph_reshape){
		.rank = 2,
		.dims = { { .axis = 0, .numerator = 1, .denominator = 1 },
			  { .axis = GRAPH_RESHAPE_REST,
			    .numerator = 1,
			    .denominator = 1 } },
	};
	one_node_run(&one);
	assert_int_equal(one_node_shape(&one, 0)->dims[1], 12);
	assert_memory_equal(one_node_result(&one, 0), one.values[0],
			    24 * sizeof(float));
	one_node_destroy(&one);
}

/* ONNX's definition of DepthToSpace: a reshape, a transposition, a reshape. */
static void depth_to_space(bool crd)
{
	struct graph_shape x = SHAPE(2, 3 * 9, 2, 4);
	struct one_node one =
		one_node_create(GRAPH_DEPTH_TO_SPACE, 1, &x, 1, 1, 1);
	const struct graph_shape *y;

	one.node->depth_to_space =
		(struct graph_depth_to_space){ .block = 3, .crd = crd };
	one_node_run(&one);
	y = one_node_shape(&one, 0);
	assert_int_equal(graph_shape_count(y), graph_shape_count(&x));
	for (int64_t i = 0; i < graph_shape_count(&x); i++) {
		int64_t from[GRAPH_MAX_RANK];
		int64_t to[4];

		split_index(&x, i, from);
		to[0] = from[0];
		to[1] = crd ? from[1] / 9 : from[1] % 3;
		to[2] = from[2] * 3 + (crd ? from[1] / 3 % 3 : from[1] / 3 / 3);
		to[3] = from[3] * 3 + (crd ? from[1] % 3 : from[1] / 3 % 3);
		assert_true(one_node_result(&one, 0)[join_index(y, to)] ==
			    one.values[0][i]);
	}
	one_node_destroy(&one);
}

static void depth_to_space_has_two_orders(void **state)
{
	(void)state;
	depth_to_space(true);
	depth_to_space(false);
}

static void resize_repeats_pixels(void **state)
{
	struct graph_shape x = SHAPE(2, 3, 4, 5);
	struct one_node one =
		one_node_create(GRAPH_RESIZE_NEAREST, 1, &x, 1, 1, 1);
	const struct graph_shape *y;

	(void)state;
	one.node->resize = (struct graph_resize){ .scale = { 2, 3 } };
	one_node_run(&one);
	y = one_node_shape(&one, 0);
	for (int64_t i = 0; i < graph_shape_count(y); i++) {
		int64_t index[GRAPH_MAX_RANK];

		split_index(y, i, index);
		index[2] /= 2;
		index[3] /= 3;
		assert_true(one_node_result(&one, 0)[i] ==
			    one.values[0][join_index(&x, index)]);
	}
	one_node_destroy(&one);
}

/* One pooled value by the definition; padding is outside [0, size). */
static double pooled(const struct one_node *one, const float *plane,
		     const struct graph_shape *x, int64_t row, int64_t column)
{
	const struct graph_pool *pool = &one->node->pool;
	double largest = -INFINITY, sum = 0;
	int64_t inside = 0, padded = 0;

	for (int64_t i = 0; i < pool->kernel[0]; i++)
		for (int64_t j = 0; j < pool->kernel[1]; j++) {
			int64_t y = row * pool->stride[0] +
				    i * pool->dilation[0] - pool->pads[0];
			int64_t z = column * pool->stride[1] +
				    j * pool->dilation[1] - pool->pads[1];

			padded += y < x->dims[2] + pool->pads[2] &&
				  z < x->dims[3] + pool->pads[3];
			if (y < 0 || z < 0 || y >= x->dims[2] ||
			    z >= x->dims[3])
				continue;
			inside++;
			sum += (double)plane[y * x->dims[3] + z];
			largest = fmax(largest,
				       (double)plane[y * x->dims[3] + z]);
		}
	if (one->node->op == GRAPH_MAX_POOL)
		return largest;
	return sum / (double)(pool->count_include_pad ? padded : inside);
}

static void random_pool(enum graph_op op)
{
	struct graph_shape x =
		SHAPE(2, 2, random_integer(6, 12), random_integer(6, 12));
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_pool *pool = &one.node->pool;
	const struct graph_shape *y;

	*pool = (struct graph_pool){
		.ceil_mode = random_integer(0, 1),
		.count_include_pad = random_integer(0, 1),
	};
	for (int i = 0; i < 2; i++) {
		pool->kernel[i] = random_integer(1, 3);
		pool->stride[i] = random_integer(1, 3);
		pool->dilation[i] =
			op == GRAPH_MAX_POOL ? random_integer(1, 2) : 1;
		pool->pads[i] = random_integer(0, pool->kernel[i] / 2);
		pool->pads[2 + i] = random_integer(0, pool->kernel[i] / 2);
	}
	one_node_run(&one);
	y = one_node_shape(&one, 0);
	for (int64_t i = 0; i < graph_shape_count(y); i++) {
		int64_t index[GRAPH_MAX_RANK];
		const float *plane;

		split_index(y, i, index);
		plane = one.values[0] +
			(index[0] * 2 + index[1]) * x.dims[2] * x.dims[3];
		assert_close((double)one_node_result(&one, 0)[i],
			     pooled(&one, plane, &x, index[2], index[3]), 1);
	}
	one_node_destroy(&one);
}

static void pools_fold_their_windows(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		random_pool(GRAPH_MAX_POOL);
		random_pool(GRAPH_AVERAGE_POOL);
	}
}

/* Else a network that diverged would look healthy behind the next pool. */
static void largest_is_nan_where_one_is(void **state)
{
	struct graph_shape x = SHAPE(1, 1, 1, 4);
	struct one_node one = one_node_create(GRAPH_MAX_POOL, 1, &x, 1, 1, 1);

	(void)state;
	one.node->pool = (struct graph_pool){ .kernel = { 1, 4 },
					      .stride = { 1, 1 },
					      .dilation = { 1, 1 } };
	one.values[0][1] = NAN;
	one_node_run(&one);
	assert_true(isnan(one_node_result(&one, 0)[0]));
	one_node_destroy(&one);
}

static void global_pool_averages_planes(void **state)
{
	struct graph_shape x = SHAPE(2, 3, 4, 5);
	struct one_node one =
		one_node_create(GRAPH_GLOBAL_AVERAGE_POOL, 1, &x, 1, 1, 1);

	(void)state;
	one_node_run(&one);
	for (int plane = 0; plane < 6; plane++) {
		double sum = 0;

		for (int i = 0; i < 20; i++)
			sum += (double)one.values[0][plane * 20 + i];
		assert_close((double)one_node_result(&one, 0)[plane], sum / 20,
			     1);
	}
	one_node_destroy(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concat_joins_along_its_axis),
		cmocka_unit_test(slice_takes_its_elements),
		cmocka_unit_test(pad_fills_by_its_mode),
		cmocka_unit_test(transpose_permutes_axes),
		cmocka_unit_test(reshape_keeps_the_order),
		cmocka_unit_test(depth_to_space_has_two_orders),
		cmocka_unit_test(resize_repeats_pixels),
		cmocka_unit_test(pools_fold_their_windows),
		cmocka_unit_test(largest_is_nan_where_one_is),
		cmocka_unit_test(global_pool_averages_planes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
