/* SPDX-License-Identifier: MIT */
/* QDQ models come back as float graphs that remember their scales. */
#include "onnx_run.h"

#include <errno.h>

static const int8_t weight[6] = { 1, -2, 127, -127, 0, 5 }; /* [3, 2] */
static const float weight_scale[3] = { 0.5f, 0.1f, 0.01f };

static void add_scale(struct onnx_builder *builder, const char *name,
		      float scale, int8_t zero)
{
	char zero_name[64];

	onnx_builder_floats(builder, name, "", &scale);
	snprintf(zero_name, sizeof(zero_name), "%s_zero", name);
	onnx_builder_raw(builder, zero_name, ONNX_INT8, "", &zero, 1);
}

static void add_pair(struct onnx_builder *builder, const char *in,
		     const char *scale, const char *out)
{
	char inputs[128], middle[64];

	snprintf(middle, sizeof(middle), "%s_quantized", out);
	snprintf(inputs, sizeof(inputs), "%s %s %s_zero", in, scale, scale);
	onnx_builder_node(builder, "QuantizeLinear", inputs, middle);
	snprintf(inputs, sizeof(inputs), "%s %s %s_zero", middle, scale, scale);
	onnx_builder_node(builder, "DequantizeLinear", inputs, out);
}

static struct onnx_builder *model(void)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	const int32_t bias[3] = { 100, -7, 3 };
	const float bias_scale[3] = { 0.125f, 0.025f, 0.0025f };
	const int8_t zeros[3] = { 0 };

	onnx_builder_input(builder, "x", "N 2");
	onnx_builder_output(builder, "y");
	onnx_builder_raw(builder, "wq", ONNX_INT8, "3 2", weight, 6);
	onnx_builder_floats(builder, "ws", "3", weight_scale);
	onnx_builder_raw(builder, "wz", ONNX_INT8, "3", zeros, 3);
	onnx_builder_raw(builder, "bq", ONNX_INT32, "3", bias, sizeof(bias));
	onnx_builder_floats(builder, "bs", "3", bias_scale);
	add_scale(builder, "sx", 0.25f, -3);
	add_scale(builder, "sy", 0.5f, -128);
	add_pair(builder, "x", "sx", "xd");
	onnx_builder_node(builder, "DequantizeLinear", "wq ws wz", "w");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "DequantizeLinear", "bq bs", "b");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Gemm", "xd w b", "h");
	onnx_builder_int(builder, "transB", 1);
	onnx_builder_node(builder, "Relu", "h", "r");
	return builder;
}

static void scales_are_remembered(void **state)
{
	struct onnx_builder *builder = model();
	const struct graph_quantization *quantization;
	struct graph *graph;
	const float *w;

	(void)state;
	add_pair(builder, "r", "sy", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm Relu");
	quantization = graph->tensors[graph->inputs[0]].quantization;
	assert_non_null(quantization);
	assert_true(quantization->scale[0] == 0.25f);
	assert_int_equal(quantization->zero_point[0], -3);
	quantization = graph->tensors[graph->outputs[0]].quantization;
	assert_non_null(quantization);
	assert_int_equal(quantization->zero_point[0], -128);
	assert_int_equal(quantization->low, -128);
	assert_null(graph->tensors[graph->nodes[1].inputs[0]].quantization);
	quantization = graph->tensors[graph->nodes[0].inputs[1]].quantization;
	assert_non_null(quantization);
	assert_int_equal(quantization->count, 3);
	assert_int_equal(quantization->axis, 0);
	w = graph->tensors[graph->nodes[0].inputs[1]].data;
	for (int i = 0; i < 6; i++)
		assert_int_equal((int)rintf(w[i] / quantization->scale[i / 2]),
				 weight[i]);
	assert_true(graph->tensors[graph->nodes[0].inputs[2]].data[0] == 12.5f);
	graph_destroy(graph);
}

/* MatMul's weight is stored turned; its scales turn with it. */
static void scales_move_with_their_axis(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(13);
	const float scales[2] = { 0.5f, 0.25f };
	const int8_t zeros[2] = { 0 };
	const struct graph_quantization *quantization;
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "x", "N 3");
	onnx_builder_output(builder, "y");
	onnx_builder_raw(builder, "wq", ONNX_INT8, "3 2", weight, 6);
	onnx_builder_floats(builder, "ws", "2", scales);
	onnx_builder_raw(builder, "wz", ONNX_INT8, "2", zeros, 2);
	onnx_builder_node(builder, "DequantizeLinear", "wq ws wz", "w");
	onnx_builder_int(builder, "axis", 1);
	onnx_builder_node(builder, "MatMul", "x w", "y");
	graph = onnx_builder_graph(builder);
	quantization = graph->tensors[graph->nodes[0].inputs[1]].quantization;
	assert_non_null(quantization);
	assert_int_equal(quantization->axis, 0);
	assert_true(quantization->scale[1] == 0.25f);
	graph_destroy(graph);
}

/* What would change a quantized weight stays a node. */
static void quantized_weights_are_not_folded_into(void **state)
{
	struct onnx_builder *builder = model();
	const float two[] = { 2 };
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "two", "", two);
	onnx_builder_node(builder, "Mul", "h two", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm Affine");
	graph_destroy(graph);
}

/* One tensor with two scales: the second is a copy's. */
static void a_tensor_may_be_quantized_twice(void **state)
{
	struct onnx_builder *builder = model();
	struct graph *graph;

	(void)state;
	add_pair(builder, "r", "sy", "once");
	add_pair(builder, "once", "sx", "twice");
	add_pair(builder, "once", "sy", "same");
	onnx_builder_node(builder, "Add", "twice same", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm Relu Affine Add");
	assert_true(graph->tensors[graph->nodes[2].outputs[0]]
			    .quantization->scale[0] == 0.25f);
	graph_destroy(graph);
}

static void integer_tensors_go_no_further(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_node(builder, "QuantizeLinear", "r sy sy_zero", "q");
	onnx_builder_node(builder, "Relu", "q", "y");
	onnx_builder_refused(builder, -ENOTSUP, "q is quantized");
}

/* A product that belongs to no recurrent layer of ours. */
static void integer_products_go_no_further(void **state)
{
	static const char *const readers[] = { "Relu", "Identity", "Cast",
					       "DequantizeLinear" };

	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		struct onnx_builder *builder = model();

		onnx_builder_raw(builder, "m", ONNX_INT8, "3 2", weight, 6);
		onnx_builder_node(builder, "QuantizeLinear", "r sy sy_zero",
				  "q");
		onnx_builder_node(builder, "MatMulInteger", "q m sy_zero", "p");
		onnx_builder_node(builder, readers[i],
				  i == 3 ? "p sy sy_zero" : "p", "y");
		onnx_builder_refused(builder, -ENOTSUP, i == 2 ? "y" : "p");
	}
}

static void scales_must_be_positive(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	add_scale(builder, "bad", -1, 0);
	add_pair(builder, "r", "bad", "y");
	onnx_builder_refused(builder, -EINVAL, "scale 0 is -1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales_are_remembered),
		cmocka_unit_test(scales_move_with_their_axis),
		cmocka_unit_test(quantized_weights_are_not_folded_into),
		cmocka_unit_test(a_tensor_may_be_quantized_twice),
		cmocka_unit_test(integer_tensors_go_no_further),
		cmocka_unit_test(integer_products_go_no_further),
		cmocka_unit_test(scales_must_be_positive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
