// SPDX-License-Identifier: GPL-2.0-only
/* dma_buf_invalidate_mappings(), which was dma_buf_move_notify(). */
#include <linux/dma-buf.h>

void spmm_probe(struct dma_buf *dma_buf);

void spmm_probe(struct dma_buf *dma_buf)
{
	dma_buf_invalidate_mappings(dma_buf);
}
