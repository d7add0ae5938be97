/* SPDX-License-Identifier: MIT */
/* From the weight stream of a packed file back to CSR. */
#ifndef MODEL_UNPACK_H
#define MODEL_UNPACK_H

#include <model/model.h>
#include <model/packing.h>

/**
 * model_stream_unpack() - make a matrix of a stream
 * @stream: hostile, with its bytes
 * @geometry: that the file says it was packed for, hostile too
 * @units: see model_stream_row(); the rows are a multiple of it
 * @csr: its rows and columns, which are believed; its arrays are made, except
 *	@csr->row_start, which there is
 *
 * Return: 0; −EBADMSG with a text for what is no stream of that matrix; −ENOMEM.
 */
int model_stream_unpack(const struct model_stream *stream,
			const struct geometry *geometry, uint32_t units,
			struct model_csr *csr);

#endif
