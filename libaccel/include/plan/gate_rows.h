/* SPDX-License-Identifier: MIT */
/*
 * A recurrent layer's matrix as the device wants it: the gates of a unit in
 * neighbouring rows, unit after unit, where a model has gate after gate.
 */
#ifndef PLAN_GATE_ROWS_H
#define PLAN_GATE_ROWS_H

#include <stdint.h>

#include "model/model.h"

/* A matrix in that order; −ENOMEM. Freed by gate_rows_free(). */
int gate_rows_create(const struct model_csr *csr, uint32_t units,
		     struct model_csr *out);
void gate_rows_free(struct model_csr *csr);

#endif
