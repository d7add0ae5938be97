/* SPDX-License-Identifier: MIT */
/*
 * ONNX gives sequences an axis of directions, [T, D, N, H], that everybody takes
 * away again. The graph has [T, N, D·H]; the view and the transposition that ONNX's
 * form needs are added, and cancel against those of the model.
 */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <string.h>

enum input { X, W, R, B, LENGTHS, STATE, CELL, PEEPHOLES };

/* Only the operators' own activations are what the device computes. */
static int activations_check(const struct onnx_node *node, bool lstm)
{
	const Onnx__AttributeProto *attribute =
		onnx_attribute(node, "activations");
	size_t each = lstm ? 3 : 2;

	for (size_t i = 0; attribute && i < attribute->n_strings; i++) {
		const char *wanted = i % each ? "Tanh" : "Sigmoid";
		const ProtobufCBinaryData *given = &attribute->strings[i];

		if (given->len != strlen(wanted) ||
		    memcmp(given->data, wanted, given->len))
			return onnx_unsupported(
				node, "activations other than sigmoid for "
				      "gates and tanh for states");
	}
	return 0;
}

static int attributes_read(const struct onnx_node *node, bool lstm,
			   struct graph_recurrent *recurrent, int64_t *layout)
{
	static const char *const directions[] = { "forward", "reverse",
						  "bidirectional", NULL };
	int64_t forget = 0, linear = 0;
	int direction = 0;
	float clip = 0;
	int ret = activations_check(node, lstm);

	if (!ret)
		ret = onnx_attribute_choice(node, "direction", directions,
					    &direction);
	if (!ret)
		ret = onnx_attribute_integer(node, "hidden_size",
					     &recurrent->hidden);
	if (!ret)
		ret = onnx_attribute_integer(node, "linear_before_reset",
					     &linear);
	if (!ret)
		ret = onnx_attribute_integer(node, "input_forget", &forget);
	if (!ret)
		ret = onnx_attribute_integer(node, "layout", layout);
	if (!ret)
		ret = onnx_attribute_real(node, "clip", &clip);
	if (ret)
		return ret;
	if (forget || clip != 0)
		return onnx_unsupported(node, "input_forget and clip");
	recurrent->direction = (enum graph_direction)direction;
	recurrent->linear_before_reset = linear;
	return 0;
}

/* Exporters write states of zeros, of a size that depends on the batch. */
static bool is_zero(const struct onnx_value *value)
{
	for (int64_t i = 0; i < value->count; i++)
		if (value->reals ? value->reals[i] != 0 :
				   value->integers[i] != 0)
			return false;
	return true;
}

/* [N, T, …] from [T, N, …] and back. */
static int swap_batch(struct onnx_context *context,
		      const struct onnx_node *node, int tensor)
{
	static const int perm[] = { 1, 0, 2, 3 };

	if (tensor < 0)
		return tensor;
	if (context->shapes[tensor].rank < 2 ||
	    context->shapes[tensor].rank > 4)
		return onnx_invalid(node, "its input is no sequence");
	return onnx_emit_transpose(context, node, tensor, perm,
				   onnx_output_name(node));
}

/* An initial state; zeros, of whatever size, are the same as none. */
static int state_tensor(struct onnx_context *context,
			const struct onnx_node *node, size_t input,
			int64_t layout)
{
	const struct onnx_value *value;
	int tensor;

	if (!onnx_has_input(node, input))
		return GRAPH_NO_TENSOR;
	value = onnx_input(context, node, input);
	if (!value)
		return -EINVAL;
	if (value->constant && is_zero(value))
		return GRAPH_NO_TENSOR;
	tensor = onnx_input_tensor(context, node, input);
	return layout ? swap_batch(context, node, tensor) : tensor;
}

/* In the order of the graph's operator; sequence_lens falls out. */
static int inputs_read(struct onnx_context *context,
		       const struct onnx_node *node, bool lstm, int64_t layout,
		       int inputs[6])
{
	if (onnx_has_input(node, LENGTHS))
		return onnx_unsupported(node, "sequence_lens");
	if (lstm && onnx_has_input(node, PEEPHOLES))
		return onnx_unsupported(node, "peepholes");
	inputs[0] = onnx_input_tensor(context, node, X);
	if (layout)
		inputs[0] = swap_batch(context, node, inputs[0]);
	for (size_t i = W; i <= B; i++) {
		inputs[i] = GRAPH_NO_TENSOR;
		if (i == B && !onnx_has_input(node, i))
			continue;
		if (!onnx_input_weight(context, node, i))
			return -ENOTSUP;
		inputs[i] = onnx_input_tensor(context, node, i);
		if (inputs[i] < 0)
			return inputs[i];
	}
	inputs[4] = state_tensor(context, node, STATE, layout);
	inputs[5] = lstm ? state_tensor(context, node, CELL, layout) :
			   GRAPH_NO_TENSOR;
	for (int i = 0; i < 6; i++)
		if (inputs[i] < GRAPH_NO_TENSOR)
			return inputs[i];
	return inputs[0] < 0 ? inputs[0] : 0;
}

/* ONNX's Y, [T, D, N, H] or [N, T, D, H], from ours, [T, N, D·H]. */
static int bind_sequence(struct onnx_context *context,
			 const struct onnx_node *node, int tensor,
			 int64_t hidden, int64_t layout)
{
	static const int perms[2][4] = { { 0, 2, 1, 3 }, { 1, 0, 2, 3 } };
	struct graph_shape shape = context->shapes[tensor];

	shape.rank = 4;
	shape.dims[2] = shape.dims[2] / hidden;
	shape.dims[3] = hidden;
	tensor = onnx_emit_reshape(context, node, tensor, &shape,
				   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	tensor = onnx_emit_transpose(context, node, tensor, perms[layout != 0],
				     onnx_output_name(node));
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}

static int import_recurrent(struct onnx_context *context,
			    const struct onnx_node *node, bool lstm)
{
	struct graph_node template = { .op = lstm ? GRAPH_LSTM : GRAPH_GRU };
	int count = lstm ? 3 : 2, inputs[6], outputs[3], ret;
	const char *names[3] = { NULL };
	int64_t layout = 0;

	ret = attributes_read(node, lstm, &template.recurrent, &layout);
	if (!ret)
		ret = inputs_read(context, node, lstm, layout, inputs);
	if (ret)
		return ret;
	for (size_t i = 0; i < (size_t)count; i++)
		if (onnx_has_output(node, i))
			names[i] = node->proto->output[i];
	if (!template.recurrent.hidden && context->shapes[inputs[R]].rank == 3)
		template.recurrent.hidden = context->shapes[inputs[R]].dims[2];
	ret = onnx_emit_many(context, node, &template, inputs, lstm ? 6 : 5,
			     names, outputs, count);
	for (int i = 1; i < count && !ret; i++) {
		if (!names[i])
			continue;
		if (layout)
			outputs[i] = swap_batch(context, node, outputs[i]);
		ret = outputs[i] < 0 ? outputs[i] :
				       onnx_bind_tensor(context, node,
							(size_t)i, outputs[i]);
	}
	if (ret || !names[0])
		return ret;
	return bind_sequence(context, node, outputs[0],
			     template.recurrent.hidden, layout);
}

int onnx_import_lstm(struct onnx_context *context, const struct onnx_node *node)
{
	return import_recurrent(context, node, true);
}

int onnx_import_gru(struct onnx_context *context, const struct onnx_node *node)
{
	return import_recurrent(context, node, false);
}
