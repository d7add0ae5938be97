/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include <core/checked.h>
#include <sim/spmm.h>

#define FLAGS_TABLE (SPMM_FLAG_TABLE | SPMM_FLAG_TABLE_PER_ROW)
#define FLAGS_KNOWN (FLAGS_TABLE | SPMM_FLAG_RESIDUAL)

float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool scale_valid(float scale)
{
	return isfinite(scale) && scale > 0;
}

/*
 * Bytes of one plane. Rows must not overlap, nor channels: the work that a
 * descriptor asks for is then bounded by the memory that it names.
 */
static bool plane_bytes(const struct spmm_tensor *tensor, uint64_t row_bytes,
			uint64_t *out)
{
	if (tensor->height > 1 && tensor->row_stride < row_bytes)
		return false;
	*out = (tensor->height - 1ull) * tensor->row_stride;
	return checked_add_u64(*out, row_bytes, out);
}

int tensor_check(const struct spmm_tensor *tensor, uint32_t batch,
		 uint32_t element)
{
	const uint64_t space = 1ull << SPMM_VIRTUAL_ADDRESS_BITS;
	uint64_t channels, row, plane, end;

	if (tensor->hint > SPMM_HINT_DISCARD || tensor->pad ||
	    (tensor->keep_rows && tensor->hint != SPMM_HINT_DISCARD))
		return SPMM_SC_INVALID_FIELD;
	if (!tensor->channels || !tensor->height || !tensor->width)
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if ((tensor->address | tensor->channel_stride | tensor->row_stride) &
	    (element - 1))
		return SPMM_SC_DESCRIPTOR_ADDRESS;
	if (!checked_multiply_u64(tensor->width, batch, &row) ||
	    !checked_multiply_u64(row, element, &row))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if (!plane_bytes(tensor, row, &plane) ||
	    (tensor->channels > 1 && tensor->channel_stride < plane))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if (!checked_multiply_u64(tensor->channels - 1ull,
				  tensor->channel_stride, &channels) ||
	    !checked_add_u64(channels, plane, &end) ||
	    !checked_range(tensor->address, end, space))
		return SPMM_SC_DESCRIPTOR_ADDRESS;
	return 0;
}

static int fields_check(const struct spmm_descriptor *d)
{
	static const uint64_t zeros[3];

	if (d->version != SPMM_DESCRIPTOR_VERSION)
		return SPMM_SC_DESCRIPTOR_VERSION;
	if (d->output_type > SPMM_OUTPUT_FLOAT32 || (d->flags & ~FLAGS_KNOWN) ||
	    (d->flags & FLAGS_TABLE) == FLAGS_TABLE ||
	    (d->output_type != SPMM_OUTPUT_INT8 && d->flags) ||
	    d->weights_hint > SPMM_HINT_DISCARD)
		return SPMM_SC_INVALID_FIELD;
	if (d->pad0 || d->pad1 || memcmp(d->pad2, zeros, sizeof(zeros)))
		return SPMM_SC_INVALID_FIELD;
	return 0;
}

/* What must be at least 1 is, and nothing is beyond the limits. */
static bool sizes_valid(const struct spmm_descriptor *d)
{
	uint64_t columns;

	return d->rows && d->rows <= SPMM_ROWS_MAX && d->columns &&
	       d->columns <= SPMM_COLUMNS_MAX && d->batch && d->height &&
	       d->width && d->kernel_height && d->kernel_width &&
	       d->stride_height && d->stride_width && d->dilation_height &&
	       d->dilation_width && d->shuffle_height && d->shuffle_width &&
	       d->replicate_height && d->replicate_width &&
	       checked_multiply_u64((uint64_t)d->height * d->width, d->batch,
				    &columns) &&
	       columns <= SPMM_RESULT_COLUMNS_MAX;
}

static bool store_valid(const struct spmm_descriptor *d)
{
	uint32_t block = (uint32_t)d->shuffle_height * d->shuffle_width;
	bool replicated = d->replicate_height > 1 || d->replicate_width > 1;

	if (block > 1 && replicated)
		return false;
	if ((d->flags & SPMM_FLAG_RESIDUAL) && (block > 1 || replicated))
		return false;
	return d->rows % block == 0 && d->output.channels == d->rows / block;
}

static int shape_check(const struct spmm_descriptor *d)
{
	uint64_t inner;

	if (!sizes_valid(d) || !store_valid(d))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if (!checked_multiply_u64((uint64_t)d->kernel_height * d->kernel_width,
				  d->input.channels, &inner) ||
	    inner != d->columns)
		return SPMM_SC_DESCRIPTOR_SHAPE;
	if ((d->flags & SPMM_FLAG_RESIDUAL) &&
	    (d->residual.channels != d->rows ||
	     d->residual.height != d->height || d->residual.width != d->width))
		return SPMM_SC_DESCRIPTOR_SHAPE;
	return 0;
}

static int address_check(const struct spmm_descriptor *d)
{
	uint32_t element = d->output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	int status = tensor_check(&d->input, d->batch, 1);

	if (!status)
		status = tensor_check(&d->output, d->batch, element);
	if (!status && (d->flags & SPMM_FLAG_RESIDUAL))
		status = tensor_check(&d->residual, d->batch, 1);
	if (!status && ((d->scales | d->biases) & 3))
		status = SPMM_SC_DESCRIPTOR_ADDRESS;
	return status;
}

int spmm_check(const struct spmm_descriptor *d)
{
	int status = fields_check(d);

	if (!status)
		status = shape_check(d);
	if (!status)
		status = address_check(d);
	if (!status && (d->flags & SPMM_FLAG_RESIDUAL) &&
	    (!scale_valid(float_of_bits(d->accumulator_scale)) ||
	     !scale_valid(float_of_bits(d->residual_scale)) ||
	     !scale_valid(float_of_bits(d->output_scale))))
		status = SPMM_SC_DESCRIPTOR_SCALE;
	return status;
}
