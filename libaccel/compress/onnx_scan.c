/* SPDX-License-Identifier: MIT */
/*
 * Scan is read where it is what export_onnx_recurrent.c makes of an LSTM or a GRU:
 * every node of the body is compared, and every number that two nodes share. The
 * weights are dequantized and remember their scales, so that quantizing them again
 * gives the same codes.
 */
#include <compress/onnx_operator.h>
#include <compress/onnx_pattern.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/*
 * Digits are the body's outputs, h c x its inputs. Each product has five letters:
 * weights, zero point of the operand, bias, scale of the operand, of the weights.
 */
static const struct onnx_rule lstm_rules[] = {
	{ '0', "(Identity y)" },
	{ '1', "(Identity C)" },
	{ '2', "(Identity y)" },
	{ 'y', "(QuantizeLinear (Mul (Sigmoid (Split.1 g s)) (Tanh C)) q z)" },
	{ 'C', "(Add (Mul (Sigmoid (Split.2 g s)) c) "
	       "(Mul (Sigmoid (Split.0 g s)) (Tanh (Split.3 g s))))" },
	{ 'g', "(Add x (Mul (Cast (Add (MatMulInteger h w a) b)) m))" },
	{ 'm', "(Mul k e)" },
};

static const struct onnx_rule gru_rules[] = {
	{ '0', "(Identity H)" },
	{ '1', "(Identity (QuantizeLinear H q z))" },
	{ 'H', "(Add (Mul (Sub o u) (Tanh n)) (Mul u h))" },
	{ 'u', "(Sigmoid (Add (Split.0 x s) (Split.0 p t)))" },
	{ 'p', "(Mul (Cast (Add (MatMulInteger (QuantizeLinear h q z) w a) b)) "
	       "m)" },
	{ 'm', "(Mul k e)" },
};

static const struct onnx_rule gru_linear_rules[] = {
	{ 'n', "(Add (Split.2 x s) (Mul r (Split.2 p t)))" },
	{ 'r', "(Sigmoid (Add (Split.1 x s) (Split.1 p t)))" },
};

static const struct onnx_rule gru_reset_rules[] = {
	{ 'n', "(Add (Split.2 x s) (Mul (Cast (Add (MatMulInteger "
	       "(QuantizeLinear (Mul r h) q z) W A) B)) M))" },
	{ 'r', "(Sigmoid (Add (Split.1 x s) (Split.1 p t)))" },
	{ 'M', "(Mul K E)" },
};

/* Outside of the body. */
static const struct onnx_rule input_rules[] = {
	{ 'X', "(Mul (Cast (Add (MatMulInteger I w a) b)) m)" },
	{ 'm', "(Mul k e)" },
};

#define MATCH(pattern, rules) \
	onnx_pattern_match(pattern, rules, sizeof(rules) / sizeof(*(rules)))

/* A matrix that is put together from its products' rows. */
struct gate_weights {
	int64_t rows, columns;
	float *values; /* [rows, columns] */
	float *bias;
	float *scale;
};

struct scan {
	struct onnx_context *context;
	const struct onnx_node *node;
	const Onnx__GraphProto *body;
	bool lstm;
	struct onnx_pattern cell, input;
	struct graph_recurrent recurrent;
	struct graph_quantization *state; /* of h */
	struct gate_weights weights, hidden;
};

static int unknown_scan(const struct scan *scan)
{
	return onnx_unsupported(scan->node,
				"a loop other than the LSTM and GRU layers "
				"that accel exports");
}

/* ---- constants ---- */

/* What a letter stands for, if it is a constant of this type; count 0: a scalar. */
static const struct onnx_value *constant(const struct scan *scan,
					 const struct onnx_pattern *pattern,
					 char letter, int type, int64_t count)
{
	const char *name = pattern->names[(int)letter];
	const struct onnx_value *value =
		name ? onnx_find_value(scan->context, name) : NULL;
	const struct onnx_pattern body = { .graphs = { scan->body } };
	size_t output;

	if (!value || !value->constant || value->splat ||
	    value->element_type != type ||
	    value->shape.rank != (count > 0 ? 1 : 0) ||
	    value->count != (count > 0 ? count : 1) ||
	    onnx_pattern_producer(&body, name, &output))
		return NULL;
	return value->reals || value->integers ? value : NULL;
}

static bool scalar_is(const struct scan *scan,
		      const struct onnx_pattern *pattern, char letter,
		      float wanted)
{
	const struct onnx_value *value =
		constant(scan, pattern, letter, TYPE(FLOAT), 0);

	return value && value->reals && value->reals[0] == wanted;
}

static bool zero_is(const struct scan *scan, const struct onnx_pattern *pattern,
		    char letter, int64_t wanted)
{
	const struct onnx_value *value =
		constant(scan, pattern, letter, TYPE(UINT8), 0);

	return value && value->integers && value->integers[0] == wanted;
}

/* All gates of a Split are as long as the state. */
static bool sizes_are(const struct scan *scan, char letter, int64_t parts)
{
	const struct onnx_value *value =
		constant(scan, &scan->cell, letter, TYPE(INT64), parts);

	for (int64_t i = 0; value && i < parts; i++)
		if (value->integers[i] != scan->recurrent.hidden)
			return false;
	return value;
}

/* ---- products ---- */

/* The letters of a product, in the order of the rules' comment. */
enum { WEIGHTS, ZERO, BIAS, OPERAND_SCALE, WEIGHT_SCALE };

/*
 * A real number that is quantized to the bias again: the nearest to its product with
 * the scales is no further off than the one that it was made from.
 */
static float real_bias(int64_t bias, float operand, float scale)
{
	return (float)((double)bias * (double)(operand * scale));
}

/* The columns of codes [K, rows], as rows from first on. */
static bool dequantize(const struct onnx_value *codes, int64_t first,
		       struct gate_weights *weights)
{
	int64_t rows = codes->shape.dims[1];

	for (int64_t k = 0; k < weights->columns; k++)
		for (int64_t r = 0; r < rows; r++) {
			int64_t code = codes->integers[k * rows + r];

			/* Folding may have made more of its type. */
			if (code < INT8_MIN || code > INT8_MAX)
				return false;
			weights->values[(first + r) * weights->columns + k] =
				(float)code * weights->scale[first + r];
		}
	return true;
}

/* Rows from first on, if all constants fit each other. */
static bool read_product(const struct scan *scan,
			 const struct onnx_pattern *pattern,
			 const char *letters, int64_t first, int64_t rows,
			 const struct graph_quantization *operand,
			 struct gate_weights *weights)
{
	const char *name = pattern->names[(int)letters[WEIGHTS]];
	const struct onnx_value *codes = onnx_find_value(scan->context, name);
	const struct onnx_value *bias, *scale;

	bias = constant(scan, pattern, letters[BIAS], TYPE(INT32), rows);
	scale = constant(scan, pattern, letters[WEIGHT_SCALE], TYPE(FLOAT),
			 rows);
	if (!bias || !bias->integers || !scale || !scale->reals || !codes ||
	    !codes->constant || codes->element_type != TYPE(INT8) ||
	    !codes->integers || codes->splat || codes->shape.rank != 2 ||
	    codes->shape.dims[0] != weights->columns ||
	    codes->shape.dims[1] != rows ||
	    !zero_is(scan, pattern, letters[ZERO], operand->zero_point[0]) ||
	    !scalar_is(scan, pattern, letters[OPERAND_SCALE],
		       operand->scale[0]))
		return false;
	for (int64_t r = 0; r < rows; r++) {
		float factor = scale->reals[r];

		if (!(factor > 0) || !isfinite(factor) ||
		    !dimension_is_number(bias->integers[r]))
			return false;
		weights->scale[first + r] = factor;
		weights->bias[first + r] =
			real_bias(bias->integers[r], operand->scale[0], factor);
	}
	return dequantize(codes, first, weights);
}

/* Its memory; taken from the budget before anything is known to fit. */
static int weights_create(const struct scan *scan, int64_t columns,
			  struct gate_weights *weights)
{
	int64_t rows = (scan->lstm ? 4 : 3) * scan->recurrent.hidden, count;

	if (columns < 1 || __builtin_mul_overflow(rows, columns, &count))
		return unknown_scan(scan);
	weights->rows = rows;
	weights->columns = columns;
	weights->values = onnx_allocate(scan->context, count, sizeof(float));
	weights->bias = onnx_allocate(scan->context, rows, sizeof(float));
	weights->scale = onnx_allocate(scan->context, rows, sizeof(float));
	return weights->values && weights->bias && weights->scale ? 0 : -ENOMEM;
}

/* ---- the loop ---- */

/* Exactly the attributes that the exporter writes; sequences run along axis 0. */
static bool attributes_fit(struct scan *scan)
{
	const struct onnx_node *node = scan->node;
	const Onnx__AttributeProto *body = onnx_attribute(node, "body");
	int64_t inputs = 0, ways[2] = { -1, -1 };
	size_t counts[2] = { 0, 0 };

	if (node->proto->n_attribute != 4 || !body || !body->g ||
	    onnx_attribute_integer(node, "num_scan_inputs", &inputs) ||
	    onnx_attribute_integers(node, "scan_input_directions", &ways[0], 1,
				    &counts[0]) ||
	    onnx_attribute_integers(node, "scan_output_directions", &ways[1], 1,
				    &counts[1]))
		return false;
	scan->body = body->g;
	scan->recurrent.direction = ways[0] ? GRAPH_REVERSE : GRAPH_FORWARD;
	return inputs == 1 && counts[0] == 1 && counts[1] == 1 &&
	       ways[0] == ways[1] && (ways[0] == 0 || ways[0] == 1);
}

/* The body has no constants of its own, so that names have one meaning. */
static bool body_fits(struct scan *scan)
{
	static const char *const letters[2] = { "hx", "hcx" };
	const Onnx__GraphProto *body = scan->body;
	size_t ports = scan->lstm ? 3 : 2;

	if (body->n_initializer || body->n_sparse_initializer ||
	    body->n_input != ports || body->n_output != ports ||
	    scan->node->proto->n_input != ports ||
	    scan->node->proto->n_output != ports)
		return false;
	scan->cell.graphs[0] = body;
	scan->cell.graphs[1] = scan->context->proto;
	for (size_t i = 0; i < ports; i++) {
		scan->cell.names[(int)letters[scan->lstm][i]] =
			body->input[i]->name;
		scan->cell.names['0' + i] = body->output[i]->name;
		if (!body->input[i]->name || !body->output[i]->name)
			return false;
	}
	if (scan->lstm)
		return MATCH(&scan->cell, lstm_rules);
	return MATCH(&scan->cell, gru_rules);
}

/* GRU has two forms; what a failed one found does not count. */
static bool candidate_fits(struct scan *scan)
{
	struct onnx_pattern before = scan->cell;

	if (scan->lstm)
		return true;
	scan->recurrent.linear_before_reset =
		MATCH(&scan->cell, gru_linear_rules);
	if (scan->recurrent.linear_before_reset)
		return true;
	scan->cell = before;
	return MATCH(&scan->cell, gru_reset_rules);
}

/* Structure alone; the numbers come after it. */
static bool match(struct scan *scan)
{
	const Onnx__NodeProto *proto = scan->node->proto;

	if (!attributes_fit(scan))
		return false;
	scan->lstm = proto->n_input == 3;
	if (!body_fits(scan) || !candidate_fits(scan))
		return false;
	scan->input.graphs[1] = scan->context->proto;
	scan->input.names['X'] = proto->input[proto->n_input - 1];
	return MATCH(&scan->input, input_rules);
}

/* Scale and zero point of h, and the number of units. */
static int read_state(struct scan *scan)
{
	const struct onnx_value *scale =
		constant(scan, &scan->cell, 'q', TYPE(FLOAT), 0);
	const struct onnx_value *zero =
		constant(scan, &scan->cell, 'z', TYPE(UINT8), 0);
	const struct onnx_value *codes =
		onnx_find_value(scan->context, scan->cell.names['w']);
	struct graph_quantization *state =
		onnx_allocate(scan->context, 1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	if (!scale || !scale->reals || !(scale->reals[0] > 0) ||
	    !isfinite(scale->reals[0]) || !zero || !zero->integers || !codes ||
	    !codes->constant || codes->shape.rank != 2 ||
	    codes->shape.dims[0] < 1 || codes->shape.dims[0] > INT32_MAX)
		return unknown_scan(scan);
	scan->recurrent.hidden = codes->shape.dims[0];
	state->zero_point =
		onnx_allocate(scan->context, 1, sizeof(*state->zero_point));
	if (!state->zero_point)
		return -ENOMEM;
	state->zero_point[0] = (int32_t)zero->integers[0];
	state->scale = scale->reals;
	state->count = 1;
	state->high = UINT8_MAX;
	scan->state = state;
	return 0;
}

/* The products with the state: one, or two where it is reset before the last. */
static bool read_hidden(struct scan *scan)
{
	int64_t hidden = scan->recurrent.hidden;
	bool linear = scan->recurrent.linear_before_reset;
	int64_t parts = scan->lstm ? 4 : linear ? 3 : 2;

	if (!sizes_are(scan, 's', scan->lstm ? 4 : 3) ||
	    !read_product(scan, &scan->cell, "wabke", 0, parts * hidden,
			  scan->state, &scan->hidden))
		return false;
	if (scan->lstm)
		return true;
	if (!sizes_are(scan, 't', parts) ||
	    !scalar_is(scan, &scan->cell, 'o', 1))
		return false;
	return linear || read_product(scan, &scan->cell, "WABKE", 2 * hidden,
				      hidden, scan->state, &scan->hidden);
}

/* ---- in the graph ---- */

/* A view with or without a leading axis of length 1. */
static int reshape_state(const struct scan *scan, int tensor, bool add)
{
	struct graph_shape shape;

	if (tensor < 0)
		return tensor;
	shape = scan->context->shapes[tensor];
	if (shape.rank != (add ? 2 : 3))
		return unknown_scan(scan);
	memmove(shape.dims + add, shape.dims + !add, 2 * sizeof(*shape.dims));
	if (add)
		shape.dims[0] = 1;
	shape.rank = add ? 3 : 2;
	return onnx_emit_reshape(scan->context, scan->node, tensor, &shape,
				 onnx_output_name(scan->node));
}

/* An initial state; one of zeros is the same as none. */
static int initial_state(const struct scan *scan, size_t input, bool codes)
{
	struct onnx_value *value = onnx_input(scan->context, scan->node, input);
	int64_t zero = codes ? scan->state->zero_point[0] : 0;
	double number;

	if (!value)
		return -EINVAL;
	if (!value->constant && codes)
		return value->quantized && onnx_quantization_equal(
						   value->quantization,
						   scan->state) ?
			       reshape_state(scan, value->tensor, true) :
			       unknown_scan(scan);
	if (!value->constant)
		return reshape_state(
			scan, onnx_value_tensor(scan->context, value), true);
	for (int64_t i = 0; i < value->count; i++)
		if (!onnx_value_number(scan->context, value, i, &number) ||
		    number != (double)zero)
			return onnx_unsupported(
				scan->node,
				"an initial state that is constant, but not 0");
	return GRAPH_NO_TENSOR;
}

/* The constant [1, rows, columns], with its scales. */
static int add_weights(const struct scan *scan,
		       const struct gate_weights *weights)
{
	const struct graph_shape shape = {
		3, { 1, weights->rows, weights->columns }
	};
	const struct graph_quantization quantization = {
		.count = weights->rows,
		.axis = 1,
		.scale = weights->scale,
		.zero_point = onnx_allocate(scan->context, weights->rows,
					    sizeof(int32_t)),
		.low = INT8_MIN,
		.high = INT8_MAX,
	};

	if (!quantization.zero_point)
		return -ENOMEM;
	return onnx_add_constant(scan->context, scan->node->name, &shape,
				 weights->values, &quantization);
}

static int add_bias(const struct scan *scan)
{
	int64_t rows = scan->weights.rows;
	const struct graph_shape shape = { 2, { 1, 2 * rows } };
	float *both = onnx_allocate(scan->context, 2 * rows, sizeof(*both));

	if (!both)
		return -ENOMEM;
	memcpy(both, scan->weights.bias, (size_t)rows * sizeof(*both));
	memcpy(both + rows, scan->hidden.bias, (size_t)rows * sizeof(*both));
	return onnx_add_constant(scan->context, scan->node->name, &shape, both,
				 NULL);
}

/* x as the graph has it, and the product with it. */
static int read_input(struct scan *scan, int *tensor)
{
	const struct onnx_value *x =
		onnx_find_value(scan->context, scan->input.names['I']);
	int ret;

	if (!x || !x->quantized || x->shape.rank != 3 ||
	    x->quantization->count != 1 || x->quantization->low != 0 ||
	    x->quantization->high != UINT8_MAX ||
	    !dimension_is_number(x->shape.dims[2]))
		return unknown_scan(scan);
	ret = weights_create(scan, x->shape.dims[2], &scan->weights);
	if (ret)
		return ret;
	if (!read_product(scan, &scan->input, "wabke", 0, scan->weights.rows,
			  x->quantization, &scan->weights))
		return unknown_scan(scan);
	*tensor = onnx_quantized_tensor(scan->context, scan->node, x);
	return *tensor < 0 ? *tensor : 0;
}

static int make_inputs(struct scan *scan, int inputs[6])
{
	int ret = read_input(scan, &inputs[0]);

	if (ret)
		return ret;
	inputs[1] = add_weights(scan, &scan->weights);
	inputs[2] = add_weights(scan, &scan->hidden);
	inputs[3] = add_bias(scan);
	inputs[4] = initial_state(scan, 0, scan->lstm);
	inputs[5] = scan->lstm ? initial_state(scan, 1, false) :
				 GRAPH_NO_TENSOR;
	for (int i = 0; i < 6; i++)
		if (inputs[i] < (i < 4 ? 0 : GRAPH_NO_TENSOR))
			return inputs[i];
	return 0;
}

/* Output i as codes: DequantizeLinear follows. */
static int bind_codes(const struct scan *scan, size_t i, int tensor)
{
	struct onnx_value value = {
		.quantized = true,
		.quantization = scan->state,
		.element_type = TYPE(UINT8),
		.tensor = tensor,
	};

	if (tensor < 0)
		return tensor;
	value.shape = scan->context->shapes[tensor];
	return onnx_bind_output(scan->context, scan->node, i, &value);
}

static int bind_state(const struct scan *scan, size_t i, int tensor)
{
	tensor = reshape_state(scan, tensor, false);
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(scan->context, scan->node, i, tensor);
}

static int make_layer(struct scan *scan)
{
	const Onnx__NodeProto *proto = scan->node->proto;
	int states = scan->lstm ? 2 : 1;
	struct graph_node template = { .op = scan->lstm ? GRAPH_LSTM :
							  GRAPH_GRU };
	struct onnx_node layer = { proto, scan->body->name };
	const char *names[3] = { proto->output[states], proto->output[0],
				 proto->output[1] };
	int inputs[6], outputs[3];
	int ret = make_inputs(scan, inputs);

	if (ret)
		return ret;
	if (!layer.name || !*layer.name)
		layer.name = scan->node->name;
	template.recurrent = scan->recurrent;
	ret = onnx_emit_many(scan->context, &layer, &template, inputs,
			     4 + states, names, outputs, 1 + states);
	/* The rounding of h is the layer's even where nobody reads it. */
	if (!ret)
		ret = onnx_quantization_set(scan->context, outputs[0],
					    scan->state);
	if (!ret)
		ret = bind_codes(scan, (size_t)states, outputs[0]);
	if (!ret && scan->lstm)
		ret = bind_codes(scan, 0,
				 reshape_state(scan, outputs[1], false));
	else if (!ret)
		ret = bind_state(scan, 0, outputs[1]);
	return ret || !scan->lstm ? ret : bind_state(scan, 1, outputs[2]);
}

int onnx_import_scan(struct onnx_context *context, const struct onnx_node *node)
{
	struct scan scan = { .context = context, .node = node };
	int ret;

	if (!match(&scan))
		return unknown_scan(&scan);
	ret = read_state(&scan);
	if (!ret)
		ret = weights_create(&scan, scan.recurrent.hidden,
				     &scan.hidden);
	if (!ret && !read_hidden(&scan))
		ret = unknown_scan(&scan);
	return ret ? ret : make_layer(&scan);
}
