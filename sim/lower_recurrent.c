/* SPDX-License-Identifier: MIT */
/*
 * A RECURRENT as two commands of the engine, since its matrices may be dealt to the
 * clusters in different ways: the input's part needs no state and is computed for all
 * steps at once; then the state's part, step by step, each of which waits for all of
 * the one before.
 */
#include <core/integer.h>
#include <plan/roof.h>
#include <sim/lower.h>
#include <sim/lower_recurrent.h>
#include <sim/traffic.h>
#include <sim/traversal.h>

#define SUM_BYTES 4
#define STEP_TILES_MAX 4096

static const struct hazard_rows whole = { 0, 1 };

/**
 * struct recurrent_side - one of the two products
 * @columns: of one product
 * @times: how often it is computed
 */
struct recurrent_side {
	struct sim_execution *execution;
	const struct spmm_recurrent_descriptor *d;
	const struct sim_matrix *matrix;
	uint32_t gates;
	uint64_t columns;
	uint64_t times;
};

static uint64_t side_vectors(const struct recurrent_side *side)
{
	return divide_up(side->columns, side->matrix->mapping.vector_width);
}

/* Values of a vector: a small batch is stored and read without padding. */
static uint64_t side_values(const struct recurrent_side *side)
{
	return divide_up(side->columns, side_vectors(side));
}

static bool side_begin(const struct recurrent_side *side)
{
	const struct sim_config *config = &side->execution->device->config;
	struct lowering *lowering = lower_begin(side->execution, ENGINE_ARRAY);
	struct engine_command *command;

	if (!lowering)
		return false;
	command = &lowering->command;
	command->row_groups = side->matrix->mapping.row_groups;
	command->column_groups = side->matrix->mapping.column_groups;
	command->single_buffer = matrix_single_buffer(config, side->matrix);
	command->macs = side->matrix->nonzeros * side->columns * side->times;
	return true;
}

static void parameter_read(const struct recurrent_side *side, uint64_t address,
			   uint64_t length)
{
	lower_parameters(side->execution, address, length);
	traffic_read(side->execution, address, length, SPMM_HINT_KEEP);
}

/* A state that is read and written. */
static uint32_t state_operand(const struct recurrent_side *side,
			      uint64_t address, uint64_t length)
{
	return hazard_range(&lower_current(side->execution)->record, address,
			    length, true);
}

static uint32_t sequence_operand(const struct recurrent_side *side,
				 const struct spmm_tensor *tensor, bool write)
{
	return hazard_operand(&lower_current(side->execution)->record, tensor,
			      side->d->batch, write);
}

/* Sums of a vector that a row group's epilogue makes gates of. */
static uint64_t gates_share(const struct recurrent_side *side)
{
	return divide_up(side->matrix->rows * side_values(side),
			 side->matrix->mapping.row_groups);
}

/*
 * Passes of all row groups; the first one's index. The input's sums are kept in the
 * SRAM, and come back for the gates.
 */
static uint32_t passes_lower(const struct recurrent_side *side, bool state)
{
	const struct sim_matrix *matrix = side->matrix;
	uint64_t values = side_values(side);
	uint64_t vectors = side_vectors(side);
	struct sim_work *work = &side->execution->work;
	uint64_t longest = 0;
	uint32_t first = 0;

	for (uint32_t p = 0; p < matrix->mapping.row_groups; p++) {
		const struct sim_part *part = &matrix->parts[p];
		uint64_t results = part->rows * values;
		struct engine_pass pass;
		uint32_t index;

		matrix_pass(&side->execution->device->config, matrix, p, &pass);
		pass.line_bytes = part->lines * values;
		pass.store_bytes = results * SUM_BYTES;
		if (state) {
			/*
			 * For the gates alone: behind the weights, while lanes
			 * work. Units are dealt evenly, whose rows are where.
			 */
			pass.weight_bytes += gates_share(side) * SUM_BYTES;
			pass.store_bytes =
				divide_up(gates_share(side), side->gates);
		}
		longest = max_u64(longest, max_u64(pass.compute_cycles,
						   pass.epilogue_cycles));
		work->sram_bytes += vectors * side->times *
				    (pass.weight_bytes + pass.line_bytes +
				     pass.store_bytes);
		index = lower_pass(side->execution, &pass);
		first = p ? first : index;
	}
	work->compute_cycles +=
		longest * side->times *
		divide_up(vectors, matrix->mapping.column_groups);
	work->nonzeros += matrix->nonzeros;
	work->macs += matrix->nonzeros * side->columns * side->times;
	work->slot_macs += matrix->nonzeros * vectors * side->times *
			   matrix->mapping.vector_width;
	return first;
}

static void input_lower(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	struct sim_execution *execution = side->execution;
	struct traffic_rows in = { &d->input, 0, d->steps, d->batch };
	struct engine_tile tile = { .vectors = side_vectors(side) };
	uint64_t bytes = side->matrix->rows * 4ull;

	if (!side_begin(side))
		return;
	parameter_read(side, d->input_weights, d->input_weights_length);
	parameter_read(side, d->input_scales, bytes);
	parameter_read(side, d->input_biases, bytes);
	lower_weights(execution);
	tile.passes = passes_lower(side, false);
	lower_touch(execution, sequence_operand(side, &d->input, false),
		    (struct hazard_rows){ 0, d->steps }, &tile);
	traffic_read_rows(execution, &in);
	traffic_finish_rows(execution, &in);
	lower_tile(execution, &tile);
}

/*
 * The gates of a step. A GRU that resets before its product has two products in a
 * step, the second of which waits for the pipeline once more.
 */
static uint32_t step_cycles(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	const struct sim_config *config = &side->execution->device->config;
	uint64_t rate = (uint64_t)config->clusters * config->epilogue_rate *
			config->vector_width;
	uint64_t cycles =
		divide_up((uint64_t)d->hidden * d->batch * side->gates, rate);

	if (d->cell == SPMM_RECURRENT_GRU &&
	    !(d->flags & SPMM_FLAG_LINEAR_BEFORE_RESET))
		cycles += config->pipeline_cycles;
	return (uint32_t)min_u64(cycles, UINT32_MAX);
}

static void states_write(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	uint64_t units = d->hidden * (uint64_t)d->batch;

	traffic_write(side->execution, d->cell_state, units * 4,
		      SPMM_HINT_KEEP);
	traffic_write(side->execution, d->hidden_state, units, SPMM_HINT_KEEP);
}

/* The output's rows of steps [first, end). */
static struct hazard_rows steps_rows(const struct spmm_recurrent_descriptor *d,
				     uint32_t first, uint32_t end)
{
	if (d->flags & SPMM_FLAG_REVERSE)
		return (struct hazard_rows){ d->steps - end, d->steps - first };
	return (struct hazard_rows){ first, end };
}

/* A step is a tile; of very many, some together, which take as long. */
static void steps_lower(const struct recurrent_side *side,
			const struct engine_tile *step)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	struct sim_execution *execution = side->execution;
	uint32_t out = sequence_operand(side, &d->output, true);
	uint32_t together = (uint32_t)divide_up(d->steps, STEP_TILES_MAX);
	uint32_t end;

	for (uint32_t i = 0; i < d->steps && !execution->status; i = end) {
		struct engine_tile tile = *step;
		struct hazard_rows rows;
		struct traffic_rows written;

		end = d->steps - i < together ? d->steps : i + together;
		rows = steps_rows(d, i, end);
		written = (struct traffic_rows){ &d->output, rows.first,
						 rows.end, d->batch };
		tile.vectors *= end - i;
		tile.barrier_cycles = (uint32_t)min_u64(
			(uint64_t)tile.barrier_cycles * (end - i), UINT32_MAX);
		lower_touch(execution, out, rows, &tile);
		traffic_write_rows(execution, &written);
		if (end == d->steps)
			states_write(side);
		lower_tile(execution, &tile);
	}
}

static void state_lower(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	struct sim_execution *execution = side->execution;
	uint64_t units = d->hidden * (uint64_t)d->batch;
	uint64_t bytes = side->matrix->rows * 4ull;
	struct engine_tile step = { .vectors = side_vectors(side),
				    .barrier = true,
				    .barrier_cycles = step_cycles(side) };

	if (!side_begin(side))
		return;
	parameter_read(side, d->hidden_weights, d->hidden_weights_length);
	parameter_read(side, d->hidden_scales, bytes);
	parameter_read(side, d->hidden_biases, bytes);
	lower_weights(execution);
	step.passes = passes_lower(side, true);
	lower_touch(execution, state_operand(side, d->cell_state, units * 4),
		    whole, &step);
	lower_touch(execution, state_operand(side, d->hidden_state, units),
		    whole, &step);
	traffic_read(execution, d->cell_state, units * 4, SPMM_HINT_KEEP);
	traffic_read(execution, d->hidden_state, units, SPMM_HINT_KEEP);
	steps_lower(side, &step);
}

void recurrent_lower(struct sim_execution *execution,
		     const struct spmm_recurrent_descriptor *d,
		     const struct sim_matrix *input,
		     const struct sim_matrix *hidden)
{
	uint32_t gates = d->cell == SPMM_RECURRENT_LSTM ? 4 : 3;
	const struct recurrent_side sides[2] = {
		{ execution, d, input, gates, (uint64_t)d->steps * d->batch,
		  1 },
		{ execution, d, hidden, gates, d->batch, d->steps },
	};

	input_lower(&sides[0]);
	if (!execution->status)
		state_lower(&sides[1]);
	execution->work.compulsory_bytes =
		(d->input.channels + (uint64_t)d->hidden) * d->steps *
			d->batch +
		roof_weight_bytes(input->nonzeros, input->rows,
				  d->input.channels, d->input_weights_length) +
		roof_weight_bytes(hidden->nonzeros, hidden->rows, d->hidden,
				  d->hidden_weights_length);
}
