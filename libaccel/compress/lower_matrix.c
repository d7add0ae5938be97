/* SPDX-License-Identifier: MIT */
/*
 * Matrices of linear layers. In a transposed convolution of stride s the output row
 * y = s·p + φ gets tap ky from input row p + (φ + pad − ky·dilation) / s, where that
 * division is exact. So each phase φ is an ordinary convolution over p, and all of
 * them together are one, over the offsets that any phase reads, with zeros in the
 * places where a phase has no tap; in a sparse matrix these cost nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lower_matrix.h"
#include "core/checked.h"
#include "core/error.h"

/* Of a transposed convolution's stride, and of what its taps span. */
#define REACH_MAX 512

void lower_matrix_release(struct lower_matrix *matrix)
{
	free(matrix->row_start);
	free(matrix->column);
	free(matrix->value);
	free(matrix->bias);
	free(matrix->row_scale);
	memset(matrix, 0, sizeof(*matrix));
}

/* Room for the largest number of non-zeros; the rest is filled in row by row. */
static int matrix_create(struct lower_matrix *matrix, uint64_t rows,
			 uint64_t columns, uint64_t capacity)
{
	memset(matrix, 0, sizeof(*matrix));
	if (rows > MODEL_DIMENSION_MAX || columns > INT32_MAX ||
	    capacity > INT32_MAX)
		return accel_error(-EOVERFLOW,
				   "a matrix of %llu x %llu is too large",
				   (unsigned long long)rows,
				   (unsigned long long)columns);
	matrix->rows = (uint32_t)rows;
	matrix->columns = (uint32_t)columns;
	matrix->row_start = calloc(rows + 1, sizeof(*matrix->row_start));
	matrix->column = malloc((capacity + 1) * sizeof(*matrix->column));
	matrix->value = malloc((capacity + 1) * sizeof(*matrix->value));
	matrix->bias = calloc(rows + 1, sizeof(*matrix->bias));
	if (matrix->row_start && matrix->column && matrix->value &&
	    matrix->bias)
		return 0;
	lower_matrix_release(matrix);
	return accel_error(-ENOMEM, "out of memory for a matrix");
}

static void push(struct lower_matrix *matrix, int64_t *at, uint64_t column,
		 float value)
{
	matrix->column[*at] = (int32_t)column;
	matrix->value[(*at)++] = value;
}

static bool kept(const float *value, const uint8_t *keep, size_t at)
{
	return keep ? keep[at] : value[at] != 0;
}

int lower_matrix_dense(const struct lower_dense *dense,
		       struct lower_matrix *matrix)
{
	int64_t at = 0;
	int ret = matrix_create(matrix, dense->rows, dense->columns,
				(uint64_t)dense->rows * dense->columns);

	if (ret)
		return ret;
	for (size_t r = 0; r < dense->rows; r++) {
		for (size_t k = 0; k < dense->columns; k++) {
			size_t i = r * dense->columns + k;

			if (kept(dense->value, dense->keep, i))
				push(matrix, &at, k, dense->value[i]);
		}
		matrix->row_start[r + 1] = at;
	}
	matrix->dense_macs = (uint64_t)dense->rows * dense->columns;
	return 0;
}

int lower_matrix_record(const struct graph_quantization *recorded,
			uint32_t repeat, struct lower_matrix *matrix)
{
	bool usable = recorded && recorded->low >= -128 && recorded->low < 0 &&
		      recorded->high == 127;

	for (int64_t i = 0; usable && i < recorded->count; i++)
		usable = !recorded->zero_point[i];
	if (!usable ||
	    (recorded->count != 1 && recorded->count != matrix->rows / repeat))
		return 0;
	matrix->row_scale = malloc(matrix->rows * sizeof(float));
	if (!matrix->row_scale)
		return accel_error(-ENOMEM, "out of memory for a matrix");
	for (uint32_t r = 0; r < matrix->rows; r++)
		matrix->row_scale[r] =
			recorded->scale[recorded->count > 1 ? r / repeat : 0];
	return 0;
}

/* Are its rows single ones, as where a matrix stands for an operator that moves? */
static bool only_moves(const struct lower_matrix *matrix)
{
	for (uint32_t r = 0; r < matrix->rows; r++)
		if (matrix->row_start[r + 1] - matrix->row_start[r] > 1 ||
		    matrix->bias[r] != 0)
			return false;
	for (int64_t i = 0; i < matrix->row_start[matrix->rows]; i++)
		if (matrix->value[i] != 1)
			return false;
	return true;
}

/* Bias and recorded scales; row r is the element r / repeat of both. */
static int copy_rows(const struct graph *graph, const struct graph_node *node,
		     uint32_t repeat, struct lower_matrix *matrix)
{
	const float *bias = NULL;

	if (node->input_count > 2 && node->inputs[2] >= 0)
		bias = graph->tensors[node->inputs[2]].data;
	for (uint32_t r = 0; bias && r < matrix->rows; r++)
		matrix->bias[r] = bias[r / repeat];
	return lower_matrix_record(graph->tensors[node->inputs[1]].quantization,
				   repeat, matrix);
}

int lower_matrix_conv(const struct graph *graph, int index, const uint8_t *keep,
		      struct lower_matrix *matrix)
{
	const struct graph_node *node = &graph->nodes[index];
	const struct graph_tensor *weight = &graph->tensors[node->inputs[1]];
	bool conv = node->op == GRAPH_CONV;
	uint64_t rows = (uint64_t)weight->shape.dims[0];
	uint64_t group = conv ? (uint64_t)node->conv.group : 1;
	uint64_t columns = 1;
	int64_t at = 0;
	int ret;

	for (int i = 1; i < weight->shape.rank; i++)
		columns *= (uint64_t)weight->shape.dims[i];
	ret = matrix_create(matrix, rows, columns * group, rows * columns);
	if (ret)
		return ret;
	for (uint64_t r = 0; r < rows; r++) {
		uint64_t first = r / (rows / group) * columns;

		for (uint64_t k = 0; k < columns; k++)
			if (kept(weight->data, keep, r * columns + k))
				push(matrix, &at, first + k,
				     weight->data[r * columns + k]);
		matrix->row_start[r + 1] = at;
	}
	matrix->dense_macs = rows * columns;
	ret = copy_rows(graph, node, 1, matrix);
	matrix->identity = !ret && node->structural && only_moves(matrix);
	return ret;
}

/* One axis of a transposed convolution. */
struct phase_axis {
	int64_t kernel, stride, dilation, pad;
	int64_t first, last; /* offsets of the input that any phase reads */
};

/* The tap with which phase reads the input at offset, or −1. */
static int64_t phase_tap(const struct phase_axis *axis, int64_t phase,
			 int64_t offset)
{
	int64_t distance = phase + axis->pad - offset * axis->stride;

	if (distance < 0 || distance % axis->dilation)
		return -1;
	distance /= axis->dilation;
	return distance < axis->kernel ? distance : -1;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void find_offsets(struct phase_axis *axis)
{
	int64_t reach = (axis->kernel - 1) * axis->dilation;
	int64_t first = floor_divide(axis->pad - reach, axis->stride);
	int64_t last = floor_divide(axis->stride - 1 + axis->pad, axis->stride);

	axis->first = INT64_MAX;
	axis->last = INT64_MIN;
	for (int64_t offset = first; offset <= last; offset++)
		for (int64_t phase = 0; phase < axis->stride; phase++) {
			if (phase_tap(axis, phase, offset) < 0)
				continue;
			if (axis->first > offset)
				axis->first = offset;
			axis->last = offset;
		}
}

static uint64_t axis_taps(const struct phase_axis *axis)
{
	return (uint64_t)(axis->last - axis->first + 1);
}

static void set_window(const struct phase_axis axis[2], const int64_t extra[2],
		       struct model_window *window)
{
	/* P − H = ⌈extra / s⌉ − 1 */
	int64_t bottom =
		floor_divide(extra[0] + axis[0].stride - 1, axis[0].stride);
	int64_t right =
		floor_divide(extra[1] + axis[1].stride - 1, axis[1].stride);

	*window = (struct model_window){
		.kernel_height = (uint32_t)axis_taps(&axis[0]),
		.kernel_width = (uint32_t)axis_taps(&axis[1]),
		.stride_height = 1,
		.stride_width = 1,
		.dilation_height = 1,
		.dilation_width = 1,
		.pad_top = (int32_t)-axis[0].first,
		.pad_left = (int32_t)-axis[1].first,
		.pad_bottom = (int32_t)(bottom - 1 + axis[0].last),
		.pad_right = (int32_t)(right - 1 + axis[1].last),
	};
}

/* A transposed convolution's weight [C, M / group, kh, kw] while it is read. */
struct phase_reader {
	const float *value;
	const uint8_t *keep;
	uint64_t channels, outputs; /* C / group, M / group */
	struct phase_axis axis[2];
};

/* The row of one output channel and phase; channels of its group only. */
static void push_phase(const struct phase_reader *reader, uint64_t output,
		       int64_t phase_y, int64_t phase_x,
		       struct lower_matrix *matrix, int64_t *at)
{
	const struct phase_axis *y = &reader->axis[0], *x = &reader->axis[1];
	uint64_t taps = axis_taps(y) * axis_taps(x);
	uint64_t first = output / reader->outputs * reader->channels;

	for (uint64_t c = first; c < first + reader->channels; c++)
		for (uint64_t tap = 0; tap < taps; tap++) {
			int64_t oy = y->first + (int64_t)(tap / axis_taps(x));
			int64_t ox = x->first + (int64_t)(tap % axis_taps(x));
			int64_t ky = phase_tap(y, phase_y, oy);
			int64_t kx = phase_tap(x, phase_x, ox);
			uint64_t from;

			if (ky < 0 || kx < 0)
				continue;
			from = c * reader->outputs + output % reader->outputs;
			from = (from * (uint64_t)y->kernel + (uint64_t)ky) *
				       (uint64_t)x->kernel +
			       (uint64_t)kx;
			if (kept(reader->value, reader->keep, from))
				push(matrix, at, c * taps + tap,
				     reader->value[from]);
		}
}

static void read_axes(const struct graph_conv *conv, const int64_t pads[2],
		      struct phase_reader *reader)
{
	for (int i = 0; i < 2; i++) {
		reader->axis[i] = (struct phase_axis){
			.kernel = conv->kernel[i],
			.stride = conv->stride[i],
			.dilation = conv->dilation[i],
			.pad = pads[i],
		};
		find_offsets(&reader->axis[i]);
	}
}

/*
 * Every row looks at all offsets of the union. A file of a few bytes could ask for
 * so many of them, or of phases, that this never ends.
 */
static int check_reach(const struct graph_conv *conv)
{
	for (int i = 0; i < 2; i++) {
		int64_t reach = conv->kernel[i] * conv->dilation[i];

		if (conv->stride[i] > REACH_MAX ||
		    conv->kernel[i] > REACH_MAX ||
		    conv->dilation[i] > REACH_MAX || reach > REACH_MAX)
			return accel_error(
				-ENOTSUP,
				"a transposed convolution with stride %lld, kernel %lld and dilation %lld; up to %d is supported",
				(long long)conv->stride[i],
				(long long)conv->kernel[i],
				(long long)conv->dilation[i], REACH_MAX);
	}
	return 0;
}

int lower_matrix_conv_transpose(const struct graph *graph, int index,
				const uint8_t *keep, const int64_t pads[2],
				const int64_t extra[2],
				struct model_window *window,
				struct lower_matrix *matrix)
{
	const struct graph_node *node = &graph->nodes[index];
	const struct graph_tensor *weight = &graph->tensors[node->inputs[1]];
	const struct graph_conv *conv = &node->conv;
	uint64_t group = (uint64_t)conv->group;
	struct phase_reader reader = {
		.value = weight->data,
		.keep = keep,
		.channels = (uint64_t)weight->shape.dims[0] / group,
		.outputs = (uint64_t)weight->shape.dims[1],
	};
	uint64_t phases = (uint64_t)(conv->stride[0] * conv->stride[1]);
	uint64_t taps = (uint64_t)(conv->kernel[0] * conv->kernel[1]);
	uint64_t outputs = reader.outputs * group;
	int64_t at = 0;
	int ret = check_reach(conv);

	if (ret)
		return ret;
	read_axes(conv, pads, &reader);
	set_window(reader.axis, extra, window);
	ret = matrix_create(matrix, outputs * phases,
			    reader.channels * group *
				    axis_taps(&reader.axis[0]) *
				    axis_taps(&reader.axis[1]),
			    outputs * reader.channels * taps);
	if (ret)
		return ret;
	for (uint64_t r = 0; r < matrix->rows; r++) {
		uint64_t phase = r % phases;

		push_phase(&reader, r / phases,
			   (int64_t)phase / conv->stride[1],
			   (int64_t)phase % conv->stride[1], matrix, &at);
		matrix->row_start[r + 1] = at;
	}
	matrix->dense_macs = outputs * reader.channels * taps;
	return copy_rows(graph, node, (uint32_t)phases, matrix);
}

int lower_matrix_move(const int64_t *source, uint32_t rows, uint32_t columns,
		      struct lower_matrix *matrix)
{
	int64_t at = 0;
	int ret = matrix_create(matrix, rows, columns, rows);

	if (ret)
		return ret;
	for (uint32_t r = 0; r < rows; r++) {
		if (source[r] >= 0)
			push(matrix, &at, (uint64_t)source[r], 1);
		matrix->row_start[r + 1] = at;
	}
	matrix->identity = true;
	return 0;
}

static void copy_row(const struct lower_matrix *from, uint32_t row,
		     struct lower_matrix *to, uint32_t at)
{
	int64_t first = from->row_start[row];
	int64_t count = from->row_start[row + 1] - first;
	int64_t start = to->row_start[at];

	memcpy(to->column + start, from->column + first,
	       (size_t)count * sizeof(*to->column));
	memcpy(to->value + start, from->value + first,
	       (size_t)count * sizeof(*to->value));
	to->row_start[at + 1] = start + count;
	to->bias[at] = from->bias[row];
	if (from->row_scale)
		to->row_scale[at] = from->row_scale[row];
}

int lower_matrix_permute(struct lower_matrix *matrix, const uint32_t *source)
{
	struct lower_matrix result;
	int ret = matrix_create(&result, matrix->rows, matrix->columns,
				(uint64_t)matrix->row_start[matrix->rows]);

	if (ret)
		return ret;
	result.format = matrix->format;
	result.identity = matrix->identity;
	result.dense_macs = matrix->dense_macs;
	if (matrix->row_scale)
		result.row_scale = malloc(matrix->rows * sizeof(float));
	if (matrix->row_scale && !result.row_scale) {
		lower_matrix_release(&result);
		return accel_error(-ENOMEM, "out of memory for a matrix");
	}
	for (uint32_t r = 0; r < result.rows; r++)
		copy_row(matrix, source[r], &result, r);
	lower_matrix_release(matrix);
	*matrix = result;
	return 0;
}
