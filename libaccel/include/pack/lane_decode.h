/* SPDX-License-Identifier: MIT */
/*
 * One lane's bit stream, which nobody has checked: its blocks become slots, and
 * symbols for the schedule.
 */
#ifndef PACK_LANE_DECODE_H
#define PACK_LANE_DECODE_H

#include <stdint.h>

#include "pack/bits.h"
#include "pack/stream.h"

/**
 * struct lane_decoder - what lanes add to, one after the other
 * @reader: the present lane's bits; after a failure, where it was
 * @rows: M
 * @columns: K
 * @banks: of the cluster
 * @bank_skew: pack/bank.h
 * @row: of the cursor
 * @column: of the cursor; K when it is behind the row's last column
 * @last_row: of the lane's latest weight, UINT32_MAX before the first
 * @lane: what slots are marked with
 * @slots: room for @slot_limit
 * @slot_count: used, of all lanes
 * @slot_limit: weights that the stream announced
 * @schedule: symbols for schedule_run(), a byte each
 * @padding: fillers that take an issue slot
 */
struct lane_decoder {
	struct bit_reader reader;
	uint32_t rows;
	uint32_t columns;
	uint32_t banks;
	uint32_t bank_skew;
	uint32_t row;
	uint32_t column;
	uint32_t last_row;
	uint8_t lane;
	struct stream_slot *slots;
	uint64_t slot_count;
	uint64_t slot_limit;
	struct bit_writer schedule;
	uint64_t padding;
};

/* Decode from the cursor to the end of the reader; returns enum spmm_status. */
int lane_decode(struct lane_decoder *decoder);

#endif
