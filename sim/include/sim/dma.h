/* SPDX-License-Identifier: MIT */
/* The DMA engine's commands: COPY and COPY_STRIDED. */
#ifndef SIM_DMA_H
#define SIM_DMA_H

#include <sim/execution.h>

void dma_copy(struct sim_execution *execution);
void dma_copy_strided(struct sim_execution *execution);

#endif
