/* SPDX-License-Identifier: MIT */
/*
 * LSTM and GRU as ONNX defines them. What depends on the inputs alone is one matrix
 * product over all steps; what depends on the state follows step by step. After a
 * pass the workspace holds the gates' activated values of every step, which is what
 * the way back needs.
 */
#include <compress/blas.h>
#include <compress/operator.h>

#include <math.h>
#include <string.h>

enum { X, WEIGHT, RECURRENCE, BIAS, HIDDEN, CELL };
enum { Y, LAST_HIDDEN, LAST_CELL };
enum { LSTM_GATES = 4, GRU_GATES = 3 };

/**
 * struct pass - one direction of a layer
 * @steps: T
 * @batch: N
 * @inputs: I
 * @hidden: H
 * @gates: 4 or 3
 * @reverse: from the last step to the first
 * @linear_before_reset: GRU
 * @x: [T,N,I]
 * @weight: [gates·H,I]
 * @recurrence: [gates·H,H]
 * @bias: [2·gates·H], or NULL
 * @values: [T,N,gates·H], the gates
 * @scratch: [N,H]
 * @h: [N,H], state
 * @c: [N,H], LSTM's cells
 * @y: of step 0 and batch element 0, or NULL
 * @y_stride: elements from one batch element to the next, D·H
 */
struct pass {
	int64_t steps, batch, inputs, hidden, gates;
	bool reverse;
	bool linear_before_reset;
	const float *x, *weight, *recurrence, *bias;
	float *values, *scratch, *h, *c;
	float *y;
	int64_t y_stride;
};

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

/* Gates of all steps from the inputs; both biases, as far as they just add. */
static int pass_project(const struct pass *p)
{
	int64_t width = p->gates * p->hidden;
	bool split = p->gates == GRU_GATES && p->linear_before_reset;
	/* The candidate's second bias is then under the reset gate. */
	int64_t both = split ? 2 * p->hidden : width;

	for (int64_t row = 0; row < p->steps * p->batch; row++)
		for (int64_t i = 0; i < width; i++) {
			float bias = p->bias ? p->bias[i] : 0;

			if (p->bias && i < both)
				bias += p->bias[width + i];
			p->values[row * width + i] = bias;
		}
	return blas_multiply(p->steps * p->batch, width, p->inputs,
			     (struct blas_matrix){ .values = p->x,
						   .stride = p->inputs },
			     (struct blas_matrix){ .values = p->weight,
						   .stride = p->inputs,
						   .transposed = true },
			     1, p->values, width);
}

/* result (with its stride) += state · rows first … of the recurrence, transposed */
static int pass_recur(const struct pass *p, const float *state, int64_t first,
		      int64_t count, float *result, int64_t stride)
{
	return blas_multiply(p->batch, count, p->hidden,
			     (struct blas_matrix){ .values = state,
						   .stride = p->hidden },
			     (struct blas_matrix){ .values = p->recurrence +
							     first * p->hidden,
						   .stride = p->hidden,
						   .transposed = true },
			     1, result, stride);
}

static void lstm_cell(const struct pass *p, float *gates, float *h, float *c)
{
	float *input = gates;
	float *output = gates + p->hidden;
	float *forget = gates + 2 * p->hidden;
	float *candidate = gates + 3 * p->hidden;

	for (int64_t i = 0; i < p->hidden; i++) {
		input[i] = sigmoid(input[i]);
		output[i] = sigmoid(output[i]);
		forget[i] = sigmoid(forget[i]);
		candidate[i] = tanhf(candidate[i]);
		c[i] = forget[i] * c[i] + input[i] * candidate[i];
		h[i] = output[i] * tanhf(c[i]);
	}
}

static int lstm_step(const struct pass *p, float *gates)
{
	int64_t width = p->gates * p->hidden;
	int ret = pass_recur(p, p->h, 0, width, gates, width);

	if (ret)
		return ret;
	for (int64_t n = 0; n < p->batch; n++)
		lstm_cell(p, gates + n * width, p->h + n * p->hidden,
			  p->c + n * p->hidden);
	return 0;
}

/* scratch = r ⊙ (h·Rᵀ + b), or r ⊙ h to be multiplied by Rᵀ. */
static int gru_reset(const struct pass *p, const float *gates)
{
	int64_t width = p->gates * p->hidden;
	size_t count = (size_t)(p->batch * p->hidden);

	if (p->linear_before_reset) {
		int ret;

		for (size_t i = 0; i < count; i++)
			p->scratch[i] =
				p->bias ? p->bias[width + 2 * p->hidden +
						  (int64_t)i % p->hidden] :
					  0;
		ret = pass_recur(p, p->h, 2 * p->hidden, p->hidden, p->scratch,
				 p->hidden);
		if (ret)
			return ret;
	} else {
		memcpy(p->scratch, p->h, count * sizeof(*p->h));
	}
	for (int64_t n = 0; n < p->batch; n++)
		for (int64_t i = 0; i < p->hidden; i++)
			p->scratch[n * p->hidden + i] *=
				gates[n * width + p->hidden + i];
	return 0;
}

/* candidate gate += what gru_reset() left, through the recurrence if due */
static int gru_candidate(const struct pass *p, float *gates)
{
	int64_t width = p->gates * p->hidden;
	float *candidate = gates + 2 * p->hidden;
	int ret = gru_reset(p, gates);

	if (ret)
		return ret;
	if (!p->linear_before_reset)
		return pass_recur(p, p->scratch, 2 * p->hidden, p->hidden,
				  candidate, width);
	for (int64_t n = 0; n < p->batch; n++)
		for (int64_t i = 0; i < p->hidden; i++)
			candidate[n * width + i] +=
				p->scratch[n * p->hidden + i];
	return 0;
}

static int gru_step(const struct pass *p, float *gates)
{
	int64_t width = p->gates * p->hidden;
	int ret = pass_recur(p, p->h, 0, 2 * p->hidden, gates, width);

	if (ret)
		return ret;
	for (int64_t n = 0; n < p->batch; n++)
		for (int64_t i = 0; i < 2 * p->hidden; i++)
			gates[n * width + i] = sigmoid(gates[n * width + i]);
	ret = gru_candidate(p, gates);
	if (ret)
		return ret;
	for (int64_t n = 0; n < p->batch; n++) {
		float *update = gates + n * width;
		float *candidate = update + 2 * p->hidden;
		float *h = p->h + n * p->hidden;

		for (int64_t i = 0; i < p->hidden; i++) {
			candidate[i] = tanhf(candidate[i]);
			h[i] = (1 - update[i]) * candidate[i] +
			       update[i] * h[i];
		}
	}
	return 0;
}

static int pass_run(const struct pass *p)
{
	int64_t step_size = p->batch * p->gates * p->hidden;
	int ret = pass_project(p);

	for (int64_t i = 0; i < p->steps && !ret; i++) {
		int64_t t = p->reverse ? p->steps - 1 - i : i;
		float *gates = p->values + t * step_size;

		ret = p->gates == LSTM_GATES ? lstm_step(p, gates) :
					       gru_step(p, gates);
		if (ret || !p->y)
			continue;
		for (int64_t n = 0; n < p->batch; n++)
			memcpy(p->y + (t * p->batch + n) * p->y_stride,
			       p->h + n * p->hidden,
			       (size_t)p->hidden * sizeof(float));
	}
	return ret;
}

static const struct operator_value *
optional_input(const struct operator_call *call, int index)
{
	static const struct operator_value absent;

	return index < call->node->input_count ? &call->inputs[index] : &absent;
}

static float *optional_output(const struct operator_call *call, int index)
{
	return index < call->node->output_count ? call->outputs[index].values :
						  NULL;
}

static struct pass pass_create(const struct operator_call *call, int64_t gates)
{
	const struct graph_recurrent *attributes = &call->node->recurrent;
	const struct graph_shape *x = call->inputs[X].shape;
	struct pass pass = {
		.steps = x->dims[0],
		.batch = x->dims[1],
		.inputs = x->dims[2],
		.hidden = attributes->hidden,
		.gates = gates,
		.reverse = attributes->direction == GRAPH_REVERSE,
		.linear_before_reset = attributes->linear_before_reset,
		.x = call->inputs[X].values,
		.weight = call->inputs[WEIGHT].values,
		.recurrence = call->inputs[RECURRENCE].values,
		.bias = optional_input(call, BIAS)->values,
		.y = optional_output(call, Y),
		.y_stride = attributes->hidden,
	};
	int64_t state = pass.batch * pass.hidden;

	pass.values = call->workspace;
	pass.scratch = pass.values + pass.steps * state * gates;
	pass.h = pass.scratch + state;
	pass.c = pass.h + state;
	return pass;
}

static void state_load(float *state, const struct operator_value *initial,
		       int64_t direction, int64_t count)
{
	if (initial->values)
		memcpy(state, initial->values + direction * count,
		       (size_t)count * sizeof(*state));
	else
		memset(state, 0, (size_t)count * sizeof(*state));
}

static void state_store(float *last, const float *state, int64_t direction,
			int64_t count)
{
	if (last)
		memcpy(last + direction * count, state,
		       (size_t)count * sizeof(*state));
}

static void pass_second(struct pass *pass)
{
	int64_t rows = pass->gates * pass->hidden;

	pass->reverse = true;
	pass->weight += rows * pass->inputs;
	pass->recurrence += rows * pass->hidden;
	if (pass->bias)
		pass->bias += 2 * rows;
	if (pass->y)
		pass->y += pass->hidden;
}

static int recurrent(const struct operator_call *call, int64_t gates)
{
	struct pass pass = pass_create(call, gates);
	int64_t count = pass.batch * pass.hidden;
	int64_t directions =
		call->node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1;

	pass.y_stride = directions * pass.hidden;
	for (int64_t d = 0; d < directions; d++) {
		int ret;

		if (d == 1)
			pass_second(&pass);
		state_load(pass.h, optional_input(call, HIDDEN), d, count);
		state_load(pass.c, optional_input(call, CELL), d, count);
		ret = pass_run(&pass);
		if (ret)
			return ret;
		state_store(optional_output(call, LAST_HIDDEN), pass.h, d,
			    count);
		state_store(optional_output(call, LAST_CELL), pass.c, d, count);
	}
	return 0;
}

int operator_lstm(const struct operator_call *call)
{
	return recurrent(call, LSTM_GATES);
}

int operator_gru(const struct operator_call *call)
{
	return recurrent(call, GRU_GATES);
}

int64_t operator_recurrent_workspace(const struct operator_call *call)
{
	const struct graph_shape *x = call->inputs[X].shape;
	int64_t state = x->dims[1] * call->node->recurrent.hidden;
	int64_t gates = call->node->op == GRAPH_LSTM ? LSTM_GATES : GRU_GATES;

	/* gates of every step, then scratch, h and c */
	return x->dims[0] * state * gates + 3 * state;
}
