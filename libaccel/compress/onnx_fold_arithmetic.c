/* SPDX-License-Identifier: MIT */
/* Constants from constants, element by element. */
#include <compress/graph_shape.h>
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

enum binary {
	BINARY_ADD,
	BINARY_SUB,
	BINARY_MUL,
	BINARY_DIV,
	BINARY_POW,
	BINARY_MIN,
	BINARY_MAX,
	BINARY_EQUAL,
	BINARY_LESS,
	BINARY_GREATER,
	BINARY_AND,
	BINARY_OR,
};

static const char *const binary_names[] = { "Add",  "Sub",     "Mul", "Div",
					    "Pow",  "Min",     "Max", "Equal",
					    "Less", "Greater", "And", "Or" };

/* Of a name that the operator table has sent here: it is one of them. */
static int find_name(const char *const *names, int count, const char *name)
{
	int i = 0;

	while (i < count - 1 && strcmp(names[i], name))
		i++;
	return i;
}

/* In binary64, rounded once by the caller. */
static double real_binary(enum binary binary, double a, double b)
{
	switch (binary) {
	case BINARY_ADD:
		return a + b;
	case BINARY_SUB:
		return a - b;
	case BINARY_MUL:
		return a * b;
	case BINARY_DIV:
		return a / b;
	case BINARY_POW:
		return pow(a, b);
	case BINARY_MIN:
		return fmin(a, b);
	case BINARY_MAX:
		return fmax(a, b);
	case BINARY_EQUAL:
		return a == b;
	case BINARY_LESS:
		return a < b;
	case BINARY_GREATER:
		return a > b;
	case BINARY_AND:
		return a != 0 && b != 0;
	default:
		return a != 0 || b != 0;
	}
}

/* Of two known numbers; from 2⁵³ on binary64 skips integers, so those are refused. */
static int64_t number_binary(struct dimension_table *table, enum binary binary,
			     int64_t a, int64_t b)
{
	double value = real_binary(binary, (double)a, (double)b);

	if (!(fabs(value) < 9007199254740992.0))
		return DIMENSION_INVALID;
	return dimension_from_double(table, value);
}

/* A dimension is neither zero nor negative. */
static int64_t expression_equal(int64_t a, int64_t b)
{
	if (a == b)
		return 1;
	if ((dimension_is_number(a) && a <= 0) ||
	    (dimension_is_number(b) && b <= 0))
		return 0;
	return DIMENSION_INVALID;
}

/*
 * What exporters compute of sizes that the run decides stays an expression of them; only
 * sums, products and quotients have one.
 */
static int64_t expression_binary(struct dimension_table *table,
				 enum binary binary, int64_t a, int64_t b,
				 bool real)
{
	int64_t quotient;

	switch (binary) {
	case BINARY_ADD:
		return dimension_add(table, a, b);
	case BINARY_SUB:
		return dimension_subtract(table, a, b);
	case BINARY_MUL:
		return dimension_multiply(table, a, b);
	case BINARY_DIV:
		quotient = dimension_divide(table, a, b);
		if (real)
			return quotient;
		/* integers divide toward zero */
		if (dimension_is_number(a) && dimension_is_number(b) &&
		    (a < 0) != (b < 0))
			return dimension_ceil(table, quotient);
		return dimension_floor(table, quotient);
	default:
		break;
	}
	if (dimension_is_number(a) && dimension_is_number(b))
		return number_binary(table, binary, a, b);
	return binary == BINARY_EQUAL ? expression_equal(a, b) :
					DIMENSION_INVALID;
}

/* Walks over the elements of a shape with up to three operands. */
struct broadcast {
	struct graph_shape shape;
	int64_t index[GRAPH_MAX_RANK];
	int64_t stride[3][GRAPH_MAX_RANK];
	int64_t at[3];
};

/*
 * An axis of one element has stride 0: its element is read again and again. A splat has no
 * other strides.
 */
static void broadcast_operand(struct broadcast *broadcast, int operand,
			      const struct onnx_value *value)
{
	int shift = broadcast->shape.rank - value->shape.rank;
	int64_t stride = 1;

	if (value->splat)
		return;
	for (int i = value->shape.rank - 1; i >= 0; i--) {
		if (value->shape.dims[i] != 1)
			broadcast->stride[operand][i + shift] = stride;
		stride *= value->shape.dims[i];
	}
}

/*
 * Like a mileage counter: the last axis counts, and one that is full starts anew and
 * carries into the one before.
 */
static void broadcast_next(struct broadcast *broadcast)
{
	for (int i = broadcast->shape.rank - 1; i >= 0; i--) {
		bool wrap = ++broadcast->index[i] >= broadcast->shape.dims[i];

		for (int j = 0; j < 3; j++)
			broadcast->at[j] +=
				wrap ? -broadcast->stride[j][i] *
						(broadcast->shape.dims[i] - 1) :
				       broadcast->stride[j][i];
		if (!wrap)
			return;
		broadcast->index[i] = 0;
	}
}

/*
 * The result of an element-wise operator: stored as one element where all
 * operands are one, so that constants of unknown size work too.
 */
static int result_prepare(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct graph_shape *shape, bool splat,
			  bool reals, struct onnx_value *result)
{
	struct graph_shape one = { 0 };
	int ret;

	result->name = onnx_output_name(node);
	if (!splat && (graph_shape_count(shape) < 0 ||
		       graph_shape_count(shape) > ONNX_FOLD_LIMIT))
		return onnx_unsupported(node, "a constant of this size");
	ret = reals ? onnx_value_reals(context, splat ? &one : shape, result) :
		      onnx_value_integers(context, splat ? &one : shape,
					  result);
	result->shape = *shape;
	result->splat = splat && shape->rank > 0;
	return ret;
}

static int binary_fill(struct onnx_context *context,
		       const struct onnx_node *node, enum binary binary,
		       const struct onnx_value *a, const struct onnx_value *b,
		       struct onnx_value *result)
{
	struct broadcast broadcast = { .shape = result->shape };
	bool real = a->real || b->real;

	broadcast_operand(&broadcast, 0, a);
	broadcast_operand(&broadcast, 1, b);
	for (int64_t i = 0; i < result->count; i++) {
		int64_t j = broadcast.at[0], k = broadcast.at[1];

		if (result->reals && a->reals && b->reals) {
			result->reals[i] =
				(float)real_binary(binary, (double)a->reals[j],
						   (double)b->reals[k]);
		} else {
			result->integers[i] = expression_binary(
				context->table, binary,
				onnx_value_expression(context, a, j),
				onnx_value_expression(context, b, k), real);
			if (result->integers[i] == DIMENSION_INVALID)
				return onnx_unsupported(
					node,
					"this arithmetic on the sizes of the "
					"input");
		}
		if (!result->splat)
			broadcast_next(&broadcast);
	}
	return 0;
}

/* Comparisons and logic yield integers, whatever they were asked about. */
static bool is_logic(enum binary binary)
{
	return binary >= BINARY_EQUAL;
}

int onnx_fold_binary(struct onnx_context *context, const struct onnx_node *node)
{
	enum binary binary =
		(enum binary)find_name(binary_names, 12, node->proto->op_type);
	const struct onnx_value *a = onnx_input(context, node, 0);
	const struct onnx_value *b = a ? onnx_input(context, node, 1) : NULL;
	struct onnx_value result;
	struct graph_shape shape;
	bool splat, reals;
	int ret;

	if (!a || !b)
		return -EINVAL;
	if (!graph_shape_broadcast(&a->shape, &b->shape, &shape))
		return onnx_invalid(node, "its constants' shapes do not fit");
	splat = (a->splat || b->splat) && a->count == 1 && b->count == 1;
	reals = a->reals && b->reals && !is_logic(binary);
	ret = result_prepare(context, node, &shape, splat, reals, &result);
	if (ret)
		return ret;
	result.real = (a->real || b->real) && !is_logic(binary);
	ret = binary_fill(context, node, binary, a, b, &result);
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

enum unary {
	UNARY_FLOOR,
	UNARY_CEIL,
	UNARY_ROUND,
	UNARY_SQRT,
	UNARY_NEG,
	UNARY_ABS,
	UNARY_EXP,
	UNARY_RECIPROCAL,
	UNARY_NOT,
};

static const char *const unary_names[] = { "Floor", "Ceil",	  "Round",
					   "Sqrt",  "Neg",	  "Abs",
					   "Exp",   "Reciprocal", "Not" };

static double real_unary(enum unary unary, double x)
{
	switch (unary) {
	case UNARY_FLOOR:
		return floor(x);
	case UNARY_CEIL:
		return ceil(x);
	case UNARY_ROUND:
		/* halves to even: ONNX wants it, and the default mode does it */
		return nearbyint(x);
	case UNARY_SQRT:
		return sqrt(x);
	case UNARY_NEG:
		return -x;
	case UNARY_ABS:
		return fabs(x);
	case UNARY_EXP:
		return exp(x);
	case UNARY_RECIPROCAL:
		return 1 / x;
	default:
		return x == 0;
	}
}

/* Roots and exponentials have no expressions: they are taken of known numbers alone. */
static int64_t expression_unary(struct dimension_table *table, enum unary unary,
				int64_t x)
{
	double value;

	switch (unary) {
	case UNARY_FLOOR:
		return dimension_floor(table, x);
	case UNARY_CEIL:
		return dimension_ceil(table, x);
	case UNARY_NEG:
		return dimension_subtract(table, 0, x);
	case UNARY_RECIPROCAL:
		return dimension_divide(table, 1, x);
	default:
		if (!dimension_to_double(table, x, &value))
			return DIMENSION_INVALID;
		return dimension_from_double(table, real_unary(unary, value));
	}
}

int onnx_fold_unary(struct onnx_context *context, const struct onnx_node *node)
{
	enum unary unary =
		(enum unary)find_name(unary_names, 9, node->proto->op_type);
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result;
	int ret;

	if (!x)
		return -EINVAL;
	ret = result_prepare(context, node, &x->shape, x->splat,
			     x->reals != NULL, &result);
	if (ret)
		return ret;
	result.real = x->real;
	for (int64_t i = 0; i < result.count; i++) {
		if (x->reals)
			result.reals[i] =
				(float)real_unary(unary, (double)x->reals[i]);
		else
			result.integers[i] = expression_unary(
				context->table, unary, x->integers[i]);
		if (!x->reals && result.integers[i] == DIMENSION_INVALID)
			return onnx_unsupported(
				node,
				"this arithmetic on the sizes of the input");
	}
	return onnx_bind_output(context, node, 0, &result);
}

static bool type_is_real(int64_t type)
{
	return type == TYPE(FLOAT) || type == TYPE(DOUBLE) ||
	       type == TYPE(FLOAT16) || type == TYPE(BFLOAT16);
}

/* Reals to integers, toward zero. */
static int cast_to_integers(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct onnx_value *x,
			    struct onnx_value *result)
{
	int ret = result_prepare(context, node, &x->shape, x->splat, false,
				 result);

	for (int64_t i = 0; i < result->count && !ret; i++) {
		if (x->integers)
			result->integers[i] =
				dimension_floor(context->table, x->integers[i]);
		else if (fabsf(x->reals[i]) < 4e18f)
			result->integers[i] = (int64_t)x->reals[i];
		else
			ret = onnx_invalid(node, "%f is not an integer",
					   (double)x->reals[i]);
	}
	return ret;
}

/* Integers to reals; expressions stay what they are, marked as real. */
static int cast_to_reals(struct onnx_context *context,
			 const struct onnx_node *node,
			 const struct onnx_value *x, struct onnx_value *result)
{
	struct onnx_value reals;
	double number;
	int ret;

	*result = *x;
	result->real = true;
	for (int64_t i = 0; i < x->count; i++)
		if (!dimension_is_number(x->integers[i]))
			return 0;
	ret = result_prepare(context, node, &x->shape, x->splat, true, &reals);
	for (int64_t i = 0; i < x->count && !ret; i++)
		if (onnx_value_number(context, x, i, &number))
			reals.reals[i] = (float)number;
	*result = reals;
	return ret;
}

/* Whether a number is an integer decides how Div rounds. */
int onnx_fold_cast(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result;
	int64_t to = 0;
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "to", &to);
	if (ret)
		return ret;
	result = *x;
	if (type_is_real(to) && !x->real)
		ret = cast_to_reals(context, node, x, &result);
	else if (!type_is_real(to) && x->real)
		ret = cast_to_integers(context, node, x, &result);
	if (ret)
		return ret;
	result.tensor = GRAPH_NO_TENSOR;
	return onnx_bind_output(context, node, 0, &result);
}

/* torch.expand() chooses between sizes with it. */
int onnx_fold_where(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *inputs[3];
	struct broadcast broadcast = { 0 };
	struct graph_shape shape;
	struct onnx_value result;
	int ret;

	for (size_t i = 0; i < 3; i++) {
		inputs[i] = onnx_input(context, node, i);
		if (!inputs[i])
			return -EINVAL;
	}
	if (!inputs[0]->integers || !inputs[1]->integers ||
	    !inputs[2]->integers)
		return onnx_unsupported(node, "anything but integers");
	if (!graph_shape_broadcast(&inputs[0]->shape, &inputs[1]->shape,
				   &shape) ||
	    !graph_shape_broadcast(&shape, &inputs[2]->shape, &broadcast.shape))
		return onnx_invalid(node, "its constants' shapes do not fit");
	ret = result_prepare(context, node, &broadcast.shape, false, false,
			     &result);
	if (ret)
		return ret;
	for (int i = 0; i < 3; i++)
		broadcast_operand(&broadcast, i, inputs[i]);
	for (int64_t i = 0; i < result.count; i++) {
		int from = inputs[0]->integers[broadcast.at[0]] ? 1 : 2;

		result.integers[i] = inputs[from]->integers[broadcast.at[from]];
		broadcast_next(&broadcast);
	}
	return onnx_bind_output(context, node, 0, &result);
}

/* ReduceProd and ReduceSum of a list: sizes of flattened tensors. */
int onnx_fold_reduce(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input_integers(context, node, 0);
	bool product = !strcmp(node->proto->op_type, "ReduceProd");
	struct graph_shape shape = { 1, { 1 } };
	int64_t keep = 1, total = product;
	struct onnx_value result;
	int ret;

	if (!x)
		return -ENOTSUP;
	ret = onnx_attribute_integer(node, "keepdims", &keep);
	if (ret)
		return ret;
	for (int64_t i = 0; i < x->count; i++)
		total = product ? dimension_multiply(context->table, total,
						     x->integers[i]) :
				  dimension_add(context->table, total,
						x->integers[i]);
	shape.rank = keep ? x->shape.rank : 0;
	result.name = onnx_output_name(node);
	ret = onnx_value_integers(context, &shape, &result);
	if (ret)
		return ret;
	result.integers[0] = total;
	return onnx_bind_output(context, node, 0, &result);
}

/* The product of two matrices or vectors: the norm in spectral normalization. */
int onnx_fold_matmul(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *a = onnx_input_weight(context, node, 0);
	const struct onnx_value *b = a ? onnx_input_weight(context, node, 1) :
					 NULL;
	struct onnx_value result = { .name = onnx_output_name(node) };
	struct graph_shape shape = { 0 };
	int64_t rows, inner, columns;
	int ret;

	if (!b)
		return -ENOTSUP;
	if (a->shape.rank < 1 || a->shape.rank > 2 || b->shape.rank < 1 ||
	    b->shape.rank > 2)
		return onnx_unsupported(node, "constants of these ranks");
	inner = b->shape.dims[0];
	rows = a->shape.rank == 2 ? a->shape.dims[0] : 1;
	columns = b->shape.rank == 2 ? b->shape.dims[1] : 1;
	if (a->shape.dims[a->shape.rank - 1] != inner)
		return onnx_invalid(node, "its constants do not fit");
	if (a->shape.rank == 2)
		shape.dims[shape.rank++] = rows;
	if (b->shape.rank == 2)
		shape.dims[shape.rank++] = columns;
	ret = onnx_value_reals(context, &shape, &result);
	for (int64_t i = 0; i < result.count && !ret; i++) {
		const float *row = a->reals + i / columns * inner;
		double sum = 0;

		for (int64_t k = 0; k < inner; k++)
			sum += (double)row[k] *
			       (double)b->reals[k * columns + i % columns];
		result.reals[i] = (float)sum;
	}
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}
