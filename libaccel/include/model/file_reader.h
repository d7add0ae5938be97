/* SPDX-License-Identifier: MIT */
/*
 * A model file on its way into memory, matrix by matrix: all else is there as soon as it
 * is open, and the matrices are read ahead of whoever takes them.
 */
#ifndef MODEL_FILE_READER_H
#define MODEL_FILE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include <model/packing.h>

struct async_file;
struct model;
struct model_reader;

/**
 * struct model_place - where the bytes of a tensor lie in the file
 * @offset: of the first
 * @length: bytes
 * @name: of the tensor, the reader's
 */
struct model_place {
	uint64_t offset;
	uint64_t length;
	const char *name;
};

/**
 * model_reader_open() - open a file and read all but its matrices
 * @path: of the file
 * @out: the result, for model_reader_close()
 *
 * Return: as model_file_read(); the text does not name the file yet.
 */
int model_reader_open(const char *path, struct model_reader **out);

/* Frees the model, too, unless it was taken. */
void model_reader_close(struct model_reader *reader);

/*
 * The model, valid but for its matrices: until model_reader_matrix() a CSR has neither
 * columns nor values, and of its row starts only the last.
 */
struct model *model_reader_model(struct model_reader *reader);

/* From now on it is the caller's, and has to stay until the reader has done its work. */
struct model *model_reader_take(struct model_reader *reader);

/*
 * The file itself and a matrix' stream in it, for who wants to read it where it is used;
 * false if it has no streams, or can only be read in order.
 */
bool model_reader_place(struct model_reader *reader, uint32_t layer, int matrix,
			struct model_place *place);
struct async_file *model_reader_file(struct model_reader *reader);

/* Is that the checksum of what lies there? −EBADMSG with a text. */
int model_reader_check(const struct model_reader *reader,
		       const struct model_place *place, uint32_t crc);

/* A matrix that nobody will ask for: it is not read ahead. */
void model_reader_skip(struct model_reader *reader, uint32_t layer, int matrix);

/* Begin to read the matrices, those skipped excepted. */
void model_reader_start(struct model_reader *reader);

/* Make the CSR of a matrix, and check it; best in order. */
int model_reader_matrix(struct model_reader *reader, uint32_t layer,
			int matrix);

/* All those that are not there yet and were not skipped. */
int model_reader_matrices(struct model_reader *reader);

#endif
