/* SPDX-License-Identifier: MIT */
/*
 * The portable model file: safetensors with <layer>.crow_indices (I64),
 * .col_indices (U16 while K ≤ 65536, else I32), .values (I8), .scale (F32),
 * .bias (I32); the graph as JSON and a CRC32C of every tensor in the metadata. A packed
 * one has <layer>.stream (U8) in place of the first three; a compact one is coded.
 * Documentation/model-file.rst.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <formats/safetensors.h>
#include <model/model.h>
#include <model/packing.h>

/**
 * model_file_write() - write a model that is valid
 *
 * Atomic: the old file stays whole when anything fails. The same model gives the
 * same bytes.
 *
 * Return: 0 or −errno with a text.
 */
int model_file_write(const struct model *model, const char *path);

/**
 * model_file_read() - read and validate a model
 * @path: of the file
 * @out: the model, for model_destroy()
 *
 * Return: 0; −EBADMSG for what is no model file or a damaged one, −EINVAL for a
 * model that is not valid, −errno of the file system; the text says what is wrong
 * and where.
 */
int model_file_read(const char *path, struct model **out);

/** model_file_load() - the same from a file that is open, or from memory */
int model_file_load(struct safetensors_file *file, struct model **out);

/**
 * model_file_write_packed() - write a model with weight streams in place of CSR
 * @model: valid
 * @packing: of it, with the bytes of all streams
 * @path: of the file
 *
 * Return: as model_file_write().
 */
int model_file_write_packed(const struct model *model,
			    const struct model_packing *packing,
			    const char *path);

/**
 * model_file_write_compact() - write a model in as few bytes as it needs
 * @model: valid
 * @path: of the file, which any device reads, but has to pack first
 *
 * Return: as model_file_write().
 */
int model_file_write_compact(const struct model *model, const char *path);

#endif
