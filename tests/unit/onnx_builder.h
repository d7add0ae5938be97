/* SPDX-License-Identifier: MIT */
/*
 * Writes ONNX models for tests, through the same generated code that reads them.
 * Names are copied; the builder owns all it makes. Failures end the test.
 */
#ifndef ONNX_BUILDER_H
#define ONNX_BUILDER_H

#include <onnx.pb-c.h>

#include <stddef.h>
#include <stdint.h>

struct graph;
struct onnx_builder;

#define ONNX_FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define ONNX_INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define ONNX_INT8 ONNX__TENSOR_PROTO__DATA_TYPE__INT8
#define ONNX_INT32 ONNX__TENSOR_PROTO__DATA_TYPE__INT32

struct onnx_builder *onnx_builder_create(int64_t opset);
void onnx_builder_destroy(struct onnx_builder *builder);

/* Dimensions separated by blanks; words are symbols: "N 3 H W". */
void onnx_builder_input(struct onnx_builder *builder, const char *name,
			const char *dims);
void onnx_builder_output(struct onnx_builder *builder, const char *name);

/* An initializer; data NULL gives random values in -1 ... 1 for floats. */
Onnx__TensorProto *onnx_builder_floats(struct onnx_builder *builder,
				       const char *name, const char *dims,
				       const float *data);
/* A list of integers, "1 -1 7"; a scalar if it begins with "=". */
Onnx__TensorProto *onnx_builder_integers(struct onnx_builder *builder,
					 const char *name, const char *values);
/* An initializer of any type from its bytes. */
Onnx__TensorProto *onnx_builder_raw(struct onnx_builder *builder,
				    const char *name, int type,
				    const char *dims, const void *data,
				    size_t size);

/*
 * Append a node. Names are separated by blanks, "-" stands for an absent one. The
 * attributes of those below belong to the node that was added last.
 */
void onnx_builder_node(struct onnx_builder *builder, const char *op,
		       const char *inputs, const char *outputs);
void onnx_builder_domain(struct onnx_builder *builder, const char *domain);
void onnx_builder_int(struct onnx_builder *builder, const char *name,
		      int64_t value);
void onnx_builder_ints(struct onnx_builder *builder, const char *name,
		       const char *values);
void onnx_builder_float(struct onnx_builder *builder, const char *name,
			float value);
void onnx_builder_string(struct onnx_builder *builder, const char *name,
			 const char *value);
/* The tensor leaves the initializers and becomes an attribute. */
void onnx_builder_tensor(struct onnx_builder *builder, const char *name,
			 Onnx__TensorProto *tensor);

/* The file's bytes, for free(). */
void *onnx_builder_pack(struct onnx_builder *builder, size_t *size);

/* Import and destroy: 0 and a graph, or -errno. */
int onnx_builder_import(struct onnx_builder *builder, struct graph **graph);

/* The same, for models that must import. */
struct graph *onnx_builder_graph(struct onnx_builder *builder);

/* The same, for models that must not: the code, and text in the message. */
void onnx_builder_refused(struct onnx_builder *builder, int code,
			  const char *text);

#endif
