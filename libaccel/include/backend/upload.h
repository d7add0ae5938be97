/* SPDX-License-Identifier: MIT */
/*
 * Bytes from memory and from a file on their way into device memory. While one window of
 * the transfer's is copied by the device, the next ones are filled; what comes from a file
 * is read straight into a window.
 */
#ifndef BACKEND_UPLOAD_H
#define BACKEND_UPLOAD_H

#include <stdint.h>

#include "backend/transfer.h"
#include "model/file_reader.h"

/* Pieces of a window that come from a file: a window that has more is sent before it is full. */
#define UPLOAD_PARTS_MAX 32

/**
 * struct upload_piece - bytes that lie together in the device
 * @offset: from the upload's address; not before the end of the piece before it
 * @length: of it
 * @bytes: or NULL
 * @place: in the file, where there are no @bytes
 */
struct upload_piece {
	uint64_t offset;
	uint64_t length;
	const void *bytes;
	struct model_place place;
};

/**
 * struct upload_part - what a window has of a piece in the file
 * @place: of the piece
 * @bytes: in the window
 * @length: of @bytes
 * @is_first: part of the piece; likewise @is_last
 */
struct upload_part {
	struct model_place place;
	const void *bytes;
	uint64_t length;
	bool is_first;
	bool is_last;
};

/**
 * struct upload_window - a window in use
 * @offset: of its first byte in the upload
 * @length: bytes in it
 * @reads: that have not ended
 * @parts: to be checked when they have
 * @part_count: of @parts
 * @is_copied: the copy is on its way
 * @id: of the copy
 */
struct upload_window {
	uint64_t offset;
	uint64_t length;
	unsigned int reads;
	struct upload_part parts[UPLOAD_PARTS_MAX];
	unsigned int part_count;
	bool is_copied;
	uint16_t id;
};

/**
 * struct upload - one that goes on
 * @transfer: that is held
 * @address: device-virtual, of offset 0
 * @reader: of the file; NULL where there is none
 * @windows: a ring: window w is number w mod TRANSFER_WINDOWS
 * @oldest: window that is in use
 * @next: window that is being filled
 * @position: offset behind what was put
 * @crc: of the present piece in the file
 */
struct upload {
	struct transfer *transfer;
	uint64_t address;
	struct model_reader *reader;
	struct upload_window windows[TRANSFER_WINDOWS];
	unsigned int oldest;
	unsigned int next;
	uint64_t position;
	uint32_t crc;
};

/* Holds the transfer until upload_end(), unless it fails. */
int upload_begin(struct upload *upload, struct transfer *transfer,
		 uint64_t address, struct model_reader *reader);
int upload_put(struct upload *upload, const struct upload_piece *piece);

/* Waits for everything; after an error, @ret, it ends everything. The error, or the first. */
int upload_end(struct upload *upload, int ret);

#endif
