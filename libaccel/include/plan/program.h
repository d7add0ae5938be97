/* SPDX-License-Identifier: MIT */
/*
 * A plan for a device that has queues: what to upload and which commands run it.
 * The image is constants, descriptors and command list, one after the other.
 */
#ifndef PLAN_PROGRAM_H
#define PLAN_PROGRAM_H

#include <linux/types.h>
#include <spmm/queue.h>

#include "pack/geometry.h"
#include "plan/band.h"
#include "plan/constants.h"
#include "plan/memory.h"
#include "plan/report.h"
#include "plan/staging.h"

/**
 * enum plan_command_kind - one entry of the command list
 * @PLAN_COMMAND_INPUT: @index of the model's inputs, host to device
 * @PLAN_COMMAND_CELL_IN: @index of the states
 * @PLAN_COMMAND_HIDDEN_IN: likewise
 * @PLAN_COMMAND_LAYER: @index of the model's layers
 * @PLAN_COMMAND_CONCAT: @index of the memory's copies
 * @PLAN_COMMAND_CELL_OUT: @index of the states
 * @PLAN_COMMAND_HIDDEN_OUT: likewise
 * @PLAN_COMMAND_OUTPUT: @index of the model's outputs, device to host
 */
enum plan_command_kind {
	PLAN_COMMAND_INPUT,
	PLAN_COMMAND_CELL_IN,
	PLAN_COMMAND_HIDDEN_IN,
	PLAN_COMMAND_LAYER,
	PLAN_COMMAND_CONCAT,
	PLAN_COMMAND_CELL_OUT,
	PLAN_COMMAND_HIDDEN_OUT,
	PLAN_COMMAND_OUTPUT,
};

/**
 * struct plan_command - an entry
 * @kind: of it
 * @index: see @kind
 * @rows: of a layer's result that it makes; PLAN_ROWS_ALL but for bands
 */
struct plan_command {
	enum plan_command_kind kind;
	uint32_t index;
	struct plan_rows rows;
};

/**
 * struct plan_program - all of it, before addresses are known
 * @model: of the plan
 * @shape: of the plan
 * @memory: activations
 * @constants: weights and so on
 * @staging: host memory
 * @commands: in order
 * @command_count: of @commands
 * @descriptors: offset in the image, one slot for each command
 * @list: offset in the image of the array of struct spmm_sqe
 * @image_length: of all
 */
struct plan_program {
	const struct model *model;
	const struct plan_shape *shape;
	struct plan_memory memory;
	struct plan_constants constants;
	struct plan_staging staging;
	struct plan_command *commands;
	uint32_t command_count;
	uint64_t descriptors;
	uint64_t list;
	uint64_t image_length;
};

/*
 * Device addresses of the three allocations of a program; and the label of its first
 * command, which the others' follow, or 0 for none. A label is the id of a list's entry,
 * which the device ignores. And whether the device does not know SPMM_SQE_STREAM.
 */
struct plan_addresses {
	uint64_t image;
	uint64_t activations;
	uint64_t staging;
	uint16_t first_label;
	bool without_stream;
};

/* @reader: see plan_constants_create(). */
int plan_program_create(const struct model *model,
			const struct plan_shape *shape,
			const struct geometry *geometry, bool keep,
			struct model_reader *reader,
			struct plan_program *program);
void plan_program_free(struct plan_program *program);

/*
 * Fill what is behind the constants, now that the addresses are known: the bytes of the
 * image from the descriptors to its end.
 */
int plan_program_link(const struct plan_program *program,
		      const struct plan_addresses *addresses, uint8_t *tail);

/* What a command is, for messages: a layer's name, or "input z" and the like. */
void plan_program_describe(const struct plan_program *program, uint32_t command,
			   char *text, size_t size);

/* What a command is called on a time line: the layer's name, "input z" and the like. */
void plan_program_label(const struct plan_program *program, uint32_t command,
			char *text, size_t size);

/* The layer whose figures a command counts to, or PLAN_REPORT_NO_ENTRY. */
uint32_t plan_program_layer(const struct plan_program *program,
			    uint32_t command);

#endif
