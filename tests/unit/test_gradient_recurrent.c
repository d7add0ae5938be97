/* SPDX-License-Identifier: MIT */
/* LSTM and GRU through all their steps, in every direction. */
#include "unit.h"

#include "gradient_check.h"

#define STEPS 4
#define BATCH 3
#define INPUTS 3
#define HIDDEN 5
#define STEP 0.03f
#define TOLERANCE 1e-3
#define ALL 63u

static void recurrent(enum graph_op op, enum graph_direction direction,
		      bool with_bias, bool with_state, bool linear, int outputs)
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
	struct one_node one = one_node_create(op, op == GRAPH_LSTM ? 6 : 5,
					      shapes, 1, 4, outputs);

	one.node->recurrent = (struct graph_recurrent){
		.hidden = HIDDEN,
		.direction = direction,
		.linear_before_reset = linear,
	};
	gradient_check(&one, ALL, STEP, TOLERANCE);
	one_node_destroy(&one);
}

static void every_variant(enum graph_op op, bool linear)
{
	int outputs = op == GRAPH_LSTM ? 3 : 2;

	for (int variant = 0; variant < 12; variant++)
		recurrent(op, variant / 4, variant & 1, variant & 2, linear,
			  variant == 3 ? 1 : outputs);
}

static void lstm_has_its_gradients(void **state)
{
	(void)state;
	every_variant(GRAPH_LSTM, false);
}

static void gru_has_its_gradients(void **state)
{
	(void)state;
	every_variant(GRAPH_GRU, false);
	every_variant(GRAPH_GRU, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lstm_has_its_gradients),
		cmocka_unit_test(gru_has_its_gradients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
