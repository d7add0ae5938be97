/* SPDX-License-Identifier: MIT */
/*
 * What accel compress runs a network on: files, latents, or sketches that it draws.
 */
#ifndef COMPRESS_DATA_H
#define COMPRESS_DATA_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

struct compress_arguments;

/* Files if there are any, else latents: generators need no data. The caller releases @data. */
int compress_data_load(const struct compress_arguments *arguments,
		       const struct graph *graph,
		       struct calibration_data *data);

/*
 * Where nothing comes from files: of another seed, so that layers are not measured on what
 * repairs them.
 */
int compress_data_load_others(const struct compress_arguments *arguments,
			      const struct graph *graph,
			      struct calibration_data *data);

#endif
