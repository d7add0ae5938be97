/* SPDX-License-Identifier: MIT */
/*
 * What a tile has to wait for. The latest commands' operands are remembered, with the
 * rows that each of their tiles touches: a tile that reads rows waits for the tiles that
 * store them, and one that writes them for those that read or store them. Where the rows
 * cannot be matched, it waits for the whole command: late at worst, never too early.
 */
#ifndef SIM_HAZARD_H
#define SIM_HAZARD_H

#include <stdbool.h>
#include <stdint.h>

#include <sim/engine/command.h>
#include <spmm/descriptor.h>

#define HAZARD_RECORDS 256
#define HAZARD_OPERANDS 8

/**
 * struct hazard_operand - a tensor that a command reads or writes
 * @address: virtual
 * @row_bytes: of a row that are touched
 * @first: address of the first byte
 * @end: address after the last one
 */
struct hazard_operand {
	bool write;
	uint64_t address;
	uint64_t channel_stride;
	uint64_t row_stride;
	uint64_t row_bytes;
	uint32_t channels;
	uint32_t height;
	uint64_t first;
	uint64_t end;
};

/* Rows [first, end); none if they are equal. */
struct hazard_rows {
	uint32_t first;
	uint32_t end;
};

/**
 * struct hazard_record - the operands of one command
 * @rows: of operand o in tile t at [t · HAZARD_OPERANDS + o]
 */
struct hazard_record {
	uint64_t sequence;
	uint16_t context;
	uint32_t operand_count;
	struct hazard_operand operands[HAZARD_OPERANDS];
	uint32_t tile_count;
	uint32_t tile_capacity;
	struct hazard_rows *rows;
};

/**
 * struct hazard_log - the latest commands
 * @next: slot of the next one
 * @depth: so many are looked at; those before them have stored their results
 */
struct hazard_log {
	struct hazard_record records[HAZARD_RECORDS];
	uint32_t next;
	uint32_t depth;
};

/* @depth: engine_reach() */
void hazard_log_setup(struct hazard_log *log, uint32_t depth);
void hazard_clear(struct hazard_log *log);

/* Adds an operand to a record that is being made, HAZARD_OPERANDS at most; its number. */
uint32_t hazard_operand(struct hazard_record *record,
			const struct spmm_tensor *tensor, uint64_t row_bytes,
			bool write);

/* A range without rows. */
uint32_t hazard_range(struct hazard_record *record, uint64_t address,
		      uint64_t length, bool write);

enum hazard_status {
	HAZARD_DONE,
	HAZARD_NO_MEMORY,
	HAZARD_TOO_MANY, /* more than a tile can wait for */
};

/*
 * The tile touches rows of the operand: remembers them, and adds to @tile what it has to
 * wait for.
 */
enum hazard_status hazard_touch(const struct hazard_log *log,
				struct hazard_record *record, uint32_t operand,
				uint32_t tile_index, struct hazard_rows rows,
				struct engine_tile *tile);

/* Does a command that was logged write into the range? */
bool hazard_written(const struct hazard_log *log, uint16_t context,
		    uint64_t address, uint64_t length);

/* Takes over a record; its command has been given @sequence. */
void hazard_log_add(struct hazard_log *log, struct hazard_record *record,
		    uint64_t sequence);

void hazard_record_free(struct hazard_record *record);

/* A tile's dependency; false: it has too many. */
bool tile_wait(struct engine_tile *tile, uint64_t sequence, uint32_t after);

#endif
