/* SPDX-License-Identifier: MIT */
/*
 * A model's matrices as weight streams, packed for one device and one set of sizes: what a
 * packed file has in place of CSR. Documentation/model-file.rst.
 */
#ifndef MODEL_PACKING_H
#define MODEL_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pack/geometry.h>
#include <pack/mapping.h>

struct model;
struct model_csr;
struct model_layer;

/* A matrix of a layer: the one of an SPMM, the two of a recurrent layer. */
#define MODEL_MATRIX_FIRST 0
#define MODEL_MATRIX_HIDDEN 1
#define MODEL_MATRICES_MAX 2

/**
 * struct model_stream - one matrix
 * @bytes: of the stream; NULL where it is in a file
 * @length: of it
 * @mapping: that it is packed for
 * @row_weight: what a row counted when the weights were shared out, in weights
 * @nonzeros: kept positions
 * @issue_cycles: see struct stream
 * @optimal_cycles: likewise
 * @channels: of the input of an SPMM that any weight is for; 0 of others
 */
struct model_stream {
	uint8_t *bytes;
	size_t length;
	struct mapping mapping;
	uint32_t row_weight;
	uint64_t nonzeros;
	uint64_t issue_cycles;
	uint64_t optimal_cycles;
	uint64_t channels;
};

/**
 * struct model_sizes - of the run that the mappings are chosen for
 * @batch: at least 1
 * @height: of images, where the model leaves it open; likewise @width
 * @steps: of sequences, likewise
 */
struct model_sizes {
	uint32_t batch;
	uint32_t height;
	uint32_t width;
	uint32_t steps;
};

/**
 * struct model_packing - all matrices
 * @geometry: of the device, as far as streams depend on it
 * @sizes: of the run
 * @layers: of the model; those without matrices have none
 * @layer_count: as of the model
 */
struct model_packing {
	struct geometry geometry;
	struct model_sizes sizes;
	struct model_stream (*layers)[MODEL_MATRICES_MAX];
	uint32_t layer_count;
};

/*
 * The model's row of a stream's @row of @rows. Streams of a recurrent layer have the gates
 * of a unit in neighbouring rows, where a model has gate after gate; others have no @units.
 */
static inline uint32_t model_stream_row(uint32_t row, uint32_t rows,
					uint32_t units)
{
	uint32_t gates = units ? rows / units : 0;

	return units ? row % gates * units + row / gates : row;
}

/* Empty, for a model of so many layers; NULL, with a text, without memory. */
struct model_packing *model_packing_create(uint32_t layer_count);
void model_packing_destroy(struct model_packing *packing);

/* As the metadata of a file; the text is for free(). NULL without memory. */
char *model_packing_write(const struct model_packing *packing,
			  const struct model *model);

/* Back from it, the streams without their bytes; nothing of it is believed yet. */
int model_packing_read(const char *text, const struct model *model,
		       struct model_packing **out);

/*
 * What the names of a matrix' tensors begin with: "conv1", "lstm.hidden"; for free(). NULL
 * if the layer has no such matrix, or without memory.
 */
char *model_matrix_name(const struct model_layer *layer, int matrix);

/* How many matrices a layer has. */
int model_matrix_count(const struct model_layer *layer);

/**
 * struct model_matrix - a layer's matrix with what belongs to its rows
 * @csr: the matrix
 * @scale: of its rows
 * @bias: likewise
 */
struct model_matrix {
	struct model_csr *csr;
	float **scale;
	int32_t **bias;
};

/* One of those that the layer has. */
struct model_matrix model_matrix_of(struct model_layer *layer, int matrix);

/* Would a device of geometry @b, for the same mapping, have the streams of @a? */
bool model_packing_fits(const struct geometry *a, const struct geometry *b);

#endif
