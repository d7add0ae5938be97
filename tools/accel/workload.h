/* SPDX-License-Identifier: MIT */
/* A model from a file, and the inputs that it is run on. */
#ifndef TOOL_WORKLOAD_H
#define TOOL_WORKLOAD_H

#include "inputs.h"

/**
 * struct workload - what commands that run models begin with
 * @model: of the file
 * @path: of the file, where @model lacks its matrices: plans are loaded from there
 * @inputs: of a run
 */
struct workload {
	struct accel_model *model;
	const char *path;
	struct inputs inputs;
};

/*
 * Load both; 0 or −errno. No device is opened for it, so that wrong arguments show
 * at once. workload_release() is due also after an error.
 */
int workload_load(struct workload *workload, const char *path,
		  const struct inputs_source *source);
/* The same without the matrices, for who only makes plans. */
int workload_open(struct workload *workload, const char *path,
		  const struct inputs_source *source);
void workload_release(struct workload *workload);

#endif
