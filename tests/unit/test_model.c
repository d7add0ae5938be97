/* SPDX-License-Identifier: MIT */
#include "sample_model.h"

#include <core/error.h>

#include <errno.h>
#include <math.h>

static struct model_layer *layer_named(struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model->layer_count; i++)
		if (!strcmp(model->layers[i].name, name))
			return &model->layers[i];
	fail_msg("no layer %s", name);
	return NULL;
}

static void the_sample_is_valid(void **state)
{
	struct model *model = sample_model();

	(void)state;
	assert_int_equal(model_validate(model), 0);
	model_destroy(model);
	model_destroy(NULL);
}

static void nan_scale(struct model *model)
{
	model->tensors[0].quantization.scale = NAN;
}

static void zero_scale(struct model *model)
{
	model->tensors[3].quantization.scale = 0;
}

static void large_zero(struct model *model)
{
	model->tensors[3].quantization.zero = 128;
}

static void no_channels(struct model *model)
{
	model->tensors[3].channels = 0;
}

static void two_names(struct model *model)
{
	strcpy(model->tensors[3].name, "x");
}

static void no_name(struct model *model)
{
	layer_named(model, "add")->name[0] = 0;
}

static void unknown_op(struct model *model)
{
	layer_named(model, "reshape")->op = (enum model_op)99;
}

static void input_out_of_range(struct model *model)
{
	layer_named(model, "add")->inputs[1] = 1000;
}

static void input_omitted(struct model *model)
{
	layer_named(model, "add")->inputs[1] = MODEL_NO_TENSOR;
}

static void residual_out_of_range(struct model *model)
{
	layer_named(model, "conv2")->spmm.residual = -7;
}

static void cycle(struct model *model)
{
	layer_named(model, "conv2")->spmm.residual =
		layer_named(model, "add")->outputs[0];
}

static void made_twice(struct model *model)
{
	layer_named(model, "multiply")->outputs[0] =
		layer_named(model, "add")->outputs[0];
}

static void column_too_large(struct model *model)
{
	struct model_csr *csr = &layer_named(model, "conv1")->spmm.weights;

	csr->column[csr->row_start[1] - 1] = (int32_t)csr->columns;
}

static void columns_not_ascending(struct model *model)
{
	struct model_csr *csr = &layer_named(model, "conv1")->spmm.weights;

	csr->column[1] = csr->column[0];
}

static void rows_descend(struct model *model)
{
	struct model_csr *csr = &layer_named(model, "conv1")->spmm.weights;

	csr->row_start[1] = csr->row_start[2] + 1;
}

static void wrong_columns(struct model *model)
{
	layer_named(model, "conv1")->spmm.window.kernel_width = 2;
}

static void zero_stride(struct model *model)
{
	layer_named(model, "conv1")->spmm.window.stride_height = 0;
}

static void huge_pad(struct model *model)
{
	layer_named(model, "conv1")->spmm.window.pad_left = INT32_MIN;
}

static void weight_scale_infinite(struct model *model)
{
	layer_named(model, "conv1")->spmm.weight_scale[2] = INFINITY;
}

static void row_scale_vanishes(struct model *model)
{
	layer_named(model, "conv1")->spmm.weight_scale[2] = 0x1p-149f;
}

static void epilogue_differs(struct model *model)
{
	layer_named(model, "conv1")->spmm.accumulator.zero ^= 1;
}

static void residual_with_shuffle(struct model *model)
{
	layer_named(model, "conv2")->spmm.replicate_height = 2;
}

static void shuffle_does_not_divide(struct model *model)
{
	layer_named(model, "up")->spmm.shuffle_height = 3;
}

static void transposed_without_shuffle(struct model *model)
{
	layer_named(model, "up")->spmm.output_stride_width = 3;
}

static void slice_beyond(struct model *model)
{
	layer_named(model, "slice")->slice.first_channel = UINT32_MAX;
}

static void concat_requantizes(struct model *model)
{
	struct model_layer *concat = layer_named(model, "concat");

	model->tensors[concat->outputs[0]].quantization.scale *= 2;
}

static void two_open_sizes(struct model *model)
{
	layer_named(model, "reshape")->reshape.channels = 0;
}

static void no_permutation(struct model *model)
{
	layer_named(model, "permute")->permute.axis[2] = 0;
}

static void wrong_hidden(struct model *model)
{
	layer_named(model, "lstm")->recurrent.hidden = 6;
}

static void state_is_int8(struct model *model)
{
	model->tensors[1].type = MODEL_INT8;
}

static void port_out_of_range(struct model *model)
{
	model->outputs[1].tensor = -1;
}

static void no_outputs(struct model *model)
{
	model->output_count = 0;
}

struct mutation {
	void (*apply)(struct model *model);
	const char *text;
};

static void mistakes_are_found_and_named(void **state)
{
	static const struct mutation mutations[] = {
		{ nan_scale, "x: the scale" },
		{ zero_scale, "finite and positive" },
		{ large_zero, "zero point 128" },
		{ no_channels, "tensor 'b'" },
		{ two_names, "two tensors are named 'x'" },
		{ no_name, "layer has no name" },
		{ unknown_op, "layer 'reshape': unknown operation" },
		{ input_out_of_range, "layer 'add': input 1 is tensor 1000" },
		{ input_omitted, "layer 'add'" },
		{ residual_out_of_range, "residual is tensor -7" },
		{ cycle, "reads 'c' before" },
		{ made_twice, "'c' is made twice" },
		{ column_too_large, "layer 'conv1': row 0" },
		{ columns_not_ascending, "layer 'conv1': row 0" },
		{ rows_descend, "goes from" },
		{ wrong_columns, "36 columns, but 4 channels" },
		{ zero_stride, "stride" },
		{ huge_pad, "padding" },
		{ weight_scale_infinite, "row 2: the scale" },
		{ row_scale_vanishes, "row 2: the scale" },
		{ epilogue_differs, "epilogue" },
		{ residual_with_shuffle, "residual" },
		{ shuffle_does_not_divide, "multiple" },
		{ transposed_without_shuffle, "transposed" },
		{ slice_beyond, "channels up to" },
		{ concat_requantizes, "layer 'concat'" },
		{ two_open_sizes, "reshape" },
		{ no_permutation, "permutation" },
		{ wrong_hidden, "layer 'lstm'" },
		{ state_is_int8, "not float32" },
		{ port_out_of_range, "output is tensor -1" },
		{ no_outputs, "at least one" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
		struct model *model = sample_model();

		mutations[i].apply(model);
		assert_int_equal(model_validate(model), -EINVAL);
		if (!strstr(accel_last_error(), mutations[i].text))
			fail_msg("%s: %s", mutations[i].text,
				 accel_last_error());
		/* The wrong operation would free the wrong arrays. */
		model_destroy(model);
	}
}

static struct model_extent extent_of(const struct model *model,
				     const struct model_extent *extents,
				     const char *name)
{
	for (uint32_t i = 0; i < model->tensor_count; i++)
		if (!strcmp(model->tensors[i].name, name))
			return extents[i];
	fail_msg("no tensor %s", name);
	return extents[0];
}

static void assert_extent(struct model_extent extent, uint32_t channels,
			  uint32_t height, uint32_t width)
{
	assert_int_equal(extent.channels, channels);
	assert_int_equal(extent.height, height);
	assert_int_equal(extent.width, width);
}

static void sizes_follow_the_input(void **state)
{
	const struct model_extent inputs[2] = { { 4, 7, 10 }, { 5, 1, 1 } };
	struct model_extent extents[64];
	struct model *model = sample_model();

	(void)state;
	assert_int_equal(model_infer_extents(model, inputs, extents), 0);
	assert_extent(extent_of(model, extents, "e"), 8, 7, 10);
	assert_extent(extent_of(model, extents, "f"), 8, 4, 5);
	assert_extent(extent_of(model, extents, "up"), 2, 7, 9);
	assert_extent(extent_of(model, extents, "g"), 8, 1, 1);
	assert_extent(extent_of(model, extents, "h"), 16, 1, 1);
	assert_extent(extent_of(model, extents, "j"), 3, 2, 1);
	assert_extent(extent_of(model, extents, "k"), 2, 3, 1);
	assert_extent(extent_of(model, extents, "y"), 5, 3, 1);
	assert_extent(extent_of(model, extents, "c_t"), 5, 1, 1);
	assert_extent(extent_of(model, extents, "out"), 4, 3, 1);
	model_destroy(model);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
	const struct model_extent good[2] = { { 4, 7, 10 }, { 5, 1, 1 } };
	struct model_extent inputs[2], extents[64];
	struct model *model = sample_model();

	(void)state;
	memcpy(inputs, good, sizeof(good));
	inputs[0].channels = 3;
	assert_int_equal(model_infer_extents(model, inputs, extents), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "'x' has 3"));
	memcpy(inputs, good, sizeof(good));
	inputs[0].height = 0;
	assert_int_equal(model_infer_extents(model, inputs, extents), -EINVAL);
	inputs[0].height = inputs[0].width = MODEL_DIMENSION_MAX;
	assert_int_equal(model_infer_extents(model, inputs, extents), -EINVAL);
	memcpy(inputs, good, sizeof(good));
	inputs[1].height = 2;
	assert_int_equal(model_infer_extents(model, inputs, extents), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "state"));
	memcpy(inputs, good, sizeof(good));
	model->tensors[2].height = 8;
	assert_int_equal(model_infer_extents(model, inputs, extents), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "layer 'conv1'"));
	model_destroy(model);
}

/* Positions counted one by one. */
static uint32_t count_positions(const struct model_window *window, int size)
{
	int span =
		(int)((window->kernel_height - 1) * window->dilation_height) +
		1;
	int padded = size + window->pad_top + window->pad_bottom;
	uint32_t count = 0;

	for (int at = 0;; at += (int)window->stride_height) {
		if (at + span > padded &&
		    !(window->ceil_mode && count &&
		      at - (int)window->stride_height + span < padded &&
		      at < size + window->pad_top))
			return count;
		count++;
	}
}

static void grids_count_the_positions(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct model_pool pool = { { 0, 1, 0, 1, 0, 1, 0, 0, 0, 0,
					     false, false, false, false },
					   false };
		struct model_extent input = { 1, 0, 1 };
		struct model_grid grid;
		uint32_t expected;

		pool.window.kernel_height = (uint32_t)sample_int(1, 5);
		pool.window.stride_height = (uint32_t)sample_int(1, 4);
		pool.window.dilation_height = (uint32_t)sample_int(1, 3);
		pool.window.pad_top = sample_int(-2, 3);
		pool.window.pad_bottom = sample_int(-2, 3);
		pool.window.ceil_mode = sample_int(0, 1);
		input.height = (uint32_t)sample_int(1, 20);
		expected = count_positions(&pool.window, (int)input.height);
		if (!expected) {
			assert_int_equal(model_pool_grid(&pool, &input, &grid),
					 -EINVAL);
			continue;
		}
		assert_int_equal(model_pool_grid(&pool, &input, &grid), 0);
		assert_int_equal(grid.height, expected);
		assert_int_equal(grid.pad_top, pool.window.pad_top);
	}
}

static void automatic_padding_divides_the_input(void **state)
{
	struct model_pool pool = { { 3, 4, 2, 3, 1, 2, 0, 0, 0, 0, true, false,
				     false, false },
				   false };
	const struct model_extent input = { 1, 8, 10 };
	struct model_grid grid;

	(void)state;
	/* 8 → 4 rows over 9: one at the end; 10 → 4 columns over 16: 3 and 3. */
	assert_int_equal(model_pool_grid(&pool, &input, &grid), 0);
	assert_int_equal(grid.height, 4);
	assert_int_equal(grid.width, 4);
	assert_int_equal(grid.pad_top, 0);
	assert_int_equal(grid.pad_left, 3);
	pool.window.same_upper = false;
	pool.window.same_lower = true;
	assert_int_equal(model_pool_grid(&pool, &input, &grid), 0);
	assert_int_equal(grid.pad_top, 1);
	assert_int_equal(grid.pad_left, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_is_valid),
		cmocka_unit_test(mistakes_are_found_and_named),
		cmocka_unit_test(sizes_follow_the_input),
		cmocka_unit_test(sizes_that_do_not_fit_are_refused),
		cmocka_unit_test(grids_count_the_positions),
		cmocka_unit_test(automatic_padding_divides_the_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
