/* SPDX-License-Identifier: MIT */
/* Activations, sums and products against their definitions. */
#include "unit.h"

#include "one_node.h"

static const struct graph_unary parameters = {
	.alpha = 0.3f,
	.beta = 0.6f,
	.low = -0.7f,
	.high = 0.9f,
};

static double clip(double x, double low, double high)
{
	return fmin(fmax(x, low), high);
}

static double reference(enum graph_op op, double x)
{
	double alpha = (double)parameters.alpha;
	double sigmoid = 1 / (1 + exp(-x));

	switch (op) {
	case GRAPH_RELU:
		return fmax(x, 0);
	case GRAPH_LEAKY_RELU:
		return x < 0 ? alpha * x : x;
	case GRAPH_CLIP:
		return clip(x, (double)parameters.low, (double)parameters.high);
	case GRAPH_SIGMOID:
		return sigmoid;
	case GRAPH_TANH:
		return tanh(x);
	case GRAPH_HARD_SIGMOID:
		return clip(alpha * x + (double)parameters.beta, 0, 1);
	case GRAPH_HARD_SWISH:
		return x * clip(x / 6 + 0.5, 0, 1);
	case GRAPH_ELU:
		return x < 0 ? alpha * (exp(x) - 1) : x;
	case GRAPH_SOFTPLUS:
		return log(1 + exp(x));
	case GRAPH_SILU:
		return x * sigmoid;
	case GRAPH_GELU:
		return x * (1 + erf(x / sqrt(2))) / 2;
	case GRAPH_EXP:
		return exp(x);
	default:
		return fabs(x);
	}
}

static void activations_follow_their_formulas(void **state)
{
	static const enum graph_op ops[] = {
		GRAPH_RELU,	  GRAPH_LEAKY_RELU, GRAPH_CLIP,
		GRAPH_SIGMOID,	  GRAPH_TANH,	    GRAPH_HARD_SIGMOID,
		GRAPH_HARD_SWISH, GRAPH_ELU,	    GRAPH_SOFTPLUS,
		GRAPH_SILU,	  GRAPH_GELU,	    GRAPH_EXP,
		GRAPH_ABS,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		struct graph_shape shape = SHAPE(2, 3, 100);
		struct one_node one =
			one_node_create(ops[i], 1, &shape, 1, 1, 1);

		one.node->unary = parameters;
		one_node_run(&one);
		for (int j = 0; j < 600; j++) {
			double expected =
				reference(ops[i], (double)one.values[0][j]);

			assert_close((double)one_node_result(&one, 0)[j],
				     expected, fabs(expected));
		}
		one_node_destroy(&one);
	}
}

static void not_a_number_stays_one(void **state)
{
	static const enum graph_op ops[] = { GRAPH_RELU, GRAPH_LEAKY_RELU,
					     GRAPH_CLIP, GRAPH_HARD_SIGMOID };

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		struct graph_shape shape = SHAPE(1, 1);
		struct one_node one =
			one_node_create(ops[i], 1, &shape, 1, 1, 1);

		one.node->unary = parameters;
		one.values[0][0] = NAN;
		one_node_run(&one);
		assert_true(isnan(one_node_result(&one, 0)[0]));
		one_node_destroy(&one);
	}
}

/* PRelu and Affine with parameters for each element of an axis, or one for all. */
static void per_axis(enum graph_op op, int axis, bool shared)
{
	struct graph_shape x = SHAPE(2, 5, 3, 4);
	struct graph_shape per = SHAPE(shared ? 1 : x.dims[axis]);
	struct graph_shape shapes[3] = { x, per, per };
	struct one_node one =
		one_node_create(op, op == GRAPH_PRELU ? 2 : 3, shapes, 1, 3, 1);
	int64_t inner = 1;

	for (int i = axis + 1; i < 4; i++)
		inner *= x.dims[i];
	one.node->axis = axis;
	one_node_run(&one);
	for (int64_t i = 0; i < 120; i++) {
		int64_t c = shared ? 0 : i / inner % x.dims[axis];
		double v = (double)one.values[0][i];
		double p = (double)one.values[1][c];
		double expected = v < 0 ? p * v : v;

		if (op == GRAPH_AFFINE)
			expected = v * p + (double)one.values[2][c];
		assert_close((double)one_node_result(&one, 0)[i], expected, 4);
	}
	one_node_destroy(&one);
}

static void parameters_follow_their_axis(void **state)
{
	(void)state;
	for (int axis = 0; axis < 4; axis++)
		for (int shared = 0; shared < 2; shared++) {
			per_axis(GRAPH_PRELU, axis, shared);
			per_axis(GRAPH_AFFINE, axis, shared);
		}
}

/* The element of an operand that ONNX's broadcasting puts at a position. */
static double broadcast_at(const float *values, const struct graph_shape *shape,
			   const struct graph_shape *result, int64_t element)
{
	int64_t index = 0, stride = 1;

	for (int i = 1; i <= shape->rank; i++) {
		int64_t at = element % result->dims[result->rank - i];

		if (shape->dims[shape->rank - i] != 1)
			index += at * stride;
		stride *= shape->dims[shape->rank - i];
		element /= result->dims[result->rank - i];
	}
	return (double)values[index];
}

static void random_broadcast(enum graph_op op)
{
	struct graph_shape shapes[2] = { { .rank = (int)random_integer(1, 4) },
					 { .rank = (int)random_integer(1,
								       4) } };
	int64_t lengths[4];
	struct one_node one;
	const struct graph_shape *y;

	for (int i = 0; i < 4; i++)
		lengths[i] = random_integer(1, 5);
	for (int s = 0; s < 2; s++)
		for (int i = 0; i < shapes[s].rank; i++)
			shapes[s].dims[shapes[s].rank - 1 - i] =
				random_integer(0, 2) ? lengths[i] : 1;
	one = one_node_create(op, 2, shapes, 1, (int)random_integer(1, 2), 1);
	one_node_run(&one);
	y = one_node_shape(&one, 0);
	for (int64_t i = 0; i < graph_shape_count(y); i++) {
		double a = broadcast_at(one.values[0], &shapes[0], y, i);
		double b = broadcast_at(one.values[1], &shapes[1], y, i);

		assert_close((double)one_node_result(&one, 0)[i],
			     op == GRAPH_ADD ? a + b : a * b, 4);
	}
	one_node_destroy(&one);
}

static void operands_are_broadcast(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		random_broadcast(GRAPH_ADD);
		random_broadcast(GRAPH_MULTIPLY);
	}
}

static void random_gemm(void)
{
	int64_t rows = random_integer(1, 9), inner = random_integer(1, 3);
	int64_t k = random_integer(1, 70), m = random_integer(1, 40);
	struct graph_shape shapes[3] = { SHAPE(rows, inner, k), SHAPE(m, k),
					 SHAPE(m) };
	struct one_node one = one_node_create(
		GRAPH_GEMM, (int)random_integer(2, 3), shapes, 1, 3, 1);

	one_node_run(&one);
	for (int64_t i = 0; i < rows * inner * m; i++) {
		double sum = one.values[2] ? (double)one.values[2][i % m] : 0;

		for (int64_t j = 0; j < k; j++)
			sum += (double)one.values[0][i / m * k + j] *
			       (double)one.values[1][i % m * k + j];
		assert_close((double)one_node_result(&one, 0)[i], sum,
			     4 * (double)k);
	}
	one_node_destroy(&one);
}

static void gemm_sums_over_the_last_axis(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		random_gemm();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(activations_follow_their_formulas),
		cmocka_unit_test(not_a_number_stays_one),
		cmocka_unit_test(parameters_follow_their_axis),
		cmocka_unit_test(operands_are_broadcast),
		cmocka_unit_test(gemm_sums_over_the_last_axis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
