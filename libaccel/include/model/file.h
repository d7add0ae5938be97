/* SPDX-License-Identifier: MIT */
/*
 * The portable model file: safetensors with <layer>.crow_indices (I64),
 * .col_indices (U16 while K ≤ 65536, else I32), .values (I8), .scale (F32),
 * .bias (I32); the graph as JSON and a CRC32C of every tensor in the metadata.
 * Documentation/model-file.rst.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include "model/model.h"

/* Writes atomically: the old file stays whole when anything fails. */
int model_file_write(const struct model *model, const char *path);

/* Refuses a damaged file with a text that says what is wrong and where. */
int model_file_read(const char *path, struct model **out);

#endif
