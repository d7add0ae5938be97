/* SPDX-License-Identifier: MIT */
#include <compress/low_rank.h>

#include <compress/blas.h>
#include <compress/graph.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dgesvd_(const char *left_job, const char *right_job, const int *rows,
	     const int *columns, double *a, const int *stride, double *values,
	     double *left, const int *left_stride, double *right,
	     const int *right_stride, double *work, const int *work_size,
	     int *info);

/**
 * struct factors - W = left·right, each with the root of the singular values
 * @rows: of W
 * @columns: of W
 * @rank: r
 * @left: [@rows][@rank]
 * @right: [@rank][@columns]
 */
struct factors {
	int rows;
	int columns;
	int rank;
	float *left;
	float *right;
};

int low_rank_parse(const char *text, struct low_rank *low_rank)
{
	char *end;
	double value = strtod(text, &end);

	*low_rank = (struct low_rank){ .rank = 0 };
	if (end == text || *end || !(value > 0) || value > INT_MAX ||
	    (value >= 1 && value != floor(value)))
		return accel_error(
			-EINVAL,
			"%s: a rank is a whole number, a ratio is between 0 and 1",
			text);
	if (value >= 1)
		low_rank->rank = (int64_t)value;
	else
		low_rank->ratio = value;
	return 0;
}

/* The rank, or 0 where two layers would not be smaller than the one. */
static int64_t choose_rank(const struct low_rank *low_rank, int64_t rows,
			   int64_t columns)
{
	int64_t rank = low_rank->rank;

	if (!rank)
		rank = (int64_t)(low_rank->ratio * (double)rows *
				 (double)columns / (double)(rows + columns));
	if (!low_rank->rank && rank < 1)
		rank = 1;
	return (double)rank * (double)(rows + columns) <
			       (double)rows * (double)columns ?
		       rank :
		       0;
}

/* ---- the factors ---- */

/*
 * LAPACK counts by columns: our W is its Wᵀ, so that its left vectors are rows of ours
 * and its right ones columns. Both come out in the order of our rows.
 */
static int decompose(double *w, int rows, int columns, double *values,
		     double *row_vectors, double *column_vectors)
{
	const int least = rows < columns ? rows : columns;
	double best;
	double *work;
	int size = -1;
	int info;

	dgesvd_("S", "S", &columns, &rows, w, &columns, values, row_vectors,
		&columns, column_vectors, &least, &best, &size, &info);
	if (info || best >= INT_MAX)
		return accel_error(-EOVERFLOW,
				   "%d x %d is too large for LAPACK", rows,
				   columns);
	size = (int)best;
	work = malloc((size_t)size * sizeof(*work));
	if (!work)
		return -ENOMEM;
	dgesvd_("S", "S", &columns, &rows, w, &columns, values, row_vectors,
		&columns, column_vectors, &least, work, &size, &info);
	free(work);
	return info ? accel_error(-EINVAL,
				  "singular values of %d x %d do not converge",
				  rows, columns) :
		      0;
}

static void truncate_factors(const struct factors *factors, int least,
			     const double *values, const double *row_vectors,
			     const double *column_vectors)
{
	const size_t rank = (size_t)factors->rank;
	const size_t columns = (size_t)factors->columns;

	for (size_t i = 0; i < rank; i++) {
		double root = sqrt(values[i]);

		for (size_t r = 0; r < (size_t)factors->rows; r++)
			factors->left[r * rank + i] =
				(float)(root *
					column_vectors[r * (size_t)least + i]);
		for (size_t c = 0; c < columns; c++)
			factors->right[i * columns + c] =
				(float)(root * row_vectors[i * columns + c]);
	}
}

static void release_factors(struct factors *factors)
{
	free(factors->left);
	free(factors->right);
}

/* @factors: its sizes are known, its values are wanted */
static int factor(struct factors *factors, const float *weights)
{
	const int least = factors->rows < factors->columns ? factors->rows :
							     factors->columns;
	const size_t rows = (size_t)factors->rows;
	const size_t columns = (size_t)factors->columns;
	double *w = calloc(rows * columns, sizeof(*w));
	double *values = calloc((size_t)least, sizeof(*values));
	double *row_vectors = calloc((size_t)least * columns, sizeof(double));
	double *column_vectors = calloc((size_t)least * rows, sizeof(double));
	int ret = -ENOMEM;

	factors->left = calloc(rows * (size_t)factors->rank, sizeof(float));
	factors->right = calloc(columns * (size_t)factors->rank, sizeof(float));
	if (w && values && row_vectors && column_vectors && factors->left &&
	    factors->right) {
		for (size_t i = 0; i < rows * columns; i++)
			w[i] = (double)weights[i];
		ret = decompose(w, factors->rows, factors->columns, values,
				row_vectors, column_vectors);
	}
	if (!ret)
		truncate_factors(factors, least, values, row_vectors,
				 column_vectors);
	free(w);
	free(values);
	free(row_vectors);
	free(column_vectors);
	return ret;
}

/* ---- the graph ---- */

/* Convolutions between channels alone. */
static const struct graph_conv pointwise = {
	.kernel = { 1, 1 },
	.stride = { 1, 1 },
	.dilation = { 1, 1 },
	.group = 1,
};

/* U as [rank][rows]: the first layer of a transposed convolution. */
static void transpose_left(struct factors *factors, float *transposed)
{
	const size_t rank = (size_t)factors->rank;
	const size_t rows = (size_t)factors->rows;

	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < rank; i++)
			transposed[i * rows + r] = factors->left[r * rank + i];
	memcpy(factors->left, transposed, rank * rows * sizeof(float));
}

/* Both factors become constants of the shapes that their layers have. */
static int add_factors(struct graph *graph, const struct graph_node *node,
		       const struct factors *factors, int *left, int *right)
{
	const char *name = graph->tensors[node->inputs[1]].name;
	struct graph_shape wide = graph->tensors[node->inputs[1]].shape;
	struct graph_shape narrow = { .rank = wide.rank };
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	char *text;

	wide.dims[0] = factors->rank;
	for (int i = 2; i < narrow.rank; i++)
		narrow.dims[i] = 1;
	narrow.dims[0] = transposed ? factors->rank : factors->rows;
	narrow.dims[1] = transposed ? factors->rows : factors->rank;
	if (asprintf(&text, "%s.low_rank", name) < 0)
		return -ENOMEM;
	*left = graph_add_constant(graph, text, &narrow, factors->left);
	*right = graph_add_constant(graph, text, &wide, factors->right);
	free(text);
	return *left < 0 ? *left : *right < 0 ? *right : 0;
}

/* The tensor between the two: as many channels as the rank. */
static int add_middle(struct graph *graph, const struct graph_node *node,
		      int64_t rank)
{
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	const struct graph_tensor *like =
		&graph->tensors[transposed ? node->inputs[0] : node->outputs[0]];
	struct graph_shape shape = like->shape;
	char *name;
	int tensor;

	shape.dims[node->op == GRAPH_GEMM ? shape.rank - 1 : 1] = rank;
	if (asprintf(&name, "%s.low_rank",
		     graph->tensors[node->outputs[0]].name) < 0)
		return -ENOMEM;
	tensor = graph_add_tensor(graph, name, &shape);
	free(name);
	return tensor;
}

/*
 * V first, which has the kernel, and U behind it; of a transposed convolution, whose
 * rows are its inputs, U first.
 */
static int put_before(struct graph *graph, int index,
		      const struct factors *factors)
{
	const struct graph_node old = graph->nodes[index];
	bool transposed = old.op == GRAPH_CONV_TRANSPOSE;
	int left, right;
	int middle = add_middle(graph, &old, factors->rank);
	int ret = middle < 0 ? middle :
			       add_factors(graph, &old, factors, &left, &right);
	int inputs[2] = { old.inputs[0], 0 };

	if (ret)
		return ret;
	inputs[1] = transposed ? left : right;
	ret = graph_add_node(graph, transposed ? GRAPH_CONV : old.op,
			     graph->tensors[middle].name, inputs, 2, &middle,
			     1);
	if (ret < 0)
		return ret;
	if (old.op != GRAPH_GEMM)
		graph->nodes[ret].conv = transposed ? pointwise : old.conv;
	if (old.op == GRAPH_CONV)
		graph->nodes[index].conv = pointwise;
	graph->nodes[index].inputs[0] = middle;
	graph->nodes[index].inputs[1] = transposed ? right : left;
	return 0;
}

static bool may_split(const struct graph *graph, const struct graph_node *node)
{
	return graph_op_is_linear(node->op) && !node->structural &&
	       (node->op == GRAPH_GEMM || node->conv.group == 1) &&
	       graph_tensor_use_count(graph, node->inputs[1]) == 1;
}

static int check_weights(const struct graph_tensor *weights, int64_t count)
{
	if (weights->quantization)
		return accel_error(
			-ENOTSUP,
			"%s is quantized already: a low rank is for the network before that",
			weights->name);
	for (int64_t i = 0; i < count; i++)
		if (!isfinite(weights->data[i]))
			return accel_error(-EINVAL, "%s is not finite",
					   weights->name);
	return 0;
}

static int split_node(struct graph *graph, int index,
		      const struct low_rank *low_rank, int *count)
{
	const struct graph_node *node = &graph->nodes[index];
	const struct graph_tensor *weights = &graph->tensors[node->inputs[1]];
	int64_t all = graph_shape_count(&weights->shape);
	int64_t rows = weights->shape.dims[0];
	struct factors factors = { .rank = 0 };
	int64_t rank;
	int ret;

	if (all <= 0 || all / rows > INT_MAX || rows > INT_MAX)
		return 0;
	rank = choose_rank(low_rank, rows, all / rows);
	if (!rank)
		return 0;
	ret = check_weights(weights, all);
	if (ret)
		return ret;
	factors.rows = (int)rows;
	factors.columns = (int)(all / rows);
	factors.rank = (int)rank;
	ret = factor(&factors, weights->data);
	if (!ret && node->op == GRAPH_CONV_TRANSPOSE) {
		float *room = calloc((size_t)(rows * rank), sizeof(*room));

		ret = room ? 0 : -ENOMEM;
		if (room)
			transpose_left(&factors, room);
		free(room);
	}
	if (!ret)
		ret = put_before(graph, index, &factors);
	if (ret == -ENOMEM)
		accel_error(ret, "%s: no memory for a low rank",
			    graph->nodes[index].name);
	release_factors(&factors);
	*count += !ret;
	return ret;
}

int low_rank_split(struct graph *graph, const struct low_rank *low_rank,
		   int *count)
{
	int nodes = graph->node_count;
	int ret = blas_init();

	*count = 0;
	for (int i = 0; i < nodes && !ret; i++)
		if (may_split(graph, &graph->nodes[i]))
			ret = split_node(graph, i, low_rank, count);
	if (!ret && !*count)
		ret = accel_error(
			-ENOTSUP,
			"no layer gets smaller by that rank: give a lower one");
	return ret ? ret : graph_compact(graph);
}
