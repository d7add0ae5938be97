/* SPDX-License-Identifier: MIT */
/*
 * The DMA engines: each executes one copy at a time, piece by piece (the command's
 * tiles): what is read, from memory or over the link, is written as it comes. All
 * engines share the link's tags.
 */
#ifndef SIM_ENGINE_DMA_H
#define SIM_ENGINE_DMA_H

#include <sim/engine/command.h>

struct engine_dma;

int engine_dma_create(const struct sim_config *config,
		      struct engine_memory *memory, struct engine_link *link,
		      const struct engine_observer *observer,
		      struct engine_dma **out);
void engine_dma_destroy(struct engine_dma *dma);

/* Is an engine free? */
bool dma_has_room(const struct engine_dma *dma);

/* Its pieces wait for dma_allow(). */
void dma_start(struct engine_dma *dma, struct engine_command *command,
	       uint64_t now);

/* What the first @pieces of its pieces come after has been stored. */
void dma_allow(struct engine_dma *dma, const struct engine_command *command,
	       uint32_t pieces);

/* Pieces of the command that have been written, in order; its tile_count at the end. */
uint32_t dma_pieces_done(const struct engine_dma *dma,
			 const struct engine_command *command);

/* Takes a command that is done off its engine. */
void dma_finish(struct engine_dma *dma, struct engine_command *command);

/* What a command that is not done waits for: DMA (its rate), DRAM or PCIE. */
enum spmm_stall dma_cause(const struct engine_dma *dma,
			  const struct engine_command *command, uint64_t now);

bool dma_step(struct engine_dma *dma, uint64_t now);
uint64_t dma_next(const struct engine_dma *dma, uint64_t now);

#endif
