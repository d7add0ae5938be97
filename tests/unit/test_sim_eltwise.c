/* SPDX-License-Identifier: MIT */
/* ELTWISE and RECURRENT commands against naive references. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim_layer.h"

#include <golden/recurrent.h>

#define ROUNDS 150
#define OPERATIONS 5

struct eltwise {
	struct spmm_eltwise_descriptor d;
	uint64_t at; /* of the descriptor */
	uint64_t output_bytes;
};

static struct spmm_tensor tensor_random(struct layer_memory *memory,
					uint64_t *random, uint32_t channels,
					uint32_t height, uint32_t width,
					uint32_t batch, uint64_t *bytes)
{
	uint32_t gap = layer_between(random, 0, 3);
	uint32_t row = width * batch + gap;
	uint64_t plane = (uint64_t)row * height + gap;
	uint64_t at = layer_allocate(memory, plane * channels);
	uint8_t *data = host_device(memory->host, at);

	*bytes = plane * channels;
	for (uint64_t i = 0; i < *bytes; i++)
		data[i] = (uint8_t)layer_random(random);
	return (struct spmm_tensor){ .address = host_virtual(at),
				     .channel_stride = plane,
				     .row_stride = row,
				     .channels = channels,
				     .height = height,
				     .width = width,
				     .zero = (int8_t)layer_random(random) };
}

static uint32_t bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static float float_of(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float random_scale(uint64_t *random)
{
	return (float)layer_between(random, 1, 1000) / 10000;
}

static void window_random(uint64_t *random, struct eltwise *e)
{
	struct spmm_eltwise_descriptor *d = &e->d;

	d->window_height = (uint16_t)layer_between(random, 1, 5);
	d->window_width = (uint16_t)layer_between(random, 1, 5);
	d->stride_height = (uint16_t)layer_between(random, 1, 3);
	d->stride_width = (uint16_t)layer_between(random, 1, 3);
	d->dilation_height = (uint16_t)layer_between(random, 1, 2);
	d->dilation_width = (uint16_t)layer_between(random, 1, 2);
	d->pad_top = layer_between(random, 0, 4) - 1;
	d->pad_left = layer_between(random, 0, 4) - 1;
	if (d->operation == SPMM_ELTWISE_POOL_AVERAGE &&
	    layer_between(random, 0, 1))
		d->flags = SPMM_FLAG_COUNT_PADDING;
}

static void eltwise_create(struct layer_memory *memory, uint64_t *random,
			   uint8_t operation, struct eltwise *e)
{
	struct spmm_eltwise_descriptor *d = &e->d;
	uint32_t channels = layer_between(random, 1, 9);
	uint32_t height = layer_between(random, 1, 9);
	uint32_t width = layer_between(random, 1, 9);
	bool pool = operation >= SPMM_ELTWISE_POOL_MAX;
	bool spread = layer_between(random, 0, 1);
	uint64_t bytes;

	*e = (struct eltwise){ .d = { .version = SPMM_DESCRIPTOR_VERSION,
				      .operation = operation,
				      .batch = layer_between(random, 1, 40) } };
	e->at = layer_allocate(memory, sizeof(*d));
	d->first = tensor_random(memory, random, channels, height, width,
				 d->batch, &bytes);
	d->second = tensor_random(memory, random, channels, spread ? 1 : height,
				  spread ? 1 : width, d->batch, &bytes);
	if (pool) {
		height = layer_between(random, 1, 9);
		width = layer_between(random, 1, 9);
		window_random(random, e);
	}
	d->output = tensor_random(memory, random, channels, height, width,
				  d->batch, &e->output_bytes);
	if (operation == SPMM_ELTWISE_TABLE && layer_between(random, 0, 1))
		d->flags = SPMM_FLAG_TABLE_PER_ROW;
	d->tables = host_virtual(layer_allocate(memory, channels * 256));
	for (uint32_t i = 0; i < channels * 256; i++)
		((uint8_t *)host_device(memory->host,
					d->tables - host_virtual(0)))[i] =
			(uint8_t)layer_random(random);
	d->first_scale = bits_of(random_scale(random));
	d->second_scale = bits_of(random_scale(random));
	d->output_scale = bits_of(random_scale(random));
	memcpy(host_device(memory->host, e->at), d, sizeof(*d));
}

static int8_t code_at(struct test_host *host, const struct spmm_tensor *t,
		      uint32_t c, uint32_t y, uint32_t x, uint32_t batch,
		      uint32_t b)
{
	return *(int8_t *)host_device(
		host, t->address - host_virtual(0) + c * t->channel_stride +
			      y * t->row_stride + x * batch + b);
}

static int8_t point_reference(struct test_host *host,
			      const struct spmm_eltwise_descriptor *d,
			      uint32_t c, uint32_t y, uint32_t x, uint32_t b)
{
	bool spread = d->second.height == 1 && d->second.width == 1;
	int8_t first = code_at(host, &d->first, c, y, x, d->batch, b);
	int8_t second = code_at(host, &d->second, c, spread ? 0 : y,
				spread ? 0 : x, d->batch, b);
	const int8_t *table = host_device(host, d->tables - host_virtual(0));
	volatile float fa =
		(float)(first - d->first.zero) * float_of(d->first_scale);
	volatile float fb =
		(float)(second - d->second.zero) * float_of(d->second_scale);
	volatile float both;

	if (d->operation == SPMM_ELTWISE_TABLE)
		return table[(d->flags ? c * 256 : 0) + (uint32_t)(first + 128)];
	both = d->operation == SPMM_ELTWISE_ADD ? fa + fb : fa * fb;
	return reference_saturate(both / float_of(d->output_scale),
				  d->output.zero);
}

static int8_t pool_reference(struct test_host *host,
			     const struct spmm_eltwise_descriptor *d,
			     uint32_t c, uint32_t y, uint32_t x, uint32_t b)
{
	int32_t most = -128, sum = 0, inside = 0;
	volatile float scale;

	for (int i = 0; i < d->window_height; i++) {
		for (int j = 0; j < d->window_width; j++) {
			int iy = (int)y * d->stride_height +
				 i * d->dilation_height - (int)d->pad_top;
			int ix = (int)x * d->stride_width +
				 j * d->dilation_width - (int)d->pad_left;
			int code;

			if (iy < 0 || iy >= (int)d->first.height || ix < 0 ||
			    ix >= (int)d->first.width)
				continue;
			code = code_at(host, &d->first, c, (uint32_t)iy,
				       (uint32_t)ix, d->batch, b);
			most = code > most ? code : most;
			sum += code - d->first.zero;
			inside++;
		}
	}
	if (d->operation == SPMM_ELTWISE_POOL_MAX)
		return (int8_t)most;
	if (d->flags & SPMM_FLAG_COUNT_PADDING)
		inside = d->window_height * d->window_width;
	scale = 1.0f / (float)(inside ? inside : 1);
	scale = float_of(d->first_scale) * scale;
	scale = scale / float_of(d->output_scale);
	scale = (float)sum * scale;
	return reference_saturate(scale, d->output.zero);
}

static void eltwise_reference(struct test_host *host, const struct eltwise *e,
			      int8_t *image)
{
	const struct spmm_eltwise_descriptor *d = &e->d;
	bool pool = d->operation >= SPMM_ELTWISE_POOL_MAX;

	for (uint32_t c = 0; c < d->output.channels; c++)
		for (uint32_t y = 0; y < d->output.height; y++)
			for (uint32_t x = 0; x < d->output.width; x++)
				for (uint32_t b = 0; b < d->batch; b++)
					image[c * d->output.channel_stride +
					      y * d->output.row_stride +
					      x * d->batch + b] =
						pool ? pool_reference(host, d,
								      c, y, x,
								      b) :
						       point_reference(host, d,
								       c, y, x,
								       b);
}

static void random_operations_are_exact(void **state)
{
	struct test_host *host = host_start(NULL);
	uint64_t random = 7;

	(void)state;
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct layer_memory memory = { host, 4096 };
		struct spmm_sqe entry = { .opcode = SPMM_IO_ELTWISE,
					  .length = 256 };
		struct eltwise e;
		int8_t *expected, *output;

		eltwise_create(&memory, &random, (uint8_t)(i % OPERATIONS), &e);
		expected = malloc(e.output_bytes);
		assert_non_null(expected);
		output =
			host_device(host, e.d.output.address - host_virtual(0));
		memcpy(expected, output, e.output_bytes);
		eltwise_reference(host, &e, expected);
		entry.address = host_virtual(e.at);
		assert_int_equal(host_run(host, 1, entry, NULL), 0);
		assert_memory_equal(output, expected, e.output_bytes);
		free(expected);
	}
	host_stop(host);
}

/**
 * struct cell - a random recurrent layer
 * @weights: of x, then of h, dense, gates·H rows
 */
struct cell {
	struct spmm_recurrent_descriptor d;
	uint64_t at;
	uint32_t rows;
	int8_t *weights[2];
	uint64_t output_bytes;
};

static int8_t *dense_random(uint64_t *random, size_t size)
{
	int8_t *dense = calloc(size, 1);

	assert_non_null(dense);
	for (size_t i = 0; i < size; i++)
		if (layer_between(random, 0, 2) == 0)
			dense[i] = (int8_t)layer_random(random);
	return dense;
}

static uint64_t words_random(struct layer_memory *memory, uint64_t *random,
			     uint32_t count, bool scales)
{
	uint64_t at = layer_allocate(memory, count * 4ul);
	uint32_t *words = host_device(memory->host, at);

	for (uint32_t i = 0; i < count; i++)
		words[i] = scales ? bits_of(random_scale(random) / 50) :
				    layer_between(random, 0, 4000) - 2000;
	return host_virtual(at);
}

static void cell_create(struct layer_memory *memory, uint64_t *random,
			struct cell *cell)
{
	struct spmm_recurrent_descriptor *d = &cell->d;
	uint32_t inputs = layer_between(random, 1, 20);
	uint64_t bytes;

	*cell = (struct cell){ .d = { .version = SPMM_DESCRIPTOR_VERSION } };
	d->cell = (uint8_t)layer_between(random, 0, 1);
	d->flags = layer_between(random, 0, 1) ? SPMM_FLAG_REVERSE : 0;
	if (d->cell == SPMM_RECURRENT_GRU && layer_between(random, 0, 1))
		d->flags |= SPMM_FLAG_LINEAR_BEFORE_RESET;
	d->batch = layer_between(random, 1, 40);
	d->steps = layer_between(random, 1, 6);
	d->hidden = layer_between(random, 1, 20);
	cell->rows = (d->cell == SPMM_RECURRENT_LSTM ? 4 : 3) * d->hidden;
	cell->at = layer_allocate(memory, sizeof(*d));
	cell->weights[0] = dense_random(random, (size_t)cell->rows * inputs);
	cell->weights[1] = dense_random(random, (size_t)cell->rows * d->hidden);
	d->input_weights = host_virtual(
		layer_pack(memory, cell->weights[0], cell->rows, inputs,
			   d->batch, 1, &d->input_weights_length));
	d->hidden_weights = host_virtual(
		layer_pack(memory, cell->weights[1], cell->rows, d->hidden,
			   d->batch, 1, &d->hidden_weights_length));
	d->input_scales = words_random(memory, random, cell->rows, true);
	d->hidden_scales = words_random(memory, random, cell->rows, true);
	d->input_biases = words_random(memory, random, cell->rows, false);
	d->hidden_biases = words_random(memory, random, cell->rows, false);
	d->cell_state =
		words_random(memory, random, d->hidden * d->batch, true);
	d->hidden_state = words_random(memory, random,
				       d->hidden * d->batch / 4 + 1, false);
	d->input = tensor_random(memory, random, inputs, d->steps, 1, d->batch,
				 &bytes);
	d->output = tensor_random(memory, random, d->hidden, d->steps, 1,
				  d->batch, &cell->output_bytes);
	d->hidden_scale = bits_of(1.0f / 127);
	memcpy(host_device(memory->host, cell->at), d, sizeof(*d));
}

/* One gate of one unit; operand codes come through a function of the column. */
static int32_t dot(const int8_t *weights, uint32_t columns, uint32_t row,
		   int32_t bias, const int8_t *operand, uint32_t batch,
		   uint32_t b, int32_t zero)
{
	for (uint32_t k = 0; k < columns; k++)
		bias += weights[row * columns + k] *
			(operand[k * batch + b] - zero);
	return bias;
}

/* The states of one batch element, and what a step needs. */
struct cell_state {
	struct test_host *host;
	const struct cell *cell;
	const int8_t *x; /* inputs × B */
	int8_t *h; /* H × B */
	int8_t *reset;
	float *c;
};

static struct golden_gate gate(const struct cell_state *s, uint32_t g,
			       uint32_t unit, uint32_t b, const int8_t *h)
{
	const struct spmm_recurrent_descriptor *d = &s->cell->d;
	uint32_t row = unit * (s->cell->rows / d->hidden) + g;
	const uint64_t base = host_virtual(0);
	const float *sx = host_device(s->host, d->input_scales - base);
	const float *sh = host_device(s->host, d->hidden_scales - base);
	const int32_t *bx = host_device(s->host, d->input_biases - base);
	const int32_t *bh = host_device(s->host, d->hidden_biases - base);

	return (struct golden_gate){
		.input = dot(s->cell->weights[0], d->input.channels, row,
			     bx[row], s->x, d->batch, b, d->input.zero),
		.hidden = dot(s->cell->weights[1], d->hidden, row, bh[row], h,
			      d->batch, b, d->output.zero),
		.input_scale = sx[row],
		.hidden_scale = sh[row],
	};
}

static void step_reference(const struct cell_state *s, int8_t *next)
{
	const struct spmm_recurrent_descriptor *d = &s->cell->d;
	const struct golden_quantization q = { float_of(d->hidden_scale),
					       d->output.zero };
	bool lstm = d->cell == SPMM_RECURRENT_LSTM;
	bool linear = d->flags & SPMM_FLAG_LINEAR_BEFORE_RESET;
	struct golden_gate gates[4];

	for (uint32_t i = 0; i < d->hidden * d->batch; i++) {
		gates[1] = gate(s, 1, i / d->batch, i % d->batch, s->h);
		s->reset[i] = golden_gru_reset(&gates[1], s->c[i], q);
	}
	for (uint32_t i = 0; i < d->hidden * d->batch; i++) {
		for (uint32_t g = 0; g < (lstm ? 4u : 3u); g++)
			gates[g] = gate(s, g, i / d->batch, i % d->batch,
					g == 2 && !lstm && !linear ? s->reset :
								     s->h);
		next[i] = lstm ? golden_lstm_step(gates, &s->c[i], q) :
				 golden_gru_step(gates, &s->c[i], linear, q);
	}
	memcpy(s->h, next, d->hidden * d->batch);
}

static void cell_check(struct test_host *host, const struct cell *cell)
{
	const struct spmm_recurrent_descriptor *d = &cell->d;
	const uint64_t base = host_virtual(0);
	size_t units = d->hidden * d->batch;
	int8_t *x = malloc((size_t)d->input.channels * d->batch);
	int8_t *h = malloc(units), *reset = malloc(units);
	int8_t *next = malloc(units), *y = malloc(units * d->steps);
	float *c = malloc(units * sizeof(*c));
	struct cell_state s = { host, cell, x, h, reset, c };
	struct spmm_sqe entry = { .opcode = SPMM_IO_RECURRENT,
				  .address = host_virtual(cell->at),
				  .length = 256 };

	assert_true(x && h && reset && next && y && c);
	memcpy(c, host_device(host, d->cell_state - base), units * sizeof(*c));
	memcpy(h, host_device(host, d->hidden_state - base), units);
	for (uint32_t i = 0; i < d->steps; i++) {
		uint32_t t = d->flags & SPMM_FLAG_REVERSE ? d->steps - 1 - i :
							    i;

		for (uint32_t k = 0; k < d->input.channels * d->batch; k++)
			x[k] = code_at(host, &d->input, k / d->batch, t, 0,
				       d->batch, k % d->batch);
		step_reference(&s, next);
		memcpy(y + t * units, h, units);
	}
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	assert_memory_equal(host_device(host, d->cell_state - base), c,
			    units * sizeof(*c));
	assert_memory_equal(host_device(host, d->hidden_state - base), h,
			    units);
	for (uint32_t t = 0; t < d->steps; t++)
		for (uint32_t k = 0; k < units; k++)
			assert_int_equal(code_at(host, &d->output, k / d->batch,
						 t, 0, d->batch, k % d->batch),
					 y[t * units + k]);
	free(x);
	free(h);
	free(reset);
	free(next);
	free(y);
	free(c);
}

static void random_cells_are_exact(void **state)
{
	struct test_host *host = host_start(NULL);
	uint64_t random = 11;

	(void)state;
	host_open_queue(host, 1);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct layer_memory memory = { host, 4096 };
		struct cell cell;

		cell_create(&memory, &random, &cell);
		cell_check(host, &cell);
		free(cell.weights[0]);
		free(cell.weights[1]);
	}
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_are_exact),
		cmocka_unit_test(random_cells_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
