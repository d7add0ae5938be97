/* SPDX-License-Identifier: MIT */
/*
 * The pieces of a copy go through its engine in order, dma_bytes a cycle, and are
 * written as they come. What was read ahead and not yet written stays within
 * dma_buffer, which may hold parts of several pieces.
 *
 * A piece's ranges need not be as long as the piece: what the SRAM holds is not read,
 * and scattered bytes take whole requests. Progress is carried over in proportion.
 */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/dma.h>

/* Pieces that are open at a time: small ones are translated while others move. */
#define PIECES 32
/* Nothing is asked for in larger requests. */
#define REQUEST_BYTES 4096
/* Of the buffer, kept for what is not in proportion. */
#define SLACK (2 * REQUEST_BYTES)

/**
 * struct dma_piece - a tile of the command
 * @bytes: its share of copy_bytes
 * @moved: of these, have passed the engine
 * @read_bytes: of the ranges in memory; transfers count whole requests
 * @write_bytes: likewise
 */
struct dma_piece {
	uint64_t bytes;
	uint64_t moved;
	uint64_t read_bytes;
	uint64_t write_bytes;
	struct memory_transfer read;
	struct link_transfer host_read;
	struct memory_transfer write;
	struct link_transfer host_write;
};

/**
 * struct dma_unit - one engine
 * @allowed: pieces that may be opened
 * @opened: of these; piece i is pieces[i % PIECES]
 * @moved: pieces that have passed
 * @done: pieces that have been written
 * @begin: of the piece that passes, for the observer
 */
struct dma_unit {
	struct engine_command *command;
	uint32_t allowed;
	uint32_t opened;
	uint32_t moved;
	uint32_t done;
	uint64_t begin;
	struct dma_piece pieces[PIECES];
};

struct engine_dma {
	uint32_t rate;
	uint32_t buffer;
	struct engine_memory *memory;
	struct engine_link *link;
	const struct engine_observer *observer;
	uint64_t now;
	uint32_t busy;
	uint32_t count;
	struct dma_unit units[];
};

int engine_dma_create(const struct sim_config *config,
		      struct engine_memory *memory, struct engine_link *link,
		      const struct engine_observer *observer,
		      struct engine_dma **out)
{
	struct engine_dma *dma = calloc(
		1, sizeof(*dma) + config->dma_engines * sizeof(dma->units[0]));

	if (!dma)
		return accel_error(-ENOMEM, "no memory for DMA engines");
	dma->rate = config->dma_bytes;
	dma->buffer = config->dma_buffer - SLACK;
	dma->memory = memory;
	dma->link = link;
	dma->observer = observer;
	dma->count = config->dma_engines;
	*out = dma;
	return 0;
}

void engine_dma_destroy(struct engine_dma *dma)
{
	free(dma);
}

bool dma_has_room(const struct engine_dma *dma)
{
	return dma->busy < dma->count;
}

/* The engine that has @command, or is free for NULL. */
static uint32_t unit_find(const struct engine_dma *dma,
			  const struct engine_command *command)
{
	uint32_t unit = 0;

	while (dma->units[unit].command != command)
		unit++;
	return unit;
}

static void show_command(const struct engine_dma *dma, uint32_t unit,
			 uint64_t now, uint64_t sequence)
{
	const struct engine_observer *observer = dma->observer;

	if (observer && observer->change)
		observer->change(observer->owner, ENGINE_SIGNAL_DMA_COMMAND,
				 unit, now, sequence);
}

void dma_start(struct engine_dma *dma, struct engine_command *command,
	       uint64_t now)
{
	uint32_t at = unit_find(dma, NULL);
	struct dma_unit *unit = &dma->units[at];

	unit->command = command;
	unit->allowed = 0;
	unit->opened = 0;
	unit->moved = 0;
	unit->done = 0;
	unit->begin = now;
	dma->busy++;
	show_command(dma, at, now, command->sequence);
}

void dma_allow(struct engine_dma *dma, const struct engine_command *command,
	       uint32_t pieces)
{
	dma->units[unit_find(dma, command)].allowed = pieces;
}

uint32_t dma_pieces_done(const struct engine_dma *dma,
			 const struct engine_command *command)
{
	return dma->units[unit_find(dma, command)].done;
}

void dma_finish(struct engine_dma *dma, struct engine_command *command)
{
	uint32_t unit = unit_find(dma, command);

	dma->units[unit].command = NULL;
	dma->busy--;
	show_command(dma, unit, dma->now, 0);
}

/* a · b ÷ c without overflow. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((unsigned __int128)a * b / c);
}

static uint64_t copied_before(const struct engine_command *command,
			      uint32_t piece)
{
	return scale(command->copy_bytes, piece, command->tile_count);
}

static uint64_t ranges_bytes(const struct memory_transfer *transfer)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < transfer->count; i++)
		bytes += transfer->ranges[i].length;
	return bytes;
}

static void piece_open(struct engine_dma *dma, struct dma_unit *unit)
{
	const struct engine_command *command = unit->command;
	const struct engine_tile *tile = &command->tiles[unit->opened];
	struct dma_piece *piece = &unit->pieces[unit->opened % PIECES];

	*piece = (struct dma_piece){
		.bytes = copied_before(command, unit->opened + 1) -
			 copied_before(command, unit->opened),
		.read = { .ranges = engine_ranges_find(command->memory_ranges,
						       &tile->reads),
			  .count = tile->reads.count,
			  .class = MEMORY_DEMAND,
			  .sequence = command->sequence },
		.host_read = { .ranges = engine_ranges_find(
				       command->link_ranges, &tile->host_reads),
			       .count = tile->host_reads.count,
			       .sequence = command->sequence },
		.write = { .ranges = engine_ranges_find(command->memory_ranges,
							&tile->writes),
			   .count = tile->writes.count,
			   .write = true,
			   .class = MEMORY_WRITE_BACK,
			   .sequence = command->sequence },
		.host_write = { .ranges =
					engine_ranges_find(command->link_ranges,
							   &tile->host_writes),
				.count = tile->host_writes.count,
				.write = true,
				.sequence = command->sequence },
	};
	piece->read_bytes = ranges_bytes(&piece->read);
	piece->write_bytes = ranges_bytes(&piece->write);
	unit->opened++;
	memory_open(dma->memory, &piece->read);
	memory_open(dma->memory, &piece->write);
	link_open(dma->link, &piece->host_read);
	link_open(dma->link, &piece->host_write);
}

static bool piece_written(const struct dma_piece *piece)
{
	return memory_transfer_done(&piece->write) &&
	       link_transfer_done(&piece->host_write);
}

/* Bytes of the piece that have come. */
static uint64_t piece_come(const struct dma_piece *piece)
{
	uint64_t total = piece->read.total + piece->host_read.total;
	uint64_t done = piece->read.done + piece->host_read.done;

	return done == total ? piece->bytes : scale(piece->bytes, done, total);
}

/* What has passed the engine may be written. */
static void piece_release(struct dma_piece *piece)
{
	if (piece->moved == piece->bytes) {
		piece->write.allowed = UINT64_MAX;
		piece->host_write.allowed = UINT64_MAX;
		return;
	}
	piece->write.allowed =
		scale(piece->write_bytes, piece->moved, piece->bytes);
	piece->host_write.allowed =
		scale(piece->host_write.total, piece->moved, piece->bytes);
}

/* Bytes of the ranges, of a part of a transfer in whole requests. */
static uint64_t bytes_done(const struct memory_transfer *transfer,
			   uint64_t bytes)
{
	return transfer->total ? scale(bytes, transfer->done, transfer->total) :
				 0;
}

/* Bytes that have passed and wait in the buffer. */
static uint64_t piece_waits(const struct dma_piece *piece)
{
	uint64_t allowed =
		min_u64(piece->write.allowed, piece->write_bytes) +
		min_u64(piece->host_write.allowed, piece->host_write.total);
	uint64_t done = bytes_done(&piece->write, piece->write_bytes) +
			piece->host_write.done;

	return min_u64(piece->moved, allowed - min_u64(allowed, done));
}

/* Raises the bound on what is read of @total bytes; true if it was lower. */
static bool allowance_raise(uint64_t *allowed, uint64_t total, uint64_t ahead,
			    uint64_t bytes)
{
	uint64_t bound = UINT64_MAX;

	if (!total || *allowed == UINT64_MAX)
		return false;
	/* SLACK: rounding must not stop the last requests. */
	if (ahead < bytes)
		bound = scale(total, ahead, bytes) + SLACK;
	if (bound <= *allowed)
		return false;
	*allowed = bound;
	return true;
}

static bool piece_read(struct dma_piece *piece, uint64_t ahead)
{
	bool changed = allowance_raise(&piece->read.allowed, piece->read_bytes,
				       ahead, piece->bytes);

	return allowance_raise(&piece->host_read.allowed,
			       piece->host_read.total, ahead, piece->bytes) ||
	       changed;
}

/* Opens pieces and reads as far as the buffer has room. */
static bool unit_read(struct engine_dma *dma, struct dma_unit *unit)
{
	uint32_t end = unit->done + PIECES;
	uint64_t room = dma->buffer;
	bool changed = false;

	if (end > unit->allowed)
		end = unit->allowed;
	for (uint32_t i = unit->done; i < end && room; i++) {
		struct dma_piece *piece = &unit->pieces[i % PIECES];
		uint64_t left;

		if (i == unit->opened) {
			piece_open(dma, unit);
			changed = true;
		}
		left = piece->moved - piece_waits(piece);
		if (i >= unit->moved)
			changed |= piece_read(piece, left + room);
		room -= min_u64(room, piece->bytes - left);
	}
	return changed;
}

static void show_pieces(const struct engine_dma *dma, struct dma_unit *unit,
			uint64_t bytes, uint64_t now)
{
	const struct engine_span span = {
		.track = ENGINE_TRACK_DMA,
		.unit = (uint32_t)(unit - dma->units),
		.begin = unit->begin,
		.end = now + 1,
		.name = "copy",
		.sequence = unit->command->sequence,
		.detail = bytes,
	};

	dma->observer->span(dma->observer->owner, &span);
	unit->begin = now + 1;
}

/* A cycle's bytes through the engine: of one piece, or the next ones too. */
static bool unit_move(const struct engine_dma *dma, struct dma_unit *unit,
		      uint64_t now)
{
	uint64_t rate = dma->rate;
	uint64_t passed = 0;
	uint32_t before = unit->moved;
	bool changed = false;

	while (unit->moved < unit->opened) {
		struct dma_piece *piece = &unit->pieces[unit->moved % PIECES];
		uint64_t bytes =
			min_u64(rate, piece_come(piece) - piece->moved);

		if (!bytes && piece->moved < piece->bytes)
			break;
		changed = true;
		rate -= bytes;
		piece->moved += bytes;
		piece_release(piece);
		if (piece->moved < piece->bytes)
			break;
		passed += piece->bytes;
		unit->moved++;
	}
	if (unit->moved > before && dma->observer && dma->observer->span)
		show_pieces(dma, unit, passed, now);
	return changed;
}

static bool unit_step(struct engine_dma *dma, struct dma_unit *unit,
		      uint64_t now)
{
	bool changed = unit_move(dma, unit, now);

	while (unit->done < unit->moved &&
	       piece_written(&unit->pieces[unit->done % PIECES])) {
		unit->done++;
		changed = true;
	}
	return unit_read(dma, unit) || changed;
}

bool dma_step(struct engine_dma *dma, uint64_t now)
{
	bool changed = false;

	dma->now = now;
	if (!dma->busy)
		return false;
	for (uint32_t i = 0; i < dma->count; i++)
		if (dma->units[i].command)
			changed |= unit_step(dma, &dma->units[i], now);
	return changed;
}

/* It works in every cycle in which it can; else others have to bring or take bytes. */
uint64_t dma_next(const struct engine_dma *dma, uint64_t now)
{
	(void)dma;
	(void)now;
	return ENGINE_NEVER;
}

static enum spmm_stall piece_writes(const struct dma_piece *piece)
{
	return link_transfer_done(&piece->host_write) ? SPMM_STALL_DRAM :
							SPMM_STALL_PCIE;
}

/* Nothing more may be requested, and (nearly) all requests have been answered. */
static bool source_full(uint64_t total, uint64_t allowed, uint64_t requested,
			uint64_t done)
{
	return requested < total && allowed - requested < REQUEST_BYTES &&
	       requested < done + REQUEST_BYTES;
}

/* Of a piece whose source is waited for, or the buffer. */
static bool piece_full(const struct dma_piece *piece)
{
	return source_full(piece->read_bytes, piece->read.allowed,
			   piece->read.requested,
			   bytes_done(&piece->read, piece->read_bytes)) ||
	       source_full(piece->host_read.total, piece->host_read.allowed,
			   piece->host_read.requested, piece->host_read.done);
}

enum spmm_stall dma_cause(const struct engine_dma *dma,
			  const struct engine_command *command, uint64_t now)
{
	const struct dma_unit *unit = &dma->units[unit_find(dma, command)];
	const struct dma_piece *oldest = &unit->pieces[unit->done % PIECES];
	const struct dma_piece *piece = &unit->pieces[unit->moved % PIECES];

	(void)now;
	if (unit->done == unit->opened)
		return SPMM_STALL_DMA;
	if (unit->moved == unit->opened)
		return piece_writes(oldest);
	if (piece->moved < piece_come(piece))
		return SPMM_STALL_DMA;
	if (piece_full(piece))
		return piece_writes(piece);
	return link_transfer_done(&piece->host_read) ? SPMM_STALL_DRAM :
						       SPMM_STALL_PCIE;
}
