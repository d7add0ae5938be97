/* SPDX-License-Identifier: MIT */
#include "tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <golden/arithmetic.h>
#include <pack/stream.h>
#include <spmm/descriptor.h>
#include <spmm/stream.h>

#include "random.h"

static const struct geometry geometry = {
	.clusters = 16,
	.lanes = CLUSTER_LANES,
	.vector_width = CLUSTER_WIDTH,
	.banks = CLUSTER_BANKS,
	.accumulators = 4,
	.decoder_rate = 8,
	.schedule_window = 16,
	.epilogue_rate = 1,
	.sram_port_bytes = 256,
};

/**
 * struct run - a tile on its way
 * @tile: whose it is
 * @stream: packed
 * @decoded: the same
 * @x: K rows of 32 values, present vector
 * @next: of the next vector
 * @task: of the present part
 * @finished: by row: how often it has left
 * @partial: the part behind shares its first row
 */
struct run {
	const struct tile *tile;
	struct stream stream;
	struct stream_decoded decoded;
	struct cluster_write *x;
	struct cluster_write *next;
	int32_t *biases;
	float *scales;
	struct cluster_task task;
	uint32_t *finished;
	struct cluster_signals partial;
};

static float random_scale(uint64_t *seed, bool any)
{
	uint32_t bits = random_below(seed, 0x7f7fffff) + 1;
	float scale;

	if (!any)
		return ldexpf((float)(1 + random_unit(seed)),
			      -8 - (int)random_below(seed, 8));
	/* Half of them near what is usual, where rounding is interesting. */
	if (random_below(seed, 2))
		bits = (97 + random_below(seed, 40)) << 23 |
		       random_below(seed, 1 << 23);
	memcpy(&scale, &bits, sizeof(scale));
	return scale;
}

static void run_open(struct run *run, const struct tile *tile)
{
	const struct mapping mapping = { tile->row_groups, 1, CLUSTER_WIDTH };
	const struct model_csr *matrix = tile->matrix;
	uint64_t seed = tile->seed;

	*run = (struct run){ .tile = tile };
	assert_int_equal(stream_pack(matrix, &geometry, &mapping, &run->stream),
			 0);
	assert_int_equal(stream_decode(run->stream.bytes, run->stream.length,
				       matrix->rows, matrix->columns, &geometry,
				       &run->decoded, NULL),
			 0);
	run->x = calloc(matrix->columns, sizeof(*run->x));
	run->next = calloc(matrix->columns, sizeof(*run->next));
	run->biases = calloc(matrix->rows, sizeof(*run->biases));
	run->scales = calloc(matrix->rows, sizeof(*run->scales));
	run->finished = calloc(matrix->rows, sizeof(*run->finished));
	assert_true(run->x && run->next && run->biases && run->scales &&
		    run->finished);
	for (uint32_t row = 0; row < matrix->rows; row++) {
		run->biases[row] =
			(int32_t)random_next(&seed) >>
			(tile->any_scale ? random_below(&seed, 32) : 18);
		run->scales[row] = random_scale(&seed, tile->any_scale);
	}
	run->task = (struct cluster_task){
		.rows = matrix->rows,
		.columns = matrix->columns,
		.bank_skew = run->decoded.bank_skew,
		.input_zero = (int8_t)random_next(&seed),
		.output_zero = (int8_t)random_next(&seed),
		.output_type = tile->output_type,
		.biases = run->biases,
		.scales = run->scales,
	};
}

static void run_close(struct run *run)
{
	stream_free(&run->stream);
	stream_decoded_free(&run->decoded);
	free(run->x);
	free(run->next);
	free(run->biases);
	free(run->scales);
	free(run->finished);
}

/* A vector's X; its rows go to the half of the buffer that is not being read. */
static void vector_fill(struct run *run, struct cluster_write *x,
			uint32_t vector)
{
	uint64_t seed = run->tile->seed * 77 + vector + 1;

	for (uint32_t k = 0; k < run->task.columns; k++) {
		x[k].half = vector % 2;
		x[k].column = k;
		x[k].bank_skew = run->task.bank_skew;
		for (int i = 0; i < CLUSTER_WIDTH; i++)
			x[k].values[i] = (int8_t)(random_next(&seed) >> 24);
	}
}

static int32_t expected(const struct run *run, uint32_t row, int i)
{
	const struct model_csr *matrix = run->tile->matrix;
	uint32_t sum = (uint32_t)run->biases[row];
	float value;
	int32_t bits;

	for (int64_t at = matrix->row_start[row];
	     at < matrix->row_start[row + 1]; at++)
		sum += (uint32_t)(matrix->value[at] *
				  (run->x[matrix->column[at]].values[i] -
				   run->task.input_zero));
	switch (run->task.output_type) {
	case SPMM_OUTPUT_INT8:
		return golden_requantize((int32_t)sum, run->scales[row],
					 run->task.output_zero);
	case SPMM_OUTPUT_FLOAT32:
		value = golden_rescale((int32_t)sum, run->scales[row]);
		memcpy(&bits, &value, sizeof(bits));
		return bits;
	default:
		return (int32_t)sum;
	}
}

static void take_result(const struct cluster_signals *signals, void *context)
{
	struct run *run = context;

	if (signals->partial) {
		assert_false(run->partial.valid);
		run->partial = *signals;
		return;
	}
	assert_true(signals->row >= run->task.finish_begin &&
		    signals->row < run->task.finish_end);
	run->finished[signals->row]++;
	for (int i = 0; i < CLUSTER_WIDTH; i++)
		assert_int_equal(signals->values[i],
				 expected(run, signals->row, i));
}

/* Where the lanes of a part lie in the stream. */
static void find_streams(struct run *run, uint32_t part)
{
	uint32_t lanes = run->decoded.part_count * CLUSTER_LANES;
	const uint8_t *table =
		run->stream.bytes + sizeof(struct spmm_stream_header);
	const uint8_t *bits = table + lanes * sizeof(struct spmm_stream_lane);

	for (uint32_t i = 0; i < (part + 1) * CLUSTER_LANES; i++) {
		struct spmm_stream_lane lane;

		memcpy(&lane, table + i * sizeof(lane), sizeof(lane));
		run->task.streams[i % CLUSTER_LANES] = (struct cluster_stream){
			.bytes = bits,
			.length = le32toh(lane.length),
			.row = le32toh(lane.row),
			.column = le32toh(lane.column),
		};
		bits += le32toh(lane.length);
	}
}

/* From the last part to the first, since each hands a shared row to the one before. */
static void part_run(struct lockstep *lockstep, struct run *run, uint32_t index,
		     struct tile_totals *totals)
{
	const struct stream_part *part = &run->decoded.parts[index];
	struct cluster_task *task = &run->task;
	struct lockstep_counts counts;

	find_streams(run, index);
	task->finish_begin = part->finish_begin;
	task->finish_end = part->finish_end;
	task->incoming_valid = run->partial.valid && part->slot_count;
	if (task->incoming_valid) {
		assert_int_equal(run->partial.row, part->row_end - 1);
		task->incoming_row = run->partial.row;
		memcpy(task->incoming, run->partial.values,
		       sizeof(task->incoming));
		run->partial.valid = false;
	}
	counts = lockstep_run(lockstep, task, take_result, run);
	assert_int_equal(counts.cycles, part->cycles);
	totals->tasks++;
	totals->cycles += counts.cycles;
	totals->stalls += counts.stalls;
	totals->rows += part->finish_end - part->finish_begin;
	if (counts.fill > totals->fill_max)
		totals->fill_max = counts.fill;
	if (counts.tail < totals->tail_min || !totals->tail_min)
		totals->tail_min = counts.tail;
	if (counts.tail > totals->tail_max)
		totals->tail_max = counts.tail;
}

static void writes_finish(struct lockstep *lockstep)
{
	struct cluster_signals signals;

	while (lockstep->written < lockstep->write_columns)
		lockstep_tick(lockstep, &signals);
}

static void load(struct lockstep *lockstep, struct run *run, uint32_t vector)
{
	vector_fill(run, run->next, vector);
	lockstep->writes = run->next;
	lockstep->write_columns =
		vector < run->tile->vectors ? run->task.columns : 0;
	lockstep->written = 0;
}

static void vector_run(struct lockstep *lockstep, struct run *run,
		       uint32_t vector, struct tile_totals *totals)
{
	struct cluster_write *x = run->x;

	writes_finish(lockstep);
	run->x = run->next;
	run->next = x;
	run->task.half = vector % 2;
	load(lockstep, run, vector + 1);
	memset(run->finished, 0, run->task.rows * sizeof(*run->finished));
	for (uint32_t part = run->decoded.part_count; part-- > 0;)
		part_run(lockstep, run, part, totals);
	assert_false(run->partial.valid);
	for (uint32_t row = 0; row < run->task.rows; row++)
		assert_int_equal(run->finished[row], 1);
}

void tile_run(struct lockstep *lockstep, const struct tile *tile,
	      struct tile_totals *totals)
{
	struct run run;

	run_open(&run, tile);
	load(lockstep, &run, 0);
	for (uint32_t vector = 0; vector < tile->vectors; vector++)
		vector_run(lockstep, &run, vector, totals);
	run_close(&run);
}
