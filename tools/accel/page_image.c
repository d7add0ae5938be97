/* SPDX-License-Identifier: MIT */
#include "page_image.h"

#include "markup.h"

#include <core/error.h>
#include <formats/image.h>
#include <formats/temporary_file.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct markup *markup, const unsigned char *data,
		       size_t size)
{
	for (size_t i = 0; i < size; i += 3) {
		unsigned int bits = (unsigned int)data[i] << 16;

		if (i + 1 < size)
			bits |= (unsigned int)data[i + 1] << 8;
		if (i + 2 < size)
			bits |= data[i + 2];
		markup_add(markup, "%c%c%c%c", base64[bits >> 18],
			   base64[bits >> 12 & 63],
			   i + 1 < size ? base64[bits >> 6 & 63] : '=',
			   i + 2 < size ? base64[bits & 63] : '=');
	}
}

static int add_file(struct markup *markup, FILE *file)
{
	unsigned char chunk[3 * 1024];
	size_t size;

	while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		add_base64(markup, chunk, size);
	return ferror(file) ?
		       accel_error(-EIO, "a picture cannot be read back") :
		       0;
}

/* libpng's file, by way of a temporary one. */
static int add_png(struct markup *markup, const char *path,
		   const struct image *image)
{
	FILE *file;
	int ret = image_write_png(path, image);

	if (ret)
		return ret;
	file = fopen(path, "rbe");
	if (!file)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	ret = add_file(markup, file);
	fclose(file);
	return ret;
}

int page_add_image(struct markup *markup, const struct image *image,
		   const char *class, const char *text)
{
	char *path;
	int ret = temporary_file_create(&path);

	if (ret)
		return ret;
	markup_add(markup, "<img class=\"%s\" alt=\"", class);
	markup_escape(markup, text);
	markup_add(markup, "\" src=\"data:image/png;base64,");
	ret = add_png(markup, path, image);
	markup_add(markup, "\"/>");
	temporary_file_remove(path);
	return ret;
}
