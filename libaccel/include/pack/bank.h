/* SPDX-License-Identifier: MIT */
/*
 * Which bank of the activation buffer holds a row of X. Rows go to the banks in
 * turn, and each round of banks starts skew further than the one before: columns
 * of W that are often kept tend to lie a power of two apart, and the skew is
 * chosen so that they spread.
 */
#ifndef PACK_BANK_H
#define PACK_BANK_H

#include <stdint.h>

#include "model/model.h"
#include "pack/schedule.h"

/* Of column k: (k + skew · ⌊k / banks⌋) mod banks. */
static inline uint32_t bank_of(uint32_t column, uint32_t banks, uint32_t skew)
{
	return (column % banks + column / banks % banks * skew) % banks;
}

/* Columns so far apart have the same bank; it saves a table as long as K. */
static inline uint32_t bank_period(uint32_t banks)
{
	return banks * banks;
}

#define BANK_PERIOD_MAX (SCHEDULE_BANKS_MAX * SCHEDULE_BANKS_MAX)

/*
 * The skew < banks ≤ SCHEDULE_BANKS_MAX whose worst bank has the fewest weights, in
 * the worst of as many even parts.
 */
uint32_t bank_choose_skew(const struct model_csr *matrix, uint32_t banks,
			  uint32_t parts);

#endif
