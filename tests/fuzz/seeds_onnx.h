/* SPDX-License-Identifier: MIT */
#ifndef SEEDS_ONNX_H
#define SEEDS_ONNX_H

/* Small models that have every operator between them, as FOLDER/0, FOLDER/1 … */
void onnx_seeds(const char *folder);

#endif
