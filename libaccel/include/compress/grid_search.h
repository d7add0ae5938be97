/* SPDX-License-Identifier: MIT */
/*
 * Grid search: the cube's corners, then the points of a grid of half the distance that
 * were not on it yet, and so on, so that any number of looks is spread over the whole cube.
 * Within a grid the seed says what comes first. What was looked at already is left out.
 */
#ifndef COMPRESS_GRID_SEARCH_H
#define COMPRESS_GRID_SEARCH_H

#include <compress/point_search.h>

extern const struct point_search_kind grid_search;

#endif
