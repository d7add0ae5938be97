/* SPDX-License-Identifier: MIT */
/* The way back through every operator: what it adds, and what it leaves alone. */
#include "unit.h"

#include "gradient_check.h"
#include "random_node.h"

#define ROUNDS 40
#define TOLERANCE 1e-3

static void every_operator_has_a_test(void **state)
{
	(void)state;
	for (int op = 0; op < GRAPH_OP_COUNT; op++)
		if (!random_node[op])
			fail_msg("%s has none", graph_op_name(op));
}

/* Where no loss depends on the outputs, gradients stay as they are. */
static void assert_none_without_loss(struct one_node *one)
{
	struct gradient_check check = gradient_check_create(one);
	const float *weights[ONE_NODE_TENSORS];

	gradient_check_link(&check);
	memcpy(weights, check.weights, sizeof(weights));
	memset(check.weights, 0, sizeof(check.weights));
	gradient_check_back(&check, ~0u);
	for (int i = 0; i < one->node->input_count; i++)
		if (check.gradients[i])
			assert_memory_equal(
				check.gradients[i], check.before[i],
				(size_t)operator_count(check.inputs[i].shape) *
					sizeof(float));
	memcpy(check.weights, weights, sizeof(weights));
	gradient_check_forget(&check);
	gradient_check_destroy(&check);
}

static void gradients_are_finite_differences(void **state)
{
	(void)state;
	for (int op = 0; op < GRAPH_OP_COUNT; op++)
		for (int i = 0; i < ROUNDS; i++) {
			struct one_node one =
				random_node[op]((enum graph_op)op);

			gradient_check(&one, ~0u, RANDOM_NODE_STEP, TOLERANCE);
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
