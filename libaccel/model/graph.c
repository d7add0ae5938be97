/* SPDX-License-Identifier: MIT */
#include <model/graph.h>

#include <core/error.h>
#include <model/fields.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define END                              \
	{                                \
		NULL, FIELD_END, 0, NULL \
	}
#define U32(key, type, member)                                      \
	{                                                           \
		key, FIELD_U32, offsetof(struct type, member), NULL \
	}
#define I32(key, type, member)                                      \
	{                                                           \
		key, FIELD_I32, offsetof(struct type, member), NULL \
	}
#define BOOL(key, type, member)                                      \
	{                                                            \
		key, FIELD_BOOL, offsetof(struct type, member), NULL \
	}
#define FLOAT(key, type, member)                                      \
	{                                                             \
		key, FIELD_FLOAT, offsetof(struct type, member), NULL \
	}
#define QUANTIZATION(prefix, type, member)         \
	FLOAT(prefix "scale", type, member.scale), \
		I32(prefix "zero", type, member.zero)

static const char *const kinds[] = { "generic", "latent", "image", "sequence",
				     NULL };
static const char *const types[] = { "int8", "int32", "float32", NULL };
static const char *const layouts[] = { "NF", "NCHW", "TNF", "DNF", "NTF", NULL };
static const char *const ops[] = {
	[MODEL_SPMM] = "spmm",	       [MODEL_ADD] = "add",
	[MODEL_MULTIPLY] = "multiply", [MODEL_TABLE] = "table",
	[MODEL_POOL_MAX] = "pool_max", [MODEL_POOL_AVERAGE] = "pool_average",
	[MODEL_CONCAT] = "concat",     [MODEL_SLICE] = "slice",
	[MODEL_RESHAPE] = "reshape",   [MODEL_PERMUTE] = "permute",
	[MODEL_LSTM] = "lstm",	       [MODEL_GRU] = "gru",
	[MODEL_GRU + 1] = NULL,
};

const char *model_op_name(enum model_op op)
{
	return (unsigned int)op <= MODEL_GRU ? ops[op] : NULL;
}

/*
 * The members of the file, in their order. A new one needs a new number of the
 * format, since the reader insists on all of them.
 */
static const struct field model_fields[] = {
	{ "name", FIELD_TEXT, offsetof(struct model, name), NULL },
	{ "kind", FIELD_NAME, offsetof(struct model, kind), kinds },
	{ "dense_bytes", FIELD_U64, offsetof(struct model, dense_bytes), NULL },
	{ "provenance", FIELD_OPTIONAL_TEXT, offsetof(struct model, provenance),
	  NULL },
	END,
};

static const struct field tensor_fields[] = {
	{ "name", FIELD_TEXT, offsetof(struct model_tensor, name), NULL },
	{ "type", FIELD_NAME, offsetof(struct model_tensor, type), types },
	U32("channels", model_tensor, channels),
	U32("height", model_tensor, height),
	U32("width", model_tensor, width),
	QUANTIZATION("", model_tensor, quantization),
	END,
};

static const struct field port_fields[] = {
	I32("tensor", model_port, tensor),
	{ "layout", FIELD_NAME, offsetof(struct model_port, layout), layouts },
	FLOAT("range_low", model_port, range_low),
	FLOAT("range_high", model_port, range_high),
	END,
};

static const struct field layer_fields[] = {
	{ "name", FIELD_TEXT, offsetof(struct model_layer, name), NULL },
	{ "op", FIELD_NAME, offsetof(struct model_layer, op), ops },
	{ "activation", FIELD_OPTIONAL_TEXT,
	  offsetof(struct model_layer, activation), NULL },
	END,
};

/* Both unions' windows: of model_spmm and of model_pool. */
#define WINDOW(member)                                                       \
	U32("kernel_height", model_layer, member.kernel_height),             \
		U32("kernel_width", model_layer, member.kernel_width),       \
		U32("stride_height", model_layer, member.stride_height),     \
		U32("stride_width", model_layer, member.stride_width),       \
		U32("dilation_height", model_layer, member.dilation_height), \
		U32("dilation_width", model_layer, member.dilation_width),   \
		I32("pad_top", model_layer, member.pad_top),                 \
		I32("pad_left", model_layer, member.pad_left),               \
		I32("pad_bottom", model_layer, member.pad_bottom),           \
		I32("pad_right", model_layer, member.pad_right),             \
		BOOL("same_upper", model_layer, member.same_upper),          \
		BOOL("same_lower", model_layer, member.same_lower),          \
		BOOL("ceil_mode", model_layer, member.ceil_mode),            \
		BOOL("last_row", model_layer, member.last_row)

static const struct field spmm_fields[] = {
	U32("rows", model_layer, spmm.weights.rows),
	U32("columns", model_layer, spmm.weights.columns),
	WINDOW(spmm.window),
	QUANTIZATION("accumulator_", model_layer, spmm.accumulator),
	BOOL("table_per_row", model_layer, spmm.table_per_row),
	QUANTIZATION("table_", model_layer, spmm.table_output),
	I32("residual", model_layer, spmm.residual),
	U32("shuffle_height", model_layer, spmm.shuffle_height),
	U32("shuffle_width", model_layer, spmm.shuffle_width),
	U32("replicate_height", model_layer, spmm.replicate_height),
	U32("replicate_width", model_layer, spmm.replicate_width),
	BOOL("transposed", model_layer, spmm.transposed),
	U32("output_stride_height", model_layer, spmm.output_stride_height),
	U32("output_stride_width", model_layer, spmm.output_stride_width),
	I32("output_extra_height", model_layer, spmm.output_extra_height),
	I32("output_extra_width", model_layer, spmm.output_extra_width),
	{ "dense_macs_per_column", FIELD_U64,
	  offsetof(struct model_layer, spmm.dense_macs_per_column), NULL },
	END,
};

static const struct field recurrent_fields[] = {
	U32("input_rows", model_layer, recurrent.input_weights.rows),
	U32("input_columns", model_layer, recurrent.input_weights.columns),
	U32("hidden_rows", model_layer, recurrent.hidden_weights.rows),
	U32("hidden_columns", model_layer, recurrent.hidden_weights.columns),
	U32("hidden", model_layer, recurrent.hidden),
	BOOL("reverse", model_layer, recurrent.reverse),
	BOOL("linear_before_reset", model_layer, recurrent.linear_before_reset),
	QUANTIZATION("hidden_", model_layer, recurrent.hidden_quantization),
	END,
};

static const struct field pool_fields[] = {
	WINDOW(pool.window),
	BOOL("count_padding", model_layer, pool.count_padding),
	END,
};

static const struct field table_fields[] = {
	BOOL("per_channel", model_layer, table.per_channel),
	END,
};

static const struct field slice_fields[] = {
	U32("first_channel", model_layer, slice.first_channel),
	END,
};

static const struct field reshape_fields[] = {
	U32("channels", model_layer, reshape.channels),
	U32("height", model_layer, reshape.height),
	U32("width", model_layer, reshape.width),
	END,
};

static const struct field no_fields[] = { END };

static const struct field *fields_of(enum model_op op)
{
	switch (op) {
	case MODEL_SPMM:
		return spmm_fields;
	case MODEL_TABLE:
		return table_fields;
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		return pool_fields;
	case MODEL_SLICE:
		return slice_fields;
	case MODEL_RESHAPE:
		return reshape_fields;
	case MODEL_LSTM:
	case MODEL_GRU:
		return recurrent_fields;
	default:
		return no_fields;
	}
}

/* The one member that is no number or word. */
static bool permute_write(const struct model_permute *permute, json_t *json)
{
	const int32_t axes[3] = { permute->axis[0], permute->axis[1],
				  permute->axis[2] };

	return !json_object_set_new(json, "axes", fields_write_array(axes, 3));
}

static json_t *layer_write(const void *element)
{
	const struct model_layer *layer = element;
	json_t *json = json_object();

	if (json && fields_write(layer_fields, layer, json) &&
	    !json_object_set_new(json, "inputs",
				 fields_write_array(layer->inputs,
						    layer->input_count)) &&
	    !json_object_set_new(json, "outputs",
				 fields_write_array(layer->outputs,
						    layer->output_count)) &&
	    (layer->op != MODEL_PERMUTE ||
	     permute_write(&layer->permute, json)) &&
	    fields_write(fields_of(layer->op), layer, json))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *tensor_write(const void *element)
{
	json_t *json = json_object();

	if (json && fields_write(tensor_fields, element, json))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *port_write(const void *element)
{
	json_t *json = json_object();

	if (json && fields_write(port_fields, element, json))
		return json;
	json_decref(json);
	return NULL;
}

static bool list_write(json_t *graph, const char *key, const void *elements,
		       uint32_t count, size_t size,
		       json_t *(*write)(const void *element))
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < count; i++) {
		const char *element = (const char *)elements + i * size;

		if (json_array_append_new(list, write(element))) {
			json_decref(list);
			list = NULL;
		}
	}
	return !json_object_set_new(graph, key, list);
}

char *model_graph_write(const struct model *model)
{
	json_t *graph = json_object();
	char *text = NULL;

	if (graph && fields_write(model_fields, model, graph) &&
	    list_write(graph, "inputs", model->inputs, model->input_count,
		       sizeof(struct model_port), port_write) &&
	    list_write(graph, "outputs", model->outputs, model->output_count,
		       sizeof(struct model_port), port_write) &&
	    list_write(graph, "tensors", model->tensors, model->tensor_count,
		       sizeof(struct model_tensor), tensor_write) &&
	    list_write(graph, "layers", model->layers, model->layer_count,
		       sizeof(struct model_layer), layer_write))
		text = json_dumps(graph, JSON_COMPACT | JSON_REAL_PRECISION(9));
	if (!text)
		accel_error(
			-ENOMEM,
			"no memory for the graph, or a name in it is not UTF-8");
	json_decref(graph);
	return text;
}

static int permute_read(const json_t *json, struct model_permute *permute)
{
	int32_t axes[3] = { -1, -1, -1 };
	uint32_t count;
	int ret = fields_read_array(json, "axes", axes, 3, &count);

	for (int i = 0; !ret && i < 3; i++) {
		if (axes[i] < 0 || axes[i] > 2)
			return accel_error(
				-EINVAL,
				"the graph's 'axes' are no permutation");
		permute->axis[i] = (uint8_t)axes[i];
	}
	return ret;
}

static int layer_read(const json_t *json, struct model_layer *layer)
{
	int ret = fields_read(layer_fields, json, layer);

	if (!ret)
		ret = fields_read_array(json, "inputs", layer->inputs,
					MODEL_INPUTS_MAX, &layer->input_count);
	if (!ret)
		ret = fields_read_array(json, "outputs", layer->outputs,
					MODEL_OUTPUTS_MAX,
					&layer->output_count);
	if (!ret && layer->op == MODEL_PERMUTE)
		ret = permute_read(json, &layer->permute);
	if (!ret)
		ret = fields_read(fields_of(layer->op), json, layer);
	return ret;
}

/* What was read of a layer that then fails is freed here; the rest is the model's. */
static int layers_read(const json_t *graph, struct model *model)
{
	const json_t *list = fields_array(graph, "layers", MODEL_LAYERS_MAX);
	int ret = list ? 0 : -EINVAL;

	for (size_t i = 0; !ret && i < json_array_size(list); i++) {
		struct model_layer layer;

		memset(&layer, 0, sizeof(layer));
		ret = layer_read(json_array_get(list, i), &layer);
		if (!ret)
			ret = model_add_layer(model, &layer);
		if (ret < 0)
			model_layer_release(&layer);
		else
			ret = 0;
	}
	return ret;
}

static int tensors_read(const json_t *graph, struct model *model)
{
	const json_t *list = fields_array(graph, "tensors", MODEL_TENSORS_MAX);
	int ret = list ? 0 : -EINVAL;

	for (size_t i = 0; !ret && i < json_array_size(list); i++) {
		struct model_tensor tensor;

		memset(&tensor, 0, sizeof(tensor));
		ret = fields_read(tensor_fields, json_array_get(list, i),
				  &tensor);
		if (!ret)
			ret = model_add_tensor(model, &tensor);
		if (ret < 0)
			free(tensor.name);
		else
			ret = 0;
	}
	return ret;
}

static int ports_read(const json_t *graph, const char *key, struct model *model,
		      int (*add)(struct model *model,
				 const struct model_port *port))
{
	const json_t *list = fields_array(graph, key, MODEL_PORTS_MAX);
	int ret = list ? 0 : -EINVAL;

	for (size_t i = 0; ret >= 0 && i < json_array_size(list); i++) {
		struct model_port port;

		ret = fields_read(port_fields, json_array_get(list, i), &port);
		if (!ret)
			ret = add(model, &port);
	}
	return ret < 0 ? ret : 0;
}

static int graph_read(const json_t *graph, struct model *model)
{
	int ret = fields_read(model_fields, graph, model);

	if (!ret)
		ret = ports_read(graph, "inputs", model, model_add_input);
	if (!ret)
		ret = ports_read(graph, "outputs", model, model_add_output);
	if (!ret)
		ret = tensors_read(graph, model);
	if (!ret)
		ret = layers_read(graph, model);
	return ret;
}

int model_graph_read(const char *text, struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));
	json_error_t error;
	json_t *graph;
	int ret;

	if (!model)
		return accel_error(-ENOMEM, "no memory for the model");
	graph = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (graph)
		ret = graph_read(graph, model);
	else
		ret = accel_error(-EINVAL, "the graph is no JSON: %s",
				  error.text);
	json_decref(graph);
	if (ret) {
		model_destroy(model);
		return ret;
	}
	*out = model;
	return 0;
}
