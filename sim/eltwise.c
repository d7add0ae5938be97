/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <golden/arithmetic.h>
#include <sim/deadline.h>
#include <sim/eltwise.h>
#include <sim/lower_eltwise.h>
#include <sim/spmm.h>

#define FLAGS_KNOWN (SPMM_FLAG_TABLE_PER_ROW | SPMM_FLAG_COUNT_PADDING)

/**
 * struct eltwise - one ELTWISE in execution
 * @d: a copy of the descriptor
 * @tables: 256 or C · 256, or NULL
 * @first: image rows of operand a: one, or the window's
 * @second: one image row of operand b, spread over the width
 * @out: one image row of the result
 */
struct eltwise {
	struct sim_execution *execution;
	struct spmm_eltwise_descriptor d;
	int8_t *tables;
	int8_t *first;
	int8_t *second;
	int8_t *out;
	struct golden_quantization qa, qb, qy;
};

static int fields_check(const struct spmm_eltwise_descriptor *d)
{
	static const uint64_t zeros[10];

	if (d->version != SPMM_DESCRIPTOR_VERSION)
		return SPMM_SC_DESCRIPTOR_VERSION;
	if (d->operation > SPMM_ELTWISE_POOL_AVERAGE ||
	    (d->flags & ~FLAGS_KNOWN) || d->pad0 || d->pad2 ||
	    memcmp(d->pad1, zeros, sizeof(zeros)))
		return SPMM_SC_INVALID_FIELD;
	if ((d->flags & SPMM_FLAG_TABLE_PER_ROW) &&
	    d->operation != SPMM_ELTWISE_TABLE)
		return SPMM_SC_INVALID_FIELD;
	if ((d->flags & SPMM_FLAG_COUNT_PADDING) &&
	    d->operation != SPMM_ELTWISE_POOL_AVERAGE)
		return SPMM_SC_INVALID_FIELD;
	return 0;
}

static bool same_size(const struct spmm_tensor *a, const struct spmm_tensor *b)
{
	return a->height == b->height && a->width == b->width;
}

static bool broadcasts(const struct spmm_tensor *tensor)
{
	return tensor->height == 1 && tensor->width == 1;
}

static int tensors_check(const struct spmm_eltwise_descriptor *d)
{
	int status;

	if (!d->batch || d->first.channels != d->output.channels)
		return SPMM_SC_DESCRIPTOR_SHAPE;
	status = tensor_check(&d->first, d->batch, 1);
	if (!status)
		status = tensor_check(&d->output, d->batch, 1);
	if (!status && eltwise_has_second(d))
		status = tensor_check(&d->second, d->batch, 1);
	if (status)
		return status;
	if (eltwise_is_pool(d))
		return d->window_height && d->window_width &&
				       d->stride_height && d->stride_width &&
				       d->dilation_height && d->dilation_width ?
			       0 :
			       SPMM_SC_DESCRIPTOR_SHAPE;
	if (!same_size(&d->first, &d->output))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if (eltwise_has_second(d) &&
	    (d->second.channels != d->first.channels ||
	     (!same_size(&d->second, &d->first) && !broadcasts(&d->second))))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	return 0;
}

static int eltwise_check(struct eltwise *run)
{
	const struct spmm_eltwise_descriptor *d = &run->d;
	bool average = d->operation == SPMM_ELTWISE_POOL_AVERAGE;
	int status = fields_check(d);

	if (!status)
		status = tensors_check(d);
	if (status)
		return status;
	run->qa = (struct golden_quantization){ float_of_bits(d->first_scale),
						d->first.zero };
	run->qb = (struct golden_quantization){ float_of_bits(d->second_scale),
						d->second.zero };
	run->qy = (struct golden_quantization){ float_of_bits(d->output_scale),
						d->output.zero };
	if ((eltwise_has_second(d) || average) &&
	    (!scale_valid(run->qa.scale) || !scale_valid(run->qy.scale)))
		return SPMM_SC_DESCRIPTOR_SCALE;
	if (eltwise_has_second(d) && !scale_valid(run->qb.scale))
		return SPMM_SC_DESCRIPTOR_SCALE;
	return 0;
}

/* An image row of an operand, or NULL. */
static int row_read(struct eltwise *run, const struct spmm_tensor *tensor,
		    uint32_t channel, uint32_t y, int8_t *out)
{
	return execution_read(run->execution,
			      tensor->address +
				      channel * tensor->channel_stride +
				      (uint64_t)y * tensor->row_stride,
			      out, (uint64_t)tensor->width * run->d.batch);
}

/* Spread over the width, so that the row functions need not know. */
static int second_read(struct eltwise *run, uint32_t channel, uint32_t y)
{
	const struct spmm_tensor *second = &run->d.second;
	uint64_t batch = run->d.batch;
	bool spread = broadcasts(second) && run->d.first.width > 1;

	if (row_read(run, second, channel, broadcasts(second) ? 0 : y,
		     run->second))
		return run->execution->status;
	for (uint32_t x = 1; spread && x < run->d.first.width; x++)
		memcpy(run->second + x * batch, run->second, batch);
	return 0;
}

static int row_point(struct eltwise *run, uint32_t channel, uint32_t y)
{
	const struct spmm_eltwise_descriptor *d = &run->d;
	uint64_t count = (uint64_t)d->first.width * d->batch;
	const int8_t *table = run->tables;

	if (row_read(run, &d->first, channel, y, run->first) ||
	    (eltwise_has_second(d) && second_read(run, channel, y)))
		return run->execution->status;
	switch (d->operation) {
	case SPMM_ELTWISE_ADD:
		golden_add_row(run->first, run->qa, run->second, run->qb,
			       run->qy, count, run->out);
		break;
	case SPMM_ELTWISE_MULTIPLY:
		golden_multiply_row(run->first, run->qa, run->second, run->qb,
				    run->qy, count, run->out);
		break;
	default:
		if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
			table += channel * 256ul;
		for (uint64_t i = 0; i < count; i++)
			run->out[i] = table[run->first[i] + 128];
	}
	return 0;
}

/* The taps of one axis that lie in the image: [*begin, *end). */
static void taps_inside(int64_t start, uint32_t dilation, uint32_t taps,
			uint32_t size, uint32_t *begin, uint32_t *end)
{
	int64_t first = start < 0 ? (-start + dilation - 1) / dilation : 0;
	int64_t last = ((int64_t)size - start + dilation - 1) / dilation;

	if ((int64_t)size <= start)
		last = 0;
	if (last > taps)
		last = taps;
	*begin = (uint32_t)(first < taps ? first : taps);
	*end = last > first ? (uint32_t)last : *begin;
}

struct pool_window {
	int64_t y, x; /* of tap (0, 0) */
	uint32_t y_begin, y_end, x_begin, x_end; /* taps inside */
};

/* One result for each batch element. The window's image rows are in run->first. */
static void pool_reduce(const struct eltwise *run,
			const struct pool_window *window, int8_t *out)
{
	const struct spmm_eltwise_descriptor *d = &run->d;
	uint64_t batch = d->batch;
	uint64_t row_bytes = d->first.width * batch;
	uint64_t whole = (uint64_t)d->window_height * d->window_width;
	uint64_t inside = (uint64_t)(window->y_end - window->y_begin) *
			  (window->x_end - window->x_begin);
	uint64_t count = d->flags & SPMM_FLAG_COUNT_PADDING ? whole : inside;

	for (uint64_t b = 0; b < batch; b++) {
		uint32_t sum = 0;
		int8_t most = INT8_MIN;

		for (uint32_t i = window->y_begin; i < window->y_end; i++) {
			const int8_t *row =
				run->first + (i - window->y_begin) * row_bytes;

			for (uint32_t j = window->x_begin; j < window->x_end;
			     j++) {
				int64_t x = window->x +
					    (int64_t)j * d->dilation_width;
				int8_t code = row[(uint64_t)x * batch + b];

				most = code > most ? code : most;
				sum += (uint32_t)(code - run->qa.zero);
			}
		}
		if (d->operation == SPMM_ELTWISE_POOL_MAX)
			out[b] = most; /* −128 when nothing is inside */
		else
			out[b] = golden_average((int32_t)sum,
						(uint32_t)(count ? count : 1),
						run->qa, run->qy);
	}
}

/* The image rows under the window are read once for all results of a row. */
static int row_pool(struct eltwise *run, uint32_t channel, uint32_t y)
{
	const struct spmm_eltwise_descriptor *d = &run->d;
	struct pool_window window = {
		.y = (int64_t)y * d->stride_height - (int32_t)d->pad_top,
	};
	uint64_t row_bytes = (uint64_t)d->first.width * d->batch;

	taps_inside(window.y, d->dilation_height, d->window_height,
		    d->first.height, &window.y_begin, &window.y_end);
	for (uint32_t i = window.y_begin; i < window.y_end; i++)
		if (row_read(run, &d->first, channel,
			     (uint32_t)(window.y +
					(int64_t)i * d->dilation_height),
			     run->first + (i - window.y_begin) * row_bytes))
			return run->execution->status;
	for (uint32_t x = 0; x < d->output.width; x++) {
		window.x = (int64_t)x * d->stride_width - (int32_t)d->pad_left;
		taps_inside(window.x, d->dilation_width, d->window_width,
			    d->first.width, &window.x_begin, &window.x_end);
		pool_reduce(run, &window, run->out + (uint64_t)x * d->batch);
	}
	return 0;
}

static int buffers_prepare(struct eltwise *run)
{
	const struct spmm_eltwise_descriptor *d = &run->d;
	uint64_t row_bytes = (uint64_t)d->first.width * d->batch;
	uint64_t rows = 1, tables = 1;

	if (eltwise_is_pool(d))
		rows = d->window_height < d->first.height ? d->window_height :
							    d->first.height;
	if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
		tables = d->first.channels;
	run->first = malloc(rows * row_bytes);
	run->second = malloc(row_bytes);
	run->out = malloc((uint64_t)d->output.width * d->batch);
	run->tables = malloc(tables * 256);
	if (!run->first || !run->second || !run->out || !run->tables)
		return execution_fail(run->execution, SPMM_SC_INTERNAL, 0);
	if (d->operation != SPMM_ELTWISE_TABLE)
		return 0;
	return execution_read(run->execution, d->tables, run->tables,
			      tables * 256);
}

/* A channel is a tile. */
static int rows_execute(struct eltwise *run)
{
	const struct spmm_tensor *output = &run->d.output;
	bool pool = eltwise_is_pool(&run->d);

	for (uint32_t c = 0; c < output->channels; c++) {
		for (uint32_t y = 0; y < output->height; y++) {
			if (pool ? row_pool(run, c, y) : row_point(run, c, y))
				return run->execution->status;
			if (execution_write(
				    run->execution,
				    output->address +
					    c * output->channel_stride +
					    (uint64_t)y * output->row_stride,
				    run->out,
				    (uint64_t)output->width * run->d.batch))
				return run->execution->status;
		}
		if (execution_checkpoint(run->execution))
			return run->execution->status;
	}
	return 0;
}

static void eltwise_run(struct eltwise *run)
{
	struct sim_execution *execution = run->execution;

	eltwise_lower(execution, &run->d);
	if (execution->status)
		return;
	if (deadline_hopeless(execution, execution->work.compute_cycles)) {
		execution_fail(execution, SPMM_SC_TIMEOUT, 0);
		return;
	}
	if (!buffers_prepare(run))
		rows_execute(run);
	free(run->first);
	free(run->second);
	free(run->out);
	free(run->tables);
}

void eltwise_execute(struct sim_execution *execution)
{
	struct eltwise run = { .execution = execution };
	int status;

	if (execution_read_descriptor(execution, &run.d, sizeof(run.d)))
		return;
	status = eltwise_check(&run);
	if (status)
		execution_fail(execution, status, execution->entry->address);
	else
		eltwise_run(&run);
}
