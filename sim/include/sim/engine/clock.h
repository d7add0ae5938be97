/* SPDX-License-Identifier: MIT */
/*
 * Time in the engine: device cycles, and the contract of everything that is clocked.
 *
 * A component X has a state and two functions:
 *
 *	bool X_step(x, now)
 *		all that happens in cycle @now; true if anything changed, in X or in
 *		what X shares with others. A step in which nothing is due changes
 *		nothing, so that it may be left out.
 *	uint64_t X_next(x, now)
 *		the earliest cycle after @now at which a step would change something,
 *		if no other component does anything before; ENGINE_NEVER for none.
 *		Asked only after a cycle in which nothing changed anywhere.
 *
 * The reference engine steps every cycle. The fast one steps the next cycle as long as
 * something changes, and then the earliest that anybody named. Their results are the
 * same, bit by bit, if X_next() never names a cycle too late; tests hold the two
 * against each other.
 */
#ifndef SIM_ENGINE_CLOCK_H
#define SIM_ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define ENGINE_NEVER UINT64_MAX

#endif
