/* SPDX-License-Identifier: MIT */
/*
 * Registers change all at once: within a clock, what is downstream goes first, so
 * that each part sees its predecessor as it was.
 */
#include <sim/cluster.h>

#include <stdlib.h>
#include <string.h>

#include <golden/arithmetic.h>
#include <pack/bank.h>
#include <pack/lane_decode.h>
#include <pack/schedule.h>
#include <spmm/descriptor.h>
#include <spmm/status.h>

#define WINDOW 16
#define ACCUMULATORS 4

/*
 * Up to a whole window leaves at once, and one symbol a clock comes in: as much
 * again behind the window keeps it full.
 */
#define QUEUE (2 * WINDOW)

/* Up to four rows end in one clock, and the next ones begin in the next clock. */
#define SLOTS (2 * ACCUMULATORS)

/* From a lane's choice to its operands: the other lanes' choices, then the banks. */
#define REQUEST CLUSTER_LANES
#define ANSWER (REQUEST + 1)

/* From the last choice of all until its product has been added. */
#define FLUSH (CLUSTER_LANES + 3)

/* Partial sums of a task: first and last row of each lane, and the incoming one. */
#define PARTIALS (2 * CLUSTER_LANES + 1)

/* Row, sum, float, product, rounded, code. */
#define EPILOGUE_STAGES 6

/* What a lane decides on; ordinal counts the lane's rows. */
struct symbol {
	bool filler;
	bool new_row;
	uint8_t bank;
	int8_t weight;
	uint32_t ordinal;
	uint32_t row;
	uint32_t first; /* rows from here to row have no weights */
	uint32_t column;
};

/* A lane's turn in a cycle of the schedule; rows before oldest are complete. */
struct issue {
	bool turn;
	bool issued;
	struct symbol symbol;
	uint32_t oldest;
};

/* Sums of a row. */
struct sums {
	bool used;
	bool complete;
	uint32_t row;
	uint32_t first;
	int32_t values[CLUSTER_WIDTH];
};

/* Symbols of the lane, of which [head, tail) are in its queue. */
struct lane {
	struct symbol *symbols;
	uint8_t *issued;
	uint32_t count;
	uint32_t head;
	uint32_t tail;
	uint32_t wait; /* clocks until the first symbol is decoded */
	bool exhausted;
	struct issue stages[ANSWER + 1]; /* lane l enters at [l] */
	struct issue product;
	struct sums border; /* the first row, which the lane before may share */
	struct sums slots[SLOTS];
	uint32_t oldest;
	uint32_t next; /* complete row that goes to the epilogue next */
};

/* A lane decides one clock after the lane before it. */
struct turn {
	bool valid;
	uint32_t taken;
};

struct vector {
	bool valid;
	bool partial;
	uint32_t row;
	int32_t values[CLUSTER_WIDTH];
};

/**
 * struct cluster - its registers
 * @task: present or latest one
 * @lanes: decoder queue, window and accumulators
 * @turns: of the lanes, what the lanes before took
 * @banks: [half][column's address][bank]
 * @running: until the merge is done
 * @issuing: all windows are full
 * @flush: clocks since the last lane has issued
 * @arbiter: lane whose complete rows go first
 * @merge: partial sums that have been merged
 * @carry: sum of the latest ones
 * @covered: rows before it are taken care of by the merge
 * @epilogue: vectors on their way
 */
struct cluster {
	struct cluster_task task;
	struct lane lanes[CLUSTER_LANES];
	struct turn turns[CLUSTER_LANES];
	int8_t banks[2][CLUSTER_BANK_ROWS][CLUSTER_BANKS][CLUSTER_WIDTH];
	bool running;
	bool issuing;
	uint32_t flush;
	uint32_t arbiter;
	uint32_t merge;
	struct sums carry;
	uint32_t covered;
	struct vector epilogue[EPILOGUE_STAGES];
};

struct cluster *cluster_create(void)
{
	return calloc(1, sizeof(struct cluster));
}

static void lane_reset(struct lane *lane)
{
	free(lane->symbols);
	free(lane->issued);
	memset(lane, 0, sizeof(*lane));
	lane->next = 1;
}

void cluster_destroy(struct cluster *cluster)
{
	if (!cluster)
		return;
	for (int l = 0; l < CLUSTER_LANES; l++)
		lane_reset(&cluster->lanes[l]);
	free(cluster);
}

/* Slots and fillers, as the decoder tells them, in the order of the stream. */
static void symbols_fill(struct lane *lane, const struct lane_decoder *decoder)
{
	const struct stream_slot *slot = decoder->slots;
	struct symbol last = { 0 };

	for (uint32_t i = 0; i < lane->count; i++) {
		uint8_t code = decoder->schedule.bytes[i];
		struct symbol *symbol = &lane->symbols[i];

		*symbol = last;
		symbol->filler = code & SCHEDULE_FILLER;
		symbol->new_row = code & SCHEDULE_NEW_ROW;
		if (symbol->filler)
			continue;
		symbol->bank = code & SCHEDULE_BANK_MASK;
		symbol->weight = slot->weight;
		symbol->column = slot->column;
		if (symbol->new_row && slot != decoder->slots) {
			symbol->ordinal++;
			symbol->first = last.row + 1;
		}
		symbol->row = slot->row;
		last = *symbol;
		slot++;
	}
}

static int lane_load(struct lane *lane, const struct cluster_task *task,
		     const struct cluster_stream *stream)
{
	struct lane_decoder decoder = {
		.reader = { .bytes = stream->bytes,
			    .end = stream->length * 8ull },
		.rows = task->rows,
		.columns = task->columns,
		.banks = CLUSTER_BANKS,
		.bank_skew = task->bank_skew,
		.row = stream->row,
		.column = stream->column,
		.last_row = UINT32_MAX,
		.slot_limit = stream->length,
	};
	int status = SPMM_SC_INTERNAL;

	decoder.slots = malloc((stream->length + 1ul) * sizeof(*decoder.slots));
	if (decoder.slots)
		status = lane_decode(&decoder);
	lane->count = (uint32_t)decoder.schedule.length;
	lane->symbols = calloc(lane->count + 1ul, sizeof(*lane->symbols));
	lane->issued = calloc(lane->count + 1ul, 1);
	if (!lane->symbols || !lane->issued)
		status = SPMM_SC_INTERNAL;
	if (!status)
		symbols_fill(lane, &decoder);
	free(decoder.slots);
	free(decoder.schedule.bytes);
	/* The first code may need more bits than the port brings in one clock. */
	lane->wait = !stream->length ? 0 : stream->length <= 8 ? 1 : 2;
	return status;
}

int cluster_start(struct cluster *cluster, const struct cluster_task *task)
{
	cluster->task = *task;
	memset(cluster->turns, 0, sizeof(cluster->turns));
	memset(&cluster->carry, 0, sizeof(cluster->carry));
	cluster->running = true;
	cluster->issuing = false;
	cluster->flush = 0;
	cluster->arbiter = 0;
	cluster->merge = 0;
	cluster->covered = task->finish_begin;
	for (int l = 0; l < CLUSTER_LANES; l++) {
		struct lane *lane = &cluster->lanes[l];
		int status;

		lane_reset(lane);
		status = lane_load(lane, task, &task->streams[l]);
		if (status)
			return status;
	}
	return SPMM_SC_SUCCESS;
}

static bool lane_idle(const struct lane *lane)
{
	return lane->exhausted && lane->head == lane->tail;
}

static bool lane_primed(const struct lane *lane)
{
	return lane->exhausted || lane->tail - lane->head == QUEUE;
}

/* One symbol a clock. It finds out in a clock of its own that there are no more. */
static void lane_decode_symbol(struct lane *lane, bool room)
{
	if (lane->wait)
		lane->wait--;
	else if (lane->tail == lane->count)
		lane->exhausted = true;
	else if (room)
		lane->tail++;
}

/* The symbol that the lane issues in its turn, or its tail. */
static uint32_t lane_choose(const struct lane *lane, uint32_t taken)
{
	uint32_t rows = 0;

	for (uint32_t i = lane->head; i < lane->tail && i < lane->head + WINDOW;
	     i++) {
		const struct symbol *symbol = &lane->symbols[i];

		rows += i > lane->head && symbol->new_row;
		if (rows == ACCUMULATORS)
			break;
		if (!lane->issued[i] &&
		    (symbol->filler || !(taken >> symbol->bank & 1)))
			return i;
	}
	return lane->tail;
}

/* The window moves up to the oldest symbol that has not issued. */
static void lane_advance(struct lane *lane)
{
	while (lane->head < lane->tail && lane->issued[lane->head])
		lane->head++;
}

static struct issue lane_take_turn(struct lane *lane, struct turn *turn)
{
	struct issue issue = { .turn = turn->valid };
	uint32_t i = turn->valid ? lane_choose(lane, turn->taken) : lane->tail;

	if (i < lane->tail) {
		issue.issued = true;
		issue.symbol = lane->symbols[i];
		if (!issue.symbol.filler)
			turn->taken |= 1u << issue.symbol.bank;
		lane->issued[i] = true;
		lane_advance(lane);
	}
	if (lane->head < lane->tail)
		issue.oldest = lane->symbols[lane->head].ordinal;
	else if (lane->tail)
		issue.oldest = lane->symbols[lane->tail - 1].ordinal;
	return issue;
}

/* Where a symbol's product goes. */
static struct sums *lane_sums(struct lane *lane, const struct symbol *symbol)
{
	return symbol->ordinal ? &lane->slots[symbol->ordinal % SLOTS] :
				 &lane->border;
}

static bool lane_adds(const struct lane *lane)
{
	return lane->product.issued && !lane->product.symbol.filler;
}

/* The symbol's row needs an accumulator that the epilogue has not emptied. */
static bool lane_stalls(struct lane *lane)
{
	return lane_adds(lane) &&
	       lane_sums(lane, &lane->product.symbol)->complete;
}

static void lane_add(struct cluster *cluster, struct lane *lane)
{
	const struct symbol *symbol = &lane->product.symbol;
	struct sums *sums = lane_sums(lane, symbol);
	const int8_t *x =
		cluster->banks[cluster->task.half]
			      [symbol->column / CLUSTER_BANKS][symbol->bank];

	if (!sums->used)
		*sums = (struct sums){ .used = true };
	sums->row = symbol->row;
	sums->first = symbol->first;
	for (int i = 0; i < CLUSTER_WIDTH; i++) {
		int32_t product =
			symbol->weight * (x[i] - cluster->task.input_zero);

		sums->values[i] = (int32_t)((uint32_t)sums->values[i] +
					    (uint32_t)product);
	}
}

static void lane_accumulate(struct cluster *cluster, struct lane *lane)
{
	if (lane_adds(lane))
		lane_add(cluster, lane);
	if (!lane->product.turn)
		return;
	for (; lane->oldest < lane->product.oldest; lane->oldest++)
		if (lane->oldest)
			lane->slots[lane->oldest % SLOTS].complete = true;
}

/* Lane l sees in this clock what lane l − 1 left in the clock before. */
static void cluster_schedule(struct cluster *cluster, bool issuing)
{
	struct turn first = { .valid = issuing };

	for (int l = CLUSTER_LANES - 1; l >= 0; l--) {
		struct lane *lane = &cluster->lanes[l];
		struct turn turn = l ? cluster->turns[l - 1] : first;

		lane_accumulate(cluster, lane);
		lane->product = lane->stages[ANSWER];
		memmove(lane->stages + 1, lane->stages,
			sizeof(lane->stages) - sizeof(lane->stages[0]));
		lane->stages[l] = lane_take_turn(lane, &turn);
		cluster->turns[l] = turn;
	}
}

/* A row without weights before the one that is complete, or else that one. */
static struct vector lane_drain(struct lane *lane)
{
	struct sums *sums = &lane->slots[lane->next % SLOTS];
	struct vector vector = { .valid = true, .row = sums->first };

	if (sums->first < sums->row) {
		sums->first++;
		return vector;
	}
	memcpy(vector.values, sums->values, sizeof(vector.values));
	sums->used = false;
	sums->complete = false;
	lane->next++;
	return vector;
}

/* One vector in each clock; the lanes take turns. */
static struct vector cluster_drain(struct cluster *cluster)
{
	for (uint32_t i = 0; i < CLUSTER_LANES; i++) {
		uint32_t l = (cluster->arbiter + i) % CLUSTER_LANES;
		struct lane *lane = &cluster->lanes[l];

		if (!lane->slots[lane->next % SLOTS].complete)
			continue;
		cluster->arbiter = (l + 1) % CLUSTER_LANES;
		return lane_drain(lane);
	}
	return (struct vector){ 0 };
}

/* The next partial sum in the order of rows; unused where a lane has none. */
static struct sums merge_partial(const struct cluster *cluster)
{
	const struct cluster_task *task = &cluster->task;
	const struct lane *lane = &cluster->lanes[cluster->merge / 2];
	struct sums sums = { 0 };

	if (cluster->merge == PARTIALS)
		return sums;
	if (cluster->merge == PARTIALS - 1) {
		sums.used = task->incoming_valid;
		sums.row = task->incoming_row;
		memcpy(sums.values, task->incoming, sizeof(sums.values));
	} else if (cluster->merge % 2) {
		return lane->slots[lane->oldest % SLOTS];
	} else {
		sums = lane->border;
	}
	sums.first = cluster->covered;
	return sums;
}

static void sums_add(struct sums *sums, const struct sums *more)
{
	for (int i = 0; i < CLUSTER_WIDTH; i++)
		sums->values[i] = (int32_t)((uint32_t)sums->values[i] +
					    (uint32_t)more->values[i]);
}

/* Takes the next partial sum in. */
static void merge_take(struct cluster *cluster, const struct sums *partial)
{
	struct sums *carry = &cluster->carry;

	if (cluster->merge < PARTIALS)
		cluster->merge++;
	if (!partial->used)
		return;
	if (carry->used && carry->row == partial->row)
		sums_add(carry, partial);
	else
		*carry = *partial;
	if (partial->row >= cluster->covered)
		cluster->covered = partial->row + 1;
}

/* When neither sums nor rows are left, the task is over but for its epilogue. */
static struct vector merge_rest(struct cluster *cluster)
{
	struct vector vector = { 0 };

	if (cluster->covered < cluster->task.finish_end) {
		vector.valid = true;
		vector.row = cluster->covered++;
	} else {
		cluster->running = false;
		cluster->issuing = false;
	}
	return vector;
}

static struct vector cluster_merge(struct cluster *cluster)
{
	struct sums *carry = &cluster->carry;
	struct sums partial = merge_partial(cluster);
	bool end = cluster->merge == PARTIALS;
	struct vector vector = { 0 };

	if (end && !carry->used)
		return merge_rest(cluster);
	if (carry->used &&
	    (end || (partial.used && partial.row != carry->row))) {
		vector.valid = true;
		if (carry->first < carry->row) {
			vector.row = carry->first++;
			return vector;
		}
		vector.row = carry->row;
		memcpy(vector.values, carry->values, sizeof(vector.values));
		carry->used = false;
	}
	merge_take(cluster, &partial);
	return vector;
}

static int32_t float_bits(float value)
{
	int32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void vector_finish(const struct cluster_task *task,
			  struct vector *vector)
{
	for (int i = 0; i < CLUSTER_WIDTH; i++) {
		int32_t sum = (int32_t)((uint32_t)vector->values[i] +
					(uint32_t)task->biases[vector->row]);
		float scale = task->scales[vector->row];

		if (task->output_type == SPMM_OUTPUT_INT8)
			sum = golden_requantize(sum, scale, task->output_zero);
		else if (task->output_type == SPMM_OUTPUT_FLOAT32)
			sum = float_bits(golden_rescale(sum, scale));
		vector->values[i] = sum;
	}
}

/* Its arithmetic is that of the golden functions, all of it in the last stage. */
static void cluster_epilogue(struct cluster *cluster, struct vector vector)
{
	struct vector *last = &cluster->epilogue[EPILOGUE_STAGES - 1];

	vector.partial = vector.row < cluster->task.finish_begin;
	memmove(cluster->epilogue + 1, cluster->epilogue,
		sizeof(cluster->epilogue) - sizeof(cluster->epilogue[0]));
	cluster->epilogue[0] = vector;
	if (last->valid && !last->partial)
		vector_finish(&cluster->task, last);
}

static bool cluster_stalls(struct cluster *cluster)
{
	bool stalls = false;

	for (int l = 0; l < CLUSTER_LANES; l++)
		stalls |= lane_stalls(&cluster->lanes[l]);
	return stalls;
}

static bool all_lanes(const struct cluster *cluster,
		      bool (*is)(const struct lane *lane))
{
	bool all = true;

	for (int l = 0; l < CLUSTER_LANES; l++)
		all &= is(&cluster->lanes[l]);
	return all;
}

/* From decoders to accumulators; the pipeline may stall, the decoders go on. */
static void cluster_front(struct cluster *cluster, bool issuing, bool stalled)
{
	bool flushing = issuing && all_lanes(cluster, lane_idle);
	bool primed = all_lanes(cluster, lane_primed);
	bool room[CLUSTER_LANES];

	for (int l = 0; l < CLUSTER_LANES; l++)
		room[l] = cluster->lanes[l].tail - cluster->lanes[l].head <
			  QUEUE;
	if (!stalled) {
		cluster_schedule(cluster, issuing);
		if (flushing && cluster->flush < FLUSH)
			cluster->flush++;
	}
	if (cluster->running && primed)
		cluster->issuing = true;
	for (int l = 0; l < CLUSTER_LANES; l++)
		lane_decode_symbol(&cluster->lanes[l], room[l]);
}

static void cluster_signal(struct cluster *cluster,
			   struct cluster_signals *signals)
{
	const struct vector *out = &cluster->epilogue[EPILOGUE_STAGES - 1];

	memset(signals, 0, sizeof(*signals));
	signals->busy = cluster->running;
	for (int i = 0; i < EPILOGUE_STAGES; i++)
		signals->busy |= cluster->epilogue[i].valid;
	signals->turn = cluster->lanes[0].stages[REQUEST].turn;
	signals->stalled = cluster_stalls(cluster);
	for (int l = 0; l < CLUSTER_LANES; l++)
		signals->issued |= cluster->lanes[l].stages[REQUEST].issued
				   << l;
	signals->valid = out->valid;
	if (!out->valid)
		return;
	signals->partial = out->partial;
	signals->row = out->row;
	memcpy(signals->values, out->values, sizeof(signals->values));
}

static void cluster_write(struct cluster *cluster,
			  const struct cluster_write *write)
{
	uint32_t bank = bank_of(write->column, CLUSTER_BANKS, write->bank_skew);

	memcpy(cluster->banks[write->half][write->column / CLUSTER_BANKS][bank],
	       write->values, CLUSTER_WIDTH);
}

void cluster_tick(struct cluster *cluster, const struct cluster_write *write,
		  struct cluster_signals *signals)
{
	/* A slot that the epilogue empties in this clock is free in the next. */
	bool stalled = cluster_stalls(cluster);
	bool issuing = cluster->issuing;
	struct vector vector = cluster_drain(cluster);

	if (!vector.valid && cluster->running && cluster->flush == FLUSH)
		vector = cluster_merge(cluster);
	cluster_front(cluster, issuing, stalled);
	cluster_epilogue(cluster, vector);
	if (write)
		cluster_write(cluster, write);
	cluster_signal(cluster, signals);
}
