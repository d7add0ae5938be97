/* SPDX-License-Identifier: MIT */
/* One layer of a description. */
#ifndef TRAIN_NETWORK_LAYER_H
#define TRAIN_NETWORK_LAYER_H

#include <train/network.h>

/**
 * struct network_layer - what a layer is made from
 * @network: it becomes part of
 * @json: its object
 * @next: name of the layer behind it, "" if none
 * @name: for its node and, with a suffix, its weights
 * @input: the tensor that it reads
 */
struct network_layer {
	struct network *network;
	const json_t *json;
	const char *next;
	const char *name;
	int input;
};

/* Add it: its result's tensor or -errno. */
int network_layer_add(const struct network_layer *layer);

/* network_weight.c: of a weight, drawn for layers with so many inputs and outputs */
struct network_fan {
	int64_t in;
	int64_t out;
};

/* The layer's "init", a standard deviation, goes before what suits @next. Return
 * the constant's tensor or -errno. */
int network_add_weight(const struct network_layer *layer, const char *suffix,
		       const struct graph_shape *shape, struct network_fan fan);

/* All the same value. */
int network_add_vector(const struct network_layer *layer, const char *suffix,
		       int64_t count, float value);

/* Uniform in ±limit. */
int network_add_uniform(const struct network_layer *layer, const char *suffix,
			const struct graph_shape *shape, float limit);

/* network_recurrent.c */
int network_add_lstm(const struct network_layer *layer);
int network_add_gru(const struct network_layer *layer);
int network_add_rows(const struct network_layer *layer);
int network_add_last(const struct network_layer *layer);

/* network_image.c */
int network_add_conv(const struct network_layer *layer);
int network_add_conv_transpose(const struct network_layer *layer);
int network_add_max_pool(const struct network_layer *layer);
int network_add_average_pool(const struct network_layer *layer);
int network_add_global_pool(const struct network_layer *layer);
int network_add_upsample(const struct network_layer *layer);
int network_add_pixel_shuffle(const struct network_layer *layer);

/* ---- reading a layer's members ---- */

/* As json_unpack(), but whatever is left over is an error. */
int network_layer_read(const struct network_layer *layer, const char *format,
		       ...);

/* A member's value must be one of 1 … limit. */
int network_check_size(const char *key, int64_t value);

#define NETWORK_SIZE_MAX 65536

#endif
