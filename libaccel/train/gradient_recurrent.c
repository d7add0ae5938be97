/* SPDX-License-Identifier: MIT */
/*
 * Backpropagation through time. The pass is run again with all its states kept;
 * then the gradients by the gates' sums follow from the last step to the first, and
 * everything else from products over all steps at once.
 */
#include <compress/blas.h>
#include <compress/recurrent_pass.h>
#include <train/gradient.h>

#include <math.h>
#include <string.h>

enum { X, WEIGHT, RECURRENCE, BIAS, HIDDEN, CELL };
enum { Y, LAST_HIDDEN, LAST_CELL };
enum { UPDATE, RESET, CANDIDATE };

/**
 * struct unrolled - a pass and its way back
 * @pass: run again
 * @before: [T,N,H], state before each step
 * @cells_before: [T,N,H], LSTM's cells before each step
 * @sums: [T,N,gates·H], gradients by the gates before their activation
 * @inner: GRU's [T,N,H]: what the candidate multiplies by the reset gate or by the
 *	recurrence, see gru_inner(); then, if that is linear before the reset, the
 *	gradient by it
 * @dh: [N,H], gradient by the state after a step, then before it
 * @dc: [N,H], by LSTM's cells
 * @dy: of step 0 and batch element 0, or NULL
 * @dy_stride: from one batch element to the next
 */
struct unrolled {
	struct recurrent_pass pass;
	float *before, *cells_before;
	float *sums, *inner;
	float *dh, *dc;
	const float *dy;
	int64_t dy_stride;
};

static int64_t state_count(const struct unrolled *u)
{
	return u->pass.batch * u->pass.hidden;
}

static int64_t gates_width(const struct unrolled *u)
{
	return u->pass.gates * u->pass.hidden;
}

/* States of all steps and the one before them, where it is the first or last. */
static int64_t history_floats(const struct recurrent_pass *pass)
{
	return (pass->steps + 1) * pass->batch * pass->hidden;
}

static int64_t unrolled_floats(const struct recurrent_pass *pass)
{
	int64_t state = pass->batch * pass->hidden;

	return recurrent_pass_floats(pass) + 2 * history_floats(pass) +
	       pass->steps * state * (pass->gates + 1) + 2 * state;
}

/* Lay out the memory; states are written by the pass itself. */
static void unrolled_place(struct unrolled *u, float *floats)
{
	struct recurrent_pass *pass = &u->pass;
	int64_t state = state_count(u);
	float *states = floats + recurrent_pass_floats(pass);
	float *cells = states + history_floats(pass);
	int64_t after = pass->reverse ? 0 : state;

	recurrent_pass_place(pass, floats);
	u->before = states + (state - after);
	u->cells_before = cells + (state - after);
	pass->y = states + after;
	pass->y_stride = pass->hidden;
	pass->cells = cells + after;
	u->sums = cells + history_floats(pass);
	u->inner = u->sums + pass->steps * state * pass->gates;
	u->dh = u->inner + pass->steps * state;
	u->dc = u->dh + state;
}

/* Run the pass, which begins with the first step's state before it. */
static int unrolled_run(struct unrolled *u)
{
	int64_t first = u->pass.reverse ? u->pass.steps - 1 : 0;
	int64_t state = state_count(u);
	size_t size = (size_t)state * sizeof(float);

	memcpy(u->before + first * state, u->pass.h, size);
	memcpy(u->cells_before + first * state, u->pass.c, size);
	return recurrent_pass_run(&u->pass);
}

/* result += values · rows first … of the recurrence; values has a stride */
static int through_recurrence(const struct unrolled *u, const float *values,
			      int64_t stride, int64_t first, int64_t count,
			      float *result)
{
	int64_t hidden = u->pass.hidden;

	return blas_multiply(
		u->pass.batch, hidden, count,
		(struct blas_matrix){ .values = values, .stride = stride },
		(struct blas_matrix){ .values = u->pass.recurrence +
						first * hidden,
				      .stride = hidden },
		1, result, hidden);
}

static void add_output_gradient(const struct unrolled *u, int64_t t)
{
	for (int64_t n = 0; n < u->pass.batch && u->dy; n++)
		for (int64_t i = 0; i < u->pass.hidden; i++)
			u->dh[n * u->pass.hidden + i] +=
				u->dy[(t * u->pass.batch + n) * u->dy_stride +
				      i];
}

/* Derivative of the sigmoid and of tanh, from their values. */
static float sigmoid_slope(float y)
{
	return y * (1 - y);
}

static float tanh_slope(float y)
{
	return 1 - y * y;
}

/* One batch element: gradients by the gates' sums; dc becomes that before. */
static void lstm_cell_back(const struct unrolled *u, int64_t t, int64_t n)
{
	int64_t hidden = u->pass.hidden;
	int64_t row = t * u->pass.batch + n;
	const float *gates = u->pass.values + row * gates_width(u);
	const float *c = u->pass.cells + row * hidden;
	const float *c_before = u->cells_before + row * hidden;
	const float *dh = u->dh + n * hidden;
	float *dc = u->dc + n * hidden;
	float *sums = u->sums + row * gates_width(u);

	for (int64_t i = 0; i < hidden; i++) {
		float input = gates[i];
		float output = gates[hidden + i];
		float forget = gates[2 * hidden + i];
		float candidate = gates[3 * hidden + i];
		float squashed = tanhf(c[i]);

		dc[i] += dh[i] * output * tanh_slope(squashed);
		sums[i] = dc[i] * candidate * sigmoid_slope(input);
		sums[hidden + i] = dh[i] * squashed * sigmoid_slope(output);
		sums[2 * hidden + i] =
			dc[i] * c_before[i] * sigmoid_slope(forget);
		sums[3 * hidden + i] = dc[i] * input * tanh_slope(candidate);
		dc[i] *= forget;
	}
}

static int lstm_step_back(const struct unrolled *u, int64_t t)
{
	int64_t width = gates_width(u);

	for (int64_t n = 0; n < u->pass.batch; n++)
		lstm_cell_back(u, t, n);
	memset(u->dh, 0, (size_t)state_count(u) * sizeof(float));
	return through_recurrence(u, u->sums + t * u->pass.batch * width, width,
				  0, width, u->dh);
}

/*
 * What of the candidate of all steps is not kept by the pass: h·Rᵀ + b, which the
 * reset gate multiplies, or r ⊙ h, which the recurrence does.
 */
static int gru_inner(const struct unrolled *u)
{
	const struct recurrent_pass *p = &u->pass;
	int64_t hidden = p->hidden, rows = p->steps * p->batch;
	const float *bias = p->bias ? p->bias + (3 + CANDIDATE) * hidden : NULL;

	for (int64_t row = 0; row < rows; row++)
		for (int64_t i = 0; i < hidden; i++) {
			int64_t at = row * hidden + i;

			if (p->linear_before_reset)
				u->inner[at] = bias ? bias[i] : 0;
			else
				u->inner[at] =
					u->before[at] *
					p->values[(3 * row + RESET) * hidden +
						  i];
		}
	if (!p->linear_before_reset)
		return 0;
	return blas_multiply(
		rows, hidden, hidden,
		(struct blas_matrix){ .values = u->before, .stride = hidden },
		(struct blas_matrix){ .values = p->recurrence +
						CANDIDATE * hidden * hidden,
				      .stride = hidden,
				      .transposed = true },
		1, u->inner, hidden);
}

/* Gradients by the candidate's and the update gate's sums; dh becomes the part of
 * the state before that goes round the candidate. */
static void gru_blend_back(const struct unrolled *u, int64_t row, float *dh)
{
	int64_t hidden = u->pass.hidden;
	const float *gates = u->pass.values + row * gates_width(u);
	const float *before = u->before + row * hidden;
	float *sums = u->sums + row * gates_width(u);

	for (int64_t i = 0; i < hidden; i++) {
		float update = gates[i];
		float candidate = gates[CANDIDATE * hidden + i];

		sums[i] =
			dh[i] * (before[i] - candidate) * sigmoid_slope(update);
		sums[CANDIDATE * hidden + i] =
			dh[i] * (1 - update) * tanh_slope(candidate);
		dh[i] *= update;
	}
}

/* The reset gate's sum where it multiplies h·Rᵀ + b; inner becomes the gradient by
 * that. */
static void gru_reset_linear(const struct unrolled *u, int64_t row)
{
	int64_t hidden = u->pass.hidden;
	const float *reset =
		u->pass.values + row * gates_width(u) + RESET * hidden;
	float *inner = u->inner + row * hidden;
	float *sums = u->sums + row * gates_width(u);

	for (int64_t i = 0; i < hidden; i++) {
		float candidate = sums[CANDIDATE * hidden + i];

		sums[RESET * hidden + i] =
			candidate * inner[i] * sigmoid_slope(reset[i]);
		inner[i] = candidate * reset[i];
	}
}

/* The reset gate's sum where it multiplies h: gated is the gradient by r ⊙ h. */
static void gru_reset_state(const struct unrolled *u, int64_t row,
			    const float *gated, float *dh)
{
	int64_t hidden = u->pass.hidden;
	const float *reset =
		u->pass.values + row * gates_width(u) + RESET * hidden;
	const float *before = u->before + row * hidden;
	float *sums = u->sums + row * gates_width(u) + RESET * hidden;

	for (int64_t i = 0; i < hidden; i++) {
		sums[i] = gated[i] * before[i] * sigmoid_slope(reset[i]);
		dh[i] += gated[i] * reset[i];
	}
}

/* From the candidate's sums to the reset gate's, and to the state before. */
static int gru_candidate_back(const struct unrolled *u, int64_t t)
{
	int64_t hidden = u->pass.hidden, width = gates_width(u);
	int64_t first = t * u->pass.batch;
	float *gated = u->pass.scratch;
	int ret;

	if (u->pass.linear_before_reset) {
		for (int64_t n = 0; n < u->pass.batch; n++)
			gru_reset_linear(u, first + n);
		return through_recurrence(u, u->inner + first * hidden, hidden,
					  CANDIDATE * hidden, hidden, u->dh);
	}
	memset(gated, 0, (size_t)state_count(u) * sizeof(*gated));
	ret = through_recurrence(u,
				 u->sums + first * width + CANDIDATE * hidden,
				 width, CANDIDATE * hidden, hidden, gated);
	for (int64_t n = 0; n < u->pass.batch && !ret; n++)
		gru_reset_state(u, first + n, gated + n * hidden,
				u->dh + n * hidden);
	return ret;
}

static int gru_step_back(const struct unrolled *u, int64_t t)
{
	int64_t first = t * u->pass.batch;
	int ret;

	for (int64_t n = 0; n < u->pass.batch; n++)
		gru_blend_back(u, first + n, u->dh + n * u->pass.hidden);
	ret = gru_candidate_back(u, t);
	if (ret)
		return ret;
	return through_recurrence(u, u->sums + first * gates_width(u),
				  gates_width(u), 0, CANDIDATE * u->pass.hidden,
				  u->dh);
}

static int steps_back(const struct unrolled *u)
{
	bool lstm = u->pass.gates == RECURRENT_LSTM_GATES;
	int ret = lstm ? 0 : gru_inner(u);

	for (int64_t i = 0; i < u->pass.steps && !ret; i++) {
		int64_t t = u->pass.reverse ? i : u->pass.steps - 1 - i;

		add_output_gradient(u, t);
		ret = lstm ? lstm_step_back(u, t) : gru_step_back(u, t);
	}
	return ret;
}

/* dx += sums · W */
static int by_input(const struct unrolled *u, float *dx)
{
	const struct recurrent_pass *p = &u->pass;
	int64_t width = gates_width(u);

	return blas_multiply(p->steps * p->batch, p->inputs, width,
			     (struct blas_matrix){ .values = u->sums,
						   .stride = width },
			     (struct blas_matrix){ .values = p->weight,
						   .stride = p->inputs },
			     1, dx, p->inputs);
}

/* result += valuesᵀ · source over all steps; values has count columns */
static int by_matrix(const struct unrolled *u, const float *values,
		     int64_t stride, int64_t count, const float *source,
		     int64_t columns, float *result)
{
	return blas_multiply(count, columns, u->pass.steps * u->pass.batch,
			     (struct blas_matrix){ .values = values,
						   .stride = stride,
						   .transposed = true },
			     (struct blas_matrix){ .values = source,
						   .stride = columns },
			     1, result, columns);
}

static int by_recurrence(const struct unrolled *u, float *dr)
{
	int64_t hidden = u->pass.hidden, width = gates_width(u);
	float *candidate = dr + CANDIDATE * hidden * hidden;
	int ret;

	if (u->pass.gates == RECURRENT_LSTM_GATES)
		return by_matrix(u, u->sums, width, width, u->before, hidden,
				 dr);
	ret = by_matrix(u, u->sums, width, CANDIDATE * hidden, u->before,
			hidden, dr);
	if (ret)
		return ret;
	if (u->pass.linear_before_reset)
		return by_matrix(u, u->inner, hidden, hidden, u->before, hidden,
				 candidate);
	return by_matrix(u, u->sums + CANDIDATE * hidden, width, hidden,
			 u->inner, hidden, candidate);
}

static void add_columns(const float *values, int64_t rows, int64_t stride,
			int64_t columns, float *result)
{
	for (int64_t row = 0; row < rows; row++)
		for (int64_t i = 0; i < columns; i++)
			result[i] += values[row * stride + i];
}

/* Both biases add to the same sums, but for GRU's second of the candidate where
 * the reset gate multiplies it. */
static void by_bias(const struct unrolled *u, float *db)
{
	int64_t rows = u->pass.steps * u->pass.batch, width = gates_width(u);
	int64_t hidden = u->pass.hidden;
	bool split = u->pass.gates == RECURRENT_GRU_GATES &&
		     u->pass.linear_before_reset;

	add_columns(u->sums, rows, width, width, db);
	add_columns(u->sums, rows, width, split ? 2 * hidden : width,
		    db + width);
	if (split)
		add_columns(u->inner, rows, hidden, hidden,
			    db + width + CANDIDATE * hidden);
}

static float *optional_gradient(const struct gradient_call *call, int index)
{
	return index < call->node->input_count ? call->input_gradients[index] :
						 NULL;
}

/* Gradients by all inputs of one direction. */
static int add_gradients(const struct gradient_call *call,
			 const struct unrolled *u, int64_t direction)
{
	int64_t rows = direction * gates_width(u), count = state_count(u);
	float *dx = call->input_gradients[X];
	float *dw = call->input_gradients[WEIGHT];
	float *dr = call->input_gradients[RECURRENCE];
	float *db = optional_gradient(call, BIAS);
	float *dh = optional_gradient(call, HIDDEN);
	float *dc = optional_gradient(call, CELL);
	int ret = dx ? by_input(u, dx) : 0;

	if (!ret && dw)
		ret = by_matrix(u, u->sums, gates_width(u), gates_width(u),
				u->pass.x, u->pass.inputs,
				dw + rows * u->pass.inputs);
	if (!ret && dr)
		ret = by_recurrence(u, dr + rows * u->pass.hidden);
	if (ret)
		return ret;
	if (db)
		by_bias(u, db + 2 * rows);
	if (dh)
		add_columns(u->dh, 1, 0, count, dh + direction * count);
	if (dc)
		add_columns(u->dc, 1, 0, count, dc + direction * count);
	return 0;
}

static const float *optional_output_gradient(const struct gradient_call *call,
					     int index)
{
	return index < call->node->output_count ?
		       call->output_gradients[index] :
		       NULL;
}

static void load_last(const float *gradient, int64_t direction, int64_t count,
		      float *state)
{
	if (gradient)
		memcpy(state, gradient + direction * count,
		       (size_t)count * sizeof(*state));
	else
		memset(state, 0, (size_t)count * sizeof(*state));
}

static int direction_back(const struct gradient_call *call, int64_t direction)
{
	const float *dy = optional_output_gradient(call, Y);
	struct unrolled u = {
		.pass = recurrent_pass_create(call->node, call->inputs,
					      direction),
	};
	int ret;

	unrolled_place(&u, call->workspace);
	u.dy = dy ? dy + direction * u.pass.hidden : NULL;
	u.dy_stride = recurrent_directions(call->node) * u.pass.hidden;
	recurrent_pass_load(&u.pass, call->node, call->inputs, direction);
	ret = unrolled_run(&u);
	if (ret)
		return ret;
	load_last(optional_output_gradient(call, LAST_HIDDEN), direction,
		  state_count(&u), u.dh);
	load_last(optional_output_gradient(call, LAST_CELL), direction,
		  state_count(&u), u.dc);
	ret = steps_back(&u);
	return ret ? ret : add_gradients(call, &u, direction);
}

static int recurrent_back(const struct gradient_call *call)
{
	int64_t directions = recurrent_directions(call->node);
	int ret = 0;

	for (int64_t d = 0; d < directions && !ret; d++)
		ret = direction_back(call, d);
	return ret;
}

int gradient_lstm(const struct gradient_call *call)
{
	return recurrent_back(call);
}

int gradient_gru(const struct gradient_call *call)
{
	return recurrent_back(call);
}

int64_t gradient_recurrent_workspace(const struct gradient_call *call)
{
	struct recurrent_pass pass =
		recurrent_pass_create(call->node, call->inputs, 0);

	return unrolled_floats(&pass);
}
