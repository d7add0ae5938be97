/* SPDX-License-Identifier: MIT */
/*
 * Optimal brain surgeon (Hassibi and Stork 1993), row by row as by Frantar and Alistarh
 * (2022): of each row the weight that costs least goes, the others take over, and the
 * inverse of H loses a row and a column; until none is left. Then as many steps of
 * each row are taken as are cheapest together. d³ operations for each row.
 */
#ifndef COMPRESS_OBS_H
#define COMPRESS_OBS_H

#include <compress/layer_problem.h>

/** OBS_COLUMNS_MAX - weights of a row, beyond which it would take hours */
#define OBS_COLUMNS_MAX 1200

/* A solver: as many weights stay as the problem's keep has; no context. */
int obs_solve(void *context, struct layer_problem *problem);

#endif
