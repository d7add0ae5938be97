/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim_layer.h"

#include <pack/stream.h>

uint32_t layer_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)(x >> 32);
}

uint32_t layer_between(uint64_t *state, uint32_t low, uint32_t high)
{
	return low + layer_random(state) % (high - low + 1);
}

uint64_t layer_allocate(struct layer_memory *memory, uint64_t bytes)
{
	uint64_t at = (memory->used + 63) & ~63ull;

	memory->used = at + bytes;
	assert_true(memory->used <= HOST_VIRTUAL_DEVICE_BYTES);
	return at;
}

void layer_geometry(struct test_host *host, struct geometry *out)
{
	*out = (struct geometry){
		.clusters = host_read32(host, SPMM_REG_CLUSTERS),
		.lanes = host_read32(host, SPMM_REG_LANES),
		.vector_width = host_read32(host, SPMM_REG_VECTOR_WIDTH),
		.banks = host_read32(host, SPMM_REG_BANKS),
		.accumulators = host_read32(host, SPMM_REG_ACCUMULATORS),
		.decoder_rate = host_read32(host, SPMM_REG_DECODER_RATE),
		.activation_buffer =
			host_read32(host, SPMM_REG_ACTIVATION_BUFFER),
		.schedule_window = host_read32(host, SPMM_REG_SCHEDULE_WINDOW),
		.sram_port_bytes = host_read32(host, SPMM_REG_SRAM_PORT_BYTES),
		.epilogue_rate = host_read32(host, SPMM_REG_EPILOGUE_RATE),
		.clock_hz = host_read32(host, SPMM_REG_CLOCK_HZ),
		.sram_bytes = host_read64(host, SPMM_REG_SRAM_BYTES),
		.memory_bytes = host_read64(host, SPMM_REG_MEMORY_BYTES),
		.memory_bandwidth =
			host_read64(host, SPMM_REG_MEMORY_BANDWIDTH),
		.link_bandwidth = host_read64(host, SPMM_REG_LINK_BANDWIDTH),
	};
}

uint64_t layer_pack(struct layer_memory *memory, const int8_t *dense,
		    uint32_t rows, uint32_t columns, uint64_t result_columns,
		    uint32_t kernel_width, __le64 *length)
{
	size_t size = (size_t)rows * columns;
	struct model_csr csr = { .rows = rows, .columns = columns };
	struct mapping_layer layer = { .rows = rows,
				       .inner = columns,
				       .columns = result_columns,
				       .kernel_width = kernel_width };
	struct geometry geometry;
	struct mapping mapping;
	struct stream stream;
	int64_t count = 0;
	uint64_t at;

	layer_geometry(memory->host, &geometry);
	csr.row_start = calloc(rows + 1ul, sizeof(*csr.row_start));
	csr.column = calloc(size, sizeof(*csr.column));
	csr.value = calloc(size, 1);
	assert_true(csr.row_start && csr.column && csr.value);
	for (uint32_t row = 0; row < rows; row++) {
		for (uint32_t k = 0; k < columns; k++) {
			if (!dense[(size_t)row * columns + k])
				continue;
			csr.column[count] = (int32_t)k;
			csr.value[count++] = dense[(size_t)row * columns + k];
		}
		csr.row_start[row + 1] = count;
	}
	layer.nonzeros = (uint64_t)count;
	mapping = mapping_choose(&geometry, &layer);
	assert_int_equal(stream_pack(&csr, &geometry, &mapping, &stream), 0);
	at = layer_allocate(memory, stream.length);
	memcpy(host_device(memory->host, at), stream.bytes, stream.length);
	*length = stream.length;
	stream_free(&stream);
	free(csr.row_start);
	free(csr.column);
	free(csr.value);
	return at;
}

struct layer_shape layer_shape_plain(uint32_t rows, uint32_t channels,
				     uint32_t height, uint32_t width,
				     uint32_t percent)
{
	return (struct layer_shape){ .rows = rows,
				     .channels = channels,
				     .batch = 1,
				     .kernel_height = 3,
				     .kernel_width = 3,
				     .stride_height = 1,
				     .stride_width = 1,
				     .dilation_height = 1,
				     .dilation_width = 1,
				     .pad_top = 1,
				     .pad_left = 1,
				     .height = height,
				     .width = width,
				     .result_height = height,
				     .result_width = width,
				     .shuffle_height = 1,
				     .shuffle_width = 1,
				     .replicate_height = 1,
				     .replicate_width = 1,
				     .percent = percent };
}

/* What result positions an axis has when all taps may lie in the padding. */
static uint32_t results_of(uint64_t *state, uint32_t input, uint32_t taps,
			   uint32_t stride, uint32_t dilation, int32_t pad)
{
	int64_t room =
		(int64_t)input + 2 * pad - (int64_t)(taps - 1) * dilation;

	if (room < 1)
		return layer_between(state, 1, 3);
	return (uint32_t)((room - 1) / stride + 1);
}

void layer_shape_random(uint64_t *state, struct layer_shape *s)
{
	static const uint32_t batches[] = { 1, 1, 1, 2, 5, 33, 600 };
	bool plain = layer_between(state, 0, 2) == 0;

	*s = (struct layer_shape){
		.rows = layer_between(state, 1, 24),
		.channels = layer_between(state, 1, 12),
		.batch = batches[layer_between(state, 0, 6)],
		.kernel_height = plain ? 1 : layer_between(state, 1, 4),
		.kernel_width = plain ? 1 : layer_between(state, 1, 4),
		.stride_height = layer_between(state, 1, 3),
		.stride_width = layer_between(state, 1, 3),
		.dilation_height = layer_between(state, 1, 4),
		.dilation_width = layer_between(state, 1, 4),
		.pad_top = (int32_t)layer_between(state, 0, 4) - 1,
		.pad_left = (int32_t)layer_between(state, 0, 4) - 1,
		.height = layer_between(state, 1, 20),
		.width = layer_between(state, 1, 20),
		.shuffle_height = 1,
		.shuffle_width = 1,
		.replicate_height = 1,
		.replicate_width = 1,
		.gap = layer_between(state, 0, 1) * 4 *
		       layer_between(state, 0, 3),
		.percent = layer_between(state, 0, 100),
		.output_type = layer_between(state, 0, 3) ?
				       SPMM_OUTPUT_INT8 :
				       (uint8_t)layer_between(state, 1, 2),
	};
	if (s->batch < 3 && !layer_between(state, 0, 4))
		s->width = layer_between(state, 600, 1500);
	s->result_height = results_of(state, s->height, s->kernel_height,
				      s->stride_height, s->dilation_height,
				      s->pad_top);
	s->result_width = results_of(state, s->width, s->kernel_width,
				     s->stride_width, s->dilation_width,
				     s->pad_left);
	switch (layer_between(state, 0, 3)) {
	case 0:
		s->shuffle_height = layer_between(state, 1, 3);
		s->shuffle_width = layer_between(state, 1, 3);
		s->rows *= s->shuffle_height * s->shuffle_width;
		s->crop = layer_between(state, 0, 1);
		break;
	case 1:
		s->replicate_height = layer_between(state, 1, 3);
		s->replicate_width = layer_between(state, 1, 3);
		break;
	}
	if (s->output_type != SPMM_OUTPUT_INT8)
		return;
	s->flags = (uint16_t)layer_between(state, 0, 2); /* a table or none */
	if (s->shuffle_height * s->shuffle_width == 1 &&
	    s->replicate_height * s->replicate_width == 1 &&
	    layer_between(state, 0, 1))
		s->flags |= SPMM_FLAG_RESIDUAL;
}

static struct spmm_tensor tensor_create(struct layer_memory *memory,
					uint32_t channels, uint32_t height,
					uint32_t width, uint64_t column_bytes,
					uint32_t gap, uint64_t *bytes)
{
	uint64_t row = width * column_bytes + gap;
	uint64_t plane = row * height + gap;

	*bytes = plane * channels;
	return (struct spmm_tensor){
		.address = host_virtual(layer_allocate(memory, *bytes)),
		.channel_stride = plane,
		.row_stride = (uint32_t)row,
		.channels = channels,
		.height = height,
		.width = width,
	};
}

static void bytes_fill(struct layer_memory *memory, uint64_t *state,
		       uint64_t offset, uint64_t count)
{
	uint8_t *at = host_device(memory->host, offset);

	for (uint64_t i = 0; i < count; i++)
		at[i] = (uint8_t)layer_random(state);
}

static uint32_t scale_random(uint64_t *state, float around)
{
	float scale =
		around * (0.25f + (float)layer_between(state, 0, 1000) / 1000);
	uint32_t bits;

	memcpy(&bits, &scale, sizeof(bits));
	return bits;
}

static void weights_create(struct layer_memory *memory, uint64_t *state,
			   const struct layer_shape *shape, struct layer *layer)
{
	struct spmm_descriptor *d = &layer->d;
	size_t size = (size_t)d->rows * d->columns;
	uint64_t columns = (uint64_t)d->height * d->width * d->batch;

	layer->dense = calloc(size, 1);
	assert_non_null(layer->dense);
	for (size_t i = 0; i < size; i++) {
		if (layer_between(state, 1, 100) > shape->percent)
			continue;
		layer->dense[i] = (int8_t)layer_between(state, 1, 255);
		layer->nonzeros++;
	}
	d->weights = host_virtual(
		layer_pack(memory, layer->dense, d->rows, d->columns, columns,
			   d->kernel_width, &d->weights_length));
}

static void parameters_create(struct layer_memory *memory, uint64_t *state,
			      struct layer *layer)
{
	struct spmm_descriptor *d = &layer->d;
	uint64_t at = layer_allocate(memory, d->rows * 4ul);
	uint32_t *words = host_device(memory->host, at);
	float around = 30.0f / (float)(1 + layer->nonzeros * 128 / d->rows);

	d->scales = host_virtual(at);
	for (uint32_t row = 0; row < d->rows; row++)
		words[row] = scale_random(state, around);
	at = layer_allocate(memory, d->rows * 4ul);
	words = host_device(memory->host, at);
	d->biases = host_virtual(at);
	for (uint32_t row = 0; row < d->rows; row++)
		words[row] = layer_between(state, 0, 2000) - 1000;
	at = layer_allocate(memory, d->rows * 256ul);
	d->tables = host_virtual(at);
	bytes_fill(memory, state, at, d->rows * 256ul);
}

static void tensors_create(struct layer_memory *memory, uint64_t *state,
			   const struct layer_shape *s, struct layer *layer)
{
	struct spmm_descriptor *d = &layer->d;
	uint32_t element = s->output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	uint32_t block = s->shuffle_height * s->shuffle_width;
	uint32_t height =
		s->result_height * s->shuffle_height * s->replicate_height;
	uint32_t width =
		s->result_width * s->shuffle_width * s->replicate_width;
	uint64_t bytes;

	if (height > s->crop)
		height -= s->crop;
	if (width > s->crop)
		width -= s->crop;
	d->input = tensor_create(memory, s->channels, s->height, s->width,
				 s->batch, s->gap, &bytes);
	d->input.zero = (int8_t)layer_random(state);
	bytes_fill(memory, state, d->input.address - host_virtual(0), bytes);
	d->residual = tensor_create(memory, s->rows, s->result_height,
				    s->result_width, s->batch, s->gap, &bytes);
	d->residual.zero = (int8_t)layer_random(state);
	bytes_fill(memory, state, d->residual.address - host_virtual(0), bytes);
	d->output = tensor_create(memory, s->rows / block, height, width,
				  (uint64_t)s->batch * element, s->gap,
				  &layer->output_bytes);
	d->output.zero = (int8_t)layer_random(state);
	layer->output_offset = d->output.address - host_virtual(0);
	bytes_fill(memory, state, layer->output_offset, layer->output_bytes);
}

void layer_create(struct layer_memory *memory, uint64_t *state,
		  const struct layer_shape *s, struct layer *out)
{
	*out = (struct layer){ .d = {
				       .version = SPMM_DESCRIPTOR_VERSION,
				       .output_type = s->output_type,
				       .flags = s->flags,
				       .rows = s->rows,
				       .columns = s->channels *
						  s->kernel_height *
						  s->kernel_width,
				       .batch = s->batch,
				       .kernel_height =
					       (uint16_t)s->kernel_height,
				       .kernel_width =
					       (uint16_t)s->kernel_width,
				       .stride_height =
					       (uint16_t)s->stride_height,
				       .stride_width =
					       (uint16_t)s->stride_width,
				       .dilation_height =
					       (uint16_t)s->dilation_height,
				       .dilation_width =
					       (uint16_t)s->dilation_width,
				       .pad_top = (uint32_t)s->pad_top,
				       .pad_left = (uint32_t)s->pad_left,
				       .height = s->result_height,
				       .width = s->result_width,
				       .shuffle_height =
					       (uint16_t)s->shuffle_height,
				       .shuffle_width =
					       (uint16_t)s->shuffle_width,
				       .replicate_height =
					       (uint16_t)s->replicate_height,
				       .replicate_width =
					       (uint16_t)s->replicate_width,
				       .accumulator_scale =
					       scale_random(state, 0.05f),
				       .residual_scale =
					       scale_random(state, 0.05f),
				       .output_scale =
					       scale_random(state, 0.08f),
				       .accumulator_zero =
					       (int8_t)layer_random(state),
				       .table_zero =
					       (int8_t)layer_random(state),
			       } };
	out->descriptor_offset = layer_allocate(memory, sizeof(out->d));
	tensors_create(memory, state, s, out);
	weights_create(memory, state, s, out);
	parameters_create(memory, state, out);
	memcpy(host_device(memory->host, out->descriptor_offset), &out->d,
	       sizeof(out->d));
}

void layer_free(struct layer *layer)
{
	free(layer->dense);
}

struct spmm_sqe layer_entry(const struct layer *layer)
{
	return (struct spmm_sqe){
		.opcode = SPMM_IO_SPMM,
		.id = 1,
		.address = host_virtual(layer->descriptor_offset),
		.length = sizeof(layer->d),
		.stats_address = host_virtual(0),
	};
}

int8_t reference_saturate(float value, int32_t zero)
{
	float rounded = nearbyintf(value) + (float)zero;

	if (rounded < -128)
		return -128;
	return rounded > 127 ? 127 : (int8_t)rounded;
}

static float bits_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int8_t tensor_code(struct test_host *host, const struct spmm_tensor *t,
			  uint32_t c, uint32_t y, uint32_t x, uint32_t batch,
			  uint32_t b)
{
	uint64_t at = t->address + c * t->channel_stride +
		      (uint64_t)y * t->row_stride + (uint64_t)x * batch + b;

	return *(int8_t *)host_device(host, at - host_virtual(0));
}

/* A position of the result before the store. */
struct position {
	uint32_t row, y, x, b;
};

static int32_t accumulate(struct test_host *host, const struct layer *layer,
			  const struct position *p)
{
	const struct spmm_descriptor *d = &layer->d;
	const int32_t *biases = host_device(host, d->biases - host_virtual(0));
	uint32_t sum = (uint32_t)biases[p->row];

	for (uint32_t k = 0; k < d->columns; k++) {
		uint32_t kx = k % d->kernel_width;
		uint32_t ky = k / d->kernel_width % d->kernel_height;
		uint32_t c = k / d->kernel_width / d->kernel_height;
		int64_t y = (int64_t)p->y * d->stride_height +
			    (int64_t)ky * d->dilation_height -
			    (int32_t)d->pad_top;
		int64_t x = (int64_t)p->x * d->stride_width +
			    (int64_t)kx * d->dilation_width -
			    (int32_t)d->pad_left;
		int32_t w = layer->dense[(size_t)p->row * d->columns + k];
		int32_t code = d->input.zero;

		if (y >= 0 && y < d->input.height && x >= 0 &&
		    x < d->input.width)
			code = tensor_code(host, &d->input, c, (uint32_t)y,
					   (uint32_t)x, d->batch, p->b);
		sum += (uint32_t)(w * (code - d->input.zero));
	}
	return (int32_t)sum;
}

static int8_t finish(struct test_host *host, const struct layer *layer,
		     const struct position *p, int32_t sum, float scale)
{
	const struct spmm_descriptor *d = &layer->d;
	const int8_t *tables = host_device(host, d->tables - host_virtual(0));
	volatile float product = (float)sum * scale;
	volatile float a, b, total;
	int8_t code = reference_saturate(
		product, d->flags ? d->accumulator_zero : d->output.zero);

	if (d->flags & SPMM_FLAG_TABLE)
		code = tables[code + 128];
	if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
		code = tables[p->row * 256 + (uint32_t)(code + 128)];
	if (!(d->flags & SPMM_FLAG_RESIDUAL))
		return code;
	a = (float)(code - d->table_zero) * bits_float(d->accumulator_scale);
	b = (float)(tensor_code(host, &d->residual, p->row, p->y, p->x,
				d->batch, p->b) -
		    d->residual.zero) *
	    bits_float(d->residual_scale);
	total = a + b;
	return reference_saturate(total / bits_float(d->output_scale),
				  d->output.zero);
}

static void element_store(const struct layer *layer, const struct position *p,
			  const void *element, uint32_t size, uint8_t *image)
{
	const struct spmm_descriptor *d = &layer->d;
	uint32_t block = (uint32_t)d->shuffle_height * d->shuffle_width;
	uint32_t i = p->row % block / d->shuffle_width;
	uint32_t j = p->row % d->shuffle_width;

	for (uint32_t ry = 0; ry < d->replicate_height; ry++) {
		for (uint32_t rx = 0; rx < d->replicate_width; rx++) {
			uint32_t y = (p->y * d->shuffle_height + i) *
					     d->replicate_height +
				     ry;
			uint32_t x = (p->x * d->shuffle_width + j) *
					     d->replicate_width +
				     rx;

			if (y >= d->output.height || x >= d->output.width)
				continue;
			memcpy(image +
				       p->row / block *
					       d->output.channel_stride +
				       (uint64_t)y * d->output.row_stride +
				       ((uint64_t)x * d->batch + p->b) * size,
			       element, size);
		}
	}
}

static void position_reference(struct test_host *host,
			       const struct layer *layer,
			       const struct position *p, uint8_t *image)
{
	const struct spmm_descriptor *d = &layer->d;
	const float *scales = host_device(host, d->scales - host_virtual(0));
	int32_t sum = accumulate(host, layer, p);
	float value = (float)sum * scales[p->row];
	int8_t code;

	switch (d->output_type) {
	case SPMM_OUTPUT_INT32:
		element_store(layer, p, &sum, 4, image);
		return;
	case SPMM_OUTPUT_FLOAT32:
		element_store(layer, p, &value, 4, image);
		return;
	}
	code = finish(host, layer, p, sum, scales[p->row]);
	element_store(layer, p, &code, 1, image);
}

void layer_reference(struct test_host *host, const struct layer *layer,
		     uint8_t *image)
{
	const struct spmm_descriptor *d = &layer->d;
	struct position p;

	for (p.row = 0; p.row < d->rows; p.row++)
		for (p.y = 0; p.y < d->height; p.y++)
			for (p.x = 0; p.x < d->width; p.x++)
				for (p.b = 0; p.b < d->batch; p.b++)
					position_reference(host, layer, &p,
							   image);
}
