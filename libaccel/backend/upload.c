/* SPDX-License-Identifier: MIT */
#include "backend/upload.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/integer.h"
#include "formats/async_file.h"

/* A file system that does not answer for so long is given up. */
#define READ_NS 60000000000ull

static struct upload_window *window_of(struct upload *upload, unsigned int w)
{
	return &upload->windows[w % TRANSFER_WINDOWS];
}

int upload_begin(struct upload *upload, struct transfer *transfer,
		 uint64_t address, struct model_reader *reader)
{
	*upload = (struct upload){
		.transfer = transfer,
		.address = address,
		.reader = reader,
	};
	return transfer_begin(transfer);
}

/* Any read of any window. */
static int read_wait(struct upload *upload)
{
	uint64_t id;
	int ret = async_file_wait(model_reader_file(upload->reader),
				  deadline_after(READ_NS), &id);

	if (!ret)
		upload->windows[id].reads--;
	return ret;
}

/* Windows are checked in their order, so that a checksum goes on from one to the next. */
static int window_check(struct upload *upload,
			const struct upload_window *window)
{
	for (unsigned int i = 0; i < window->part_count; i++) {
		const struct upload_part *part = &window->parts[i];
		uint32_t before = part->is_first ? 0 : upload->crc;
		int ret;

		upload->crc = crc32c(before, part->bytes, part->length);
		if (!part->is_last)
			continue;
		ret = model_reader_check(upload->reader, &part->place,
					 upload->crc);
		if (ret)
			return ret;
	}
	return 0;
}

/* Give a window to the device, as soon as all of it is there. */
static int window_send(struct upload *upload, unsigned int w)
{
	struct upload_window *window = window_of(upload, w);
	unsigned int number = w % TRANSFER_WINDOWS;
	int ret = 0;

	if (window->is_copied)
		return 0;
	while (!ret && window->reads)
		ret = read_wait(upload);
	if (!ret)
		ret = window_check(upload, window);
	if (ret)
		return ret;
	window->id =
		transfer_put(upload->transfer,
			     transfer_window_address(upload->transfer, number),
			     upload->address + window->offset, window->length);
	window->is_copied = true;
	return 0;
}

/* Wait for the oldest window, with the one behind it on its way, too. */
static int oldest_retire(struct upload *upload)
{
	int ret = window_send(upload, upload->oldest);

	if (!ret && upload->oldest + 1 != upload->next)
		ret = window_send(upload, upload->oldest + 1);
	if (!ret)
		ret = transfer_wait(upload->transfer,
				    window_of(upload, upload->oldest)->id);
	if (!ret)
		upload->oldest++;
	return ret;
}

static bool is_first_waiting(struct upload *upload, unsigned int w)
{
	return w == upload->oldest || window_of(upload, w - 1)->is_copied;
}

/* The window that is being filled is full, or nothing follows. */
static int window_close(struct upload *upload)
{
	struct upload_window *window = window_of(upload, upload->next);

	if (!window->length)
		return 0;
	if (window->reads)
		async_file_flush(model_reader_file(upload->reader));
	upload->next++;
	/* What is all there need not wait, but keeps its turn. */
	if (!window->part_count && is_first_waiting(upload, upload->next - 1))
		return window_send(upload, upload->next - 1);
	return 0;
}

/* Where the next bytes go; *room is how many may. */
static int window_open(struct upload *upload, struct upload_window **out,
		       uint64_t *room)
{
	struct upload_window *window = window_of(upload, upload->next);
	int ret = 0;

	if (upload->next - upload->oldest < TRANSFER_WINDOWS &&
	    window->length &&
	    (window->length == TRANSFER_WINDOW_BYTES ||
	     window->part_count == UPLOAD_PARTS_MAX))
		ret = window_close(upload);
	while (!ret && upload->next - upload->oldest == TRANSFER_WINDOWS)
		ret = oldest_retire(upload);
	if (ret)
		return ret;
	window = window_of(upload, upload->next);
	if (window->is_copied)
		*window = (struct upload_window){ 0 };
	if (!window->length)
		window->offset = upload->position;
	*room = TRANSFER_WINDOW_BYTES - window->length;
	*out = window;
	return 0;
}

static int part_read(struct upload *upload, struct upload_window *window,
		     const struct upload_piece *piece, uint64_t done,
		     uint64_t length, void *to)
{
	struct async_file *file = model_reader_file(upload->reader);
	int ret = 0;

	while (!ret && !async_file_has_room(file))
		ret = read_wait(upload);
	if (ret)
		return ret;
	window->parts[window->part_count++] = (struct upload_part){
		.place = piece->place,
		.bytes = to,
		.length = length,
		.is_first = !done,
		.is_last = done + length == piece->length,
	};
	window->reads++;
	async_file_read(file, to, piece->place.offset + done, length,
			upload->next % TRANSFER_WINDOWS);
	return 0;
}

/* So many bytes of a piece, or zeros where it is NULL. */
static int bytes_put(struct upload *upload, const struct upload_piece *piece,
		     uint64_t length)
{
	uint64_t done = 0;

	while (done < length) {
		struct upload_window *window;
		uint64_t room;
		char *to;
		int ret = window_open(upload, &window, &room);

		if (ret)
			return ret;
		room = min_u64(room, length - done);
		to = (char *)transfer_window(upload->transfer,
					     upload->next % TRANSFER_WINDOWS) +
		     window->length;
		if (!piece)
			memset(to, 0, room);
		else if (piece->bytes)
			memcpy(to, (const char *)piece->bytes + done, room);
		else
			ret = part_read(upload, window, piece, done, room, to);
		if (ret)
			return ret;
		window->length += room;
		upload->position += room;
		done += room;
	}
	return 0;
}

int upload_put(struct upload *upload, const struct upload_piece *piece)
{
	int ret = bytes_put(upload, NULL, piece->offset - upload->position);

	return ret ? ret : bytes_put(upload, piece, piece->length);
}

/* Reads write into windows until they have ended. */
static void reads_end(struct upload *upload)
{
	unsigned int reads = 0;

	for (unsigned int i = 0; i < TRANSFER_WINDOWS; i++)
		reads += upload->windows[i].reads;
	if (!reads)
		return;
	accel_error_hold();
	if (async_file_drain(model_reader_file(upload->reader)))
		transfer_abandon(upload->transfer);
	accel_error_release();
}

int upload_end(struct upload *upload, int ret)
{
	if (!ret)
		ret = window_close(upload);
	while (!ret && upload->oldest != upload->next)
		ret = oldest_retire(upload);
	if (ret)
		reads_end(upload);
	transfer_end(upload->transfer);
	return ret;
}
