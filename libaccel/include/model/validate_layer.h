/* SPDX-License-Identifier: MIT */
/* The part of model_validate() that looks at one layer. */
#ifndef MODEL_VALIDATE_LAYER_H
#define MODEL_VALIDATE_LAYER_H

#include <model/model.h>

/*
 * The operation's parameters and what they ask of the tensors; the indices of the
 * tensors are in range already. The text does not name the layer yet.
 */
int model_validate_layer(const struct model *model,
			 const struct model_layer *layer);

/* A matrix; of one that is not read yet, only the sizes. */
int model_validate_csr(const struct model_csr *csr);

/* A finite positive scale and a zero point in −128 … 127; what is for the text. */
int model_validate_quantization(struct golden_quantization quantization,
				const char *what);

#endif
