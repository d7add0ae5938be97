/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "folder.h"

#include <core/error.h>
#include <formats/file.h>
#include <formats/image.h>

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Let libpng write a file of the given form, as any other program would. */
static void write_form(const char *path, int color, int depth, int interlace,
		       const uint8_t *rows, size_t row_size)
{
	static const png_color palette[2] = { { 10, 20, 30 }, { 40, 50, 60 } };
	FILE *stream = fopen(path, "wb");
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png_create_info_struct(png);

	assert_non_null(stream);
	if (setjmp(png_jmpbuf(png)))
		fail();
	png_init_io(png, stream);
	png_set_IHDR(png, info, 2, 2, depth, color, interlace,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (color == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 2);
	png_write_info(png, info);
	for (int pass = png_set_interlace_handling(png); pass > 0; pass--) {
		for (size_t i = 0; i < 2; i++)
			png_write_row(png, rows + i * row_size);
	}
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	fclose(stream);
}

static void expect_form(void **state, int color, int depth, const uint8_t *rows,
			size_t row_size, size_t channels, const float *pixels)
{
	const char *path = folder_path(*state, "form.png");

	for (int interlace = 0; interlace < 2; interlace++) {
		struct image image;

		write_form(path, color, depth, interlace, rows, row_size);
		assert_int_equal(image_read_png(&image, path), 0);
		assert_int_equal(image.width, 2);
		assert_int_equal(image.height, 2);
		assert_int_equal(image.channels, channels);
		for (size_t i = 0; i < 4 * channels; i++)
			assert_true(fabsf(image.pixels[i] - pixels[i]) < 1e-6f);
		image_release(&image);
	}
}

static void every_form_is_read(void **state)
{
	static const uint8_t gray8[] = { 0, 51, 102, 255 };
	static const uint8_t gray16[] = { 0, 0, 0xff, 0xff, 0x33, 0x33, 0, 0 };
	static const uint8_t gray1[] = { 0x40, 0x80 };
	static const uint8_t gray_alpha[] = { 0, 9, 51, 9, 102, 9, 255, 9 };
	static const uint8_t rgb[] = {
		0, 51, 102, 255, 0, 0, 0, 0, 0, 51, 0, 0
	};
	static const uint8_t indices[] = { 0x40, 0x80 };
	static const float gray8_pixels[] = { 0, 0.2f, 0.4f, 1 };
	static const float gray16_pixels[] = { 0, 1, 0.2f, 0 };
	static const float gray1_pixels[] = { 0, 1, 1, 0 };
	static const float rgb_pixels[] = { 0, 0.2f, 0.4f, 1,	 0, 0,
					    0, 0,    0,	   0.2f, 0, 0 };
	float palette_pixels[12];
	static const int chosen[] = { 0, 1, 1, 0 };

	for (int i = 0; i < 12; i++)
		palette_pixels[i] =
			(float)(30 * chosen[i / 3] + 10 * (i % 3) + 10) / 255;
	expect_form(state, PNG_COLOR_TYPE_GRAY, 8, gray8, 2, 1, gray8_pixels);
	expect_form(state, PNG_COLOR_TYPE_GRAY, 16, gray16, 4, 1,
		    gray16_pixels);
	expect_form(state, PNG_COLOR_TYPE_GRAY, 1, gray1, 1, 1, gray1_pixels);
	expect_form(state, PNG_COLOR_TYPE_GRAY_ALPHA, 8, gray_alpha, 4, 1,
		    gray8_pixels);
	expect_form(state, PNG_COLOR_TYPE_RGB, 8, rgb, 6, 3, rgb_pixels);
	expect_form(state, PNG_COLOR_TYPE_PALETTE, 1, indices, 1, 3,
		    palette_pixels);
}

static void written_image_comes_back(void **state)
{
	const char *path = folder_path(*state, "a.png");
	struct image image, back;

	for (size_t channels = 1; channels <= 3; channels += 2) {
		size_t count = 7 * 5 * channels;

		assert_int_equal(image_create(&image, 7, 5, channels), 0);
		for (size_t i = 0; i < count; i++)
			image.pixels[i] = (float)(i * 2) / 255.0f;
		assert_int_equal(image_write_png(path, &image), 0);
		assert_int_equal(image_read_png(&back, path), 0);
		assert_memory_equal(image.pixels, back.pixels,
				    count * sizeof(float));
		image_release(&image);
		image_release(&back);
	}
}

static void values_are_clipped_and_rounded(void **state)
{
	static const float values[] = { -5, 300, NAN, 0.6f, 0.4f, 254.6f };
	static const float expected[] = { 0, 255, 0, 1, 0, 255 };
	const char *path = folder_path(*state, "a.png");
	struct image image, back;

	assert_int_equal(image_from_tensor(&image, values, IMAGE_CHW, 1, 2, 3,
					   0, 255),
			 0);
	assert_int_equal(image_write_png(path, &image), 0);
	assert_int_equal(image_read_png(&back, path), 0);
	for (size_t i = 0; i < 6; i++)
		assert_true(back.pixels[i] * 255 == expected[i]);
	image_release(&image);
	image_release(&back);
}

static void layouts_are_what_they_say(void **state)
{
	/* the value of channel c at pixel p is 10 c + p, from -1 to 1 */
	static const float chw[] = { 0, 1, 10, 11, 20, 21 };
	static const float hwc[] = { 0, 10, 20, 1, 11, 21 };
	struct image image;
	float back[6];

	(void)state;
	assert_int_equal(
		image_from_tensor(&image, chw, IMAGE_CHW, 3, 1, 2, 0, 1), 0);
	assert_memory_equal(image.pixels, hwc, sizeof(hwc));
	image_to_tensor(&image, back, IMAGE_CHW, 0, 1);
	assert_memory_equal(back, chw, sizeof(chw));
	image_to_tensor(&image, back, IMAGE_HWC, 0, 1);
	assert_memory_equal(back, hwc, sizeof(hwc));
	image_release(&image);
	assert_int_equal(
		image_from_tensor(&image, chw, IMAGE_HWC, 1, 2, 3, 0, 1), 0);
	assert_memory_equal(image.pixels, chw, sizeof(chw));
	image_release(&image);
}

static void grid_places_its_cells(void **state)
{
	struct image cells[3], grid;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(image_create(&cells[i], 2, 1, 1), 0);
		cells[i].pixels[0] = cells[i].pixels[1] = (float)(i + 1);
	}
	assert_int_equal(image_grid(&grid, cells, 3, 2), 0);
	assert_int_equal(grid.width, 5);
	assert_int_equal(grid.height, 3);
	assert_true(grid.pixels[1] == 1 && grid.pixels[2] == 0);
	assert_true(grid.pixels[3] == 2 && grid.pixels[5] == 0);
	assert_true(grid.pixels[10] == 3 && grid.pixels[13] == 0);
	image_release(&grid);
	for (size_t i = 0; i < 3; i++)
		image_release(&cells[i]);
}

static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *stream = fopen(path, "wb");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
}

static void every_cut_is_an_error(void **state)
{
	char path[FOLDER_PATH];
	struct image image;
	size_t size;
	void *data;

	strcpy(path, folder_path(*state, "a.png"));
	assert_int_equal(image_create(&image, 8, 8, 3), 0);
	assert_int_equal(image_write_png(path, &image), 0);
	image_release(&image);
	assert_int_equal(file_read(path, 10000, &data, &size), 0);
	for (size_t cut = 0; cut < size; cut++) {
		write_bytes(path, data, cut);
		assert_int_equal(image_read_png(&image, path), -EINVAL);
	}
	free(data);
}

/* A huge size in the header, with a right checksum, must not cost memory. */
static void huge_claims_are_errors(void **state)
{
	const char *path = folder_path(*state, "a.png");
	uint8_t file[33] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
			   "\0\0\xff\xff\0\0\xff\xff\x08\x02";
	uint32_t crc = (uint32_t)crc32(0, file + 12, 17);
	struct image image;

	for (int i = 0; i < 4; i++)
		file[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
	write_bytes(path, file, sizeof(file));
	assert_int_equal(image_read_png(&image, path), -EINVAL);
}

static void impossible_images_are_errors(void **state)
{
	struct image image;

	(void)state;
	assert_int_equal(image_create(&image, 0, 1, 1), -EINVAL);
	assert_int_equal(image_create(&image, 1, 1, 2), -EINVAL);
	assert_int_equal(image_create(&image, SIZE_MAX, 2, 1), -EINVAL);
	assert_int_equal(image_read_png(&image, "/dev/null"), -EINVAL);
	assert_int_equal(image_grid(&image, NULL, 0, 1), -EINVAL);
}

static void full_device_is_told(void **state)
{
	struct image image;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(image_create(&image, 4, 4, 1), 0);
	assert_int_equal(image_write_png("/dev/full", &image), -ENOSPC);
	image_release(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_form_is_read),
		folder_test(written_image_comes_back),
		folder_test(values_are_clipped_and_rounded),
		cmocka_unit_test(layouts_are_what_they_say),
		cmocka_unit_test(grid_places_its_cells),
		folder_test(every_cut_is_an_error),
		folder_test(huge_claims_are_errors),
		cmocka_unit_test(impossible_images_are_errors),
		cmocka_unit_test(full_device_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
