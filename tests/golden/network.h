/* SPDX-License-Identifier: MIT */
/* The networks that are known: where they lie, and what is expected of them. */
#ifndef NETWORK_H
#define NETWORK_H

#include "compressed.h"
#include "probe.h"

#include <compress/quantize.h>

#include <stdbool.h>

#define NETWORK_PROBES 2

enum network_kind {
	NETWORK_IMAGE,
	NETWORK_CLASSIFIER,
	NETWORK_SKETCH,
};

/**
 * struct network - a network, how it is calibrated, and what it is tried on
 * @name: of the file, without .onnx
 * @kind: what its outputs are
 * @in_tree: it lies in the tree, and is compared with itself in binary32; else it
 *	lies beside the tree, with the outputs of another runtime
 * @calibration: a file; NULL: latents, or Fashion-MNIST's images if @on_images
 * @pixels: of pictures, black and white
 * @on_images: it takes images of Fashion-MNIST
 * @probes: files of an input and of the outputs; in_tree: a picture, or latents
 * @range: of the outputs; low = high: what they span
 * @psnr: the least, in dB; 0: only reported
 * @accuracy: of a classifier in binary32
 */
struct network {
	const char *name;
	enum network_kind kind;
	bool in_tree;
	const char *calibration;
	struct quantize_range pixels;
	bool on_images;
	struct {
		const char *input;
		const char *outputs[PROBE_OUTPUTS];
	} probes[NETWORK_PROBES];
	struct quantize_range range;
	double psnr;
	double accuracy;
};

extern const struct network networks[];
extern const size_t network_count;

/* Why a network cannot be tried here, or NULL. */
const char *network_missing(const struct network *network);

int network_compress(const struct network *network,
		     struct compressed *compressed);

/* Is there such a probe? */
bool network_has_probe(const struct network *network, int index);

int network_probe(const struct network *network,
		  const struct compressed *compressed, int index,
		  struct probe *probe);

#endif
