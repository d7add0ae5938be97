/* SPDX-License-Identifier: MIT */
/*
 * A RECURRENT as two commands of the engine, since its matrices may be dealt to the
 * clusters in different ways: the input's part needs no state and is computed for all
 * steps at once; then the state's part, step by step, each of which waits for all of
 * the one before, but loads what is known of it while the rest is computed.
 */
#include <core/integer.h>
#include <plan/roof.h>
#include <sim/lower.h>
#include <sim/lower_recurrent.h>
#include <sim/traffic.h>
#include <sim/traversal.h>

#define SUM_BYTES 4
#define STEP_TILES_MAX 4096
#define STEP_CHUNKS_MAX 8

static const struct hazard_rows entire = { 0, 1 };

/**
 * struct recurrent_side - one of the two products
 * @columns: of one product
 * @times: how often it is computed
 * @chunks: that a step is cut into
 * @done: units that are known when each of them ends
 */
struct recurrent_side {
	struct sim_execution *execution;
	const struct spmm_recurrent_descriptor *d;
	const struct sim_matrix *matrix;
	uint32_t gates;
	uint64_t columns;
	uint64_t times;
	uint32_t chunks;
	uint32_t done[STEP_CHUNKS_MAX];
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

static void input_pass(const struct recurrent_side *side, uint32_t p,
		       struct engine_pass *out)
{
	const struct sim_part *part = &side->matrix->parts[p];
	uint64_t values = side_values(side);

	matrix_pass(&side->execution->device->config, side->matrix, p, out);
	out->line_bytes = part->lines * values;
	/* The sums are kept in the SRAM, and come back for the gates. */
	out->store_bytes = part->rows * values * SUM_BYTES;
}

/* A step's gates, in the epilogues of all clusters. */
static uint64_t gates_cycles(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	const struct sim_config *config = &side->execution->device->config;
	uint64_t rate = (uint64_t)config->clusters * config->epilogue_rate *
			config->vector_width;

	return divide_up((uint64_t)d->hidden * d->batch * side->gates, rate);
}

static void state_pass(const struct recurrent_side *side, uint32_t p,
		       struct engine_pass *out)
{
	const struct sim_part *part = &side->matrix->parts[p];

	matrix_pass(&side->execution->device->config, side->matrix, p, out);
	out->line_bytes = part->lines * side_values(side);
	/* For the gates alone: behind the weights, while lanes work. */
	out->weight_bytes += gates_share(side) * SUM_BYTES;
	out->store_bytes = divide_up(gates_share(side), side->gates);
	if (side->chunks > 1)
		out->epilogue_cycles += gates_cycles(side);
}

/* Adds what @vectors of a pass take. */
static void pass_count(const struct recurrent_side *side, uint64_t vectors,
		       const struct engine_pass *pass)
{
	side->execution->work.sram_bytes +=
		vectors *
		(pass->weight_bytes + pass->line_bytes + pass->store_bytes);
}

static void work_count(const struct recurrent_side *side,
		       void (*pass_of)(const struct recurrent_side *, uint32_t,
				       struct engine_pass *))
{
	const struct sim_matrix *matrix = side->matrix;
	const struct mapping *mapping = &matrix->mapping;
	struct sim_work *work = &side->execution->work;
	uint64_t vectors = side_vectors(side);
	uint64_t longest = 0;

	for (uint32_t p = 0; p < mapping->row_groups; p++) {
		struct engine_pass pass;

		pass_of(side, p, &pass);
		longest = max_u64(longest, max_u64(pass.compute_cycles,
						   pass.epilogue_cycles));
	}
	work->compute_cycles += longest * side->times *
				divide_up(vectors, mapping->column_groups);
	work->nonzeros += matrix->nonzeros;
	work->macs += matrix->nonzeros * side->columns * side->times;
	work->slot_macs += matrix->nonzeros * vectors * side->times *
			   mapping->vector_width;
}

/* Passes of all row groups; the first one's index. */
static uint32_t input_passes_lower(const struct recurrent_side *side)
{
	uint32_t first = 0;

	for (uint32_t p = 0; p < side->matrix->mapping.row_groups; p++) {
		struct engine_pass pass;
		uint32_t index;

		input_pass(side, p, &pass);
		pass_count(side, side_vectors(side), &pass);
		index = lower_pass(side->execution, &pass);
		first = p ? first : index;
	}
	work_count(side, input_pass);
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
	tile.passes = input_passes_lower(side);
	lower_touch(execution, sequence_operand(side, &d->input, false),
		    (struct hazard_rows){ 0, d->steps }, &tile);
	traffic_read_rows(execution, &in);
	traffic_finish_rows(execution, &in);
	lower_tile(execution, &tile);
}

/* A GRU that resets before its product has two products in a step. */
static bool has_two_products(const struct spmm_recurrent_descriptor *d)
{
	return d->cell == SPMM_RECURRENT_GRU &&
	       !(d->flags & SPMM_FLAG_LINEAR_BEFORE_RESET);
}

/*
 * A step is cut into chunks, so that units whose gates are known are sent to all
 * clusters while other units' rows are computed: into so many that what is between a
 * chunk's last row and its arrival takes less than a chunk.
 */
static uint32_t chunks_choose(const struct recurrent_side *side)
{
	const struct sim_config *config = &side->execution->device->config;
	const struct sim_matrix *matrix = side->matrix;
	uint64_t compute = 0, apart = gates_cycles(side);

	/* All of a step's chunks are the same clusters', and there are two states. */
	if (has_two_products(side->d) ||
	    side_vectors(side) % matrix->mapping.column_groups ||
	    matrix_single_buffer(config, matrix))
		return 1;
	for (uint32_t p = 0; p < matrix->mapping.row_groups; p++)
		compute = max_u64(compute, matrix->parts[p].cycles);
	apart += divide_up(matrix->columns * side_values(side),
			   config->sram_port_bytes);
	if (compute <= apart)
		return 1;
	compute = (compute - apart) / max_u64(config->pipeline_cycles, 1);
	compute = min_u64(compute, STEP_CHUNKS_MAX);
	compute = min_u64(compute, STEP_TILES_MAX / side->d->steps);
	return (uint32_t)max_u64(compute, 1);
}

/* A unit is known when the last of its gates' rows is. */
static uint32_t units_done(const struct recurrent_side *side, uint32_t chunk)
{
	uint64_t passed = MATRIX_PART_WHOLE * (chunk + 1ull) / side->chunks;
	uint32_t units = 0;

	for (uint32_t row = 0; row < side->matrix->rows; row += side->gates) {
		bool done = true;

		for (uint32_t g = 0; g < side->gates; g++)
			done &= side->matrix->row_end[row + g] <= passed;
		units += done;
	}
	return units;
}

static uint64_t share(uint64_t total, uint64_t part, uint64_t parts)
{
	return (uint64_t)((unsigned __int128)total * part / max_u64(parts, 1));
}

static uint64_t chunk_of(uint64_t total, uint32_t chunk, uint32_t chunks)
{
	return share(total, chunk + 1, chunks) - share(total, chunk, chunks);
}

/*
 * One chunk's part of a pass. Slots follow the cycles, and lost ones take what is left,
 * so that all chunks together have exactly the slots of the pass.
 */
static void slots_cut(const struct sim_config *config,
		      const struct engine_pass *whole, uint32_t chunk,
		      uint32_t chunks, struct engine_pass *out)
{
	uint64_t cycles = whole->compute_cycles;
	uint64_t bank = whole->bank_slots;

	for (uint32_t c = 0; c <= chunk; c++) {
		uint64_t begin = share(cycles, c, chunks);
		uint64_t end = share(cycles, c + 1, chunks);

		out->compute_cycles = end - begin;
		out->issue_slots = share(whole->issue_slots, end, cycles) -
				   share(whole->issue_slots, begin, cycles);
		out->bank_slots =
			min_u64(bank, out->compute_cycles * config->lanes -
					      out->issue_slots);
		bank -= out->bank_slots;
	}
}

/*
 * Units that a chunk brings. The chunk before has yet to be stored when it is loaded, but
 * the one before that has been: a step's first chunk brings what the last two made, and
 * all of the initial state. The last step's bring nothing for a step behind it.
 */
static uint32_t units_loaded(const struct recurrent_side *side, uint32_t step,
			     uint32_t chunk)
{
	const uint32_t *done = side->done;

	if (!step && !chunk)
		return side->d->hidden;
	if (!chunk)
		return side->d->hidden -
		       (side->chunks > 2 ? done[side->chunks - 3] : 0);
	if (chunk < 2 || step + 1 >= side->d->steps)
		return 0;
	return done[chunk - 2] - (chunk > 2 ? done[chunk - 3] : 0);
}

static void chunk_pass(const struct recurrent_side *side, uint32_t p,
		       uint32_t step, uint32_t chunk, struct engine_pass *out)
{
	uint32_t chunks = side->chunks;
	uint64_t units = units_loaded(side, step, chunk);
	struct engine_pass whole;

	state_pass(side, p, &whole);
	slots_cut(&side->execution->device->config, &whole, chunk, chunks, out);
	out->weight_bytes = chunk_of(whole.weight_bytes, chunk, chunks);
	out->decoder_cycles = chunk_of(whole.decoder_cycles, chunk, chunks);
	out->epilogue_cycles = chunk_of(whole.epilogue_cycles, chunk, chunks);
	out->store_bytes = chunk_of(whole.store_bytes, chunk, chunks);
	out->line_bytes = divide_up(whole.line_bytes * units, side->d->hidden);
	out->fill_cycles =
		divide_up(whole.fill_cycles * units, side->d->hidden);
}

/* Steps that load alike: the first, the last, and those between. */
enum step_kind {
	STEP_FIRST,
	STEP_BETWEEN,
	STEP_LAST,
	STEP_KINDS,
};

static enum step_kind step_kind(const struct spmm_recurrent_descriptor *d,
				uint32_t step)
{
	if (!step)
		return STEP_FIRST;
	return step + 1 < d->steps ? STEP_BETWEEN : STEP_LAST;
}

/* Passes of one chunk and all row groups; the first one's index. */
static uint32_t chunk_lower(const struct recurrent_side *side, uint32_t step,
			    uint32_t chunk, uint32_t times)
{
	uint32_t first = 0;

	for (uint32_t p = 0; p < side->matrix->mapping.row_groups; p++) {
		struct engine_pass pass = { 0 };
		uint32_t index;

		chunk_pass(side, p, step, chunk, &pass);
		pass_count(side, side_vectors(side) * times, &pass);
		index = lower_pass(side->execution, &pass);
		first = p ? first : index;
	}
	return first;
}

static void steps_passes_lower(const struct recurrent_side *side,
			       uint32_t passes[STEP_KINDS][STEP_CHUNKS_MAX])
{
	uint32_t steps = side->d->steps;

	for (uint32_t chunk = 0; chunk < side->chunks; chunk++) {
		passes[STEP_FIRST][chunk] = chunk_lower(side, 0, chunk, 1);
		if (steps > 2)
			passes[STEP_BETWEEN][chunk] =
				chunk_lower(side, 1, chunk, steps - 2);
		if (steps > 1)
			passes[STEP_LAST][chunk] =
				chunk_lower(side, steps - 1, chunk, 1);
	}
	work_count(side, state_pass);
}

/* Between a chunk's results and the load that needs them. */
static uint32_t chunk_cycles(const struct recurrent_side *side)
{
	uint64_t cycles = divide_up(gates_cycles(side), side->chunks);

	if (has_two_products(side->d))
		cycles += side->execution->device->config.pipeline_cycles;
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

/**
 * struct recurrent_steps - the steps of a state's product that are being lowered
 * @passes: the first of each chunk's
 * @out: operand of the sequence that is written
 * @tile: of any step
 */
struct recurrent_steps {
	const struct recurrent_side *side;
	uint32_t passes[STEP_KINDS][STEP_CHUNKS_MAX];
	uint32_t out;
	struct engine_tile tile;
};

/* Steps [first, end), of which there is more than one only where a chunk is a step. */
static void chunk_tile_lower(const struct recurrent_steps *steps,
			     uint32_t first, uint32_t end, uint32_t chunk)
{
	const struct recurrent_side *side = steps->side;
	const struct spmm_recurrent_descriptor *d = side->d;
	struct sim_execution *execution = side->execution;
	struct hazard_rows rows = steps_rows(d, first, end);
	struct traffic_rows written = { &d->output, rows.first, rows.end,
					d->batch };
	struct engine_tile tile = steps->tile;

	tile.passes = steps->passes[step_kind(d, first)][chunk];
	tile.vectors *= end - first;
	tile.barrier_cycles = (uint32_t)min_u64(
		(uint64_t)tile.barrier_cycles * (end - first), UINT32_MAX);
	tile.barrier_reach = chunk ? 1 : 0;
	lower_touch(execution, steps->out, rows, &tile);
	if (chunk + 1 == side->chunks) {
		traffic_write_rows(execution, &written);
		if (end == d->steps)
			states_write(side);
	}
	lower_tile(execution, &tile);
}

/* A chunk of a step is a tile; of very many steps, some together, which take as long. */
static void steps_lower(const struct recurrent_steps *steps)
{
	const struct recurrent_side *side = steps->side;
	uint32_t count = side->d->steps;
	uint32_t together = (uint32_t)divide_up(count, STEP_TILES_MAX);
	uint32_t end;

	for (uint32_t i = 0; i < count && !side->execution->status; i = end) {
		end = count - i < together ? count : i + together;
		for (uint32_t chunk = 0; chunk < side->chunks; chunk++)
			chunk_tile_lower(steps, i, end, chunk);
	}
}

static void state_lower(const struct recurrent_side *side)
{
	const struct spmm_recurrent_descriptor *d = side->d;
	struct sim_execution *execution = side->execution;
	uint64_t units = d->hidden * (uint64_t)d->batch;
	uint64_t bytes = side->matrix->rows * 4ull;
	struct recurrent_steps steps = {
		.side = side,
		.tile = { .vectors = side_vectors(side),
			  .barrier = true,
			  .barrier_cycles = chunk_cycles(side) },
	};

	if (!side_begin(side))
		return;
	parameter_read(side, d->hidden_weights, d->hidden_weights_length);
	parameter_read(side, d->hidden_scales, bytes);
	parameter_read(side, d->hidden_biases, bytes);
	lower_weights(execution);
	steps_passes_lower(side, steps.passes);
	lower_touch(execution, state_operand(side, d->cell_state, units * 4),
		    entire, &steps.tile);
	lower_touch(execution, state_operand(side, d->hidden_state, units),
		    entire, &steps.tile);
	traffic_read(execution, d->cell_state, units * 4, SPMM_HINT_KEEP);
	traffic_read(execution, d->hidden_state, units, SPMM_HINT_KEEP);
	steps.out = sequence_operand(side, &d->output, true);
	steps_lower(&steps);
}

void recurrent_lower(struct sim_execution *execution,
		     const struct spmm_recurrent_descriptor *d,
		     const struct sim_matrix *input,
		     const struct sim_matrix *hidden)
{
	uint32_t gates = d->cell == SPMM_RECURRENT_LSTM ? 4 : 3;
	struct recurrent_side sides[2] = {
		{ execution, d, input, gates, 0, 1, 1, { 0 } },
		{ execution, d, hidden, gates, d->batch, d->steps, 1, { 0 } },
	};
	struct recurrent_side *state = &sides[1];

	sides[0].columns = (uint64_t)d->steps * d->batch;
	state->chunks = chunks_choose(state);
	for (uint32_t chunk = 0; chunk < state->chunks; chunk++)
		state->done[chunk] = units_done(state, chunk);
	input_lower(&sides[0]);
	if (!execution->status)
		state_lower(state);
	execution->work.compulsory_bytes =
		(d->input.channels + (uint64_t)d->hidden) * d->steps *
			d->batch +
		roof_weight_bytes(input->nonzeros, input->rows,
				  d->input.channels, d->input_weights_length) +
		roof_weight_bytes(hidden->nonzeros, hidden->rows, d->hidden,
				  d->hidden_weights_length);
}
