/* SPDX-License-Identifier: MIT */
/*
 * All products with a constant matrix become x·Wᵀ + b with W as [M, K], the layout
 * in which a row is an output, as pruning and the device see it. Factors go into
 * the constants, and a weight on the left turns the operands around.
 */
#include <compress/onnx_fold.h>
#include <compress/onnx_operator.h>
#include <compress/onnx_window.h>

#include <errno.h>
#include <string.h>

static const int swapped[2] = { 1, 0 };

/*
 * A constant matrix as the weight of our Gemm, [M, K]; transpose says that it is
 * stored as [K, M]. factor goes into the values.
 */
static int weight_tensor(struct onnx_context *context,
			 const struct onnx_node *node, size_t input,
			 bool transpose, float factor)
{
	const struct onnx_value *value =
		onnx_input_weight(context, node, input);
	const struct graph_quantization *quantization;
	struct onnx_value weight;
	float *reals;
	int ret;

	if (!value)
		return -ENOTSUP;
	weight = *value;
	/* leading axes of length 1 say nothing */
	while (weight.shape.rank > 2 && weight.shape.dims[0] == 1)
		memmove(weight.shape.dims, weight.shape.dims + 1,
			sizeof(*weight.shape.dims) *
				(size_t)--weight.shape.rank);
	if (weight.shape.rank != 2)
		return onnx_unsupported(node, "a constant that is no matrix");
	if (value->shape.rank != 2)
		weight.quantization = NULL;
	if (transpose) {
		struct onnx_value turned;

		ret = onnx_constant_transpose(context, node, &weight, swapped,
					      &turned);
		if (ret)
			return ret;
		weight = turned;
	} else if (factor == 1 && value->shape.rank == 2) {
		return onnx_input_tensor(context, node, input);
	}
	reals = weight.reals;
	quantization = factor == 1 ? weight.quantization : NULL;
	if (factor != 1) {
		reals = onnx_allocate(context, weight.count, sizeof(*reals));
		for (int64_t i = 0; reals && i < weight.count; i++)
			reals[i] = weight.reals[i] * factor;
		if (!reals)
			return -ENOMEM;
	}
	return onnx_add_constant(context, value->name, &weight.shape, reals,
				 quantization);
}

/* Exchange the last two axes. */
static int emit_swap(struct onnx_context *context, const struct onnx_node *node,
		     int tensor)
{
	int rank = context->shapes[tensor].rank;
	int perm[GRAPH_MAX_RANK];

	if (rank < 2)
		return onnx_unsupported(node, "a vector on the right");
	for (int i = 0; i < rank; i++)
		perm[i] = i;
	perm[rank - 1] = rank - 2;
	perm[rank - 2] = rank - 1;
	return onnx_emit_transpose(context, node, tensor, perm,
				   onnx_output_name(node));
}

/* Gemm's C, times beta, as a vector; GRAPH_NO_TENSOR if it is no row. */
static int bias_tensor(struct onnx_context *context,
		       const struct onnx_node *node, int64_t rows, float beta)
{
	const struct onnx_value *c = onnx_input(context, node, 2);
	int rank;
	float *reals;

	if (!c)
		return -EINVAL;
	rank = c->shape.rank;
	if (!c->constant || rank > 2 || (rank == 2 && c->shape.dims[0] != 1) ||
	    (rank && c->shape.dims[rank - 1] != 1 &&
	     c->shape.dims[rank - 1] != rows))
		return GRAPH_NO_TENSOR;
	if (beta == 1 && rank == 1 && c->shape.dims[0] == rows && !c->splat)
		return onnx_input_tensor(context, node, 2);
	c = onnx_input_weight(context, node, 2);
	reals = c ? onnx_allocate(context, rows, sizeof(*reals)) : NULL;
	for (int64_t i = 0; reals && i < rows; i++)
		reals[i] = beta * c->reals[c->count == 1 ? 0 : i];
	return reals ? onnx_add_vector(context, c->name, rows, reals) : -ENOMEM;
}

/* A C that is computed, or differs from row to row. */
static int add_matrix(struct onnx_context *context,
		      const struct onnx_node *node, int product, float beta)
{
	struct graph_node add = { .op = GRAPH_ADD };
	struct graph_node affine = { .op = GRAPH_AFFINE };
	const float zero = 0;
	int inputs[3] = { onnx_input_tensor(context, node, 2), 0, 0 };

	if (inputs[0] < 0)
		return inputs[0];
	if (beta != 1) {
		inputs[1] = onnx_add_vector(context, "beta", 1, &beta);
		inputs[2] = onnx_add_vector(context, "zero", 1, &zero);
		if (inputs[1] < 0 || inputs[2] < 0)
			return -ENOMEM;
		inputs[0] = onnx_emit(context, node, &affine, inputs, 3,
				      onnx_output_name(node));
		if (inputs[0] < 0)
			return inputs[0];
	}
	inputs[1] = product;
	return onnx_emit_output(context, node, &add, inputs, 2);
}

struct gemm {
	float alpha;
	float beta;
	int64_t transpose_a;
	int64_t transpose_b;
};

static int gemm_read(const struct onnx_node *node, struct gemm *gemm)
{
	int ret;

	*gemm = (struct gemm){ 1, 1, 0, 0 };
	ret = onnx_attribute_real(node, "alpha", &gemm->alpha);
	if (!ret)
		ret = onnx_attribute_real(node, "beta", &gemm->beta);
	if (!ret)
		ret = onnx_attribute_integer(node, "transA",
					     &gemm->transpose_a);
	if (!ret)
		ret = onnx_attribute_integer(node, "transB",
					     &gemm->transpose_b);
	return ret;
}

/* A·B with the weight on either side; of a left one the result is turned. */
static int product_emit(struct onnx_context *context,
			const struct onnx_node *node, const struct gemm *gemm,
			bool left, const int *bias, int bias_count)
{
	struct graph_node template = { .op = GRAPH_GEMM };
	bool turn = left ? !gemm->transpose_b : gemm->transpose_a;
	int inputs[3], tensor;

	inputs[0] = onnx_input_tensor(context, node, left);
	if (inputs[0] < 0)
		return inputs[0];
	if (turn)
		inputs[0] = emit_swap(context, node, inputs[0]);
	if (inputs[0] < 0)
		return inputs[0];
	inputs[1] = weight_tensor(context, node, !left,
				  left ? gemm->transpose_a : !gemm->transpose_b,
				  gemm->alpha);
	if (inputs[1] < 0)
		return inputs[1];
	if (bias_count)
		inputs[2] = *bias;
	tensor = onnx_emit(context, node, &template, inputs, 2 + bias_count,
			   onnx_output_name(node));
	if (left && tensor >= 0)
		tensor = emit_swap(context, node, tensor);
	return tensor;
}

/* Which operand is the weight: 0 the left one, 1 the right one, or -errno. */
static int weight_side(struct onnx_context *context,
		       const struct onnx_node *node)
{
	const struct onnx_value *a = onnx_input(context, node, 0);
	const struct onnx_value *b = a ? onnx_input(context, node, 1) : NULL;

	if (!b)
		return -EINVAL;
	if (b->constant)
		return 1;
	if (a->constant)
		return 0;
	return onnx_unsupported(node, "the product of two computed matrices");
}

static int gemm_rows(struct onnx_context *context, const struct onnx_node *node,
		     const struct gemm *gemm, int64_t *rows)
{
	const struct onnx_value *b = onnx_input(context, node, 1);

	if (b->shape.rank != 2)
		return onnx_invalid(node, "its weight is no matrix");
	*rows = b->shape.dims[gemm->transpose_b ? 0 : 1];
	return 0;
}

int onnx_import_gemm(struct onnx_context *context, const struct onnx_node *node)
{
	int side = weight_side(context, node);
	int bias = GRAPH_NO_TENSOR, tensor, ret;
	struct gemm gemm;
	int64_t rows = 0;

	if (side < 0)
		return side;
	ret = gemm_read(node, &gemm);
	if (!ret && side && onnx_has_input(node, 2)) {
		ret = gemm_rows(context, node, &gemm, &rows);
		bias = ret ? ret : bias_tensor(context, node, rows, gemm.beta);
	}
	if (ret || (bias < 0 && bias != GRAPH_NO_TENSOR))
		return ret ? ret : bias;
	tensor = product_emit(context, node, &gemm, !side, &bias,
			      bias != GRAPH_NO_TENSOR);
	if (tensor < 0)
		return tensor;
	if (onnx_has_input(node, 2) && bias == GRAPH_NO_TENSOR)
		return add_matrix(context, node, tensor, gemm.beta);
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* x·w with a constant vector w: a Gemm of one row, its axis dropped. */
static int matmul_vector(struct onnx_context *context,
			 const struct onnx_node *node)
{
	struct graph_node template = { .op = GRAPH_GEMM };
	const struct onnx_value *vector = onnx_input_weight(context, node, 1);
	struct graph_shape shape = { 2, { 1, 0 } };
	int inputs[2], tensor;

	inputs[0] = onnx_input_tensor(context, node, 0);
	if (!vector || inputs[0] < 0)
		return -ENOTSUP;
	shape.dims[1] = vector->count;
	inputs[1] = onnx_add_constant(context, vector->name, &shape,
				      vector->reals, NULL);
	if (inputs[1] < 0)
		return inputs[1];
	tensor = onnx_emit(context, node, &template, inputs, 2,
			   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	shape = context->shapes[tensor];
	shape.rank--;
	tensor = onnx_emit_reshape(context, node, tensor, &shape,
				   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

int onnx_import_matmul(struct onnx_context *context,
		       const struct onnx_node *node)
{
	static const struct gemm plain = { 1, 1, 0, 0 };
	int side = weight_side(context, node);
	int tensor;

	if (side < 0)
		return side;
	if (side && onnx_input(context, node, 1)->shape.rank == 1)
		return matmul_vector(context, node);
	tensor = product_emit(context, node, &plain, !side, NULL, 0);
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* What a tensor is the result of, if that is of an operator. */
static const struct graph_node *result_of(const struct onnx_context *context,
					  int tensor, enum graph_op op)
{
	int producer = context->graph->tensors[tensor].producer;

	if (producer < 0 || context->graph->nodes[producer].op != op)
		return NULL;
	return &context->graph->nodes[producer];
}

/* Is the view of a quantized tensor quantized like that, or not at all? */
static bool same_codes(const struct onnx_context *context, int tensor, int view)
{
	const struct graph_quantization *a =
		context->graph->tensors[tensor].quantization;
	const struct graph_quantization *b =
		context->graph->tensors[view].quantization;

	return !b || (a && onnx_quantization_equal(a, b));
}

int onnx_part_steps(struct onnx_context *context, const struct onnx_node *node,
		    int tensor, const struct graph_shape *wanted)
{
	const struct graph_node *gemm = result_of(context, tensor, GRAPH_GEMM);
	const struct graph_node *merge =
		gemm ? result_of(context, gemm->inputs[0], GRAPH_RESHAPE) :
		       NULL;
	const struct graph_quantization *quantization =
		context->graph->tensors[tensor].quantization;
	struct graph_node template = { .op = GRAPH_GEMM };
	const struct graph_shape *whole, *merged;
	int inputs[3], result, ret;

	if (!merge || !same_codes(context, merge->inputs[0], gemm->inputs[0]))
		return GRAPH_NO_TENSOR;
	whole = &context->shapes[merge->inputs[0]];
	merged = &context->shapes[gemm->inputs[0]];
	if (whole->rank != 3 || merged->rank != 2 || wanted->rank != 3 ||
	    whole->dims[2] != merged->dims[1] ||
	    whole->dims[0] != wanted->dims[0] ||
	    whole->dims[1] != wanted->dims[1] ||
	    wanted->dims[2] != context->shapes[tensor].dims[1])
		return GRAPH_NO_TENSOR;
	memcpy(inputs, gemm->inputs, (size_t)gemm->input_count * sizeof(int));
	inputs[0] = merge->inputs[0];
	result = onnx_emit(context, node, &template, inputs, gemm->input_count,
			   onnx_output_name(node));
	if (result < 0 || !quantization)
		return result;
	ret = onnx_quantization_set(context, result, quantization);
	return ret ? ret : result;
}
