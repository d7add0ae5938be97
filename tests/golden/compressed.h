/* SPDX-License-Identifier: MIT */
#ifndef COMPRESSED_H
#define COMPRESSED_H

#include <accel/model.h>
#include <compress/graph.h>
#include <compress/quantize.h>

/** COMPRESSED_LATENTS - how many latents calibrate, as in `accel compress` */
#define COMPRESSED_LATENTS 512

/**
 * struct compressed - a network, and what became of it
 * @graph: in binary32
 * @model: compressed with the zeros that it has, written to a file and loaded
 * @info: of the model
 * @file_bytes: size of the file
 * @seconds: what importing, calibrating, quantizing and writing took
 */
struct compressed {
	struct graph *graph;
	struct accel_model *model;
	struct accel_model_info info;
	uint64_t file_bytes;
	double seconds;
};

/*
 * Compress as a user does who chooses nothing. calibration: .npy, PNG or a folder;
 * NULL: latents. pixels: black and white, as PNGs need them. Return 0 or −errno with
 * a text.
 */
int compressed_create(struct compressed *compressed, const char *onnx,
		      const char *calibration, struct quantize_range pixels);

void compressed_destroy(struct compressed *compressed);

#endif
