/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels in which importers are told of a move by dma_buf_move_notify(). */
#ifndef SPMM_COMPAT_INVALIDATE_MAPPINGS_H
#define SPMM_COMPAT_INVALIDATE_MAPPINGS_H

#include <linux/dma-buf.h>

#define dma_buf_invalidate_mappings(dma_buf) dma_buf_move_notify(dma_buf)

#endif
