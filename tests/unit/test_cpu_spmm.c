/* SPDX-License-Identifier: MIT */
#include "naive.h"
#include "sample_model.h"

#include <backend/cpu.h>
#include <core/error.h>

#include <stdio.h>

/* A random convolution, and all that the naive one needs to know. */
struct problem {
	struct model *model;
	const struct model_layer *layer;
	struct model_extent extents[3];
	int batch;
	int8_t *x, *residual;
	void *y;
	int height, width; /* of the result */
};

static int dense_weight(const struct model_csr *csr, int row, int column)
{
	for (int64_t i = csr->row_start[row]; i < csr->row_start[row + 1]; i++)
		if (csr->column[i] == column)
			return csr->value[i];
	return 0;
}

static int input_at(const struct problem *p, int c, int y, int x, int b)
{
	int height = (int)p->extents[0].height,
	    width = (int)p->extents[0].width;
	int zero = p->model->tensors[0].quantization.zero;

	if (y < 0 || y >= height || x < 0 || x >= width)
		return zero;
	return p->x[((c * height + y) * width + x) * p->batch + b];
}

static int32_t naive_sum(const struct problem *p, int m, int y, int x, int b)
{
	const struct model_spmm *spmm = &p->layer->spmm;
	const struct model_window *w = &spmm->window;
	int kh = (int)w->kernel_height, kw = (int)w->kernel_width;
	int zero = p->model->tensors[0].quantization.zero;
	long long sum = spmm->bias[m];

	for (int c = 0; c < (int)p->extents[0].channels; c++)
		for (int i = 0; i < kh; i++)
			for (int j = 0; j < kw; j++) {
				int row = y * (int)w->stride_height +
					  i * (int)w->dilation_height -
					  w->pad_top;
				int column = x * (int)w->stride_width +
					     j * (int)w->dilation_width -
					     w->pad_left;

				sum += dense_weight(&spmm->weights, m,
						    (c * kh + i) * kw + j) *
				       (input_at(p, c, row, column, b) - zero);
			}
	return (int32_t)(uint32_t)(uint64_t)sum;
}

static int naive_epilogue(const struct problem *p, int m, int32_t sum,
			  int residual)
{
	const struct model_spmm *spmm = &p->layer->spmm;
	struct golden_quantization after = spmm->accumulator;
	float product =
		(float)((double)p->model->tensors[0].quantization.scale *
			(double)spmm->weight_scale[m]);
	float scale = (float)((double)product / (double)after.scale);
	int code = naive_requantize(sum, scale, after.zero);
	float total;

	if (spmm->table) {
		code = spmm->table[(spmm->table_per_row ? m * 256 : 0) + code +
				   128];
		after = spmm->table_output;
	}
	if (spmm->residual == MODEL_NO_TENSOR)
		return code;
	total = (float)((double)naive_real(code, after) +
			(double)naive_real(residual,
					   p->model->tensors[2].quantization));
	return naive_code(total, p->model->tensors[1].quantization);
}

static void check_value(const struct problem *p, int m, int32_t sum, int at,
			int residual_at)
{
	float scale;

	switch (p->model->tensors[1].type) {
	case MODEL_INT32:
		assert_int_equal(((int32_t *)p->y)[at], sum);
		break;
	case MODEL_FLOAT32:
		scale = (float)((double)p->model->tensors[0].quantization.scale *
				(double)p->layer->spmm.weight_scale[m]);
		assert_true(((float *)p->y)[at] ==
			    (float)((double)(float)sum * (double)scale));
		break;
	case MODEL_INT8:
		assert_int_equal(
			((int8_t *)p->y)[at],
			naive_epilogue(p, m, sum,
				       p->residual ? p->residual[residual_at] :
						     0));
		break;
	}
}

/* Every value of the output, from its coordinates back to the result's. */
static void check_output(const struct problem *p)
{
	const struct model_spmm *spmm = &p->layer->spmm;
	const struct model_extent *out = &p->extents[1];
	int rh = (int)spmm->shuffle_height, rw = (int)spmm->shuffle_width;
	int sh = rh * (int)spmm->replicate_height;
	int sw = rw * (int)spmm->replicate_width;
	int at = 0;

	for (int c = 0; c < (int)out->channels; c++)
		for (int y = 0; y < (int)out->height; y++)
			for (int x = 0; x < (int)out->width; x++)
				for (int b = 0; b < p->batch; b++, at++) {
					int m = (c * rh + y % rh) * rw + x % rw;
					int32_t sum = naive_sum(p, m, y / sh,
								x / sw, b);

					check_value(p, m, sum, at, at);
				}
}

static void random_window(struct model_window *window, uint32_t kernel_height,
			  uint32_t kernel_width)
{
	window->kernel_height = kernel_height;
	window->kernel_width = kernel_width;
	window->stride_height = (uint32_t)sample_int(1, 3);
	window->stride_width = (uint32_t)sample_int(1, 3);
	window->dilation_height = (uint32_t)sample_int(1, 2);
	window->dilation_width = (uint32_t)sample_int(1, 2);
	window->pad_top = sample_int(-1, 3);
	window->pad_left = sample_int(-1, 3);
	window->pad_bottom = sample_int(-1, 3);
	window->pad_right = sample_int(-1, 3);
}

static int positions(uint32_t size, uint32_t kernel, uint32_t stride,
		     uint32_t dilation, int32_t before, int32_t after)
{
	int room =
		(int)size + before + after - (int)((kernel - 1) * dilation + 1);

	return room < 0 ? 0 : room / (int)stride + 1;
}

static void random_epilogue(struct model_spmm *spmm, struct model *model,
			    enum model_type type)
{
	uint32_t rows = spmm->weights.rows;
	struct golden_quantization last;

	if (type != MODEL_INT8)
		return;
	spmm->accumulator = last = sample_quantization();
	if (sample_int(0, 1)) {
		spmm->table_per_row = sample_int(0, 1);
		spmm->table =
			sample_codes(spmm->table_per_row ? rows * 256 : 256);
		spmm->table_output = last = sample_quantization();
	}
	if (spmm->residual == MODEL_NO_TENSOR)
		model->tensors[1].quantization = last;
}

static void random_store(struct model_spmm *spmm)
{
	switch (sample_int(0, 3)) {
	case 0:
		spmm->shuffle_height = (uint32_t)sample_int(1, 3);
		spmm->shuffle_width = (uint32_t)sample_int(1, 3);
		break;
	case 1:
		spmm->replicate_height = (uint32_t)sample_int(1, 3);
		spmm->replicate_width = (uint32_t)sample_int(1, 3);
		break;
	case 2:
		spmm->residual = 2;
		break;
	}
}

static struct model_layer empty_layer(const char *name)
{
	struct model_layer layer = sample_layer(name, MODEL_SPMM, 0, 1);

	layer.spmm.residual = MODEL_NO_TENSOR;
	layer.spmm.shuffle_height = layer.spmm.shuffle_width = 1;
	layer.spmm.replicate_height = layer.spmm.replicate_width = 1;
	return layer;
}

/* Every other row group sees its own channels only, as grouped layers do. */
static void make_block_sparse(struct model_csr *csr, uint32_t taps)
{
	uint32_t half = csr->columns / taps / 2 * taps;
	int64_t kept = 0, first = 0;

	for (uint32_t row = 0; row < csr->rows; row++) {
		int64_t last = csr->row_start[row + 1];

		for (int64_t i = first; i < last; i++) {
			bool upper = (uint32_t)csr->column[i] >= half;

			if (upper != (row >= csr->rows / 2))
				continue;
			csr->column[kept] = csr->column[i];
			csr->value[kept++] = csr->value[i];
		}
		first = last;
		csr->row_start[row + 1] = kept;
	}
}

static void random_layer(struct problem *p, enum model_type type)
{
	struct model_layer layer = empty_layer("layer");
	struct model_spmm *spmm = &layer.spmm;
	uint32_t channels = (uint32_t)sample_int(1, 5);
	uint32_t kh = (uint32_t)sample_int(1, 4),
		 kw = (uint32_t)sample_int(1, 4);
	uint32_t rows;

	random_store(spmm);
	if (type != MODEL_INT8)
		spmm->residual = MODEL_NO_TENSOR;
	rows = spmm->shuffle_height * spmm->shuffle_width *
	       (uint32_t)sample_int(1, 4);
	p->model = model_create("random");
	sample_tensor(p->model, "x", MODEL_INT8, sample_quantization(),
		      channels);
	sample_tensor(p->model, "y", type, sample_quantization(),
		      rows / (spmm->shuffle_height * spmm->shuffle_width));
	if (spmm->residual == 2)
		sample_tensor(p->model, "r", MODEL_INT8, sample_quantization(),
			      rows);
	random_window(&spmm->window, kh, kw);
	spmm->weights =
		sample_csr(rows, channels * kh * kw, sample_int(0, 100));
	if (channels > 1 && sample_int(0, 3) == 0)
		make_block_sparse(&spmm->weights, kh * kw);
	spmm->weight_scale = sample_scales(rows);
	spmm->bias = sample_biases(rows);
	random_epilogue(spmm, p->model, type);
	sample_add(p->model, &layer);
	p->layer = &p->model->layers[0];
}

static void run_problem(struct problem *p)
{
	const void *inputs[2];
	void *outputs[1];
	struct model_port port = sample_port(0, MODEL_LAYOUT_NCHW);
	struct model_extent given[2] = { p->extents[0], p->extents[2] };
	size_t size;

	model_add_input(p->model, &port);
	port.tensor = 1;
	model_add_output(p->model, &port);
	port.tensor = 2;
	if (p->residual)
		model_add_input(p->model, &port);
	if (model_validate(p->model) ||
	    model_infer_extents(p->model, given, p->extents))
		fail_msg("%s", accel_last_error());
	cpu_tensor_size(&p->model->tensors[1], &p->extents[1],
			(uint32_t)p->batch, &size);
	p->y = malloc(size);
	memset(p->y, 0x55, size);
	inputs[0] = p->x;
	inputs[1] = p->residual;
	outputs[0] = p->y;
	if (cpu_model_run(p->model, p->extents, (uint32_t)p->batch, inputs,
			  outputs, NULL))
		fail_msg("%s", accel_last_error());
}

static size_t elements(const struct model_extent *extent, int batch)
{
	return (size_t)extent->channels * extent->height * extent->width *
	       (size_t)batch;
}

static void free_problem(struct problem *p)
{
	model_destroy(p->model);
	free(p->x);
	free(p->residual);
	free(p->y);
}

static void check_random(enum model_type type)
{
	struct problem p = { 0 };
	const struct model_window *w;

	random_layer(&p, type);
	w = &p.layer->spmm.window;
	do {
		p.extents[0] =
			(struct model_extent){ p.model->tensors[0].channels,
					       (uint32_t)sample_int(1, 12),
					       (uint32_t)sample_int(1, 12) };
		p.height = positions(p.extents[0].height, w->kernel_height,
				     w->stride_height, w->dilation_height,
				     w->pad_top, w->pad_bottom);
		p.width = positions(p.extents[0].width, w->kernel_width,
				    w->stride_width, w->dilation_width,
				    w->pad_left, w->pad_right);
	} while (!p.height || !p.width);
	p.batch = sample_int(1, 5);
	p.x = sample_codes(elements(&p.extents[0], p.batch));
	if (p.layer->spmm.residual == 2) {
		p.extents[2] =
			(struct model_extent){ p.layer->spmm.weights.rows,
					       (uint32_t)p.height,
					       (uint32_t)p.width };
		p.residual = sample_codes(elements(&p.extents[2], p.batch));
	}
	run_problem(&p);
	assert_int_equal(p.extents[1].height,
			 (uint32_t)p.height * p.layer->spmm.shuffle_height *
				 p.layer->spmm.replicate_height);
	check_output(&p);
	free_problem(&p);
}

static void int8_layers_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++)
		check_random(MODEL_INT8);
}

static void raw_outputs_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		check_random(MODEL_INT32);
		check_random(MODEL_FLOAT32);
	}
}

/* Rows of the result that are longer than a tile, and many tiles. */
static void large_images_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct problem p = { 0 };

		random_layer(&p, MODEL_INT32);
		p.extents[0] =
			(struct model_extent){ p.model->tensors[0].channels,
					       i & 1 ? 9u : 90u,
					       i & 1 ? 1500u : 150u };
		p.batch = 4;
		p.x = sample_codes(elements(&p.extents[0], p.batch));
		run_problem(&p);
		check_output(&p);
		free_problem(&p);
	}
}

/* The sum wraps: 2³² is a power of the ring, not an error. */
static void accumulation_is_modulo_2_to_32(void **state)
{
	struct problem p = { 0 };

	(void)state;
	random_layer(&p, MODEL_INT32);
	for (uint32_t m = 0; m < p.layer->spmm.weights.rows; m++)
		p.layer->spmm.bias[m] = m & 1 ? INT32_MIN : INT32_MAX;
	p.extents[0] =
		(struct model_extent){ p.model->tensors[0].channels, 12, 12 };
	p.batch = 1;
	p.x = sample_codes(elements(&p.extents[0], 1));
	run_problem(&p);
	check_output(&p);
	free_problem(&p);
}

/* One dimension of a transposed convolution. */
struct transposed {
	int kernel, stride, dilation, pad, output_padding, in, out;
	int low, high; /* input offsets that any phase reads */
};

static int floor_divide(int a, int b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static struct transposed random_transposed(void)
{
	struct transposed t = { .kernel = sample_int(1, 5),
				.stride = sample_int(1, 3),
				.dilation = sample_int(1, 2) };
	bool any = false;

	do {
		t.in = sample_int(1, 7);
		t.pad = sample_int(0, 2);
		t.output_padding = sample_int(0, t.stride - 1);
		t.out = (t.in - 1) * t.stride + (t.kernel - 1) * t.dilation +
			1 + t.output_padding - 2 * t.pad;
	} while (t.out < 1);
	for (int phase = 0; phase < t.stride; phase++) {
		for (int tap = 0; tap < t.kernel; tap++) {
			int at = phase + t.pad - tap * t.dilation;

			if (at - floor_divide(at, t.stride) * t.stride)
				continue;
			at /= t.stride;
			t.low = any && t.low < at ? t.low : at;
			t.high = any && t.high > at ? t.high : at;
			any = true;
		}
	}
	return t;
}

/* The definition: every input value is added where its taps fall. */
static void scatter(const struct transposed *v, const struct transposed *h,
		    int channels, int out_channels, const int8_t *x,
		    const int8_t *w, int zero, long long *sums)
{
	for (int c = 0; c < channels; c++)
		for (int iy = 0; iy < v->in; iy++)
			for (int ix = 0; ix < h->in; ix++)
				for (int o = 0; o < out_channels; o++)
					for (int i = 0; i < v->kernel; i++)
						for (int j = 0; j < h->kernel;
						     j++) {
							int y = iy * v->stride +
								i * v->dilation -
								v->pad;
							int z = ix * h->stride +
								j * h->dilation -
								h->pad;

							if (y < 0 ||
							    y >= v->out ||
							    z < 0 ||
							    z >= h->out)
								continue;
							sums[(o * v->out + y) *
								     h->out +
							     z] +=
								w[((c * out_channels +
								    o) * v->kernel +
								   i) * h->kernel +
								  j] *
								(x[(c * v->in +
								    iy) * h->in +
								   ix] -
								 zero);
						}
}

/* Tap of a phase that reads the input at an offset, or −1. */
static int tap_at(const struct transposed *t, int phase, int offset)
{
	int distance = phase + t->pad - offset * t->stride;

	if (distance < 0 || distance % t->dilation ||
	    distance / t->dilation >= t->kernel)
		return -1;
	return distance / t->dilation;
}

static struct model_csr phase_rows(const struct transposed *v,
				   const struct transposed *h, int channels,
				   int out_channels, const int8_t *w)
{
	int kh = v->high - v->low + 1, kw = h->high - h->low + 1;
	int rows = out_channels * v->stride * h->stride;
	struct model_csr csr =
		sample_csr((uint32_t)rows, (uint32_t)(channels * kh * kw), 0);
	int64_t count = 0;

	for (int row = 0; row < rows; row++) {
		int o = row / (v->stride * h->stride);
		int phase_y = row / h->stride % v->stride;
		int phase_x = row % h->stride;

		for (int k = 0; k < channels * kh * kw; k++) {
			int c = k / (kh * kw);
			int i = tap_at(v, phase_y, k / kw % kh + v->low);
			int j = tap_at(h, phase_x, k % kw + h->low);

			if (i < 0 || j < 0)
				continue;
			csr.column[count] = k;
			csr.value[count++] =
				w[((c * out_channels + o) * v->kernel + i) *
					  h->kernel +
				  j];
		}
		csr.row_start[row + 1] = count;
	}
	return csr;
}

static void check_transposed(void)
{
	struct transposed v = random_transposed(), h = random_transposed();
	int channels = sample_int(1, 3), out_channels = sample_int(1, 3);
	struct model_layer layer = empty_layer("transposed");
	struct model_spmm *spmm = &layer.spmm;
	struct problem p = { .batch = 1 };
	long long *sums = calloc((size_t)(out_channels * v.out * h.out), 8);
	int8_t *w = sample_codes(
		(size_t)(channels * out_channels * v.kernel * h.kernel));

	p.model = model_create("transposed");
	sample_tensor(p.model, "x", MODEL_INT8, sample_quantization(),
		      (uint32_t)channels);
	sample_tensor(p.model, "y", MODEL_INT32, sample_quantization(),
		      (uint32_t)out_channels);
	spmm->weights = phase_rows(&v, &h, channels, out_channels, w);
	spmm->weight_scale = sample_scales(spmm->weights.rows);
	spmm->bias = calloc(spmm->weights.rows, sizeof(int32_t));
	spmm->window = sample_window(1, 0);
	spmm->window.kernel_height = (uint32_t)(v.high - v.low + 1);
	spmm->window.kernel_width = (uint32_t)(h.high - h.low + 1);
	spmm->window.pad_top = -v.low;
	spmm->window.pad_left = -h.low;
	spmm->transposed = true;
	spmm->shuffle_height = spmm->output_stride_height = (uint32_t)v.stride;
	spmm->shuffle_width = spmm->output_stride_width = (uint32_t)h.stride;
	spmm->output_extra_height = v.out - (v.in - 1) * v.stride;
	spmm->output_extra_width = h.out - (h.in - 1) * h.stride;
	sample_add(p.model, &layer);
	p.layer = &p.model->layers[0];
	p.extents[0] = (struct model_extent){ (uint32_t)channels,
					      (uint32_t)v.in, (uint32_t)h.in };
	p.x = sample_codes(elements(&p.extents[0], 1));
	run_problem(&p);
	assert_int_equal(p.extents[1].height, v.out);
	assert_int_equal(p.extents[1].width, h.out);
	scatter(&v, &h, channels, out_channels, p.x, w,
		p.model->tensors[0].quantization.zero, sums);
	for (int i = 0; i < out_channels * v.out * h.out; i++)
		assert_int_equal(((int32_t *)p.y)[i], sums[i]);
	free(sums);
	free(w);
	free_problem(&p);
}

static void transposed_convolutions_scatter(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		check_transposed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int8_layers_are_exact),
		cmocka_unit_test(raw_outputs_are_exact),
		cmocka_unit_test(large_images_are_exact),
		cmocka_unit_test(accumulation_is_modulo_2_to_32),
		cmocka_unit_test(transposed_convolutions_scatter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
