/* SPDX-License-Identifier: MIT */
/*
 * Waves for a viewer such as GTKWave: a value change dump (IEEE 1364-2005, clause 18).
 * Scopes: device, with a cluster[n], dram[n] and dma[n] for each of them, and link.
 */
#ifndef SIM_TRACE_WAVES_H
#define SIM_TRACE_WAVES_H

#include <sim/engine/observer.h>
#include <sim/trace/shape.h>

struct waves;

/* @limit: how many changes; the file says if there were more. −errno with a text. */
int waves_create(const char *path, const struct trace_shape *shape,
		 uint64_t limit, struct waves **out);

/* A time before the last one counts as that. */
void waves_change(struct waves *waves, enum engine_signal signal, uint32_t unit,
		  uint64_t now, uint64_t value);

/* Completes the file and frees it; 0, or the first error with a text. */
int waves_close(struct waves *waves);

#endif
