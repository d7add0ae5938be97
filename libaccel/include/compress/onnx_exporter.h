/* SPDX-License-Identifier: MIT */
/* What the parts of the ONNX export share; private to export_onnx*.c. */
#ifndef COMPRESS_ONNX_EXPORTER_H
#define COMPRESS_ONNX_EXPORTER_H

#include "compress/onnx_builder.h"
#include "model/model.h"

#define ONNX_TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* The shape that a tensor has in the ONNX graph. */
enum export_form {
	EXPORT_IMAGE, /* [N, C, H, W] */
	EXPORT_MATRIX, /* [N, C] */
	EXPORT_SEQUENCE, /* [T, N, C] */
};

/**
 * struct export_value - a tensor in the ONNX graph
 * @form: its shape
 * @codes: name of the int8 tensor, NULL if it is float
 * @real: name of the dequantized one
 */
struct export_value {
	enum export_form form;
	const char *codes;
	const char *real;
};

struct exporter {
	const struct model *model;
	struct onnx_builder builder;
	struct export_value *values; /* of each tensor */
};

/*
 * A zero point. Activations are exported as uint8, 128 above the model's codes:
 * ONNX Runtime turns int8 ones into these, but only where a tensor has one reader,
 * and has no integer kernel for a mixture.
 */
const char *export_zero(const struct onnx_builder *builder, int32_t zero);

/* QuantizeLinear and DequantizeLinear after a real tensor; the real result. */
const char *export_round(struct exporter *exporter, const char *real,
			 struct golden_quantization q);

/* The same as a layer's result: binds the tensor, whose form is set. */
void export_result(struct exporter *exporter, int32_t tensor, const char *real);

/* A tensor's real values in another form, quantized again after the change. */
const char *export_operand(struct exporter *exporter, int32_t tensor,
			   enum export_form form);

/* A real constant of codes: DequantizeLinear, one scale for each row. */
const char *export_weights(struct exporter *exporter, size_t rank,
			   const int64_t *dims, const int8_t *codes,
			   const float *scale);

/* Attributes of a window; pads that are negative count as none. */
void export_window(struct onnx_builder *builder, Onnx__NodeProto *node,
		   const struct model_window *window);

/* The functions that a layer's table samples; NULL when the text is damaged. */
const char *export_function(struct exporter *exporter, const char *real,
			    const char *text, enum export_form form);

/* Zeros filled in: rows × columns codes, for free(3); NULL without memory. */
int8_t *export_dense(const struct model_csr *csr);

/* Layers: 0 or −errno. */
int export_spmm(struct exporter *exporter, const struct model_layer *layer);
int export_recurrent(struct exporter *exporter,
		     const struct model_layer *layer);

#endif
