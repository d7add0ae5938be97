/* SPDX-License-Identifier: MIT */
/* Convolutions, matrices, and what folds into them. */
#include "onnx_run.h"

#include <errno.h>

/* Batch normalization by hand: x·γ/√(σ² + ε) + β − μγ/√(σ² + ε). */
static const float gamma_[4] = { 1.5f, -0.5f, 2, 0.25f };
static const float beta_[4] = { 0.1f, 0.2f, -0.3f, 0.4f };
static const float mean_[4] = { 0.5f, -0.25f, 1, 0 };
static const float variance_[4] = { 0.5f, 2, 1, 4 };

static void add_normalization(struct onnx_builder *builder, const char *in,
			      const char *out)
{
	char inputs[128];

	onnx_builder_floats(builder, "gamma", "4", gamma_);
	onnx_builder_floats(builder, "beta", "4", beta_);
	onnx_builder_floats(builder, "mean", "4", mean_);
	onnx_builder_floats(builder, "variance", "4", variance_);
	snprintf(inputs, sizeof(inputs), "%s gamma beta mean variance", in);
	onnx_builder_node(builder, "BatchNormalization", inputs, out);
	onnx_builder_float(builder, "epsilon", 1e-3f);
}

/* y = normalization(x), x and y with channels on axis 1. */
static void normalize(float *values, const struct graph_shape *shape)
{
	int64_t inner = 1;

	for (int i = 2; i < shape->rank; i++)
		inner *= shape->dims[i];
	for (int64_t i = 0; i < graph_shape_count(shape); i++) {
		int64_t c = i / inner % 4;
		float deviation = sqrtf(variance_[c] + 1e-3f);

		values[i] = gamma_[c] * (values[i] - mean_[c]) / deviation +
			    beta_[c];
	}
}

/* The output of one graph, normalized, is that of the other. */
static void assert_normalizes(struct graph *plain, struct graph *folded,
			      const char *dims)
{
	struct graph_shape shape, other;
	float *x = run_graph(plain, &dims, &shape);
	float *y = run_graph(folded, &dims, &other);

	normalize(x, &shape);
	assert_int_equal(graph_shape_count(&shape), graph_shape_count(&other));
	for (int64_t i = 0; i < graph_shape_count(&shape); i++)
		assert_true(fabsf(x[i] - y[i]) < 1e-5f * (1 + fabsf(x[i])));
	free(x);
	free(y);
	graph_destroy(plain);
	graph_destroy(folded);
}

static struct onnx_builder *conv_model(const char *op, const char *weight,
				       bool normalized)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "N 4 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", weight, NULL);
	onnx_builder_node(builder, op, "x w", normalized ? "h" : "y");
	onnx_builder_ints(builder, "strides", "2 1");
	onnx_builder_ints(builder, "pads", "1 0 2 1");
	onnx_builder_int(builder, "group", 2);
	if (normalized)
		add_normalization(builder, "h", "y");
	return builder;
}

static void normalization_folds_into_convolution(void **state)
{
	struct graph *folded =
		onnx_builder_graph(conv_model("Conv", "4 2 3 2", true));

	(void)state;
	assert_operators(folded, "Conv");
	assert_string_equal(folded->tensors[folded->outputs[0]].name, "y");
	assert_normalizes(
		onnx_builder_graph(conv_model("Conv", "4 2 3 2", false)),
		folded, "2 4 9 7");
}

static void normalization_folds_into_transposed_convolution(void **state)
{
	struct graph *folded = onnx_builder_graph(
		conv_model("ConvTranspose", "4 2 3 2", true));

	(void)state;
	assert_operators(folded, "ConvTranspose");
	assert_normalizes(onnx_builder_graph(conv_model("ConvTranspose",
							"4 2 3 2", false)),
			  folded, "2 4 9 7");
}

static struct onnx_builder *dcgan_head(bool normalized)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "z", "N 5");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "24 5", NULL);
	onnx_builder_integers(builder, "shape", "-1 4 3 2");
	onnx_builder_node(builder, "Transpose", "w", "wt");
	onnx_builder_node(builder, "MatMul", "z wt", "h");
	onnx_builder_node(builder, "Reshape", "h shape",
			  normalized ? "image" : "y");
	if (normalized)
		add_normalization(builder, "image", "y");
	return builder;
}

static void normalization_folds_into_the_matrix_before_a_reshape(void **state)
{
	struct graph *folded = onnx_builder_graph(dcgan_head(true));

	(void)state;
	assert_operators(folded, "Gemm Reshape");
	assert_normalizes(onnx_builder_graph(dcgan_head(false)), folded, "3 5");
}

/* A weight that two layers share is folded in one of them only. */
static void shared_weights_stay_apart(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 4 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_output(builder, "raw");
	onnx_builder_floats(builder, "w", "4 4 1 1", NULL);
	onnx_builder_node(builder, "Conv", "x w", "raw");
	onnx_builder_node(builder, "Conv", "x w", "h");
	add_normalization(builder, "h", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Conv Conv");
	assert_int_not_equal(graph->nodes[0].inputs[1],
			     graph->nodes[1].inputs[1]);
	graph_destroy(graph);
}

/* Between convolution and normalization the value is an output: no folding. */
static void outputs_are_not_folded_away(void **state)
{
	struct onnx_builder *builder = conv_model("Conv", "4 2 3 2", true);
	struct graph *graph;

	(void)state;
	onnx_builder_output(builder, "h");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Conv Affine");
	graph_destroy(graph);
}

/* (x·2 − 1)/4 through a valid convolution, a scalar after it. */
static struct graph *scaled_conv(bool folded, const char *pads)
{
	const float two[] = { 2 }, one[] = { 1 }, four[] = { 4 };
	struct onnx_builder *builder = onnx_builder_create(17);

	onnx_builder_input(builder, "x", "N 3 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "two", "1", two);
	onnx_builder_floats(builder, "one", "1 1 1 1", one);
	onnx_builder_floats(builder, "four", "", four);
	onnx_builder_floats(builder, "w", "5 3 3 3", NULL);
	onnx_builder_floats(builder, "b", "5", NULL);
	onnx_builder_node(builder, "Mul", "two x", "x2");
	if (!folded)
		onnx_builder_node(builder, "Relu", "x2", "never");
	onnx_builder_node(builder, "Sub", "x2 one", "x1");
	if (!folded) {
		onnx_builder_output(builder, "x1");
		onnx_builder_output(builder, "h");
	}
	onnx_builder_node(builder, "Conv", "x1 w b", "h");
	onnx_builder_ints(builder, "pads", pads);
	onnx_builder_node(builder, "Div", "h four", "y");
	return onnx_builder_graph(builder);
}

static void constants_fold_into_both_sides(void **state)
{
	struct graph *graph = scaled_conv(true, "0 0 0 0");

	(void)state;
	assert_operators(graph, "Conv");
	assert_same_function(graph, scaled_conv(false, "0 0 0 0"), "2 3 6 5");
}

static void shifts_do_not_fold_into_padded_convolutions(void **state)
{
	struct graph *graph = scaled_conv(true, "1 1 1 1");

	(void)state;
	assert_operators(graph, "Affine Conv");
	assert_same_function(graph, scaled_conv(false, "1 1 1 1"), "2 3 6 5");
}

/* Every way to write x·Wᵀ + b gives one Gemm and the same values. */
static struct graph *matrix_model(int form)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	float w[6] = { 1, 2, 3, 4, 5, 6 }; /* [2, 3] */
	float t[6] = { 1, 4, 2, 5, 3, 6 }; /* [3, 2] */
	float half[6] = { 0.5f, 2, 1, 2.5f, 1.5f, 3 };
	float b[2] = { 0.5f, -1 }, quarter[2] = { 0.125f, -0.25f };

	onnx_builder_input(builder, "x", "N 3");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "2 3", w);
	onnx_builder_floats(builder, "t", "3 2", t);
	onnx_builder_floats(builder, "half", "3 2", half);
	onnx_builder_floats(builder, "b", "2", b);
	onnx_builder_floats(builder, "quarter", "1 2", quarter);
	switch (form) {
	case 0:
		onnx_builder_node(builder, "Gemm", "x w b", "y");
		onnx_builder_int(builder, "transB", 1);
		break;
	case 1:
		onnx_builder_node(builder, "Gemm", "x half quarter", "y");
		onnx_builder_float(builder, "alpha", 2);
		onnx_builder_float(builder, "beta", 4);
		break;
	case 2:
		onnx_builder_node(builder, "MatMul", "x t", "p");
		onnx_builder_node(builder, "Add", "b p", "y");
		break;
	case 3:
		onnx_builder_node(builder, "Transpose", "x", "xt");
		onnx_builder_node(builder, "Gemm", "xt t b", "y");
		onnx_builder_int(builder, "transA", 1);
		break;
	default:
		onnx_builder_node(builder, "Transpose", "x", "xt");
		onnx_builder_node(builder, "MatMul", "w xt", "p");
		onnx_builder_node(builder, "Transpose", "p", "pt");
		onnx_builder_node(builder, "Add", "pt b", "y");
		break;
	}
	return onnx_builder_graph(builder);
}

static void forms_of_matrix_products_agree(void **state)
{
	(void)state;
	for (int form = 1; form < 5; form++) {
		struct graph *graph = matrix_model(form);

		assert_operators(graph, "Gemm");
		assert_same_function(graph, matrix_model(0), "4 3");
	}
}

static void bias_of_rows_becomes_an_addition(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "2 3");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "3 4", NULL);
	onnx_builder_floats(builder, "c", "2 1", NULL);
	onnx_builder_node(builder, "Gemm", "x w c", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm Add");
	assert_output_shape(graph, "2 3", "2 4");
	graph_destroy(graph);
}

static void convolution_of_one_axis_is_mapped(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 3 L");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "4 3 5", NULL);
	onnx_builder_floats(builder, "v", "4 2 4", NULL);
	onnx_builder_node(builder, "Conv", "x w", "h");
	onnx_builder_ints(builder, "pads", "2 2");
	onnx_builder_node(builder, "Relu", "h", "r");
	onnx_builder_node(builder, "ConvTranspose", "r v", "y");
	onnx_builder_ints(builder, "strides", "2");
	onnx_builder_ints(builder, "pads", "1 1");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Reshape Conv Relu ConvTranspose Reshape");
	assert_output_shape(graph, "2 3 11", "2 2 22");
	graph_destroy(graph);
}

static struct graph *padded_conv(const char *auto_pad, const char *stride)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "N 1 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "1 1 4 3", NULL);
	onnx_builder_node(builder, "Conv", "x w", "y");
	onnx_builder_string(builder, "auto_pad", auto_pad);
	onnx_builder_ints(builder, "strides", stride);
	return onnx_builder_graph(builder);
}

static void automatic_padding_is_resolved_where_it_can_be(void **state)
{
	struct graph *graph = padded_conv("SAME_LOWER", "1 1");

	(void)state;
	assert_int_equal(graph->nodes[0].conv.auto_pad, GRAPH_PAD_EXPLICIT);
	assert_int_equal(graph->nodes[0].conv.pads[0], 2);
	assert_int_equal(graph->nodes[0].conv.pads[2], 1);
	graph_destroy(graph);
	graph = padded_conv("SAME_UPPER", "2 3");
	assert_int_equal(graph->nodes[0].conv.auto_pad, GRAPH_PAD_SAME_UPPER);
	assert_output_shape(graph, "1 1 9 10", "1 1 5 4");
	graph_destroy(graph);
	graph = padded_conv("VALID", "1 1");
	assert_output_shape(graph, "1 1 9 10", "1 1 6 8");
	graph_destroy(graph);
}

static struct onnx_builder *sized_model(const char *size)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "N 2 5 5");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "2 3 3 3", NULL);
	onnx_builder_node(builder, "ConvTranspose", "x w", "y");
	onnx_builder_ints(builder, "strides", "2 2");
	onnx_builder_ints(builder, "output_shape", size);
	return builder;
}

static void transposed_convolution_reaches_the_size_asked_for(void **state)
{
	struct graph *graph = onnx_builder_graph(sized_model("10 9"));

	(void)state;
	assert_int_equal(graph->nodes[0].conv.pads[0], 1);
	assert_int_equal(graph->nodes[0].conv.pads[2], 0);
	assert_output_shape(graph, "4 2 5 5", "4 3 10 9");
	graph_destroy(graph);
	/* 2·4 + 3, and what a stride more would need another input for */
	graph_destroy(onnx_builder_graph(sized_model("12 12")));
	onnx_builder_refused(sized_model("10 13"), -EINVAL,
			     "output_shape asks for 13");
}

static void output_padding_and_dilation_count(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 2 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "2 3 3 3", NULL);
	onnx_builder_node(builder, "ConvTranspose", "x w", "y");
	onnx_builder_ints(builder, "strides", "3 2");
	onnx_builder_ints(builder, "dilations", "2 1");
	onnx_builder_ints(builder, "output_padding", "1 0");
	onnx_builder_ints(builder, "pads", "1 0 0 1");
	graph = onnx_builder_graph(builder);
	/* 3·4 + 1 + 5 − 1, 2·4 + 3 − 1 */
	assert_output_shape(graph, "1 2 5 5", "1 3 17 10");
	graph_destroy(graph);
}

static void zero_padding_folds_into_convolution(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 2 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "3 2 3 3", NULL);
	onnx_builder_integers(builder, "pads", "0 0 1 2 0 0 3 4");
	onnx_builder_node(builder, "Pad", "x pads", "p");
	onnx_builder_node(builder, "Conv", "p w", "y");
	onnx_builder_ints(builder, "pads", "1 1 1 1");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Conv");
	assert_int_equal(graph->nodes[0].conv.pads[0], 2);
	assert_int_equal(graph->nodes[0].conv.pads[1], 3);
	assert_int_equal(graph->nodes[0].conv.pads[2], 4);
	assert_int_equal(graph->nodes[0].conv.pads[3], 5);
	graph_destroy(graph);
}

/* A factor on a residual branch folds through pixel shuffle and resize. */
static struct graph *branch_model(bool folded)
{
	const float fifth[] = { 0.2f };
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "N 8 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "16 8 1 1", NULL);
	onnx_builder_floats(builder, "fifth", "", fifth);
	onnx_builder_floats(builder, "c", "4 1 1", NULL);
	onnx_builder_node(builder, "Conv", "x w", "h");
	onnx_builder_node(builder, "DepthToSpace", "h", "d");
	onnx_builder_int(builder, "blocksize", 2);
	onnx_builder_string(builder, "mode", "DCR");
	if (!folded)
		onnx_builder_output(builder, "d");
	onnx_builder_node(builder, "Mul", "d fifth", "m");
	onnx_builder_node(builder, "Add", "m c", "y");
	return onnx_builder_graph(builder);
}

static void factors_climb_past_pixel_shuffle(void **state)
{
	struct graph *graph = branch_model(true);

	(void)state;
	assert_operators(graph, "Conv DepthToSpace");
	assert_same_function(graph, branch_model(false), "2 8 3 4");
}

/* Spectral normalization: w / (u·(w·v)), from constants alone. */
static void weights_that_are_computed_from_constants_fold(void **state)
{
	static const float w[] = { 1, 2, 3, 4, 5, 6 }, u[] = { 1, 0.5f },
			   v[] = { 1, 0, -1 };
	struct onnx_builder *builder = onnx_builder_create(13);
	const float *data;
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 3");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "2 3", w);
	onnx_builder_floats(builder, "u", "2", u);
	onnx_builder_floats(builder, "v", "3", v);
	onnx_builder_node(builder, "MatMul", "w v", "wv");
	onnx_builder_node(builder, "MatMul", "u wv", "norm");
	onnx_builder_node(builder, "Div", "w norm", "scaled");
	onnx_builder_node(builder, "Gemm", "x scaled", "y");
	onnx_builder_int(builder, "transB", 1);
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm");
	data = graph->tensors[graph->nodes[0].inputs[1]].data;
	/* w·v = (−2, −2), u·that = −3 */
	for (int i = 0; i < 6; i++)
		assert_true(data[i] == w[i] / -3);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalization_folds_into_convolution),
		cmocka_unit_test(
			normalization_folds_into_transposed_convolution),
		cmocka_unit_test(
			normalization_folds_into_the_matrix_before_a_reshape),
		cmocka_unit_test(shared_weights_stay_apart),
		cmocka_unit_test(outputs_are_not_folded_away),
		cmocka_unit_test(constants_fold_into_both_sides),
		cmocka_unit_test(shifts_do_not_fold_into_padded_convolutions),
		cmocka_unit_test(forms_of_matrix_products_agree),
		cmocka_unit_test(bias_of_rows_becomes_an_addition),
		cmocka_unit_test(convolution_of_one_axis_is_mapped),
		cmocka_unit_test(automatic_padding_is_resolved_where_it_can_be),
		cmocka_unit_test(
			transposed_convolution_reaches_the_size_asked_for),
		cmocka_unit_test(output_padding_and_dilation_count),
		cmocka_unit_test(zero_padding_folds_into_convolution),
		cmocka_unit_test(factors_climb_past_pixel_shuffle),
		cmocka_unit_test(weights_that_are_computed_from_constants_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
