/* SPDX-License-Identifier: MIT */
/*
 * In which order the clusters take the columns of a product, and what each vector of
 * them costs a cluster. In closed form, from descriptor and matrix alone.
 *
 * Flat: vectors are cut from the columns as they follow each other, and every one reads
 * all its lines (a channel's image row under a vertical tap) again. Vertical: a vector
 * is a piece of one image row, and a cluster goes down the image with it; the lines that
 * the next row needs again stay in the line buffer.
 */
#ifndef SIM_TRAVERSAL_H
#define SIM_TRAVERSAL_H

#include <sim/config.h>
#include <sim/engine/command.h>
#include <sim/matrix.h>
#include <spmm/descriptor.h>

/**
 * struct traversal - how an SPMM's columns are dealt
 * @row: values of a result row, columns × batch
 * @width: values that a vector has room for
 * @values: that it has, on average
 * @vertical: else flat
 * @strips: vectors of an image row, if vertical
 * @columns: of an image row that go down together, if vertical: slices of a batch
 *	beside each other share the lines under their horizontal taps
 * @vectors: of the whole command
 * @segments: pieces of lines, if flat: a vector that runs across the end of an image
 *	row takes two
 * @tiles: bands of the image
 */
struct traversal {
	const struct sim_config *config;
	const struct spmm_descriptor *d;
	const struct sim_matrix *matrix;
	uint64_t row;
	uint32_t width;
	uint64_t values;
	bool vertical;
	uint64_t strips;
	uint64_t columns;
	uint64_t vectors;
	uint64_t segments;
	uint32_t tiles;
};

/**
 * struct traversal_tile - a band
 * @vectors: of it
 * @first: of the result rows that its vectors touch
 * @end: after the last one of these
 * @stored: rows before it are complete when the tile is
 */
struct traversal_tile {
	uint64_t vectors;
	uint32_t first;
	uint32_t end;
	uint32_t stored;
};

/* The cheaper one, in as many tiles, up to @tiles_max, as cost nearly nothing. */
void traversal_choose(const struct sim_config *config,
		      const struct spmm_descriptor *d,
		      const struct sim_matrix *matrix, uint32_t tiles_max,
		      struct traversal *out);

/* Tile @index of traversal->tiles. */
void traversal_tile(const struct traversal *traversal, uint32_t index,
		    struct traversal_tile *out);

/* What each vector of a tile of so many asks of a cluster of a row group. */
void traversal_pass(const struct traversal *traversal, uint64_t tile_vectors,
		    uint32_t row_group, struct engine_pass *out);

/* That of it which depends on no lines and no results. */
void matrix_pass(const struct sim_config *config,
		 const struct sim_matrix *matrix, uint32_t row_group,
		 struct engine_pass *out);

/* Does X of one vector take more than half of the activation buffer? */
bool matrix_single_buffer(const struct sim_config *config,
			  const struct sim_matrix *matrix);

#endif
