/* SPDX-License-Identifier: MIT */
#include <compress/broadcast.h>
#include <compress/operator.h>

static void find_strides(struct broadcast *b, int operand,
			 const struct graph_shape *shape)
{
	int missing = b->shape->rank - shape->rank;
	int64_t stride = 1;

	for (int axis = shape->rank - 1; axis >= 0; axis--) {
		bool repeats = shape->dims[axis] == 1;

		b->stride[operand][missing + axis] = repeats ? 0 : stride;
		stride *= shape->dims[axis];
	}
}

struct broadcast broadcast_begin(const struct graph_shape *result,
				 const struct graph_shape *a,
				 const struct graph_shape *b)
{
	int last = result->rank - 1;
	struct broadcast broadcast = {
		.shape = result,
		.width = last < 0 ? 1 : result->dims[last],
		.rows = last < 0 ? 1 : operator_extent(result, 0, last),
	};

	find_strides(&broadcast, 0, a);
	find_strides(&broadcast, 1, b);
	return broadcast;
}

void broadcast_next_row(struct broadcast *b)
{
	for (int axis = b->shape->rank - 2; axis >= 0; axis--) {
		int64_t back;

		b->index[axis]++;
		b->offset[0] += b->stride[0][axis];
		b->offset[1] += b->stride[1][axis];
		if (b->index[axis] < b->shape->dims[axis])
			return;
		back = b->index[axis];
		b->index[axis] = 0;
		b->offset[0] -= back * b->stride[0][axis];
		b->offset[1] -= back * b->stride[1][axis];
	}
}

int64_t broadcast_row_stride(const struct broadcast *b, int operand)
{
	int last = b->shape->rank - 1;

	return last < 0 ? 0 : b->stride[operand][last];
}
