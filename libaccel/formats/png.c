/* SPDX-License-Identifier: MIT */
#include <formats/image.h>

#include <core/error.h>
#include <formats/atomic_file.h>
#include <formats/file.h>

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 30)
/* A small file can claim a huge picture. */
#define MAX_SIDE 65535
#define MAX_PIXELS ((size_t)1 << 26)
#define MAX_CHUNK ((size_t)1 << 26)

/* What libpng reports ends up here; it leaves by longjmp() to the caller's setjmp(). */
struct message {
	char text[128];
};

static void on_error(png_structp png, png_const_charp text)
{
	struct message *message = png_get_error_ptr(png);

	snprintf(message->text, sizeof(message->text), "%s", text);
	longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

struct decoder {
	png_structp png;
	png_infop info;
	struct message message;
	const uint8_t *data;
	size_t size;
	uint8_t *bytes;
	png_bytep *rows;
	size_t depth;
};

static void on_read(png_structp png, png_bytep bytes, size_t count)
{
	struct decoder *decoder = png_get_io_ptr(png);

	if (count > decoder->size)
		png_error(png, "the file is cut off");
	memcpy(bytes, decoder->data, count);
	decoder->data += count;
	decoder->size -= count;
}

/* Ask for gray or RGB of 8 or 16 bits, whatever the file holds. */
static void decoder_set_form(struct decoder *decoder)
{
	png_set_expand(decoder->png);
	png_set_strip_alpha(decoder->png);
	png_set_interlace_handling(decoder->png);
	png_read_update_info(decoder->png, decoder->info);
}

static void decoder_read_rows(struct decoder *decoder, size_t height)
{
	size_t row = png_get_rowbytes(decoder->png, decoder->info);

	decoder->bytes = calloc(height, row);
	decoder->rows = calloc(height, sizeof(*decoder->rows));
	if (!decoder->bytes || !decoder->rows)
		png_error(decoder->png, "no memory");
	for (size_t i = 0; i < height; i++)
		decoder->rows[i] = decoder->bytes + i * row;
	png_read_image(decoder->png, decoder->rows);
	png_read_end(decoder->png, NULL);
}

/* Runs under setjmp(): what it allocates hangs on the decoder or the image. */
static void decode(struct decoder *decoder, struct image *image)
{
	png_structp png = decoder->png;

	png_set_read_fn(png, decoder, on_read);
	png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
	png_set_chunk_malloc_max(png, MAX_CHUNK);
	png_read_info(png, decoder->info);
	image->width = png_get_image_width(png, decoder->info);
	image->height = png_get_image_height(png, decoder->info);
	if (image->width * image->height > MAX_PIXELS)
		png_error(png, "more than 64 million pixels");
	decoder_set_form(decoder);
	image->channels = png_get_channels(png, decoder->info);
	decoder->depth = png_get_bit_depth(png, decoder->info);
	decoder_read_rows(decoder, image->height);
}

static void convert_pixels(const struct decoder *decoder, struct image *image)
{
	size_t count = image->width * image->height * image->channels;
	const uint8_t *bytes = decoder->bytes;

	for (size_t i = 0; i < count; i++) {
		if (decoder->depth == 16)
			image->pixels[i] =
				(float)(bytes[2 * i] << 8 | bytes[2 * i + 1]) /
				65535.0f;
		else
			image->pixels[i] = (float)bytes[i] / 255.0f;
	}
}

static int decoder_run(struct decoder *decoder, struct image *image)
{
	int ret;

	decoder->png = png_create_read_struct(
		PNG_LIBPNG_VER_STRING, &decoder->message, on_error, on_warning);
	if (decoder->png)
		decoder->info = png_create_info_struct(decoder->png);
	if (!decoder->info)
		return accel_error(-ENOMEM, "no memory");
	if (setjmp(png_jmpbuf(decoder->png)))
		return accel_error(-EINVAL, "no good PNG: %s",
				   decoder->message.text);
	decode(decoder, image);
	ret = image_create(image, image->width, image->height, image->channels);
	if (!ret)
		convert_pixels(decoder, image);
	return ret;
}

int image_decode_png(struct image *image, const void *data, size_t size)
{
	struct decoder decoder = { .data = data, .size = size };
	int ret = decoder_run(&decoder, image);

	png_destroy_read_struct(&decoder.png, &decoder.info, NULL);
	free(decoder.rows);
	free(decoder.bytes);
	return ret;
}

int image_read_png(struct image *image, const char *path)
{
	size_t size;
	void *data;
	int ret = file_read(path, MAX_FILE, &data, &size);

	if (ret)
		return ret;
	ret = image_decode_png(image, data, size);
	free(data);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

struct encoder {
	png_structp png;
	png_infop info;
	struct message message;
	struct atomic_file *file;
	uint8_t *row;
	int ret;
};

static void on_write(png_structp png, png_bytep bytes, size_t count)
{
	struct encoder *encoder = png_get_io_ptr(png);

	encoder->ret = atomic_file_write(encoder->file, bytes, count);
	if (encoder->ret)
		png_error(png, "cannot write");
}

static void on_flush(png_structp png)
{
	(void)png;
}

/* NaN becomes black. */
static uint8_t quantize(float value)
{
	if (!(value > 0.0f))
		return 0;
	if (value >= 1.0f)
		return 255;
	return (uint8_t)(value * 255.0f + 0.5f);
}

/* Runs under setjmp(). */
static void encode(struct encoder *encoder, const struct image *image)
{
	size_t row = image->width * image->channels;

	png_set_write_fn(encoder->png, encoder, on_write, on_flush);
	png_set_user_limits(encoder->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_IHDR(encoder->png, encoder->info, (png_uint_32)image->width,
		     (png_uint_32)image->height, 8,
		     image->channels == 3 ? PNG_COLOR_TYPE_RGB :
					    PNG_COLOR_TYPE_GRAY,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(encoder->png, encoder->info);
	for (size_t y = 0; y < image->height; y++) {
		for (size_t i = 0; i < row; i++)
			encoder->row[i] = quantize(image->pixels[y * row + i]);
		png_write_row(encoder->png, encoder->row);
	}
	png_write_end(encoder->png, NULL);
}

static int encoder_run(struct encoder *encoder, const struct image *image)
{
	if (image->width > PNG_UINT_31_MAX || image->height > PNG_UINT_31_MAX)
		return accel_error(-EINVAL, "too large for a PNG");
	encoder->row = malloc(image->width * image->channels);
	encoder->png = png_create_write_struct(
		PNG_LIBPNG_VER_STRING, &encoder->message, on_error, on_warning);
	if (encoder->png)
		encoder->info = png_create_info_struct(encoder->png);
	if (!encoder->info || !encoder->row)
		return accel_error(-ENOMEM, "no memory");
	if (setjmp(png_jmpbuf(encoder->png))) {
		if (encoder->ret)
			return encoder->ret;
		return accel_error(-EINVAL, "cannot make the PNG: %s",
				   encoder->message.text);
	}
	encode(encoder, image);
	return 0;
}

int image_write_png(const char *path, const struct image *image)
{
	struct encoder encoder = { 0 };
	int ret;

	ret = atomic_file_open(&encoder.file, path);
	if (ret)
		return ret;
	ret = encoder_run(&encoder, image);
	png_destroy_write_struct(&encoder.png, &encoder.info);
	free(encoder.row);
	if (ret) {
		atomic_file_abandon(encoder.file);
		return ret;
	}
	return atomic_file_commit(encoder.file);
}
