/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_ONNX_BUILDER_H
#define COMPRESS_ONNX_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"

/**
 * DOC: Building ONNX graphs
 *
 * Thin cover over the generated protobuf structures. Everything that is made lives
 * until onnx_model_release(). When memory runs out the builder remembers it and
 * goes on with what it has; onnx_model_write() then fails. So callers need not
 * check each step. Strings are copied.
 */

struct onnx_arena;

/** struct onnx_builder - a graph that grows: the model's, or a loop's body */
struct onnx_builder {
	struct onnx_arena *arena;
	Onnx__GraphProto *graph;
};

/** onnx_model_create() - an empty model; false without memory */
bool onnx_model_create(struct onnx_builder *builder, const char *name);

/** onnx_subgraph() - a graph for an attribute of one of the builder's nodes */
struct onnx_builder onnx_subgraph(const struct onnx_builder *builder,
				  const char *name);

/** onnx_model_write() - atomically; 0, −ENOMEM, −EFBIG, what the file says */
int onnx_model_write(const struct onnx_builder *builder, const char *path);

void onnx_model_release(struct onnx_builder *builder);

/**
 * onnx_reserve() - tell a name that the caller gives to a value
 *
 * To be done for all of them before the first onnx_name(), which then makes others.
 */
void onnx_reserve(const struct onnx_builder *builder, const char *name);

/** onnx_name() - a name that was not there before, beginning with a text */
const char *onnx_name(const struct onnx_builder *builder, const char *begin);

/** onnx_node() - append a node with one output; "" is an absent input */
Onnx__NodeProto *onnx_node(const struct onnx_builder *builder, const char *op,
			   const char *output, size_t count,
			   const char *const *inputs);

#define ONNX_NODE(builder, op, output, ...)                 \
	onnx_node(builder, op, output,                      \
		  sizeof((const char *[]){ __VA_ARGS__ }) / \
			  sizeof(const char *),             \
		  (const char *const[]){ __VA_ARGS__ })

void onnx_append_input(const struct onnx_builder *builder,
		       Onnx__NodeProto *node, const char *input);
void onnx_add_output(const struct onnx_builder *builder, Onnx__NodeProto *node,
		     const char *output);

/** onnx_node_name() - call a node as its layer is called */
void onnx_node_name(const struct onnx_builder *builder, Onnx__NodeProto *node,
		    const char *name);

void onnx_int(const struct onnx_builder *builder, Onnx__NodeProto *node,
	      const char *name, int64_t value);
void onnx_ints(const struct onnx_builder *builder, Onnx__NodeProto *node,
	       const char *name, size_t count, const int64_t *values);
void onnx_float(const struct onnx_builder *builder, Onnx__NodeProto *node,
		const char *name, float value);
void onnx_string(const struct onnx_builder *builder, Onnx__NodeProto *node,
		 const char *name, const char *value);
void onnx_graph(const struct onnx_builder *builder, Onnx__NodeProto *node,
		const char *name, const struct onnx_builder *value);

/** struct onnx_values - a constant; @type is ONNX__TENSOR_PROTO__DATA_TYPE__… */
struct onnx_values {
	int32_t type;
	size_t rank;
	const int64_t *dims;
	const void *data; /* copied */
	size_t size; /* bytes */
};

/** onnx_initializer() - a constant under a name that the caller has reserved */
void onnx_initializer(const struct onnx_builder *builder, const char *name,
		      const struct onnx_values *values);

/** onnx_constant() - an initializer; its name, which begins with @begin */
const char *onnx_constant(const struct onnx_builder *builder, const char *begin,
			  const struct onnx_values *values);

/* Initializers of common shapes. */
const char *onnx_vector_i64(const struct onnx_builder *builder, size_t count,
			    const int64_t *values);
const char *onnx_scalar_float(const struct onnx_builder *builder, float value);
const char *onnx_scalar_uint8(const struct onnx_builder *builder,
			      uint8_t value);

/** onnx_port() - a graph input or output; a negative dimension is named */
void onnx_port(const struct onnx_builder *builder, bool output,
	       const char *name, int32_t type, size_t rank, const int64_t *dims,
	       const char *const *symbols);

#endif
