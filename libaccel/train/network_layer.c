/* SPDX-License-Identifier: MIT */
/* The table of layers, and those that know nothing of images and sequences. */
#include <train/network_layer.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int network_layer_read(const struct network_layer *layer, const char *format,
		       ...)
{
	json_error_t error;
	va_list list;
	int ret;

	va_start(list, format);
	ret = json_vunpack_ex((json_t *)layer->json, &error, JSON_STRICT,
			      format, list);
	va_end(list);
	return ret ? accel_error(-EINVAL, "%s", error.text) : 0;
}

int network_check_size(const char *key, int64_t value)
{
	if (value >= 1 && value <= NETWORK_SIZE_MAX)
		return 0;
	return accel_error(-EINVAL, "\"%s\" is %lld; it takes 1 to %d", key,
			   (long long)value, NETWORK_SIZE_MAX);
}

/* ---- linear ---- */

static int add_gemm(const struct network_layer *layer, int64_t outputs,
		    bool bias)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	const struct graph_node node = { .op = GRAPH_GEMM };
	int64_t depth = x->dims[x->rank - 1];
	const struct graph_shape shape = { .rank = 2,
					   .dims = { outputs, depth } };
	int inputs[3] = { layer->input, 0, 0 };

	if (x->rank == 4)
		return accel_error(-EINVAL,
				   "takes no images: put flatten before it");
	inputs[1] = network_add_weight(layer, "weight", &shape,
				       (struct network_fan){ depth, outputs });
	if (inputs[1] >= 0 && bias)
		inputs[2] = network_add_vector(layer, "bias", outputs, 0);
	if (inputs[1] < 0 || inputs[2] < 0)
		return inputs[1] < 0 ? inputs[1] : inputs[2];
	return network_add_node(layer->network, &node, layer->name, inputs,
				bias ? 3 : 2);
}

static int add_linear(const struct network_layer *layer)
{
	const char *word;
	json_int_t outputs;
	json_t *init = NULL;
	int bias = 1;
	int ret = network_layer_read(layer, "{s:s, s:I, s?b, s?o}", "layer",
				     &word, "outputs", &outputs, "bias", &bias,
				     "init", &init);

	if (!ret)
		ret = network_check_size("outputs", outputs);
	return ret ? ret : add_gemm(layer, outputs, bias);
}

int network_add_linear(struct network *network, const char *name, int tensor,
		       int64_t outputs)
{
	const struct network_layer layer = {
		.network = network,
		.next = "",
		.name = name,
		.input = tensor,
	};

	return add_gemm(&layer, outputs, true);
}

/* ---- activations ---- */

static const struct {
	const char *name;
	enum graph_op op;
	struct graph_unary unary;
} activations[] = {
	{ "relu", GRAPH_RELU, { .alpha = 0 } },
	{ "leaky_relu", GRAPH_LEAKY_RELU, { .alpha = 0.2f } },
	{ "sigmoid", GRAPH_SIGMOID, { .alpha = 0 } },
	{ "tanh", GRAPH_TANH, { .alpha = 0 } },
	{ "hard_sigmoid",
	  GRAPH_HARD_SIGMOID,
	  { .alpha = 1.0f / 6, .beta = 0.5f } },
	{ "hard_swish", GRAPH_HARD_SWISH, { .alpha = 0 } },
	{ "elu", GRAPH_ELU, { .alpha = 1 } },
	{ "softplus", GRAPH_SOFTPLUS, { .alpha = 0 } },
	{ "silu", GRAPH_SILU, { .alpha = 0 } },
	{ "gelu", GRAPH_GELU, { .alpha = 0 } },
	{ NULL, 0, { .alpha = 0 } },
};

static int add_activation(const struct network_layer *layer, size_t index)
{
	struct graph_node node = { .op = activations[index].op,
				   .unary = activations[index].unary };
	const char *word;
	double slope = (double)node.unary.alpha;
	int ret = network_layer_read(
		layer, node.op == GRAPH_LEAKY_RELU ? "{s:s, s?F}" : "{s:s}",
		"layer", &word, "slope", &slope);

	if (ret)
		return ret;
	if (!(fabs(slope) <= 1))
		return accel_error(-EINVAL, "\"slope\" is %g; it takes −1 to 1",
				   slope);
	node.unary.alpha = (float)slope;
	return network_add_node(layer->network, &node, layer->name,
				&layer->input, 1);
}

static int add_prelu(const struct network_layer *layer)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	const struct graph_node node = { .op = GRAPH_PRELU,
					 .axis = x->rank == 4 ? 1 :
								x->rank - 1 };
	const char *word;
	int inputs[2] = { layer->input, 0 };
	int ret = network_layer_read(layer, "{s:s}", "layer", &word);

	if (ret)
		return ret;
	inputs[1] =
		network_add_vector(layer, "slope", x->dims[node.axis], 0.25f);
	if (inputs[1] < 0)
		return inputs[1];
	return network_add_node(layer->network, &node, layer->name, inputs, 2);
}

/* By the batch, then by a scale and a shift that are learned. */
static int add_batch_norm(const struct network_layer *layer)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	struct graph_node normalize = { .op = GRAPH_BATCH_NORM };
	const struct graph_node affine = { .op = GRAPH_AFFINE, .axis = 1 };
	double epsilon = 1e-5;
	const char *word;
	char name[96];
	int inputs[3];
	int ret = network_layer_read(layer, "{s:s, s?F}", "layer", &word,
				     "epsilon", &epsilon);

	if (!ret && layer->network->sequence)
		ret = accel_error(-EINVAL, "takes no sequences");
	if (!ret && !(epsilon > 0 && epsilon <= 1))
		ret = accel_error(-EINVAL, "\"epsilon\" takes 0 to 1");
	if (ret)
		return ret;
	normalize.unary.alpha = (float)epsilon;
	inputs[1] = network_add_vector(layer, "scale", x->dims[1], 1);
	inputs[2] = inputs[1] < 0 ?
			    inputs[1] :
			    network_add_vector(layer, "shift", x->dims[1], 0);
	if (inputs[2] < 0)
		return inputs[2];
	snprintf(name, sizeof(name), "%s.normal", layer->name);
	inputs[0] = network_add_node(layer->network, &normalize, name,
				     &layer->input, 1);
	if (inputs[0] < 0)
		return inputs[0];
	return network_add_node(layer->network, &affine, layer->name, inputs,
				3);
}

/* ---- shapes ---- */

int network_add_reshape(struct network *network, const char *name, int tensor,
			const struct graph_shape *sample)
{
	struct graph_node node = { .op = GRAPH_RESHAPE };
	int batch = network->sequence ? 1 : 0;

	node.reshape.rank = sample->rank + 1;
	node.reshape.dims[0] = (struct graph_reshape_dim){ batch, 1, 1 };
	for (int i = 0; i < sample->rank; i++)
		node.reshape.dims[i + 1] =
			(struct graph_reshape_dim){ GRAPH_RESHAPE_NUMBER,
						    sample->dims[i], 1 };
	network->sequence = false;
	return network_add_node(network, &node, name, &tensor, 1);
}

static int add_flatten(const struct network_layer *layer)
{
	struct graph_shape sample = { .rank = 1 };
	const char *word;
	int ret = network_layer_read(layer, "{s:s}", "layer", &word);

	if (ret)
		return ret;
	if (layer->network->sequence)
		return accel_error(-EINVAL,
				   "takes no sequences: put last before it");
	sample.dims[0] =
		graph_shape_count(network_shape(layer->network, layer->input));
	return network_add_reshape(layer->network, layer->name, layer->input,
				   &sample);
}

static int add_reshape(const struct network_layer *layer)
{
	struct graph_shape sample = { .rank = 0 };
	const char *word;
	json_t *dims;
	int ret = network_layer_read(layer, "{s:s, s:o}", "layer", &word,
				     "shape", &dims);

	if (!ret &&
	    (!json_array_size(dims) || json_array_size(dims) >= GRAPH_MAX_RANK))
		ret = accel_error(-EINVAL,
				  "\"shape\" is no list of dimensions");
	for (size_t i = 0; i < json_array_size(dims) && !ret; i++) {
		int64_t dim = json_integer_value(json_array_get(dims, i));

		sample.dims[sample.rank++] = dim;
		ret = network_check_size("shape", dim);
	}
	if (!ret && (layer->network->sequence ||
		     graph_shape_count(&sample) !=
			     graph_shape_count(network_shape(layer->network,
							     layer->input))))
		ret = accel_error(
			-EINVAL,
			"\"shape\" has not as many elements as come in");
	return ret ? ret :
		     network_add_reshape(layer->network, layer->name,
					 layer->input, &sample);
}

/* Dimensions beyond the rank are not set. */
static bool same_shape(const struct graph_shape *a, const struct graph_shape *b)
{
	return a->rank == b->rank &&
	       !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(*a->dims));
}

/* Layers whose result is added to what went in (He et al., 2016). */
static int add_residual(const struct network_layer *layer)
{
	const struct graph_node node = { .op = GRAPH_ADD };
	const char *word;
	char name[96];
	json_t *layers;
	int inputs[2] = { layer->input, 0 };
	int ret = network_layer_read(layer, "{s:s, s:o}", "layer", &word,
				     "layers", &layers);

	if (ret)
		return ret;
	inputs[1] = network_add_layers(layer->network, layer->name,
				       layer->input, layers);
	if (inputs[1] < 0)
		return inputs[1];
	if (!same_shape(network_shape(layer->network, inputs[0]),
			network_shape(layer->network, inputs[1])))
		return accel_error(
			-EINVAL,
			"what comes out of \"layers\" has another shape than what goes in");
	snprintf(name, sizeof(name), "%s.add", layer->name);
	return network_add_node(layer->network, &node, name, inputs, 2);
}

static const struct {
	const char *name;
	int (*add)(const struct network_layer *layer);
} layers[] = {
	{ "average_pool", network_add_average_pool },
	{ "batch_norm", add_batch_norm },
	{ "conv", network_add_conv },
	{ "conv_transpose", network_add_conv_transpose },
	{ "flatten", add_flatten },
	{ "global_average_pool", network_add_global_pool },
	{ "gru", network_add_gru },
	{ "last", network_add_last },
	{ "linear", add_linear },
	{ "lstm", network_add_lstm },
	{ "max_pool", network_add_max_pool },
	{ "pixel_shuffle", network_add_pixel_shuffle },
	{ "prelu", add_prelu },
	{ "reshape", add_reshape },
	{ "residual", add_residual },
	{ "rows", network_add_rows },
	{ "upsample", network_add_upsample },
	{ NULL, NULL },
};

int network_layer_add(const struct network_layer *layer)
{
	const char *name =
		json_string_value(json_object_get(layer->json, "layer"));

	if (!name)
		return accel_error(-EINVAL,
				   "an object with \"layer\" is wanted here");
	for (size_t i = 0; layers[i].name; i++)
		if (!strcmp(layers[i].name, name))
			return layers[i].add(layer);
	for (size_t i = 0; activations[i].name; i++)
		if (!strcmp(activations[i].name, name))
			return add_activation(layer, i);
	return accel_error(-EINVAL, "no layer of this name");
}
