/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <golden/activation.h>
#include <golden/recurrent.h>

#include <math.h>

static const struct golden_quantization hidden = { 1.0f / 127, 0 };

static uint32_t random_state = 1;

/* −1 … 1 */
static float random_real(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (float)(int32_t)random_state * 0x1p-31f;
}

static struct golden_gate random_gate(void)
{
	struct golden_gate gate = {
		.input = (int32_t)(random_real() * 20000),
		.hidden = (int32_t)(random_real() * 20000),
		.input_scale = 1e-4f + fabsf(random_real()) * 1e-4f,
		.hidden_scale = 1e-4f + fabsf(random_real()) * 1e-4f,
	};

	return gate;
}

static double input_part(const struct golden_gate *gate)
{
	return (double)gate->input * (double)gate->input_scale;
}

static double hidden_part(const struct golden_gate *gate)
{
	return (double)gate->hidden * (double)gate->hidden_scale;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double sigmoid_of(const struct golden_gate *gate)
{
	return sigmoid(input_part(gate) + hidden_part(gate));
}

static void assert_code_of(double value, int code)
{
	assert_true(fabs(value * 127 - code) < 0.5001);
}

static void lstm_follows_its_equations(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct golden_gate gates[4] = { random_gate(), random_gate(),
						random_gate(), random_gate() };
		float cell = random_real() * 3;
		double expected =
			sigmoid_of(&gates[2]) * (double)cell +
			sigmoid_of(&gates[0]) * tanh(input_part(&gates[3]) +
						     hidden_part(&gates[3]));
		int code = golden_lstm_step(gates, &cell, hidden);

		assert_true(fabs((double)cell - expected) < 2e-6);
		assert_code_of(sigmoid_of(&gates[1]) * tanh(expected), code);
	}
}

static void gru_follows_its_equations(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct golden_gate gates[3] = { random_gate(), random_gate(),
						random_gate() };
		bool linear = i & 1;
		float h = random_real();
		double z = sigmoid_of(&gates[0]), r = sigmoid_of(&gates[1]);
		double n = tanh(input_part(&gates[2]) +
				(linear ? r : 1.0) * hidden_part(&gates[2]));
		double expected = (1 - z) * n + z * (double)h;
		int code;

		assert_code_of(r * (double)h,
			       golden_gru_reset(&gates[1], h, hidden));
		code = golden_gru_step(gates, &h, linear, hidden);
		assert_true(fabs((double)h - expected) < 2e-6);
		assert_code_of(expected, code);
	}
}

/* The order of the operations, where tolerance would hide it. */
static void steps_are_bit_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct golden_gate g[4] = { random_gate(), random_gate(),
					    random_gate(), random_gate() };
		volatile float x[4], part, other;
		float cell = random_real();

		for (int k = 0; k < 4; k++) {
			part = (float)g[k].input * g[k].input_scale;
			other = (float)g[k].hidden * g[k].hidden_scale;
			x[k] = part + other;
		}
		part = golden_sigmoid(x[2]) * cell;
		other = golden_sigmoid(x[0]) * golden_tanh(x[3]);
		other = part + other;
		part = golden_sigmoid(x[1]) * golden_tanh(other);
		assert_int_equal(golden_lstm_step(g, &cell, hidden),
				 golden_quantize(part, hidden));
		assert_true(cell == other);
	}
}

static void absurd_gates_saturate(void **state)
{
	struct golden_gate gates[4];
	float cell = INFINITY;

	(void)state;
	for (int k = 0; k < 4; k++) {
		gates[k].input = gates[k].hidden = INT32_MAX;
		gates[k].input_scale = gates[k].hidden_scale = 0x1p127f;
	}
	assert_int_equal(golden_lstm_step(gates, &cell, hidden), 127);
	gates[2].hidden = INT32_MIN; /* inf − inf */
	cell = 0;
	assert_int_equal(golden_lstm_step(gates, &cell, hidden), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lstm_follows_its_equations),
		cmocka_unit_test(gru_follows_its_equations),
		cmocka_unit_test(steps_are_bit_exact),
		cmocka_unit_test(absurd_gates_saturate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
