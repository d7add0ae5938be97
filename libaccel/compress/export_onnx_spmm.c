/* SPDX-License-Identifier: MIT */
/*
 * An SPMM is a Conv, or a Gemm where there are no pixels, between codes; what the
 * epilogue does after it follows as operators of its own, each between
 * QuantizeLinear and DequantizeLinear. Additions are written as Sum: Add would become
 * ONNX Runtime's QLinearAdd, which multiplies by rounded ratios of scales and so
 * breaks ties in another way than the device.
 */
#include <errno.h>
#include <stdlib.h>

#include "compress/onnx_exporter.h"
#include "core/error.h"

/* The bias in units of the accumulator: int32 codes without zero point. */
static const char *export_bias(struct exporter *exporter,
			       const struct model_layer *layer)
{
	const struct model_spmm *spmm = &layer->spmm;
	struct onnx_builder *builder = &exporter->builder;
	float input_scale =
		exporter->model->tensors[layer->inputs[0]].quantization.scale;
	const int64_t dims[1] = { spmm->weights.rows };
	size_t rows = spmm->weights.rows;
	float *scale = calloc(rows + 1, sizeof(*scale));
	struct onnx_values values = { ONNX_TYPE(INT32), 1, dims, spmm->bias,
				      rows * sizeof(*spmm->bias) };
	const char *result = onnx_name(builder, "bias");
	const char *codes = onnx_constant(builder, "bias_codes", &values);

	for (size_t r = 0; scale && r < rows; r++)
		scale[r] = input_scale * spmm->weight_scale[r];
	values = (struct onnx_values){ ONNX_TYPE(FLOAT), 1, dims, scale,
				       scale ? rows * sizeof(*scale) : 0 };
	onnx_int(builder,
		 ONNX_NODE(builder, "DequantizeLinear", result, codes,
			   onnx_constant(builder, "bias_scale", &values)),
		 "axis", 0);
	free(scale);
	return result;
}

/*
 * Negative pads cut rows and columns off the input. A transposed convolution cuts
 * its output instead, see crop_output().
 */
static const char *crop_input(struct exporter *exporter,
			      const struct model_layer *layer, const char *x)
{
	static const int64_t axes[2] = { 2, 3 };
	const struct model_window *window = &layer->spmm.window;
	struct onnx_builder *builder = &exporter->builder;
	int64_t start[2] = { -(int64_t)window->pad_top,
			     -(int64_t)window->pad_left };
	int64_t end[2] = { window->pad_bottom, window->pad_right };
	const char *y = onnx_name(builder, "cropped");

	if (window->last_row)
		start[0] = -(int64_t)((window->kernel_height - 1) *
					      window->dilation_height +
				      1);
	if (!window->last_row &&
	    (layer->spmm.transposed ||
	     (start[0] <= 0 && start[1] <= 0 && end[0] >= 0 && end[1] >= 0)))
		return x;
	for (int i = 0; i < 2; i++) {
		if (start[i] < 0 && (i || !window->last_row))
			start[i] = 0;
		end[i] = end[i] < 0 ? end[i] : INT64_MAX;
	}
	ONNX_NODE(builder, "Slice", y, x, onnx_vector_i64(builder, 2, start),
		  onnx_vector_i64(builder, 2, end),
		  onnx_vector_i64(builder, 2, axes));
	return export_round(
		exporter, y,
		exporter->model->tensors[layer->inputs[0]].quantization);
}

static int64_t positive(int32_t pad)
{
	return pad > 0 ? pad : 0;
}

void export_window(struct onnx_builder *builder, Onnx__NodeProto *node,
		   const struct model_window *window)
{
	const int64_t kernel[2] = { window->kernel_height,
				    window->kernel_width };
	const int64_t stride[2] = { window->stride_height,
				    window->stride_width };
	const int64_t pads[4] = { positive(window->pad_top),
				  positive(window->pad_left),
				  positive(window->pad_bottom),
				  positive(window->pad_right) };

	onnx_ints(builder, node, "kernel_shape", 2, kernel);
	onnx_ints(builder, node, "strides", 2, stride);
	if (window->same_upper || window->same_lower)
		onnx_string(builder, node, "auto_pad",
			    window->same_upper ? "SAME_UPPER" : "SAME_LOWER");
	else
		onnx_ints(builder, node, "pads", 4, pads);
}

static const char *export_conv(struct exporter *exporter,
			       const struct model_layer *layer,
			       const int8_t *codes)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_window *window = &spmm->window;
	struct onnx_builder *builder = &exporter->builder;
	int64_t taps = (int64_t)window->kernel_height * window->kernel_width;
	const int64_t dims[4] = { spmm->weights.rows,
				  (int64_t)spmm->weights.columns / taps,
				  window->kernel_height, window->kernel_width };
	const char *x =
		export_operand(exporter, layer->inputs[0], EXPORT_IMAGE);
	const int64_t dilation[2] = { window->dilation_height,
				      window->dilation_width };
	const char *y = onnx_name(builder, "conv");
	Onnx__NodeProto *node;

	x = crop_input(exporter, layer, x);
	node = ONNX_NODE(builder, "Conv", y, x,
			 export_weights(exporter, 4, dims, codes,
					spmm->weight_scale),
			 export_bias(exporter, layer));
	export_window(builder, node, window);
	onnx_ints(builder, node, "dilations", 2, dilation);
	return y;
}

/* [T, N, K] to [T·N, K]. */
static const char *merge_steps(struct exporter *exporter,
			       const struct model_layer *layer, const char *x)
{
	const int64_t dims[2] = { -1, layer->spmm.weights.columns };
	const char *y = onnx_name(&exporter->builder, "merged");

	ONNX_NODE(&exporter->builder, "Reshape", y, x,
		  onnx_vector_i64(&exporter->builder, 2, dims));
	return export_round(
		exporter, y,
		exporter->model->tensors[layer->inputs[0]].quantization);
}

/* [T·N, M] back to [T, N, M], T and N those of the input. */
static const char *part_steps(struct exporter *exporter,
			      const struct model_layer *layer, const char *x)
{
	static const int64_t start[1] = { 0 }, end[1] = { 2 };
	const int64_t rows[1] = { layer->spmm.weights.rows };
	struct onnx_builder *builder = &exporter->builder;
	const char *shape = onnx_name(builder, "shape");
	const char *front = onnx_name(builder, "steps");
	const char *target = onnx_name(builder, "target");
	const char *y = onnx_name(builder, "parted");

	ONNX_NODE(builder, "Shape", shape,
		  exporter->values[layer->inputs[0]].real);
	ONNX_NODE(builder, "Slice", front, shape,
		  onnx_vector_i64(builder, 1, start),
		  onnx_vector_i64(builder, 1, end));
	onnx_int(builder,
		 ONNX_NODE(builder, "Concat", target, front,
			   onnx_vector_i64(builder, 1, rows)),
		 "axis", 0);
	ONNX_NODE(builder, "Reshape", y, x, target);
	return y;
}

static const char *export_gemm(struct exporter *exporter,
			       const struct model_layer *layer,
			       const int8_t *codes, enum export_form form)
{
	const struct model_spmm *spmm = &layer->spmm;
	const int64_t dims[2] = { spmm->weights.rows, spmm->weights.columns };
	struct onnx_builder *builder = &exporter->builder;
	const char *x = export_operand(exporter, layer->inputs[0], form);
	const char *y = onnx_name(builder, "gemm");
	const char *weights, *bias;

	if (form == EXPORT_SEQUENCE)
		x = merge_steps(exporter, layer, x);
	weights = export_weights(exporter, 2, dims, codes, spmm->weight_scale);
	bias = export_bias(exporter, layer);
	onnx_int(builder, ONNX_NODE(builder, "Gemm", y, x, weights, bias),
		 "transB", 1);
	return y;
}

/* [N, C·r·s, H, W] to [N, C, H·r, W·s] where ONNX has no operator for r ≠ s. */
static const char *shuffle_unequal(struct onnx_builder *builder, const char *x,
				   int64_t r, int64_t s, int64_t channels)
{
	static const int64_t zero[1] = { 0 }, one[1] = { 1 }, two[1] = { 2 },
			     four[1] = { 4 };
	static const int64_t order[6] = { 0, 1, 4, 2, 5, 3 };
	const int64_t middle[3] = { channels, r, s }, factor[2] = { r, s };
	const char *shape = onnx_name(builder, "shape");
	const char *batch = onnx_name(builder, "batch");
	const char *size = onnx_name(builder, "size");
	const char *large = onnx_name(builder, "large");
	const char *apart = onnx_name(builder, "apart");
	const char *moved = onnx_name(builder, "moved");
	const char *inner = onnx_name(builder, "inner");
	const char *outer = onnx_name(builder, "outer");
	const char *y = onnx_name(builder, "shuffled");

	ONNX_NODE(builder, "Shape", shape, x);
	ONNX_NODE(builder, "Slice", batch, shape,
		  onnx_vector_i64(builder, 1, zero),
		  onnx_vector_i64(builder, 1, one));
	ONNX_NODE(builder, "Slice", size, shape,
		  onnx_vector_i64(builder, 1, two),
		  onnx_vector_i64(builder, 1, four));
	ONNX_NODE(builder, "Mul", large, size,
		  onnx_vector_i64(builder, 2, factor));
	onnx_int(builder,
		 ONNX_NODE(builder, "Concat", inner, batch,
			   onnx_vector_i64(builder, 3, middle), size),
		 "axis", 0);
	onnx_int(builder,
		 ONNX_NODE(builder, "Concat", outer, batch,
			   onnx_vector_i64(builder, 1, middle), large),
		 "axis", 0);
	ONNX_NODE(builder, "Reshape", apart, x, inner);
	onnx_ints(builder, ONNX_NODE(builder, "Transpose", moved, apart),
		  "perm", 6, order);
	ONNX_NODE(builder, "Reshape", y, moved, outer);
	return y;
}

static const char *shuffle(struct onnx_builder *builder, const char *x,
			   const struct model_spmm *spmm)
{
	int64_t r = spmm->shuffle_height, s = spmm->shuffle_width;
	const char *y = onnx_name(builder, "shuffled");
	Onnx__NodeProto *node;

	if (r != s)
		return shuffle_unequal(builder, x, r, s,
				       (int64_t)spmm->weights.rows / (r * s));
	node = ONNX_NODE(builder, "DepthToSpace", y, x);
	onnx_int(builder, node, "blocksize", r);
	onnx_string(builder, node, "mode", "CRD");
	return y;
}

static const char *replicate(struct onnx_builder *builder, const char *x,
			     const struct model_spmm *spmm)
{
	const float scales[4] = { 1, 1, (float)spmm->replicate_height,
				  (float)spmm->replicate_width };
	const int64_t dims[1] = { 4 };
	struct onnx_values values = { ONNX_TYPE(FLOAT), 1, dims, scales,
				      sizeof(scales) };
	const char *y = onnx_name(builder, "resized");
	Onnx__NodeProto *node =
		ONNX_NODE(builder, "Resize", y, x, "",
			  onnx_constant(builder, "factors", &values));

	onnx_string(builder, node, "mode", "nearest");
	onnx_string(builder, node, "coordinate_transformation_mode",
		    "asymmetric");
	onnx_string(builder, node, "nearest_mode", "floor");
	return y;
}

/* Rows that the phases make beyond the transposed convolution's end. */
static int64_t excess(uint32_t stride, int32_t extra)
{
	int64_t rest = extra % (int64_t)stride;

	if (rest < 0)
		rest += stride;
	return rest ? stride - rest : 0;
}

/*
 * What the phases make too much: a row that a negative pad would have spared is s
 * rows of the result, and the last phases may lie beyond its end.
 */
static const char *crop_output(struct onnx_builder *builder, const char *x,
			       const struct model_spmm *spmm)
{
	static const int64_t axes[2] = { 2, 3 };
	const struct model_window *window = &spmm->window;
	int64_t height = spmm->output_stride_height;
	int64_t width = spmm->output_stride_width;
	const int64_t start[2] = { height * positive(-window->pad_top),
				   width * positive(-window->pad_left) };
	int64_t end[2] = {
		-height * positive(-window->pad_bottom) -
			excess(spmm->output_stride_height,
			       spmm->output_extra_height),
		-width * positive(-window->pad_right) -
			excess(spmm->output_stride_width,
			       spmm->output_extra_width),
	};
	const char *y = onnx_name(builder, "cropped");

	if (!start[0] && !start[1] && !end[0] && !end[1])
		return x;
	for (int i = 0; i < 2; i++)
		end[i] = end[i] ? end[i] : INT64_MAX;
	ONNX_NODE(builder, "Slice", y, x, onnx_vector_i64(builder, 2, start),
		  onnx_vector_i64(builder, 2, end),
		  onnx_vector_i64(builder, 2, axes));
	return y;
}

static const char *export_store(struct exporter *exporter,
				const struct model_spmm *spmm, const char *x,
				struct golden_quantization q)
{
	struct onnx_builder *builder = &exporter->builder;
	bool shuffles = spmm->shuffle_height > 1 || spmm->shuffle_width > 1;
	bool replicates = spmm->replicate_height > 1 ||
			  spmm->replicate_width > 1;

	if (!shuffles && !replicates && !spmm->transposed)
		return x;
	x = export_round(exporter, x, q);
	if (replicates)
		return replicate(builder, x, spmm);
	if (shuffles)
		x = shuffle(builder, x, spmm);
	return spmm->transposed ? crop_output(builder, x, spmm) : x;
}

/* Table, residual and store; NULL when the activation's text is damaged. */
static const char *export_epilogue(struct exporter *exporter,
				   const struct model_layer *layer,
				   const char *x, enum export_form form)
{
	const struct model_spmm *spmm = &layer->spmm;
	struct golden_quantization q = spmm->accumulator;
	const char *sum;

	if (spmm->table) {
		x = export_function(exporter, export_round(exporter, x, q),
				    layer->activation, form);
		q = spmm->table_output;
	}
	if (!x || spmm->residual == MODEL_NO_TENSOR)
		return x ? export_store(exporter, spmm, x, q) : NULL;
	x = export_round(exporter, x, q);
	sum = onnx_name(&exporter->builder, "sum");
	ONNX_NODE(&exporter->builder, "Sum", sum, x,
		  export_operand(exporter, spmm->residual, form));
	return sum;
}

int export_spmm(struct exporter *exporter, const struct model_layer *layer)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_tensor *out =
		&exporter->model->tensors[layer->outputs[0]];
	enum export_form form = exporter->values[layer->outputs[0]].form;
	int8_t *codes = export_dense(&spmm->weights);
	const char *y;

	if (!codes)
		return accel_error(-ENOMEM, "%s: out of memory", layer->name);
	if (spmm->table && !layer->activation) {
		free(codes);
		return accel_error(
			-ENOTSUP,
			"%s: its file does not say what its table was made of",
			layer->name);
	}
	if (form == EXPORT_IMAGE)
		y = export_conv(exporter, layer, codes);
	else
		y = export_gemm(exporter, layer, codes, form);
	free(codes);
	if (out->type == MODEL_INT8 && form == EXPORT_SEQUENCE)
		y = part_steps(exporter, layer,
			       export_round(exporter, y, spmm->accumulator));
	else if (form == EXPORT_SEQUENCE)
		y = part_steps(exporter, layer, y);
	if (out->type == MODEL_INT8)
		y = export_epilogue(exporter, layer, y, form);
	if (!y)
		return accel_error_prefix(-EINVAL, "%s", layer->name);
	export_result(exporter, layer->outputs[0], y);
	return 0;
}
