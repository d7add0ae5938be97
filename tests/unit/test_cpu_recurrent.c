/* SPDX-License-Identifier: MIT */
#include "cpu_layer.h"
#include "naive.h"

#include <golden/recurrent.h>

#include <math.h>

#define HIDDEN_MAX 6
#define BATCH_MAX 4

/* A layer at work; tensors: 0 x, 1 h0, 2 c0 of an LSTM, then y, h, c. */
struct cell {
	struct layer_case c;
	const struct model_recurrent *parameters;
	enum model_op op;
	uint32_t hidden, steps, inputs;
	int first_output;
	struct golden_quantization qx, qh;
};

static int weight(const struct model_csr *csr, uint32_t row, uint32_t column)
{
	for (int64_t i = csr->row_start[row]; i < csr->row_start[row + 1]; i++)
		if (csr->column[i] == (int32_t)column)
			return csr->value[i];
	return 0;
}

static struct cell random_cell(enum model_op op, bool reverse, bool linear)
{
	struct cell cell = { .c = case_create(),
			     .op = op,
			     .hidden = (uint32_t)sample_int(1, HIDDEN_MAX),
			     .steps = (uint32_t)sample_int(1, 7),
			     .inputs = (uint32_t)sample_int(1, 5),
			     .first_output = op == MODEL_LSTM ? 3 : 2,
			     .qx = { 0.02f, sample_int(-20, 20) },
			     .qh = { 1.0f / 127, sample_int(-3, 3) } };
	struct layer_case *c = &cell.c;
	struct model_extent state = { cell.hidden, 1, 1 };
	struct model_layer layer;

	case_input(c, MODEL_INT8, cell.qx,
		   (struct model_extent){ cell.inputs, cell.steps, 1 });
	for (int i = 1; i < cell.first_output; i++)
		case_input(c, MODEL_FLOAT32, cell.qh, state);
	case_output(c, MODEL_INT8, cell.qh, cell.hidden);
	for (int i = 1; i < cell.first_output; i++)
		case_output(c, MODEL_FLOAT32, cell.qh, cell.hidden);
	layer = sample_recurrent(c->model, "layer", op, 0, cell.first_output);
	for (int i = 1; i < cell.first_output; i++) {
		layer.inputs[layer.input_count++] = i;
		layer.outputs[layer.output_count++] = cell.first_output + i;
	}
	layer.recurrent.reverse = reverse;
	layer.recurrent.linear_before_reset = linear;
	case_run(c, &layer);
	cell.parameters = &c->model->layers[0].recurrent;
	return cell;
}

/* Sums of one gate of a unit from the input at a step and given codes of h. */
static struct golden_gate naive_gate(const struct cell *cell, uint32_t row,
				     uint32_t step, uint32_t b,
				     const int8_t codes[HIDDEN_MAX])
{
	const struct model_recurrent *p = cell->parameters;
	struct golden_gate gate = { p->input_bias[row], p->hidden_bias[row],
				    cell->qx.scale * p->input_scale[row],
				    cell->qh.scale * p->hidden_scale[row] };

	for (uint32_t i = 0; i < cell->inputs; i++)
		gate.input +=
			weight(&p->input_weights, row, i) *
			(case_code(&cell->c, 0, i, step, 0, b) - cell->qx.zero);
	for (uint32_t i = 0; i < cell->hidden; i++)
		gate.hidden += weight(&p->hidden_weights, row, i) *
			       (codes[i] - cell->qh.zero);
	return gate;
}

/* One step of one batch element; h and cells are replaced. */
static void naive_step(const struct cell *cell, uint32_t step, uint32_t b,
		       int8_t h[HIDDEN_MAX], float cells[HIDDEN_MAX])
{
	const struct model_recurrent *p = cell->parameters;
	uint32_t count = model_gate_count(cell->op), H = cell->hidden;
	int8_t next[HIDDEN_MAX] = { 0 }, reset[HIDDEN_MAX] = { 0 };

	for (uint32_t u = 0; u < H; u++) {
		struct golden_gate r = naive_gate(cell, H + u, step, b, h);

		reset[u] = golden_gru_reset(&r, cells[u], cell->qh);
	}
	for (uint32_t u = 0; u < H; u++) {
		struct golden_gate gates[4];

		for (uint32_t g = 0; g < count; g++)
			gates[g] = naive_gate(cell, g * H + u, step, b, h);
		if (cell->op == MODEL_LSTM) {
			next[u] = golden_lstm_step(gates, &cells[u], cell->qh);
			continue;
		}
		if (!p->linear_before_reset)
			gates[2] = naive_gate(cell, 2 * H + u, step, b, reset);
		next[u] = golden_gru_step(gates, &cells[u],
					  p->linear_before_reset, cell->qh);
	}
	memcpy(h, next, sizeof(next));
}

static void check_states(const struct cell *cell, uint32_t u, uint32_t b,
			 int8_t h, float state)
{
	const float *h_t = cell->c.values[cell->first_output + 1];
	uint32_t at = u * cell->c.batch + b;

	if (cell->op == MODEL_GRU) {
		assert_true(h_t[at] == state);
		return;
	}
	assert_true(h_t[at] == naive_real(h, cell->qh));
	assert_true(((float *)cell->c.values[cell->first_output + 2])[at] ==
		    state);
}

static void check_bits(const struct cell *cell)
{
	const struct layer_case *c = &cell->c;
	const float *h0 = c->values[1];
	const float *cells0 = c->values[cell->op == MODEL_LSTM ? 2 : 1];

	for (uint32_t b = 0; b < c->batch; b++) {
		int8_t h[HIDDEN_MAX] = { 0 };
		float cells[HIDDEN_MAX] = { 0 };

		for (uint32_t u = 0; u < cell->hidden; u++) {
			h[u] = (int8_t)naive_code(h0[u * c->batch + b],
						  cell->qh);
			cells[u] = cells0[u * c->batch + b];
		}
		for (uint32_t i = 0; i < cell->steps; i++) {
			uint32_t step = cell->parameters->reverse ?
						cell->steps - 1 - i :
						i;

			naive_step(cell, step, b, h, cells);
			for (uint32_t u = 0; u < cell->hidden; u++)
				assert_int_equal(case_code(c,
							   cell->first_output,
							   u, step, 0, b),
						 h[u]);
		}
		for (uint32_t u = 0; u < cell->hidden; u++)
			check_states(cell, u, b, h[u], cells[u]);
	}
}

static void layers_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 120; i++) {
		struct cell cell = random_cell(i % 3 ? MODEL_GRU : MODEL_LSTM,
					       i & 1, i % 3 == 2);

		check_bits(&cell);
		case_destroy(&cell.c);
	}
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* The two parts of a gate in real numbers, h real too. */
static void real_gate(const struct cell *cell, uint32_t row, uint32_t step,
		      uint32_t b, const double *h, double *input,
		      double *hidden)
{
	const struct model_recurrent *p = cell->parameters;
	double x_scale = (double)cell->qx.scale * (double)p->input_scale[row];
	double h_scale = (double)p->hidden_scale[row];

	*input = p->input_bias[row] * x_scale;
	*hidden = p->hidden_bias[row] * (double)cell->qh.scale * h_scale;
	for (uint32_t i = 0; i < cell->inputs; i++)
		*input += weight(&p->input_weights, row, i) *
			  (case_code(&cell->c, 0, i, step, 0, b) -
			   cell->qx.zero) *
			  x_scale;
	for (uint32_t i = 0; i < cell->hidden; i++)
		*hidden += weight(&p->hidden_weights, row, i) * h[i] * h_scale;
}

static void real_step(const struct cell *cell, uint32_t step, uint32_t b,
		      double *h, double *c)
{
	uint32_t H = cell->hidden, gates = model_gate_count(cell->op);
	double next[HIDDEN_MAX] = { 0 }, in[4], hid[4];

	for (uint32_t u = 0; u < H; u++) {
		for (uint32_t g = 0; g < gates; g++)
			real_gate(cell, g * H + u, step, b, h, &in[g], &hid[g]);
		if (cell->op == MODEL_LSTM) {
			c[u] = sigmoid(in[2] + hid[2]) * c[u] +
			       sigmoid(in[0] + hid[0]) * tanh(in[3] + hid[3]);
			next[u] = sigmoid(in[1] + hid[1]) * tanh(c[u]);
		} else {
			double z = sigmoid(in[0] + hid[0]);
			double r = sigmoid(in[1] + hid[1]);

			next[u] = (1 - z) * tanh(in[2] + r * hid[2]) + z * h[u];
		}
	}
	memcpy(h, next, H * sizeof(*h));
}

/* Rounding h to int8 is the only difference, and its effect stays bounded. */
static void layers_follow_the_real_equations(void **state)
{
	double worst = 0;

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct cell cell = random_cell(i & 1 ? MODEL_GRU : MODEL_LSTM,
					       false, true);
		const struct layer_case *c = &cell.c;
		const float *h0 = c->values[1], *c0 = c->values[2];
		double h[HIDDEN_MAX] = { 0 }, cells[HIDDEN_MAX] = { 0 };

		for (uint32_t u = 0; u < cell.hidden; u++) {
			h[u] = (double)h0[u * c->batch];
			if (cell.op == MODEL_LSTM)
				cells[u] = (double)c0[u * c->batch];
		}
		for (uint32_t step = 0; step < cell.steps; step++) {
			real_step(&cell, step, 0, h, cells);
			for (uint32_t u = 0; u < cell.hidden; u++)
				worst = fmax(
					worst,
					fabs((double)naive_real(
						     case_code(c,
							       cell.first_output,
							       u, step, 0, 0),
						     cell.qh) -
					     h[u]));
		}
		case_destroy(&cell.c);
	}
	assert_true(worst < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_exact),
		cmocka_unit_test(layers_follow_the_real_equations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
