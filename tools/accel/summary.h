/* SPDX-License-Identifier: MIT */
/* What a compressed model holds, layer by layer, against the network it was. */
#ifndef TOOL_SUMMARY_H
#define TOOL_SUMMARY_H

#include <model/model.h>

/**
 * struct summary_layer - one layer
 * @name: belongs to the model
 * @op: operation
 * @output: sizes of its first output; 0 where the run decides
 * @rows: M of its matrices, 0 without any
 * @columns: K; of a recurrent layer, that of input and hidden weights together
 * @weights: of the dense layer
 * @nonzeros: kept positions
 * @bytes: of its tensors in the file
 */
struct summary_layer {
	const char *name;
	const char *op;
	struct model_extent output;
	uint64_t rows;
	uint64_t columns;
	uint64_t weights;
	uint64_t nonzeros;
	uint64_t bytes;
};

/**
 * struct summary - a model
 * @model: must outlive the summary
 * @path: of its file
 * @file_bytes: size of it
 * @layers: one for each of the model
 * @total: sums
 */
struct summary {
	const struct model *model;
	const char *path;
	uint64_t file_bytes;
	struct summary_layer *layers;
	struct summary_layer total;
};

/*
 * Tell of a model that was written, as it lies on the disk: for people, or as JSON. 0 or
 * −errno.
 */
int summary_report(const struct model *model, const char *path, bool json);

/* Summarize a model that lies in a file; 0 or −errno. */
int summary_create(struct summary *summary, const struct model *model,
		   const char *path);

void summary_release(struct summary *summary);

/* To standard output, for people. */
void summary_print(const struct summary *summary);

/* To standard output; 0 or −ENOMEM. */
int summary_print_json(const struct summary *summary);

#endif
