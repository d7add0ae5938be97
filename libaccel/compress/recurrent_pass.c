/* SPDX-License-Identifier: MIT */
/*
 * LSTM and GRU as ONNX defines them. What depends on the inputs alone is one matrix
 * product over all steps; what depends on the state follows step by step.
 */
#include <compress/blas.h>
#include <compress/recurrent_pass.h>

#include <math.h>
#include <string.h>

enum { X, WEIGHT, RECURRENCE, BIAS, HIDDEN, CELL };

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

/* Gates of all steps from the inputs; both biases, as far as they just add. */
static int pass_project(const struct recurrent_pass *p)
{
	int64_t width = p->gates * p->hidden;
	bool split = p->gates == RECURRENT_GRU_GATES && p->linear_before_reset;
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
static int pass_recur(const struct recurrent_pass *p, const float *state,
		      int64_t first, int64_t count, float *result,
		      int64_t stride)
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

static void lstm_cell(const struct recurrent_pass *p, float *gates, float *h,
		      float *c)
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

static int lstm_step(const struct recurrent_pass *p, float *gates)
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
static int gru_reset(const struct recurrent_pass *p, const float *gates)
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
static int gru_candidate(const struct recurrent_pass *p, float *gates)
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

static int gru_step(const struct recurrent_pass *p, float *gates)
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

static void keep_state(const struct recurrent_pass *p, int64_t t)
{
	int64_t count = p->batch * p->hidden;

	if (p->cells)
		memcpy(p->cells + t * count, p->c,
		       (size_t)count * sizeof(float));
	if (!p->y)
		return;
	for (int64_t n = 0; n < p->batch; n++)
		memcpy(p->y + (t * p->batch + n) * p->y_stride,
		       p->h + n * p->hidden, (size_t)p->hidden * sizeof(float));
}

int recurrent_pass_run(const struct recurrent_pass *p)
{
	int64_t step_size = p->batch * p->gates * p->hidden;
	int ret = pass_project(p);

	for (int64_t i = 0; i < p->steps && !ret; i++) {
		int64_t t = p->reverse ? p->steps - 1 - i : i;
		float *gates = p->values + t * step_size;

		ret = p->gates == RECURRENT_LSTM_GATES ? lstm_step(p, gates) :
							 gru_step(p, gates);
		if (!ret)
			keep_state(p, t);
	}
	return ret;
}

int64_t recurrent_directions(const struct graph_node *node)
{
	return node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
}

struct recurrent_pass recurrent_pass_create(const struct graph_node *node,
					    const struct operator_value *inputs,
					    int64_t direction)
{
	const struct graph_recurrent *attributes = &node->recurrent;
	const struct graph_shape *x = inputs[X].shape;
	struct recurrent_pass pass = {
		.steps = x->dims[0],
		.batch = x->dims[1],
		.inputs = x->dims[2],
		.hidden = attributes->hidden,
		.gates = node->op == GRAPH_LSTM ? RECURRENT_LSTM_GATES :
						  RECURRENT_GRU_GATES,
		.reverse = attributes->direction == GRAPH_REVERSE ||
			   direction == 1,
		.linear_before_reset = attributes->linear_before_reset,
		.x = inputs[X].values,
	};
	int64_t rows = direction * pass.gates * pass.hidden;

	/* Where only a size is asked for there are no values. */
	if (!pass.x || !inputs[WEIGHT].values || !inputs[RECURRENCE].values)
		return pass;
	pass.weight = inputs[WEIGHT].values + rows * pass.inputs;
	pass.recurrence = inputs[RECURRENCE].values + rows * pass.hidden;
	if (node->input_count > BIAS && inputs[BIAS].values)
		pass.bias = inputs[BIAS].values + 2 * rows;
	return pass;
}

int64_t recurrent_pass_floats(const struct recurrent_pass *pass)
{
	int64_t state = pass->batch * pass->hidden;

	/* gates of every step, then scratch, h and c */
	return pass->steps * state * pass->gates + 3 * state;
}

void recurrent_pass_place(struct recurrent_pass *pass, float *floats)
{
	int64_t state = pass->batch * pass->hidden;

	pass->values = floats;
	pass->scratch = pass->values + pass->steps * state * pass->gates;
	pass->h = pass->scratch + state;
	pass->c = pass->h + state;
}

static void state_load(float *state, const struct operator_value *initial,
		       int64_t direction, int64_t count)
{
	if (initial && initial->values)
		memcpy(state, initial->values + direction * count,
		       (size_t)count * sizeof(*state));
	else
		memset(state, 0, (size_t)count * sizeof(*state));
}

void recurrent_pass_load(const struct recurrent_pass *pass,
			 const struct graph_node *node,
			 const struct operator_value *inputs, int64_t direction)
{
	int64_t count = pass->batch * pass->hidden;

	state_load(pass->h, node->input_count > HIDDEN ? &inputs[HIDDEN] : NULL,
		   direction, count);
	state_load(pass->c, node->input_count > CELL ? &inputs[CELL] : NULL,
		   direction, count);
}
