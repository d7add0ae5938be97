/* SPDX-License-Identifier: MIT */
/* LSTM and GRU against ONNX's equations, one scalar at a time. */
#include "unit.h"

#include <string.h>

#include "one_node.h"

#define STEPS 5
#define BATCH 3
#define INPUTS 4
#define HIDDEN 6

enum { X, WEIGHT, RECURRENCE, BIAS, STATE, CELL };

/* The reference's states: [direction][batch][hidden]. */
static double h[2][BATCH][HIDDEN], c[2][BATCH][HIDDEN];
static double y[STEPS][BATCH][2 * HIDDEN];

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double from_input(const struct one_node *one, int64_t gates, int d,
			 int t, int n, int row)
{
	const float *w =
		one->values[WEIGHT] + (d * gates * HIDDEN + row) * INPUTS;
	double sum = 0;

	if (one->values[BIAS])
		sum = (double)one->values[BIAS][d * 2 * gates * HIDDEN + row];
	for (int i = 0; i < INPUTS; i++)
		sum += (double)w[i] *
		       (double)one->values[X][(t * BATCH + n) * INPUTS + i];
	return sum;
}

static double from_state(const struct one_node *one, int64_t gates, int d,
			 const double *state, int row)
{
	const float *r =
		one->values[RECURRENCE] + (d * gates * HIDDEN + row) * HIDDEN;
	double sum = 0;

	if (one->values[BIAS])
		sum = (double)one->values[BIAS]
					 [(2 * d + 1) * gates * HIDDEN + row];
	for (int i = 0; i < HIDDEN; i++)
		sum += (double)r[i] * state[i];
	return sum;
}

static void lstm_step(const struct one_node *one, int d, int t, int n)
{
	double old[HIDDEN];

	memcpy(old, h[d][n], sizeof(old));
	for (int i = 0; i < HIDDEN; i++) {
		double gate[4];

		for (int g = 0; g < 4; g++)
			gate[g] = from_input(one, 4, d, t, n, g * HIDDEN + i) +
				  from_state(one, 4, d, old, g * HIDDEN + i);
		c[d][n][i] = sigmoid(gate[2]) * c[d][n][i] +
			     sigmoid(gate[0]) * tanh(gate[3]);
		h[d][n][i] = sigmoid(gate[1]) * tanh(c[d][n][i]);
	}
}

static void gru_step(const struct one_node *one, int d, int t, int n)
{
	double old[HIDDEN], reset[HIDDEN], gated[HIDDEN];

	memcpy(old, h[d][n], sizeof(old));
	for (int i = 0; i < HIDDEN; i++) {
		int row = HIDDEN + i;

		reset[i] = sigmoid(from_input(one, 3, d, t, n, row) +
				   from_state(one, 3, d, old, row));
		gated[i] = reset[i] * old[i];
	}
	for (int i = 0; i < HIDDEN; i++) {
		int row = 2 * HIDDEN + i;
		double z = sigmoid(from_input(one, 3, d, t, n, i) +
				   from_state(one, 3, d, old, i));
		double candidate = from_input(one, 3, d, t, n, row);

		if (one->node->recurrent.linear_before_reset)
			candidate += reset[i] * from_state(one, 3, d, old, row);
		else
			candidate += from_state(one, 3, d, gated, row);
		h[d][n][i] = (1 - z) * tanh(candidate) + z * old[i];
	}
}

static void reference(const struct one_node *one, int d, bool reverse)
{
	bool lstm = one->node->op == GRAPH_LSTM;

	for (int n = 0; n < BATCH; n++)
		for (int i = 0; i < HIDDEN; i++) {
			int64_t at = (d * BATCH + n) * HIDDEN + i;

			h[d][n][i] = one->values[STATE] ?
					     (double)one->values[STATE][at] :
					     0;
			c[d][n][i] = one->values[CELL] ?
					     (double)one->values[CELL][at] :
					     0;
		}
	for (int s = 0; s < STEPS; s++)
		for (int n = 0; n < BATCH; n++) {
			int t = reverse ? STEPS - 1 - s : s;

			if (lstm)
				lstm_step(one, d, t, n);
			else
				gru_step(one, d, t, n);
			memcpy(&y[t][n][d * HIDDEN], h[d][n], sizeof(h[d][n]));
		}
}

static void compare_state(const float *result,
			  double (*expected)[BATCH][HIDDEN], int directions)
{
	for (int d = 0; d < directions; d++)
		for (int n = 0; n < BATCH; n++)
			for (int i = 0; i < HIDDEN; i++)
				assert_close((double)*result++,
					     expected[d][n][i], 10);
}

static void compare(struct one_node *one, int directions)
{
	const float *result = one_node_result(one, 0);

	for (int t = 0; t < STEPS; t++)
		for (int n = 0; n < BATCH; n++)
			for (int i = 0; i < directions * HIDDEN; i++)
				assert_close((double)*result++, y[t][n][i], 10);
	compare_state(one_node_result(one, 1), h, directions);
	if (one->node->op == GRAPH_LSTM)
		compare_state(one_node_result(one, 2), c, directions);
}

static void recurrent(enum graph_op op, enum graph_direction direction,
		      bool with_bias, bool with_state, bool linear)
{
	int directions = direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	int64_t rows = (op == GRAPH_LSTM ? 4 : 3) * HIDDEN;
	struct graph_shape absent = { .rank = -1 };
	struct graph_shape state = SHAPE(directions, BATCH, HIDDEN);
	struct graph_shape shapes[6] = {
		SHAPE(STEPS, BATCH, INPUTS),
		SHAPE(directions, rows, INPUTS),
		SHAPE(directions, rows, HIDDEN),
		with_bias ? SHAPE(directions, 2 * rows) : absent,
		with_state ? state : absent,
		with_state ? state : absent,
	};
	bool lstm = op == GRAPH_LSTM;
	struct one_node one =
		one_node_create(op, lstm ? 6 : 5, shapes, 1, 4, lstm ? 3 : 2);

	one.node->recurrent = (struct graph_recurrent){
		.hidden = HIDDEN,
		.direction = direction,
		.linear_before_reset = linear,
	};
	one_node_run(&one);
	for (int d = 0; d < directions; d++)
		reference(&one, d, direction == GRAPH_REVERSE || d == 1);
	compare(&one, directions);
	one_node_destroy(&one);
}

static void every_variant(enum graph_op op, bool linear)
{
	for (int variant = 0; variant < 12; variant++)
		recurrent(op, variant / 4, variant & 1, variant & 2, linear);
}

static void lstm_follows_its_equations(void **state)
{
	(void)state;
	every_variant(GRAPH_LSTM, false);
}

static void gru_follows_its_equations(void **state)
{
	(void)state;
	every_variant(GRAPH_GRU, false);
	every_variant(GRAPH_GRU, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lstm_follows_its_equations),
		cmocka_unit_test(gru_follows_its_equations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
