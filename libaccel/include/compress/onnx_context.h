/* SPDX-License-Identifier: MIT */
/* What the rooms of the ONNX importer share: the model so far, and its values. */
#ifndef COMPRESS_ONNX_CONTEXT_H
#define COMPRESS_ONNX_CONTEXT_H

#include <compress/dimension.h>
#include <compress/graph.h>
#include <compress/graph_shape.h>

#include <onnx.pb-c.h>

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ONNX_OPSET_MIN 9
#define ONNX_OPSET_MAX 21

/* Constants that folding makes stay below this number of elements. */
#define ONNX_FOLD_LIMIT (INT64_C(1) << 26)

/* What a part of GELU is, see onnx_gelu.c. */
enum onnx_gelu {
	ONNX_GELU_NONE,
	ONNX_GELU_ERF, /* erf(x / √2) */
	ONNX_GELU_SUM, /* 1 + erf(x / √2) */
	ONNX_GELU_HALF, /* half of that */
};

/*
 * A value of the ONNX graph: computed (a tensor of ours) or constant.
 *
 * Constants are real (binary32, in reals) or integers. An integer may be the
 * handle of an expression of unknown dimensions; so may a real one that was cast
 * from an integer: then integers is set although real is. A splat stores one
 * element for all; its dims may be expressions.
 */
struct onnx_value {
	const char *name;
	bool constant;
	bool real;
	bool splat;
	/* QuantizeLinear's result: DequantizeLinear must follow */
	bool quantized;
	/* made from MatMulInteger's result, of which only the shape is kept: Scan
	 * must follow */
	bool accumulated;
	/* else than none: tensor is the x, and a product must follow */
	enum onnx_gelu gelu;
	int tensor; /* GRAPH_NO_TENSOR until a constant enters the graph */
	int element_type; /* of ONNX's TensorProto.DataType */
	struct graph_shape shape; /* numbers or handles */
	int64_t count; /* elements stored */
	float *reals;
	int64_t *integers;
	const struct graph_quantization *quantization;
};

struct safetensors_file;

struct onnx_context {
	const char *folder; /* of external data, or NULL */
	struct safetensors_file *weights; /* instead of the model's, or NULL */
	int64_t opset;
	const Onnx__GraphProto *proto;
	struct graph *graph;
	struct dimension_table *table;
	struct graph_shape *shapes; /* of the graph's tensors, with handles */
	int shape_capacity;
	struct onnx_value *values;
	int value_count;
	int value_capacity;
	struct hsearch_data names; /* to values */
	uint64_t budget; /* bytes that constants may still take */
	void **allocations; /* freed with the context */
	int allocation_count;
	int allocation_capacity;
};

/* An ONNX node that is being imported. */
struct onnx_node {
	const Onnx__NodeProto *proto;
	const char *name; /* its own, or its first output's */
};

/* ---- the context ---- */

/*
 * Constants are bounded by the size of what they come from, or a few bytes could
 * ask for all memory. A byte may be read as an integer of eight, and then be
 * dequantized, transposed and scaled.
 */
#define ONNX_BUDGET_MINIMUM (UINT64_C(64) << 20)
#define ONNX_BUDGET_FACTOR 32

/* Take count elements from the budget; false with a message. */
bool onnx_charge(struct onnx_context *context, int64_t count, size_t size);

/* Memory, zeroed, that lives as long as the context; NULL with a message. */
void *onnx_allocate(struct onnx_context *context, int64_t count, size_t size);

/* The value of a name, NULL if there is none. */
struct onnx_value *onnx_find_value(struct onnx_context *context,
				   const char *name);

/* Make the value the one of a name: copied; -EEXIST if the name is taken. */
int onnx_bind(struct onnx_context *context, const char *name,
	      const struct onnx_value *value);

/* Bind output i of a node, if it is wanted. */
int onnx_bind_output(struct onnx_context *context, const struct onnx_node *node,
		     size_t i, const struct onnx_value *value);
int onnx_bind_tensor(struct onnx_context *context, const struct onnx_node *node,
		     size_t i, int tensor);

/* Is input i there and not empty? */
bool onnx_has_input(const struct onnx_node *node, size_t i);
bool onnx_has_output(const struct onnx_node *node, size_t i);

/* Input i; NULL with a message if it is missing or unknown. */
struct onnx_value *onnx_input(struct onnx_context *context,
			      const struct onnx_node *node, size_t i);

/* Input i as a tensor of the graph, constants included; or -errno. */
int onnx_input_tensor(struct onnx_context *context,
		      const struct onnx_node *node, size_t i);
int onnx_value_tensor(struct onnx_context *context, struct onnx_value *value);

/* Input i, a real constant with all elements stored; NULL with a message. */
const struct onnx_value *onnx_input_weight(struct onnx_context *context,
					   const struct onnx_node *node,
					   size_t i);

/* Input i, constant integers (perhaps handles), rank 0 or 1; else a message. */
const struct onnx_value *onnx_input_integers(struct onnx_context *context,
					     const struct onnx_node *node,
					     size_t i);

/* ---- making constants ---- */

/* A constant with room for all its elements; 0 or -errno. */
int onnx_value_reals(struct onnx_context *context,
		     const struct graph_shape *shape, struct onnx_value *value);
int onnx_value_integers(struct onnx_context *context,
			const struct graph_shape *shape,
			struct onnx_value *value);

/* Element i as a handle; fractions for reals. */
int64_t onnx_value_expression(struct onnx_context *context,
			      const struct onnx_value *value, int64_t i);

/* Element i as a number; false if it is not known. */
bool onnx_value_number(struct onnx_context *context,
		       const struct onnx_value *value, int64_t i,
		       double *number);

/* ---- adding to the graph ---- */

/*
 * Append a node whose operator and attributes are those of the template, and one
 * result; its shape is inferred. The result's name is name, if free, or name
 * with a number. Return the result's tensor or -errno.
 */
int onnx_emit(struct onnx_context *context, const struct onnx_node *node,
	      const struct graph_node *template, const int *inputs,
	      int input_count, const char *name);

/* The same, for output 0 of the node, and bind it. Return 0 or -errno. */
int onnx_emit_output(struct onnx_context *context, const struct onnx_node *node,
		     const struct graph_node *template, const int *inputs,
		     int input_count);

/* The same with up to three results; names of absent ones are NULL. */
int onnx_emit_many(struct onnx_context *context, const struct onnx_node *node,
		   const struct graph_node *template, const int *inputs,
		   int input_count, const char *const *names, int *outputs,
		   int output_count);

/* Name of output 0, for the tensors on the way to it. */
const char *onnx_output_name(const struct onnx_node *node);

/* A constant of the graph; reals are copied. Return the tensor or -errno. */
int onnx_add_constant(struct onnx_context *context, const char *name,
		      const struct graph_shape *shape, const float *reals,
		      const struct graph_quantization *quantization);
int onnx_add_vector(struct onnx_context *context, const char *name,
		    int64_t length, const float *reals);

/* A graph input of a rank, dimensions still unknown. Its tensor or -errno. */
int onnx_add_input(struct onnx_context *context, const char *name, int rank);

/* Remember a scale and a zero point for a tensor: copied. */
int onnx_quantization_set(struct onnx_context *context, int tensor,
			  const struct graph_quantization *quantization);

/* A view with another shape (handles), or the tensor itself if it has it. */
int onnx_emit_reshape(struct onnx_context *context,
		      const struct onnx_node *node, int tensor,
		      const struct graph_shape *shape, const char *name);

/* A transposition, or a view if only axes of length 1 move. */
int onnx_emit_transpose(struct onnx_context *context,
			const struct onnx_node *node, int tensor,
			const int *perm, const char *name);

/* ---- messages ---- */

/* Set the message "NODE (Op): PREFIX TEXT". */
__attribute__((format(printf, 3, 4))) void
onnx_node_error(const struct onnx_node *node, const char *prefix,
		const char *format, ...);

/* Macros, so that static analysis sees that the code is not 0. */
#define onnx_unsupported(node, ...)                                    \
	({                                                             \
		onnx_node_error(node, "not supported: ", __VA_ARGS__); \
		-ENOTSUP;                                              \
	})
#define onnx_invalid(node, ...)                         \
	({                                              \
		onnx_node_error(node, "", __VA_ARGS__); \
		-EINVAL;                                \
	})

/* ---- attributes ---- */

/* Each leaves *value alone if the attribute is absent. 0 or -EINVAL. */
int onnx_attribute_integer(const struct onnx_node *node, const char *name,
			   int64_t *value);
int onnx_attribute_real(const struct onnx_node *node, const char *name,
			float *value);

/* values has room for max; *count is set. */
int onnx_attribute_integers(const struct onnx_node *node, const char *name,
			    int64_t *values, size_t max, size_t *count);

/* Index in choices (NULL-terminated) of a string attribute. */
int onnx_attribute_choice(const struct onnx_node *node, const char *name,
			  const char *const *choices, int *value);

const Onnx__AttributeProto *onnx_attribute(const struct onnx_node *node,
					   const char *name);

/* An axis counted from either end, as 0 … rank - 1; or -EINVAL. */
int onnx_axis(const struct onnx_node *node, int64_t axis, int rank);

/*
 * The integers of an attribute before opset since, of an input from then on.
 * *count is SIZE_MAX if there are none. Values are numbers.
 */
int onnx_integers_since(struct onnx_context *context,
			const struct onnx_node *node, int64_t since,
			const char *name, size_t input, int64_t *values,
			size_t max, size_t *count);

#endif
