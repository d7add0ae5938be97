/* SPDX-License-Identifier: MIT */
/* Operators that move elements. */
#include <compress/dimension.h>
#include <compress/graph_exporter.h>

void export_concat(struct graph_exporter *exporter,
		   const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	Onnx__NodeProto *proto = ONNX_NODE(builder, "Concat",
					   export_output(exporter, node, 0),
					   export_input(exporter, node, 0));

	for (int i = 1; i < node->input_count; i++)
		onnx_append_input(builder, proto,
				  export_input(exporter, node, i));
	onnx_int(builder, proto, "axis", node->axis);
}

void export_slice(struct graph_exporter *exporter,
		  const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_slice *slice = &node->slice;
	const int64_t axis = slice->axis;

	ONNX_NODE(builder, "Slice", export_output(exporter, node, 0),
		  export_input(exporter, node, 0),
		  onnx_vector_i64(builder, 1, &slice->start),
		  onnx_vector_i64(builder, 1, &slice->end),
		  onnx_vector_i64(builder, 1, &axis),
		  onnx_vector_i64(builder, 1, &slice->step));
}

void export_pad(struct graph_exporter *exporter, const struct graph_node *node)
{
	static const char *const modes[] = {
		[GRAPH_PAD_CONSTANT] = "constant",
		[GRAPH_PAD_REFLECT] = "reflect",
		[GRAPH_PAD_EDGE] = "edge",
	};
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_pad *pad = &node->pad;
	int rank = export_input_shape(exporter, node)->rank;
	int64_t pads[2 * GRAPH_MAX_RANK];

	for (int i = 0; i < rank; i++) {
		pads[i] = pad->before[i];
		pads[rank + i] = pad->after[i];
	}
	onnx_string(builder,
		    ONNX_NODE(builder, "Pad", export_output(exporter, node, 0),
			      export_input(exporter, node, 0),
			      onnx_vector_i64(builder, 2 * (size_t)rank, pads),
			      onnx_scalar_float(builder, pad->value)),
		    "mode", modes[pad->mode]);
}

/* ---- views ---- */

/* Not a number, nor the input's own dimension, which ONNX writes as 0. */
static bool is_computed(const struct graph_exporter *exporter,
			const struct graph_node *node, int axis)
{
	const struct graph_shape *x = export_input_shape(exporter, node);
	const struct graph_shape *y = export_output_shape(exporter, node);

	return !dimension_is_number(y->dims[axis]) &&
	       !(axis < x->rank && y->dims[axis] == x->dims[axis]);
}

/* numerator · (the input's dimension) / denominator, as a vector of one element */
static const char *compute_dimension(struct graph_exporter *exporter,
				     const char *shape,
				     const struct graph_reshape_dim *dim)
{
	const struct onnx_builder *builder = &exporter->builder;
	const char *length = onnx_name(builder, "length");
	const char *multiple = onnx_name(builder, "multiple");
	const char *quotient = onnx_name(builder, "quotient");
	const int64_t axis = dim->axis, end = axis + 1;

	ONNX_NODE(builder, "Slice", length, shape,
		  onnx_vector_i64(builder, 1, &axis),
		  onnx_vector_i64(builder, 1, &end));
	ONNX_NODE(builder, "Mul", multiple, length,
		  onnx_vector_i64(builder, 1, &dim->numerator));
	ONNX_NODE(builder, "Div", quotient, multiple,
		  onnx_vector_i64(builder, 1, &dim->denominator));
	return quotient;
}

/* ONNX can leave one dimension open; with several the shape has to be computed. */
static const char *compute_shape(struct graph_exporter *exporter,
				 const struct graph_node *node,
				 const int64_t *dims)
{
	const struct onnx_builder *builder = &exporter->builder;
	const char *from = onnx_name(builder, "shape");
	const char *to = onnx_name(builder, "shape");
	const char *parts[GRAPH_MAX_RANK];
	size_t rank = (size_t)node->reshape.rank;

	ONNX_NODE(builder, "Shape", from, export_input(exporter, node, 0));
	for (size_t i = 0; i < rank; i++) {
		const struct graph_reshape_dim *dim = &node->reshape.dims[i];

		if (dims[i] == -1 && dim->axis >= 0)
			parts[i] = compute_dimension(exporter, from, dim);
		else
			parts[i] = onnx_vector_i64(builder, 1, &dims[i]);
	}
	onnx_int(builder, onnx_node(builder, "Concat", to, rank, parts), "axis",
		 0);
	return to;
}

void export_reshape(struct graph_exporter *exporter,
		    const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_shape *shape = export_output_shape(exporter, node);
	int64_t dims[GRAPH_MAX_RANK];
	const char *target;
	int open = 0;

	for (int i = 0; i < shape->rank; i++) {
		bool computed = is_computed(exporter, node, i);

		dims[i] = dimension_is_number(shape->dims[i]) ? shape->dims[i] :
			  computed			      ? -1 :
								0;
		open += computed;
	}
	target = open > 1 ? compute_shape(exporter, node, dims) :
			    onnx_vector_i64(builder, (size_t)shape->rank, dims);
	ONNX_NODE(builder, "Reshape", export_output(exporter, node, 0),
		  export_input(exporter, node, 0), target);
}

void export_transpose(struct graph_exporter *exporter,
		      const struct graph_node *node)
{
	int rank = export_input_shape(exporter, node)->rank;
	int64_t perm[GRAPH_MAX_RANK];

	for (int i = 0; i < rank; i++)
		perm[i] = node->transpose.perm[i];
	onnx_ints(&exporter->builder,
		  ONNX_NODE(&exporter->builder, "Transpose",
			    export_output(exporter, node, 0),
			    export_input(exporter, node, 0)),
		  "perm", (size_t)rank, perm);
}

/* ---- images ---- */

void export_depth_to_space(struct graph_exporter *exporter,
			   const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	Onnx__NodeProto *proto = ONNX_NODE(builder, "DepthToSpace",
					   export_output(exporter, node, 0),
					   export_input(exporter, node, 0));

	onnx_int(builder, proto, "blocksize", node->depth_to_space.block);
	onnx_string(builder, proto, "mode",
		    node->depth_to_space.crd ? "CRD" : "DCR");
}

void export_resize(struct graph_exporter *exporter,
		   const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const int64_t *scale = node->resize.scale;
	const int64_t dims[1] = { 4 };
	const float scales[4] = { 1, 1, (float)scale[0], (float)scale[1] };
	const struct onnx_values values = { ONNX_TYPE(FLOAT), 1, dims, scales,
					    sizeof(scales) };
	Onnx__NodeProto *proto =
		ONNX_NODE(builder, "Resize", export_output(exporter, node, 0),
			  export_input(exporter, node, 0), "",
			  onnx_constant(builder, "scales", &values));

	onnx_string(builder, proto, "mode", "nearest");
	onnx_string(builder, proto, "coordinate_transformation_mode",
		    "asymmetric");
	onnx_string(builder, proto, "nearest_mode", "floor");
}
