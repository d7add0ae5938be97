/* SPDX-License-Identifier: MIT */
/*
 * A recurrent layer's matrix as the device wants it: the gates of a unit in
 * neighbouring rows, unit after unit, where a model has gate after gate.
 */
#ifndef PLAN_GATE_ROWS_H
#define PLAN_GATE_ROWS_H

#include <stdint.h>

#include "model/model.h"

/**
 * struct gate_rows - one of the two matrices
 * @csr: row u·G + g is gate g of unit u
 * @scale: of its rows
 * @bias: likewise
 */
struct gate_rows {
	struct model_csr csr;
	float *scale;
	int32_t *bias;
};

/* Of @csr, whose row g·@units + u is that gate; −ENOMEM. Freed by gate_rows_free(). */
int gate_rows_create(const struct model_csr *csr, const float *scale,
		     const int32_t *bias, uint32_t units,
		     struct gate_rows *out);
void gate_rows_free(struct gate_rows *rows);

#endif
