/* SPDX-License-Identifier: MIT */
/* From a dense network to a sparse int8 model that was trained to be like it. */
#ifndef TOOL_RECOVERY_H
#define TOOL_RECOVERY_H

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/quantize.h>
#include <model/model.h>

#include <stdbool.h>

/**
 * struct recovery - what commands say of a training
 * @output: of the model; report and checkpoint lie beside it
 * @source: name of the teacher, only recorded
 * @sparsity: part of the weights that goes
 * @narrowing: part of the student's weights that first goes with whole channels
 * @steps: length; 0: by @minutes
 * @minutes: length; 0: the default
 * @recipe: JSON file, or NULL
 * @checkpoint: NULL: @output.checkpoint
 * @resume: go on from it
 * @oneshot: begin with a mask by saliency and least squares, whatever the recipe says
 * @float_output: the student in binary32, as ONNX; or NULL
 * @seed: of all that is sampled
 * @latents: different ones; 0: endless
 * @workers: threads; 0: as many as are of use
 * @input_range: of image inputs
 * @output_range: of image outputs
 */
struct recovery {
	const char *output;
	const char *source;
	double sparsity;
	double narrowing;
	int64_t steps;
	double minutes;
	const char *recipe;
	const char *checkpoint;
	bool resume;
	bool oneshot;
	const char *float_output;
	uint64_t seed;
	int64_t latents;
	int64_t workers;
	struct quantize_range input_range;
	struct quantize_range output_range;
};

/*
 * @student: is trained, and holds the result; @teacher: stays; @files: data, or NULL
 * for latents; @model: result, not written yet. Prints progress and a report, and writes
 * the report's file. SIGINT ends it early, with the best so far. 0 or −errno.
 */
int recovery_run(const struct recovery *recovery, struct graph *student,
		 const struct graph *teacher,
		 const struct calibration_data *files, struct model **model);

/* The model has been written: a finished training needs its checkpoint no more. */
void recovery_end(const struct recovery *recovery);

#endif
