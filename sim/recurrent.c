/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <golden/recurrent.h>
#include <sim/deadline.h>
#include <sim/kernel.h>
#include <sim/lower_recurrent.h>
#include <sim/matrix.h>
#include <sim/recurrent.h>
#include <sim/spmm.h>

/**
 * struct recurrent_side - the weights of one operand, x or h
 * @matrix: G·H rows
 * @taps: non-zeros of all rows
 * @row_taps: rows + 1 indices into them
 * @scales: G·H
 * @biases: G·H
 * @operand: of one step, [column][batch], as the kernel wants it
 * @zero: of the operand
 * @sums: G·H × batch accumulators of one step
 * @row_sums: those of one row; a kernel writes behind the last, where others' sums are
 */
struct recurrent_side {
	const struct sim_matrix *matrix;
	struct sim_taps *taps;
	uint64_t *row_taps;
	float *scales;
	int32_t *biases;
	uint8_t *operand;
	int8_t zero;
	int32_t *sums;
	int32_t *row_sums;
};

struct recurrent_run {
	struct sim_execution *execution;
	kernel_function kernel;
	struct spmm_recurrent_descriptor d;
	uint32_t gates;
	uint32_t rows; /* gates · hidden */
	struct recurrent_side input, hidden;
	int8_t *state; /* hidden × batch codes of h */
	float *cell; /* hidden × batch */
	struct golden_quantization quantization; /* of h */
};

static int fields_check(const struct spmm_recurrent_descriptor *d)
{
	static const uint64_t zeros[9];
	uint16_t known = SPMM_FLAG_REVERSE;

	if (d->cell == SPMM_RECURRENT_GRU)
		known |= SPMM_FLAG_LINEAR_BEFORE_RESET;
	if (d->version != SPMM_DESCRIPTOR_VERSION)
		return SPMM_SC_DESCRIPTOR_VERSION;
	if (d->cell > SPMM_RECURRENT_GRU || (d->flags & ~known) || d->pad0 ||
	    memcmp(d->pad1, zeros, sizeof(zeros)))
		return SPMM_SC_INVALID_FIELD;
	return 0;
}

static bool sequence_valid(const struct spmm_recurrent_descriptor *d,
			   const struct spmm_tensor *tensor)
{
	return tensor->height == d->steps && tensor->width == 1;
}

/* Streams and states are checked as they are read. */
static int recurrent_check(const struct spmm_recurrent_descriptor *d,
			   uint32_t gates)
{
	int status = fields_check(d);

	if (status)
		return status;
	if (!d->batch || !d->steps || !d->hidden ||
	    d->hidden > SPMM_ROWS_MAX / gates ||
	    d->input.channels > SPMM_COLUMNS_MAX ||
	    d->output.channels != d->hidden || !sequence_valid(d, &d->input) ||
	    !sequence_valid(d, &d->output))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	status = tensor_check(&d->input, d->batch, 1);
	if (!status)
		status = tensor_check(&d->output, d->batch, 1);
	if (!status && ((d->input_scales | d->hidden_scales | d->input_biases |
			 d->hidden_biases | d->cell_state) &
			3))
		status = SPMM_SC_DESCRIPTOR_ADDRESS;
	if (!status && !scale_valid(float_of_bits(d->hidden_scale)))
		status = SPMM_SC_DESCRIPTOR_SCALE;
	return status;
}

/* Where one side's parameters are. */
struct side_addresses {
	struct sim_stream stream;
	uint64_t scales;
	uint64_t biases;
};

static int side_read(struct recurrent_run *run, struct recurrent_side *side,
		     const struct side_addresses *from)
{
	struct sim_execution *execution = run->execution;
	uint64_t bytes = run->rows * 4ul;

	side->matrix = matrix_load(execution, &from->stream);
	if (!side->matrix)
		return execution->status;
	side->scales = malloc(bytes);
	side->biases = malloc(bytes);
	if (!side->scales || !side->biases)
		return execution_fail(execution, SPMM_SC_INTERNAL, 0);
	if (execution_read(execution, from->scales, side->scales, bytes) ||
	    execution_read(execution, from->biases, side->biases, bytes))
		return execution->status;
	for (uint32_t row = 0; row < run->rows; row++)
		if (!scale_valid(side->scales[row]))
			return execution_fail(execution,
					      SPMM_SC_DESCRIPTOR_SCALE, row);
	return 0;
}

static bool side_taps(struct recurrent_side *side, uint64_t batch)
{
	const struct sim_matrix *matrix = side->matrix;
	uint32_t *offset = malloc(matrix->columns * sizeof(*offset));
	bool built = false;

	if (offset) {
		for (uint32_t k = 0; k < matrix->columns; k++)
			offset[k] = (uint32_t)(k * batch);
		built = matrix_taps(matrix, offset, &side->taps,
				    &side->row_taps);
	}
	free(offset);
	return built;
}

static int side_allocate(struct recurrent_run *run, struct recurrent_side *side)
{
	uint64_t batch = run->d.batch;
	uint64_t operands = side->matrix->columns * batch;

	/* An offset has 32 bits. */
	if (operands > UINT32_MAX)
		return execution_fail(run->execution, SPMM_SC_DESCRIPTOR_SHAPE,
				      batch);
	side->operand = calloc(operands + KERNEL_SLACK, 1);
	side->sums = malloc(run->rows * batch * sizeof(*side->sums));
	side->row_sums =
		malloc((batch + KERNEL_SLACK) * sizeof(*side->row_sums));
	if (!side->operand || !side->sums || !side->row_sums ||
	    !side_taps(side, batch))
		return execution_fail(run->execution, SPMM_SC_INTERNAL, 0);
	return 0;
}

static void side_free(struct recurrent_side *side)
{
	free(side->taps);
	free(side->row_taps);
	free(side->scales);
	free(side->biases);
	free(side->operand);
	free(side->sums);
	free(side->row_sums);
}

/* Accumulators of all units' gates [first, end) for the side's operand. */
static void side_multiply(const struct recurrent_run *run,
			  const struct recurrent_side *side, uint32_t first,
			  uint32_t end)
{
	const uint64_t *row_taps = side->row_taps;
	uint64_t batch = run->d.batch;

	for (uint32_t row = 0; row < run->rows; row++) {
		uint32_t gate = row % run->gates;
		uint32_t start = (uint32_t)side->biases[row] -
				 (uint32_t)(side->zero + KERNEL_BIAS) *
					 (uint32_t)side->matrix->row_sum[row];

		if (gate < first || gate >= end)
			continue;
		run->kernel(side->taps + row_taps[row],
			    row_taps[row + 1] - row_taps[row], side->operand,
			    start, batch, side->row_sums);
		memcpy(side->sums + row * batch, side->row_sums,
		       batch * sizeof(*side->sums));
	}
}

static struct golden_gate gate_of(const struct recurrent_run *run,
				  uint32_t gate, uint32_t unit, uint64_t b)
{
	uint32_t row = unit * run->gates + gate;
	uint64_t at = row * (uint64_t)run->d.batch + b;

	return (struct golden_gate){
		.input = run->input.sums[at],
		.hidden = run->hidden.sums[at],
		.input_scale = run->input.scales[row],
		.hidden_scale = run->hidden.scales[row],
	};
}

static void unit_lstm(struct recurrent_run *run, uint32_t unit, uint64_t b)
{
	uint64_t at = unit * (uint64_t)run->d.batch + b;
	const struct golden_gate gates[4] = {
		gate_of(run, 0, unit, b),
		gate_of(run, 1, unit, b),
		gate_of(run, 2, unit, b),
		gate_of(run, 3, unit, b),
	};

	run->state[at] =
		golden_lstm_step(gates, &run->cell[at], run->quantization);
}

static void unit_gru(struct recurrent_run *run, uint32_t unit, uint64_t b)
{
	bool linear = run->d.flags & SPMM_FLAG_LINEAR_BEFORE_RESET;
	uint64_t at = unit * (uint64_t)run->d.batch + b;
	const struct golden_gate gates[3] = {
		gate_of(run, 0, unit, b),
		gate_of(run, 1, unit, b),
		gate_of(run, 2, unit, b),
	};

	run->state[at] = golden_gru_step(gates, &run->cell[at], linear,
					 run->quantization);
}

/* The third gate works on r⊙h, which the second one's sums must precede. */
static void gru_reset(struct recurrent_run *run)
{
	uint32_t hidden = run->d.hidden;
	uint64_t batch = run->d.batch;

	for (uint32_t unit = 0; unit < hidden; unit++) {
		for (uint64_t b = 0; b < batch; b++) {
			const struct golden_gate reset =
				gate_of(run, 1, unit, b);
			uint64_t at = unit * batch + b;

			run->hidden.operand[at] = (uint8_t)golden_gru_reset(
				&reset, run->cell[at], run->quantization);
		}
	}
	kernel_stage(run->hidden.operand, hidden * batch);
	side_multiply(run, &run->hidden, 2, 3);
}

static void step_compute(struct recurrent_run *run)
{
	bool lstm = run->d.cell == SPMM_RECURRENT_LSTM;
	bool linear = run->d.flags & SPMM_FLAG_LINEAR_BEFORE_RESET;
	uint64_t units = run->d.hidden * (uint64_t)run->d.batch;

	memcpy(run->hidden.operand, run->state, units);
	kernel_stage(run->hidden.operand, units);
	side_multiply(run, &run->input, 0, run->gates);
	side_multiply(run, &run->hidden, 0, lstm || linear ? run->gates : 2);
	if (!lstm && !linear)
		gru_reset(run);
	for (uint32_t unit = 0; unit < run->d.hidden; unit++) {
		for (uint64_t b = 0; b < run->d.batch; b++) {
			if (lstm)
				unit_lstm(run, unit, b);
			else
				unit_gru(run, unit, b);
		}
	}
}

static uint64_t element_address(const struct spmm_tensor *tensor,
				uint32_t channel, uint32_t row)
{
	return tensor->address + channel * tensor->channel_stride +
	       (uint64_t)row * tensor->row_stride;
}

static int step_run(struct recurrent_run *run, uint32_t step)
{
	struct sim_execution *execution = run->execution;
	const struct spmm_recurrent_descriptor *d = &run->d;
	uint64_t batch = d->batch;

	for (uint32_t c = 0; c < d->input.channels; c++)
		if (execution_read(execution,
				   element_address(&d->input, c, step),
				   run->input.operand + c * batch, batch))
			return execution->status;
	kernel_stage(run->input.operand, d->input.channels * batch);
	step_compute(run);
	for (uint32_t c = 0; c < d->hidden; c++)
		if (execution_write(execution,
				    element_address(&d->output, c, step),
				    run->state + c * batch, batch))
			return execution->status;
	return execution_checkpoint(execution);
}

/*
 * Steps are tiles: the states are written back only at the end, so that an aborted
 * command leaves them as they were.
 */
static int steps_run(struct recurrent_run *run)
{
	struct sim_execution *execution = run->execution;
	const struct spmm_recurrent_descriptor *d = &run->d;
	uint64_t units = d->hidden * (uint64_t)d->batch;

	if (execution_read(execution, d->cell_state, run->cell, units * 4) ||
	    execution_read(execution, d->hidden_state, run->state, units))
		return execution->status;
	for (uint32_t i = 0; i < d->steps; i++) {
		uint32_t step =
			d->flags & SPMM_FLAG_REVERSE ? d->steps - 1 - i : i;

		if (step_run(run, step))
			return execution->status;
	}
	if (execution_write(execution, d->cell_state, run->cell, units * 4))
		return execution->status;
	return execution_write(execution, d->hidden_state, run->state, units);
}

static int parameters_read(struct recurrent_run *run)
{
	const struct spmm_recurrent_descriptor *d = &run->d;
	const struct side_addresses input = {
		{ d->input_weights, d->input_weights_length, run->rows,
		  d->input.channels, 1, 1 },
		d->input_scales,
		d->input_biases
	};
	const struct side_addresses hidden = { { d->hidden_weights,
						 d->hidden_weights_length,
						 run->rows, d->hidden, 1, 1 },
					       d->hidden_scales,
					       d->hidden_biases };

	if (side_read(run, &run->input, &input))
		return run->execution->status;
	return side_read(run, &run->hidden, &hidden);
}

static int buffers_allocate(struct recurrent_run *run)
{
	uint64_t units = run->d.hidden * (uint64_t)run->d.batch;

	if (side_allocate(run, &run->input) || side_allocate(run, &run->hidden))
		return run->execution->status;
	run->state = malloc(units);
	run->cell = malloc(units * sizeof(*run->cell));
	if (!run->state || !run->cell)
		return execution_fail(run->execution, SPMM_SC_INTERNAL, 0);
	return 0;
}

static void run_execute(struct recurrent_run *run)
{
	struct sim_execution *execution = run->execution;

	if (parameters_read(run))
		return;
	recurrent_lower(execution, &run->d, run->input.matrix,
			run->hidden.matrix);
	if (execution->status)
		return;
	if (deadline_hopeless(execution, execution->work.compute_cycles)) {
		execution_fail(execution, SPMM_SC_TIMEOUT,
			       execution->work.compute_cycles);
		return;
	}
	if (!buffers_allocate(run))
		steps_run(run);
}

void recurrent_execute(struct sim_execution *execution)
{
	struct recurrent_run run = { .execution = execution,
				     .kernel = kernel_choose() };
	int status;

	if (execution_read_descriptor(execution, &run.d, sizeof(run.d)))
		return;
	run.gates = run.d.cell == SPMM_RECURRENT_LSTM ? 4 : 3;
	run.rows = run.gates * run.d.hidden;
	run.input.zero = run.d.input.zero;
	run.hidden.zero = run.d.output.zero;
	run.quantization =
		(struct golden_quantization){ float_of_bits(run.d.hidden_scale),
					      run.d.output.zero };
	status = recurrent_check(&run.d, run.gates);
	if (status) {
		execution_fail(execution, status, execution->entry->address);
		return;
	}
	run_execute(&run);
	side_free(&run.input);
	side_free(&run.hidden);
	free(run.state);
	free(run.cell);
}
