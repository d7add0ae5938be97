/* SPDX-License-Identifier: MIT */
/* Additions, products, tables, pools and what only moves values. */
#include "cpu_layer.h"
#include "naive.h"

static struct model_extent random_extent(void)
{
	struct model_extent extent = { (uint32_t)sample_int(1, 5),
				       (uint32_t)sample_int(1, 9),
				       (uint32_t)sample_int(1, 9) };

	return extent;
}

static void check_eltwise(enum model_op op)
{
	struct layer_case c = case_create();
	struct golden_quantization qa = sample_quantization();
	struct golden_quantization qb = sample_quantization();
	struct golden_quantization qy = sample_quantization();
	struct model_extent first = random_extent(), second = first;
	struct model_layer layer;

	if (op == MODEL_MULTIPLY)
		qy.scale *= 0.1f;
	if (sample_int(0, 2) == 0)
		second.height = 1;
	if (sample_int(0, 2) == 0)
		second.width = 1;
	case_input(&c, MODEL_INT8, qa, first);
	case_input(&c, MODEL_INT8, qb, second);
	case_output(&c, MODEL_INT8, qy, first.channels);
	layer = sample_layer("layer", op, 0, 2);
	layer.inputs[layer.input_count++] = 1;
	case_run(&c, &layer);
	for (uint32_t i = 0; i < case_elements(&c, 0); i++) {
		uint32_t b = i % c.batch, x = i / c.batch % first.width;
		uint32_t y = i / c.batch / first.width % first.height;
		uint32_t k = i / c.batch / first.width / first.height;
		double p = (double)naive_real(case_code(&c, 0, k, y, x, b), qa);
		double q = (double)naive_real(
			case_code(&c, 1, k, second.height == 1 ? 0 : y,
				  second.width == 1 ? 0 : x, b),
			qb);
		float value = (float)(op == MODEL_ADD ? p + q : p * q);

		assert_int_equal(case_code(&c, 2, k, y, x, b),
				 naive_code(value, qy));
	}
	case_destroy(&c);
}

static void sums_and_products_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		check_eltwise(MODEL_ADD);
		check_eltwise(MODEL_MULTIPLY);
	}
}

static void tables_are_looked_up(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct layer_case c = case_create();
		struct model_extent extent = random_extent();
		struct model_layer layer =
			sample_layer("layer", MODEL_TABLE, 0, 1);
		const int8_t *in, *out, *entries;
		size_t channel;

		case_input(&c, MODEL_INT8, sample_quantization(), extent);
		case_output(&c, MODEL_INT8, sample_quantization(),
			    extent.channels);
		layer.table.per_channel = i & 1;
		layer.table.entries = sample_codes(
			layer.table.per_channel ? extent.channels * 256 : 256);
		entries = layer.table.entries;
		case_run(&c, &layer);
		in = c.values[0];
		out = c.values[1];
		channel = case_elements(&c, 0) / extent.channels;
		for (size_t k = 0; k < case_elements(&c, 0); k++) {
			size_t table = i & 1 ? k / channel : 0;

			assert_int_equal(
				out[k],
				entries[table * 256 + (size_t)(in[k] + 128)]);
		}
		case_destroy(&c);
	}
}

/* A pool of an image of one channel and batch, element by element. */
struct naive_pool {
	const struct layer_case *c;
	struct model_window window;
	struct golden_quantization qx, qy;
	bool maximum, count_padding;
};

static int naive_pool_at(const struct naive_pool *p, uint32_t channel,
			 uint32_t y, uint32_t x, uint32_t b)
{
	const struct model_window *w = &p->window;
	int sum = 0, count = 0, most = -128;
	float mean;

	for (uint32_t i = 0; i < w->kernel_height; i++) {
		for (uint32_t j = 0; j < w->kernel_width; j++) {
			int row = (int)(y * w->stride_height +
					i * w->dilation_height) -
				  w->pad_top;
			int column = (int)(x * w->stride_width +
					   j * w->dilation_width) -
				     w->pad_left;
			int code;

			if (row < 0 || row >= (int)p->c->extents[0].height ||
			    column < 0 || column >= (int)p->c->extents[0].width)
				continue;
			code = case_code(p->c, 0, channel, (uint32_t)row,
					 (uint32_t)column, b);
			sum += code - p->qx.zero;
			most = code > most ? code : most;
			count++;
		}
	}
	if (p->maximum)
		return most;
	if (p->count_padding)
		count = (int)(w->kernel_height * w->kernel_width);
	if (!count)
		return p->qy.zero;
	mean = (float)(1.0 / count);
	mean = (float)((double)p->qx.scale * (double)mean);
	mean = (float)((double)mean / (double)p->qy.scale);
	return naive_requantize(sum, mean, p->qy.zero);
}

static struct model_window random_window(void)
{
	struct model_window window = { .kernel_height = 0 };

	window.kernel_height = (uint32_t)sample_int(1, 3);
	window.kernel_width = (uint32_t)sample_int(1, 3);
	window.stride_height = (uint32_t)sample_int(1, 3);
	window.stride_width = (uint32_t)sample_int(1, 3);
	window.dilation_height = (uint32_t)sample_int(1, 2);
	window.dilation_width = (uint32_t)sample_int(1, 2);
	window.pad_top = sample_int(-1, 3);
	window.pad_left = sample_int(-1, 3);
	window.pad_bottom = sample_int(5, 6);
	window.pad_right = sample_int(5, 6);
	return window;
}

static void check_pool(struct layer_case *c, enum model_op op, bool global)
{
	struct naive_pool naive = {
		.c = c,
		.window = random_window(),
		.qx = sample_quantization(),
		.qy = sample_quantization(),
		.maximum = op == MODEL_POOL_MAX,
	};
	struct model_extent extent = random_extent();
	struct model_layer layer = sample_layer("layer", op, 0, 1);

	if (naive.maximum)
		naive.qy = naive.qx;
	case_input(c, MODEL_INT8, naive.qx, extent);
	case_output(c, MODEL_INT8, naive.qy, extent.channels);
	if (!global) {
		naive.window.ceil_mode = sample_int(0, 1);
		naive.count_padding = !naive.window.ceil_mode &&
				      sample_int(0, 1);
		layer.pool.window = naive.window;
		layer.pool.count_padding = naive.count_padding;
	} else {
		naive.window = sample_window(1, 0);
		naive.window.kernel_height = extent.height;
		naive.window.kernel_width = extent.width;
	}
	case_run(c, &layer);
	if (global)
		assert_int_equal(case_elements(c, 1),
				 extent.channels * c->batch);
	for (uint32_t k = 0; k < extent.channels; k++)
		for (uint32_t y = 0; y < c->extents[1].height; y++)
			for (uint32_t x = 0; x < c->extents[1].width; x++)
				for (uint32_t b = 0; b < c->batch; b++)
					assert_int_equal(
						case_code(c, 1, k, y, x, b),
						naive_pool_at(&naive, k, y, x,
							      b));
}

static void pools_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		struct layer_case c = case_create();

		check_pool(&c, i & 1 ? MODEL_POOL_MAX : MODEL_POOL_AVERAGE,
			   i % 5 == 0);
		case_destroy(&c);
	}
}

static void concat_joins_channels(void **state)
{
	struct golden_quantization q = sample_quantization();
	struct model_extent first = { 2, 3, 4 }, second = { 3, 3, 4 };

	(void)state;
	for (int type = MODEL_INT8; type <= MODEL_FLOAT32; type += 2) {
		struct layer_case c = case_create();
		size_t size = type == MODEL_INT8 ? 1 : 4;
		struct model_layer layer =
			sample_layer("layer", MODEL_CONCAT, 0, 2);

		case_input(&c, (enum model_type)type, q, first);
		case_input(&c, (enum model_type)type, q, second);
		case_output(&c, (enum model_type)type, q, 7);
		layer.inputs[1] = 1;
		layer.inputs[2] = 0;
		layer.input_count = 3;
		case_run(&c, &layer);
		assert_memory_equal(c.values[2], c.values[0],
				    size * case_elements(&c, 0));
		assert_memory_equal((char *)c.values[2] +
					    size * case_elements(&c, 0),
				    c.values[1], size * case_elements(&c, 1));
		assert_memory_equal((char *)c.values[2] +
					    size * (case_elements(&c, 0) +
						    case_elements(&c, 1)),
				    c.values[0], size * case_elements(&c, 0));
		case_destroy(&c);
	}
}

static void slice_and_reshape_copy(void **state)
{
	struct golden_quantization q = sample_quantization();
	struct model_extent extent = { 6, 3, 4 };
	struct layer_case c = case_create();
	struct model_layer layer = sample_layer("layer", MODEL_SLICE, 0, 1);

	(void)state;
	case_input(&c, MODEL_INT8, q, extent);
	case_output(&c, MODEL_INT8, q, 3);
	layer.slice.first_channel = 2;
	case_run(&c, &layer);
	assert_memory_equal(c.values[1], (int8_t *)c.values[0] + 24 * c.batch,
			    36 * c.batch);
	case_destroy(&c);
	c = case_create();
	layer = sample_layer("layer", MODEL_RESHAPE, 0, 1);
	case_input(&c, MODEL_INT8, q, extent);
	case_output(&c, MODEL_INT8, q, 9);
	layer.reshape = (struct model_reshape){ 9, 2, 0 };
	case_run(&c, &layer);
	assert_int_equal(c.extents[1].width, 4);
	assert_memory_equal(c.values[1], c.values[0], 72 * c.batch);
	case_destroy(&c);
}

static void permute_moves_axes(void **state)
{
	static const uint8_t axes[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
					    { 1, 0, 2 }, { 1, 2, 0 },
					    { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct layer_case c = case_create();
		struct model_extent extent = random_extent();
		struct golden_quantization q = sample_quantization();
		const uint32_t sizes[3] = { extent.channels, extent.height,
					    extent.width };
		struct model_layer layer =
			sample_layer("layer", MODEL_PERMUTE, 0, 1);
		uint32_t at[3];

		memcpy(layer.permute.axis, axes[i], 3);
		case_input(&c, MODEL_INT8, q, extent);
		case_output(&c, MODEL_INT8, q, sizes[axes[i][0]]);
		case_run(&c, &layer);
		for (at[0] = 0; at[0] < sizes[0]; at[0]++)
			for (at[1] = 0; at[1] < sizes[1]; at[1]++)
				for (at[2] = 0; at[2] < sizes[2]; at[2]++)
					assert_int_equal(
						case_code(&c, 0, at[0], at[1],
							  at[2], c.batch - 1),
						case_code(&c, 1, at[axes[i][0]],
							  at[axes[i][1]],
							  at[axes[i][2]],
							  c.batch - 1));
		case_destroy(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_and_products_are_exact),
		cmocka_unit_test(tables_are_looked_up),
		cmocka_unit_test(pools_are_exact),
		cmocka_unit_test(concat_joins_channels),
		cmocka_unit_test(slice_and_reshape_copy),
		cmocka_unit_test(permute_moves_axes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
