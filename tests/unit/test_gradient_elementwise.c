/* SPDX-License-Identifier: MIT */
/* The way back through all operators that have no matrix to multiply with. */
#include "unit.h"

#include "gradient_check.h"

#define ROUNDS 40

/* A power of two: random values stay exact when it is added. */
#define STEP 0x1p-6f
#define TOLERANCE 1e-3

static struct graph_shape random_shape(int rank, int64_t longest)
{
	struct graph_shape shape = { .rank = rank };

	for (int i = 0; i < rank; i++)
		shape.dims[i] = random_integer(1, longest);
	return shape;
}

/* Move what lies too near to a kink for a difference across it. */
static void avoid(float *values, int64_t count, double kink)
{
	for (int64_t i = 0; i < count; i++)
		if (fabs((double)values[i] - kink) <= 2 * (double)STEP)
			values[i] += 5 * STEP;
}

/* ---- one random node of each kind ---- */

static struct one_node unary_node(enum graph_op op)
{
	struct graph_shape x = random_shape((int)random_integer(0, 4), 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_unary *unary = &one.node->unary;
	int64_t count = graph_shape_count(&x);

	*unary = (struct graph_unary){
		.alpha = 0.25f + (float)random_integer(0, 8) / 16,
		.beta = (float)random_integer(-4, 4) / 8,
		.low = -1.5f + (float)random_integer(0, 8) / 8,
		.high = 0.25f + (float)random_integer(0, 8) / 8,
	};
	for (int64_t i = 0; i < count; i++)
		one.values[0][i] *= 2;
	if (op == GRAPH_CLIP && random_integer(0, 3) == 0)
		unary->high = INFINITY;
	/* twice: out of one kink's way may be into another's */
	for (int i = 0; i < 2; i++) {
		avoid(one.values[0], count, 0);
		avoid(one.values[0], count, -3);
		avoid(one.values[0], count, 3);
		avoid(one.values[0], count, (double)unary->low);
		avoid(one.values[0], count, (double)unary->high);
		avoid(one.values[0], count,
		      (double)(-unary->beta / unary->alpha));
		avoid(one.values[0], count,
		      (double)((1 - unary->beta) / unary->alpha));
	}
	return one;
}

static struct one_node prelu_node(enum graph_op op)
{
	struct graph_shape shapes[2] = { random_shape(4, 4), { 1, { 1 } } };
	int axis = (int)random_integer(0, 3);
	struct one_node one;

	if (random_integer(0, 2))
		shapes[1].dims[0] = shapes[0].dims[axis];
	one = one_node_create(op, 2, shapes, 1, 2, 1);
	one.node->axis = axis;
	avoid(one.values[0], graph_shape_count(&shapes[0]), 0);
	return one;
}

/* Each operand lacks some of the result's axes, or has length 1 there. */
static struct one_node broadcast_node(enum graph_op op)
{
	struct graph_shape full = random_shape((int)random_integer(0, 4), 4);
	struct graph_shape shapes[2];

	for (int operand = 0; operand < 2; operand++) {
		int drop = (int)random_integer(0, full.rank);

		if (random_integer(0, 1))
			drop = 0;
		shapes[operand].rank = full.rank - drop;
		for (int i = drop; i < full.rank; i++)
			shapes[operand].dims[i - drop] =
				random_integer(0, 2) ? full.dims[i] : 1;
	}
	return one_node_create(op, 2, shapes, (int)random_integer(0, 2), 2, 1);
}

static struct one_node affine_node(enum graph_op op)
{
	struct graph_shape shapes[3] = { random_shape(4, 4),
					 { 1, { 1 } },
					 { 1, { 1 } } };
	int axis = (int)random_integer(0, 3);
	struct one_node one;

	for (int i = 1; i < 3; i++)
		if (random_integer(0, 2))
			shapes[i].dims[0] = shapes[0].dims[axis];
	one = one_node_create(op, 3, shapes, 1, 3, 1);
	one.node->axis = axis;
	return one;
}

static struct one_node concat_node(enum graph_op op)
{
	int count = (int)random_integer(2, 4);
	int rank = (int)random_integer(1, 4);
	int axis = (int)random_integer(0, rank - 1);
	struct graph_shape x = random_shape(rank, 3);
	struct graph_shape shapes[4] = { x, x, x, x };
	struct one_node one;

	for (int i = 0; i < count; i++)
		shapes[i].dims[axis] = random_integer(1, 4);
	one = one_node_create(op, count, shapes, 1, 2, 1);
	one.node->axis = axis;
	return one;
}

static struct one_node slice_node(enum graph_op op)
{
	int rank = (int)random_integer(1, 4);
	struct graph_shape x = random_shape(rank, 7);
	int axis = (int)random_integer(0, rank - 1);
	int64_t start = random_integer(0, x.dims[axis] - 1);
	int64_t end = random_integer(start + 1, x.dims[axis]);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->slice = (struct graph_slice){
		.axis = axis,
		.start = random_integer(0, 1) ? start : start - x.dims[axis],
		.end = end == x.dims[axis] ? GRAPH_SLICE_END : end,
		.step = random_integer(1, 3),
	};
	return one;
}

static struct one_node pad_node(enum graph_op op)
{
	struct graph_shape x = random_shape((int)random_integer(1, 4), 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_pad *pad = &one.node->pad;

	*pad = (struct graph_pad){ .mode = random_integer(0, 2),
				   .value = 1.5f };
	for (int i = 0; i < x.rank; i++) {
		/* a reflection is shorter than what it reflects */
		int64_t most = pad->mode == GRAPH_PAD_REFLECT ? x.dims[i] - 1 :
								3;

		pad->before[i] = random_integer(0, most);
		pad->after[i] = random_integer(0, most);
	}
	return one;
}

static struct one_node reshape_node(enum graph_op op)
{
	struct graph_shape x = random_shape(3, 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->reshape = (struct graph_reshape){
		.rank = 2,
		.dims = { { 0, 1, 1 }, { GRAPH_RESHAPE_REST, 1, 1 } },
	};
	return one;
}

static struct one_node transpose_node(enum graph_op op)
{
	int rank = (int)random_integer(1, 5);
	struct graph_shape x = random_shape(rank, 3);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	int *perm = one.node->transpose.perm;

	for (int i = 0; i < rank; i++) {
		int j = (int)random_integer(0, i);

		perm[i] = perm[j];
		perm[j] = i;
	}
	return one;
}

static struct one_node depth_to_space_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 3);
	int64_t block = random_integer(2, 3);
	struct one_node one;

	x.dims[1] *= block * block;
	one = one_node_create(op, 1, &x, 1, 1, 1);
	one.node->depth_to_space = (struct graph_depth_to_space){
		.block = block,
		.crd = random_integer(0, 1),
	};
	return one;
}

static struct one_node resize_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->resize = (struct graph_resize){
		.scale = { random_integer(1, 3), random_integer(1, 3) },
	};
	return one;
}

/* No two values so near that a difference could change which is larger. */
static void part_values(float *values, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		int64_t j = random_integer(0, i);

		values[i] = values[j];
		values[j] = (float)(i - count / 2) * 6 * STEP;
	}
}

static struct one_node pool_node(enum graph_op op)
{
	struct graph_shape x = SHAPE(random_integer(1, 2), random_integer(1, 2),
				     random_integer(6, 9),
				     random_integer(6, 9));
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_pool *pool = &one.node->pool;

	*pool = (struct graph_pool){
		.auto_pad = random_integer(0, 3) ? GRAPH_PAD_EXPLICIT :
						   random_integer(0, 2),
		.ceil_mode = random_integer(0, 1),
		.count_include_pad = random_integer(0, 1),
	};
	for (int i = 0; i < 2; i++) {
		pool->kernel[i] = random_integer(1, 3);
		pool->stride[i] = random_integer(1, 3);
		pool->dilation[i] =
			op == GRAPH_MAX_POOL ? random_integer(1, 2) : 1;
		if (pool->auto_pad != GRAPH_PAD_EXPLICIT)
			continue;
		pool->pads[i] = random_integer(0, pool->kernel[i] / 2);
		pool->pads[2 + i] = random_integer(0, pool->kernel[i] / 2);
	}
	part_values(one.values[0], graph_shape_count(&x));
	return one;
}

static struct one_node global_pool_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 5);

	return one_node_create(op, 1, &x, 1, 1, 1);
}

/* Where products have their tests. */
static struct one_node elsewhere(enum graph_op op)
{
	(void)op;
	fail_msg("not for running");
	return (struct one_node){ 0 };
}

static struct one_node (*const make[GRAPH_OP_COUNT])(enum graph_op op) = {
	[GRAPH_CONV] = elsewhere, /* test_gradient_conv.c */
	[GRAPH_CONV_TRANSPOSE] = elsewhere,
	[GRAPH_GEMM] = elsewhere,
	[GRAPH_RELU] = unary_node,
	[GRAPH_LEAKY_RELU] = unary_node,
	[GRAPH_PRELU] = prelu_node,
	[GRAPH_CLIP] = unary_node,
	[GRAPH_SIGMOID] = unary_node,
	[GRAPH_TANH] = unary_node,
	[GRAPH_HARD_SIGMOID] = unary_node,
	[GRAPH_HARD_SWISH] = unary_node,
	[GRAPH_ELU] = unary_node,
	[GRAPH_SOFTPLUS] = unary_node,
	[GRAPH_SILU] = unary_node,
	[GRAPH_GELU] = unary_node,
	[GRAPH_EXP] = unary_node,
	[GRAPH_ABS] = unary_node,
	[GRAPH_ADD] = broadcast_node,
	[GRAPH_MULTIPLY] = broadcast_node,
	[GRAPH_AFFINE] = affine_node,
	[GRAPH_CONCAT] = concat_node,
	[GRAPH_SLICE] = slice_node,
	[GRAPH_PAD] = pad_node,
	[GRAPH_RESHAPE] = reshape_node,
	[GRAPH_TRANSPOSE] = transpose_node,
	[GRAPH_DEPTH_TO_SPACE] = depth_to_space_node,
	[GRAPH_RESIZE_NEAREST] = resize_node,
	[GRAPH_MAX_POOL] = pool_node,
	[GRAPH_AVERAGE_POOL] = pool_node,
	[GRAPH_GLOBAL_AVERAGE_POOL] = global_pool_node,
	[GRAPH_LSTM] = elsewhere, /* test_gradient_recurrent.c */
	[GRAPH_GRU] = elsewhere,
};

static void every_operator_has_a_test(void **state)
{
	(void)state;
	for (int op = 0; op < GRAPH_OP_COUNT; op++)
		if (!make[op])
			fail_msg("%s has none", graph_op_name(op));
}

/* Where no loss depends on the output, gradients stay as they are. */
static void assert_none_without_loss(struct one_node *one)
{
	struct gradient_check check = gradient_check_create(one);
	const float *weights = check.weights[0];

	gradient_check_link(&check);
	check.weights[0] = NULL;
	gradient_check_back(&check, ~0u);
	for (int i = 0; i < one->node->input_count; i++)
		assert_memory_equal(
			check.gradients[i], check.before[i],
			(size_t)operator_count(check.inputs[i].shape) *
				sizeof(float));
	check.weights[0] = weights;
	gradient_check_forget(&check);
	gradient_check_destroy(&check);
}

static void gradients_are_finite_differences(void **state)
{
	(void)state;
	for (int op = 0; op < GRAPH_OP_COUNT; op++)
		for (int i = 0; make[op] != elsewhere && i < ROUNDS; i++) {
			struct one_node one = make[op]((enum graph_op)op);

			gradient_check(&one, ~0u, STEP, TOLERANCE);
			assert_none_without_loss(&one);
			one_node_destroy(&one);
		}
}

/* ---- where there is no derivative, PyTorch's choice ---- */

static float slope_at(enum graph_op op, const struct graph_unary *unary,
		      float x)
{
	const struct graph_shape shape = SHAPE(1);
	const struct graph_node node = { .op = op, .unary = *unary };
	const struct operator_value input = { &shape, &x };
	const struct operator_value output = { &shape, NULL };
	const float one = 1, *weight = &one;
	float slope = 0, *gradient = &slope;
	const struct gradient_call call = { &node,   &input,	&output,
					    &weight, &gradient, NULL };

	assert_int_equal(gradient_run(&call), 0);
	return slope;
}

static void kinks_are_as_in_pytorch(void **state)
{
	const struct graph_unary unary = {
		.alpha = 0.25f, .beta = 0.5f, .low = -1, .high = 2
	};

	(void)state;
	assert_true(slope_at(GRAPH_RELU, &unary, 0) == 0);
	assert_true(slope_at(GRAPH_LEAKY_RELU, &unary, 0) == 0.25f);
	assert_true(slope_at(GRAPH_ELU, &unary, 0) == 0.25f);
	assert_true(slope_at(GRAPH_ABS, &unary, 0) == 0);
	assert_true(slope_at(GRAPH_CLIP, &unary, -1) == 1);
	assert_true(slope_at(GRAPH_CLIP, &unary, 2) == 1);
	assert_true(slope_at(GRAPH_HARD_SIGMOID, &unary, -2) == 0);
	assert_true(slope_at(GRAPH_HARD_SIGMOID, &unary, 2) == 0);
	assert_true(slope_at(GRAPH_HARD_SWISH, &unary, 3) == 1);
}

static void slopes_stay_finite_far_out(void **state)
{
	static const enum graph_op ops[] = { GRAPH_SIGMOID,  GRAPH_TANH,
					     GRAPH_SOFTPLUS, GRAPH_SILU,
					     GRAPH_GELU,     GRAPH_ELU };
	const struct graph_unary unary = { .alpha = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		for (float x = -1000; x <= 1000; x += 125)
			assert_true(isfinite(slope_at(ops[i], &unary, x)));
}

static void first_maximum_takes_the_gradient(void **state)
{
	const struct graph_node node = {
		.op = GRAPH_MAX_POOL,
		.pool = { .kernel = { 2, 2 },
			  .stride = { 2, 2 },
			  .dilation = { 1, 1 } },
	};
	const struct graph_shape wide = SHAPE(1, 1, 2, 4);
	const struct graph_shape narrow = SHAPE(1, 1, 1, 2);
	float values[8] = { 1, 1, 0, 1, 1, 1, 1, 1 };
	const struct operator_value x = { &wide, values };
	const struct operator_value y = { &narrow, NULL };
	const float dy[2] = { 5, 7 }, *out = dy;
	const float expected[8] = { 5, 0, 0, 7, 0, 0, 0, 0 };
	float dx[8] = { 0 }, *in = dx;
	const struct gradient_call call = { &node, &x, &y, &out, &in, NULL };

	(void)state;
	assert_int_equal(gradient_run(&call), 0);
	assert_memory_equal(dx, expected, sizeof(dx));
}

/* x·x has one array for both of its gradients. */
static void operands_may_be_one_tensor(void **state)
{
	const struct graph_node node = { .op = GRAPH_MULTIPLY };
	const struct graph_shape shape = SHAPE(2);
	float values[2] = { 3, -5 };
	const struct operator_value x[2] = { { &shape, values },
					     { &shape, values } };
	const struct operator_value y = { &shape, NULL };
	const float dy[2] = { 1, 2 }, *out = dy;
	float dx[2] = { 0 }, *in[2] = { dx, dx };
	const struct gradient_call call = { &node, x, &y, &out, in, NULL };

	(void)state;
	assert_int_equal(gradient_run(&call), 0);
	assert_true(dx[0] == 6);
	assert_true(dx[1] == -20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operator_has_a_test),
		cmocka_unit_test(gradients_are_finite_differences),
		cmocka_unit_test(kinks_are_as_in_pytorch),
		cmocka_unit_test(slopes_stay_finite_far_out),
		cmocka_unit_test(first_maximum_takes_the_gradient),
		cmocka_unit_test(operands_may_be_one_tensor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
