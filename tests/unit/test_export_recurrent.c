/* SPDX-License-Identifier: MIT */
/*
 * Recurrent layers, exported as Scan, read back as what they were; and nothing else
 * that is called Scan reads at all.
 */
#include "unit.h"

#include "random_graph.h"

#include <errno.h>
#include <unistd.h>

#include <compress/compress.h>
#include <compress/export_onnx.h>
#include <compress/onnx_file.h>
#include <compress/onnx_import.h>
#include <model/file.h>

#define NETWORKS 80

static const struct compress_options keep = { .sparsity = COMPRESS_KEEP };

/* The bytes of the exported file, for free(). */
static void *export_bytes(const struct model *model, size_t *size)
{
	char path[] = "/tmp/accel-test-XXXXXX";
	int descriptor = mkstemp(path);
	void *data;

	assert_true(descriptor >= 0);
	close(descriptor);
	CHECK(export_onnx(model, path));
	CHECK(onnx_file_read(path, &data, size));
	unlink(path);
	return data;
}

static struct model *read_back(const struct model *model)
{
	struct model *result = NULL;
	struct graph *graph;
	size_t size;
	void *data = export_bytes(model, &size);

	CHECK(onnx_import_memory(data, size, NULL, &graph));
	CHECK(compress_model(graph, &keep, NULL, &result));
	graph_destroy(graph);
	free(data);
	return result;
}

/* A copy without the places that are kept although their code is 0. */
static struct model_csr without_zeros(const struct model_csr *csr)
{
	size_t count = (size_t)model_csr_nonzeros(csr);
	struct model_csr result = { csr->rows, csr->columns,
				    calloc(csr->rows + 1, sizeof(int64_t)),
				    calloc(count + 1, sizeof(int32_t)),
				    calloc(count + 1, 1) };
	int64_t at = 0;

	for (uint32_t r = 0; r < csr->rows; r++) {
		for (int64_t i = csr->row_start[r]; i < csr->row_start[r + 1];
		     i++)
			if (csr->value[i]) {
				result.column[at] = csr->column[i];
				result.value[at++] = csr->value[i];
			}
		result.row_start[r + 1] = at;
	}
	return result;
}

static void assert_same_matrix(const struct model_csr *original,
			       const struct model_csr *copy)
{
	struct model_csr wanted = without_zeros(original);
	size_t count = (size_t)model_csr_nonzeros(&wanted);

	assert_int_equal(copy->rows, wanted.rows);
	assert_int_equal(copy->columns, wanted.columns);
	assert_memory_equal(copy->row_start, wanted.row_start,
			    (wanted.rows + 1) * sizeof(int64_t));
	assert_memory_equal(copy->column, wanted.column,
			    count * sizeof(int32_t));
	assert_memory_equal(copy->value, wanted.value, count);
	free(wanted.row_start);
	free(wanted.column);
	free(wanted.value);
}

static void assert_same_recurrent(const struct model_recurrent *a,
				  const struct model_recurrent *b)
{
	size_t rows = a->input_weights.rows;

	assert_same_matrix(&a->input_weights, &b->input_weights);
	assert_same_matrix(&a->hidden_weights, &b->hidden_weights);
	assert_memory_equal(a->input_scale, b->input_scale,
			    rows * sizeof(float));
	assert_memory_equal(a->hidden_scale, b->hidden_scale,
			    rows * sizeof(float));
	assert_memory_equal(a->input_bias, b->input_bias,
			    rows * sizeof(int32_t));
	assert_memory_equal(a->hidden_bias, b->hidden_bias,
			    rows * sizeof(int32_t));
	assert_int_equal(a->hidden, b->hidden);
	assert_int_equal(a->reverse, b->reverse);
	assert_int_equal(a->linear_before_reset, b->linear_before_reset);
	assert_true(a->hidden_quantization.scale ==
		    b->hidden_quantization.scale);
	assert_int_equal(a->hidden_quantization.zero,
			 b->hidden_quantization.zero);
}

static void assert_same_layers(const struct model *a, const struct model *b)
{
	assert_int_equal(a->layer_count, b->layer_count);
	for (uint32_t i = 0; i < a->layer_count; i++) {
		const struct model_layer *x = &a->layers[i];
		const struct model_layer *y = &b->layers[i];

		assert_int_equal(x->op, y->op);
		if (x->op != MODEL_LSTM && x->op != MODEL_GRU)
			continue;
		assert_string_equal(x->name, y->name);
		assert_same_recurrent(&x->recurrent, &y->recurrent);
		for (int k = 0; k < 3; k++)
			assert_int_equal(x->inputs[k] == MODEL_NO_TENSOR,
					 y->inputs[k] == MODEL_NO_TENSOR);
		for (int k = 1; k < 3; k++)
			assert_int_equal(x->outputs[k] == MODEL_NO_TENSOR,
					 y->outputs[k] == MODEL_NO_TENSOR);
	}
}

/* What a random network is quantized to, and what it is run with. */
struct network {
	struct graph *graph;
	struct model *model;
	float *inputs[8];
};

/* A transposition of a single step is a view, of which the input is not told. */
static struct graph *sequence_graph(void)
{
	for (;;) {
		struct graph *graph = random_sequence_graph();

		if (graph->nodes[0].op != GRAPH_TRANSPOSE ||
		    dims_of(graph, graph->inputs[0])[1] > 1)
			return graph;
		graph_destroy(graph);
	}
}

static struct network network_create(void)
{
	struct network network = { .graph = sequence_graph() };
	struct lower_options options = { 0 };
	struct float_run run;

	for (int i = 0; i < network.graph->input_count; i++) {
		int tensor = network.graph->inputs[i];

		network.inputs[i] = whole_values(
			graph_shape_count(
				&network.graph->tensors[tensor].shape),
			-1, 1);
	}
	run_float(network.graph, (const float *const *)network.inputs, &run);
	options.ranges = run.ranges;
	CHECK(graph_lower(network.graph, &options, &network.model));
	float_run_release(&run);
	return network;
}

static void network_release(struct network *network)
{
	for (int i = 0; i < network->graph->input_count; i++)
		free(network->inputs[i]);
	model_destroy(network->model);
	graph_destroy(network->graph);
}

static void assert_same_results(const struct network *network,
				const struct model *copy)
{
	const struct graph *graph = network->graph;
	const float *const *inputs = (const float *const *)network->inputs;
	float *a[8], *b[8];

	run_model(network->model, graph, inputs, a);
	run_model(copy, graph, inputs, b);
	for (int i = 0; i < graph->output_count; i++) {
		const struct graph_tensor *output =
			&graph->tensors[graph->outputs[i]];

		assert_memory_equal(a[i], b[i],
				    (size_t)graph_shape_count(&output->shape) *
					    sizeof(float));
		free(a[i]);
		free(b[i]);
	}
}

/* Which of LSTM, GRU and GRU with linear_before_reset, forward and in reverse. */
static void count_kinds(const struct model *model, int kinds[3][2])
{
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];
		const struct model_recurrent *recurrent = &layer->recurrent;

		if (layer->op == MODEL_LSTM)
			kinds[0][recurrent->reverse]++;
		else if (layer->op == MODEL_GRU)
			kinds[1 + recurrent->linear_before_reset]
			     [recurrent->reverse]++;
	}
}

static void test_layers_read_back(void **state)
{
	int kinds[3][2] = { { 0 } };

	(void)state;
	for (int i = 0; i < NETWORKS; i++) {
		struct network network = network_create();
		struct model *copy = read_back(network.model);

		assert_same_layers(network.model, copy);
		assert_same_results(&network, copy);
		count_kinds(copy, kinds);
		model_destroy(copy);
		network_release(&network);
	}
	for (int i = 0; i < 3; i++)
		assert_true(kinds[i][0] > 5 && kinds[i][1] > 5);
}

/* Rows whose largest code is not 127, and biases of more digits than a float's. */
static void make_odd(struct model_csr *csr, const float *scale, int32_t *bias,
		     float input_scale)
{
	for (int64_t i = 0; i < model_csr_nonzeros(csr); i++)
		csr->value[i] /= 3;
	for (uint32_t r = 0; r < csr->rows; r++)
		bias[r] = golden_bias(0x1p29f * real_value() * input_scale *
					      scale[r],
				      input_scale, scale[r]);
}

static void test_odd_numbers_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < NETWORKS; i++) {
		struct network network = network_create();
		struct model *copy, *model = network.model;

		for (uint32_t k = 0; k < model->layer_count; k++) {
			struct model_layer *layer = &model->layers[k];
			struct model_recurrent *r = &layer->recurrent;

			if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
				continue;
			make_odd(&r->input_weights, r->input_scale,
				 r->input_bias,
				 model->tensors[layer->inputs[0]]
					 .quantization.scale);
			make_odd(&r->hidden_weights, r->hidden_scale,
				 r->hidden_bias, r->hidden_quantization.scale);
		}
		copy = read_back(model);
		assert_same_layers(model, copy);
		model_destroy(copy);
		network_release(&network);
	}
}

/* ---- what is no export ---- */

static Onnx__NodeProto *find_node(const Onnx__GraphProto *graph, const char *op)
{
	for (size_t i = 0; i < graph->n_node; i++)
		if (!strcmp(graph->node[i]->op_type, op))
			return graph->node[i];
	return NULL;
}

static Onnx__GraphProto *scan_body(const Onnx__ModelProto *model)
{
	Onnx__NodeProto *scan = find_node(model->graph, "Scan");

	for (size_t i = 0; i < scan->n_attribute; i++)
		if (!strcmp(scan->attribute[i]->name, "body"))
			return scan->attribute[i]->g;
	return NULL;
}

static int import_changed(const Onnx__ModelProto *model)
{
	size_t size = onnx__model_proto__get_packed_size(model);
	uint8_t *data = malloc(size);
	struct graph *graph;
	int ret;

	onnx__model_proto__pack(model, data);
	ret = onnx_import_memory(data, size, NULL, &graph);
	if (!ret)
		graph_destroy(graph);
	free(data);
	return ret;
}

static void assert_refused(const Onnx__ModelProto *model)
{
	const Onnx__NodeProto *scan = find_node(model->graph, "Scan");

	assert_int_equal(import_changed(model), -ENOTSUP);
	if (!strstr(accel_last_error(), scan->name))
		fail_msg("%s", accel_last_error());
}

/* Any operator of the body that is another one. */
static void change_operators(const Onnx__ModelProto *model)
{
	const Onnx__GraphProto *body = scan_body(model);
	char other[] = "Relu";

	for (size_t i = 0; i < body->n_node; i++) {
		char *op = body->node[i]->op_type;

		body->node[i]->op_type = other;
		assert_refused(model);
		body->node[i]->op_type = op;
	}
}

/* Any operand of the body that is another value of it. */
static void change_operands(const Onnx__ModelProto *model)
{
	const Onnx__GraphProto *body = scan_body(model);

	for (size_t i = 0; i < body->n_node; i++)
		for (size_t k = 0; k < body->node[i]->n_input; k++) {
			char **input = &body->node[i]->input[k];
			char *before = *input;

			*input = body->node[0]->output[0];
			if (strcmp(before, *input))
				assert_refused(model);
			*input = before;
		}
}

/* Attributes of the loop and of the body's nodes. */
static void change_attributes(const Onnx__ModelProto *model)
{
	Onnx__NodeProto *scan = find_node(model->graph, "Scan");
	Onnx__NodeProto *split = find_node(scan_body(model), "Split");

	split->attribute[0]->i = 0;
	assert_refused(model);
	split->attribute[0]->i = 1;
	for (size_t i = 0; i < scan->n_attribute; i++) {
		Onnx__AttributeProto *attribute = scan->attribute[i];
		int64_t *value = attribute->n_ints ? attribute->ints :
						     &attribute->i;

		if (attribute->g)
			continue;
		*value += 2;
		assert_refused(model);
		*value -= 2;
	}
	scan->n_attribute--;
	assert_refused(model);
	scan->n_attribute++;
	scan->n_output--;
	assert_refused(model);
	scan->n_output++;
}

/* Constants of the body that are not what the layer would use. */
static void change_constants(const Onnx__ModelProto *model)
{
	const Onnx__GraphProto *body = scan_body(model);
	const Onnx__NodeProto *split = find_node(body, "Split");
	const Onnx__NodeProto *product = find_node(body, "MatMulInteger");
	const char *const names[2] = { split->input[1], product->input[2] };

	for (int n = 0; n < 2; n++)
		for (size_t i = 0; i < model->graph->n_initializer; i++) {
			Onnx__TensorProto *tensor =
				model->graph->initializer[i];

			if (strcmp(tensor->name, names[n]))
				continue;
			tensor->raw_data.data[0]++;
			assert_refused(model);
			tensor->raw_data.data[0]--;
		}
}

static void test_other_loops_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		struct network network = network_create();
		Onnx__ModelProto *model;
		size_t size;
		void *data = export_bytes(network.model, &size);

		CHECK(onnx_file_unpack(data, size, &model));
		CHECK(import_changed(model));
		change_operators(model);
		change_operands(model);
		change_attributes(model);
		change_constants(model);
		CHECK(import_changed(model));
		onnx__model_proto__free_unpacked(model, NULL);
		free(data);
		network_release(&network);
	}
}

/* ---- a trained one ---- */

static void test_trained_network_reads_back(void **state)
{
	const char *shared = getenv("ACCEL_SHARED_DIR");
	struct calibration_source source = { 0 };
	struct calibration_data data;
	struct model *model, *copy;
	struct graph *graph;
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/models/sketchrnn_bird.onnx",
		 shared ? shared : "");
	if (access(path, R_OK)) {
		print_message("%s is not there\n", path);
		skip();
	}
	CHECK(onnx_import(path, &graph));
	snprintf(path, sizeof(path), "%s/models/golden/sketchrnn_bird__x.npy",
		 shared);
	CHECK(calibration_data_read(&data, graph, path, &source));
	CHECK(compress_model(graph, &keep, &data, &model));
	copy = read_back(model);
	assert_same_layers(model, copy);
	calibration_data_release(&data);
	model_destroy(copy);
	model_destroy(model);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers_read_back),
		cmocka_unit_test(test_odd_numbers_read_back),
		cmocka_unit_test(test_other_loops_are_refused),
		cmocka_unit_test(test_trained_network_reads_back),
	};

	whole = false;
	cut_steps = false;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
