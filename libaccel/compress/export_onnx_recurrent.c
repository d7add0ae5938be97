/* SPDX-License-Identifier: MIT */
/*
 * A recurrent layer is a Scan whose body holds the integer product with the hidden
 * state, the gates in binary32 and the rounding of the new state, in the order of
 * golden/recurrent.h. The product with the inputs is done for all steps before it.
 * ONNX's own LSTM and GRU keep the state in binary32, which is another result.
 */
#include <errno.h>
#include <stdlib.h>

#include "compress/onnx_exporter.h"

/* One of the layer's two products. */
struct gate_product {
	const struct model_csr *weights;
	const float *scale;
	const int32_t *bias;
	struct golden_quantization operand;
};

/* What the body needs from the graph around it. */
struct cell {
	struct exporter *exporter;
	struct onnx_builder body;
	const struct model_layer *layer;
	struct gate_product hidden;
	const char *scale, *zero; /* of the hidden state */
};

static const char *pair(const struct onnx_builder *builder, const char *op,
			const char *a, const char *b)
{
	const char *y = onnx_name(builder, op);

	ONNX_NODE(builder, op, y, a, b);
	return y;
}

static const char *single(const struct onnx_builder *builder, const char *op,
			  const char *x)
{
	const char *y = onnx_name(builder, op);

	ONNX_NODE(builder, op, y, x);
	return y;
}

/* Rows [first, first + rows) as codes [K, rows]. */
static const char *transposed_weights(const struct onnx_builder *builder,
				      const struct model_csr *csr, size_t first,
				      size_t rows)
{
	const int64_t dims[2] = { csr->columns, (int64_t)rows };
	int8_t *codes = calloc(rows * csr->columns + 1, 1);
	struct onnx_values values = { ONNX_TYPE(INT8), 2, dims, codes,
				      codes ? rows * csr->columns : 0 };
	const char *name;

	for (size_t r = 0; codes && r < rows; r++)
		for (int64_t i = csr->row_start[first + r];
		     i < csr->row_start[first + r + 1]; i++)
			codes[(size_t)csr->column[i] * rows + r] =
				csr->value[i];
	name = onnx_constant(builder, "gate_codes", &values);
	free(codes);
	return name;
}

static const char *row_constant(const struct onnx_builder *builder,
				int32_t type, const void *data, size_t rows)
{
	const int64_t dims[1] = { (int64_t)rows };
	struct onnx_values values = { type, 1, dims, data,
				      rows * sizeof(float) };

	return onnx_constant(builder, "gate", &values);
}

/* fl(fl(Σ w·(x − zx) + bias) · fl(sx·sw)) of some of the rows. */
static const char *export_product(struct exporter *exporter,
				  const struct onnx_builder *place,
				  const struct gate_product *product,
				  const char *codes, size_t first, size_t rows)
{
	const struct onnx_builder *outer = &exporter->builder;
	const char *sum = onnx_name(place, "sum");
	const char *real = onnx_name(place, "real");
	/* As factors, so that whoever reads it back has the weights' scales. */
	const char *scales = pair(
		outer, "Mul", onnx_scalar_float(outer, product->operand.scale),
		row_constant(outer, ONNX_TYPE(FLOAT), product->scale + first,
			     rows));

	ONNX_NODE(place, "MatMulInteger", sum, codes,
		  transposed_weights(outer, product->weights, first, rows),
		  export_zero(outer, product->operand.zero));
	sum = pair(place, "Add", sum,
		   row_constant(outer, ONNX_TYPE(INT32), product->bias + first,
				rows));
	onnx_int(place, ONNX_NODE(place, "Cast", real, sum), "to",
		 ONNX_TYPE(FLOAT));
	return pair(place, "Mul", real, scales);
}

/* Split [N, parts·H] into its gates. */
static void split_gates(const struct cell *cell, const char *x, size_t parts,
			const char **gates)
{
	int64_t hidden = cell->layer->recurrent.hidden;
	const int64_t sizes[4] = { hidden, hidden, hidden, hidden };
	Onnx__NodeProto *node;

	for (size_t i = 0; i < parts; i++)
		gates[i] = onnx_name(&cell->body, "gate");
	node = ONNX_NODE(&cell->body, "Split", gates[0], x,
			 onnx_vector_i64(&cell->exporter->builder, parts,
					 sizes));
	onnx_int(&cell->body, node, "axis", 1);
	for (size_t i = 1; i < parts; i++)
		onnx_add_output(&cell->body, node, gates[i]);
}

static const char *round_state(const struct cell *cell, const char *real)
{
	const char *codes = onnx_name(&cell->body, "h_codes");

	ONNX_NODE(&cell->body, "QuantizeLinear", codes, real, cell->scale,
		  cell->zero);
	return codes;
}

/* h is the last step's codes; *c becomes the new cell; the result is h's codes. */
static const char *lstm_body(const struct cell *cell, const char *inputs,
			     const char *h, const char **c)
{
	const struct onnx_builder *body = &cell->body;
	size_t rows = cell->hidden.weights->rows;
	const char *gates[4], *kept, *added;

	split_gates(cell,
		    pair(body, "Add", inputs,
			 export_product(cell->exporter, body, &cell->hidden, h,
					0, rows)),
		    4, gates);
	/* In golden_lstm_step()'s order: c = σ(f)·c + σ(i)·tanh(g). */
	kept = pair(body, "Mul", single(body, "Sigmoid", gates[2]), *c);
	added = pair(body, "Mul", single(body, "Sigmoid", gates[0]),
		     single(body, "Tanh", gates[3]));
	*c = pair(body, "Add", kept, added);
	return round_state(cell,
			   pair(body, "Mul", single(body, "Sigmoid", gates[1]),
				single(body, "Tanh", *c)));
}

/* h is the last step's real state; the result is the new one. */
static const char *gru_body(const struct cell *cell, const char *inputs,
			    const char *h)
{
	const struct onnx_builder *body = &cell->body;
	const struct onnx_builder *outer = &cell->exporter->builder;
	bool linear = cell->layer->recurrent.linear_before_reset;
	size_t hidden = cell->layer->recurrent.hidden;
	size_t parts = linear ? 3 : 2;
	const char *x[3], *s[3], *update, *reset, *candidate;

	split_gates(cell, inputs, 3, x);
	split_gates(cell,
		    export_product(cell->exporter, body, &cell->hidden,
				   round_state(cell, h), 0, parts * hidden),
		    parts, s);
	update = single(body, "Sigmoid", pair(body, "Add", x[0], s[0]));
	reset = single(body, "Sigmoid", pair(body, "Add", x[1], s[1]));
	if (linear)
		s[2] = pair(body, "Mul", reset, s[2]);
	else
		s[2] = export_product(cell->exporter, body, &cell->hidden,
				      round_state(cell,
						  pair(body, "Mul", reset, h)),
				      2 * hidden, hidden);
	candidate = single(body, "Tanh", pair(body, "Add", x[2], s[2]));
	return pair(body, "Add",
		    pair(body, "Mul",
			 pair(body, "Sub", onnx_scalar_float(outer, 1), update),
			 candidate),
		    pair(body, "Mul", update, h));
}

static void body_port(const struct cell *cell, bool output, const char *name,
		      int32_t type, int64_t width)
{
	static const char *const symbols[2] = { "N", "" };
	const int64_t dims[2] = { -1, width };

	onnx_port(&cell->body, output, name, type, 2, dims, symbols);
}

/* A copy under a name of its own: an output is nobody else's input. */
static void body_output(const struct cell *cell, const char *value,
			int32_t type)
{
	body_port(cell, true, single(&cell->body, "Identity", value), type,
		  cell->layer->recurrent.hidden);
}

static void make_body(const struct cell *cell)
{
	const struct model_recurrent *recurrent = &cell->layer->recurrent;
	bool lstm = cell->layer->op == MODEL_LSTM;
	int64_t hidden = recurrent->hidden;
	const char *h = onnx_name(&cell->body, "h");
	const char *c = onnx_name(&cell->body, "c");
	const char *x = onnx_name(&cell->body, "x");
	const char *codes;

	body_port(cell, false, h, lstm ? ONNX_TYPE(UINT8) : ONNX_TYPE(FLOAT),
		  hidden);
	if (lstm)
		body_port(cell, false, c, ONNX_TYPE(FLOAT), hidden);
	body_port(cell, false, x, ONNX_TYPE(FLOAT),
		  recurrent->input_weights.rows);
	if (lstm) {
		codes = lstm_body(cell, x, h, &c);
		body_output(cell, codes, ONNX_TYPE(UINT8));
		body_output(cell, c, ONNX_TYPE(FLOAT));
	} else {
		h = gru_body(cell, x, h);
		codes = round_state(cell, h);
		body_output(cell, h, ONNX_TYPE(FLOAT));
	}
	body_output(cell, codes, ONNX_TYPE(UINT8));
}

/* The model's initial state [1, N, H], or zeros for the input's batch. */
static const char *initial_state(const struct cell *cell, uint32_t index,
				 const char *x)
{
	static const int64_t axis[1] = { 0 }, one[1] = { 1 }, two[1] = { 2 };
	const struct model_layer *layer = cell->layer;
	const struct onnx_builder *builder = &cell->exporter->builder;
	const int64_t hidden[1] = { layer->recurrent.hidden };
	const char *batch = onnx_name(builder, "batch");
	const char *shape = onnx_name(builder, "shape");
	const char *y = onnx_name(builder, "state");

	if (index < layer->input_count &&
	    layer->inputs[index] != MODEL_NO_TENSOR) {
		ONNX_NODE(builder, "Squeeze", y,
			  cell->exporter->values[layer->inputs[index]].real,
			  onnx_vector_i64(builder, 1, axis));
		return y;
	}
	ONNX_NODE(builder, "Slice", batch, single(builder, "Shape", x),
		  onnx_vector_i64(builder, 1, one),
		  onnx_vector_i64(builder, 1, two));
	onnx_int(builder,
		 ONNX_NODE(builder, "Concat", shape, batch,
			   onnx_vector_i64(builder, 1, hidden)),
		 "axis", 0);
	ONNX_NODE(builder, "Expand", y, onnx_scalar_float(builder, 0), shape);
	return y;
}

static void final_state(const struct cell *cell, uint32_t index,
			const char *real)
{
	static const int64_t axis[1] = { 0 };
	const struct model_layer *layer = cell->layer;
	const struct onnx_builder *builder = &cell->exporter->builder;
	const char *y = onnx_name(builder, "state");

	if (index >= layer->output_count ||
	    layer->outputs[index] == MODEL_NO_TENSOR)
		return;
	ONNX_NODE(builder, "Unsqueeze", y, real,
		  onnx_vector_i64(builder, 1, axis));
	export_result(cell->exporter, layer->outputs[index], y);
}

/* Codes of the layer's input as [T, N, I]. */
static const char *input_codes(struct exporter *exporter, int32_t tensor)
{
	struct golden_quantization q =
		exporter->model->tensors[tensor].quantization;
	const struct onnx_builder *builder = &exporter->builder;
	const char *codes = onnx_name(builder, "codes");

	if (exporter->values[tensor].form == EXPORT_SEQUENCE)
		return exporter->values[tensor].codes;
	ONNX_NODE(builder, "QuantizeLinear", codes,
		  export_operand(exporter, tensor, EXPORT_SEQUENCE),
		  onnx_scalar_float(builder, q.scale),
		  export_zero(builder, q.zero));
	return codes;
}

static Onnx__NodeProto *add_scan(const struct cell *cell, const char *x,
				 const char *h, const char *c, const char *last)
{
	const struct onnx_builder *builder = &cell->exporter->builder;
	const int64_t reverse[1] = { cell->layer->recurrent.reverse };
	Onnx__NodeProto *node;

	if (cell->layer->op == MODEL_LSTM)
		node = ONNX_NODE(builder, "Scan", last, h, c, x);
	else
		node = ONNX_NODE(builder, "Scan", last, h, x);
	onnx_graph(builder, node, "body", &cell->body);
	onnx_int(builder, node, "num_scan_inputs", 1);
	onnx_ints(builder, node, "scan_input_directions", 1, reverse);
	onnx_ints(builder, node, "scan_output_directions", 1, reverse);
	return node;
}

static const char *dequantized(const struct cell *cell, const char *codes)
{
	const struct onnx_builder *builder = &cell->exporter->builder;
	const char *real = onnx_name(builder, "real");

	ONNX_NODE(builder, "DequantizeLinear", real, codes, cell->scale,
		  cell->zero);
	return real;
}

static void connect_lstm(const struct cell *cell, const char *x)
{
	const struct onnx_builder *builder = &cell->exporter->builder;
	const char *last = onnx_name(builder, "h_last");
	const char *cell_last = onnx_name(builder, "c_last");
	const char *codes = onnx_name(builder, "y_codes");
	const char *h = onnx_name(builder, "h_first");
	struct export_value *y;
	Onnx__NodeProto *node;

	ONNX_NODE(builder, "QuantizeLinear", h, initial_state(cell, 1, x),
		  cell->scale, cell->zero);
	node = add_scan(cell, x, h, initial_state(cell, 2, x), last);
	onnx_add_output(builder, node, cell_last);
	onnx_add_output(builder, node, codes);
	final_state(cell, 1, dequantized(cell, last));
	final_state(cell, 2, cell_last);
	if (cell->layer->outputs[0] == MODEL_NO_TENSOR)
		return;
	y = &cell->exporter->values[cell->layer->outputs[0]];
	y->codes = codes;
	y->real = dequantized(cell, codes);
}

static void connect_gru(const struct cell *cell, const char *x)
{
	const struct onnx_builder *builder = &cell->exporter->builder;
	const char *last = onnx_name(builder, "h_last");
	const char *codes = onnx_name(builder, "y_codes");
	struct export_value *y;
	Onnx__NodeProto *node =
		add_scan(cell, x, initial_state(cell, 1, x), NULL, last);

	onnx_add_output(builder, node, codes);
	final_state(cell, 1, last);
	if (cell->layer->outputs[0] == MODEL_NO_TENSOR)
		return;
	y = &cell->exporter->values[cell->layer->outputs[0]];
	y->codes = codes;
	y->real = dequantized(cell, codes);
}

int export_recurrent(struct exporter *exporter, const struct model_layer *layer)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	struct golden_quantization q = recurrent->hidden_quantization;
	struct gate_product input = {
		&recurrent->input_weights,
		recurrent->input_scale,
		recurrent->input_bias,
		exporter->model->tensors[layer->inputs[0]].quantization,
	};
	struct cell cell = {
		.exporter = exporter,
		.body = onnx_subgraph(&exporter->builder, layer->name),
		.layer = layer,
		.hidden = { &recurrent->hidden_weights, recurrent->hidden_scale,
			    recurrent->hidden_bias, q },
		.scale = onnx_scalar_float(&exporter->builder, q.scale),
		.zero = export_zero(&exporter->builder, q.zero),
	};
	const char *x;

	make_body(&cell);
	x = export_product(exporter, &exporter->builder, &input,
			   input_codes(exporter, layer->inputs[0]), 0,
			   input.weights->rows);
	if (layer->op == MODEL_LSTM)
		connect_lstm(&cell, x);
	else
		connect_gru(&cell, x);
	return 0;
}
