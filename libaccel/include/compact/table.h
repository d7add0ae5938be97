/* SPDX-License-Identifier: MIT */
/* Tables of functions of one code, which are nearly straight lines from entry to entry. */
#ifndef COMPACT_TABLE_H
#define COMPACT_TABLE_H

#include <stdint.h>

#include <compact/coder.h>
#include <compact/mixer.h>

/* Opinions of tables; opinions_reset() makes them. */
#define TABLE_OPINIONS 256

/*
 * So many tables of GOLDEN_TABLE_SIZE entries. An encoder is given them; a decoder makes
 * them, for free(). Return: 0 or −errno.
 */
int table_code(struct opinion *opinions, const struct odds *odds,
	       struct coder *coder, uint32_t count, int8_t **tables);

#endif
