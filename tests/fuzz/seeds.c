/* SPDX-License-Identifier: MIT */
/* Writes a few good files for each fuzz target to start from: seeds FOLDER. */
#include "../unit/default_geometry.h"
#include "../unit/sample_model.h"
#include "seeds_checkpoint.h"
#include "seeds_onnx.h"

#include <accel/error.h>
#include <compact/matrix.h>
#include <compact/rows.h>
#include <compact/table.h>
#include <formats/npy.h>
#include <runtime/stats_page.h>
#include <formats/safetensors.h>
#include <model/file.h>
#include <pack/stream.h>
#include <plan/matrix.h>

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* FOLDER/TARGET/NAME, with the folders made. */
static const char *seed_path(const char *folder, const char *target,
			     const char *name)
{
	static char path[PATH_MAX];

	mkdir(folder, 0777);
	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	return path;
}

static int file_write(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	bool written;

	if (!file)
		return -errno;
	written = fwrite(bytes, length, 1, file) == 1;
	return fclose(file) || !written ? -EIO : 0;
}

/* Messages of a vfio-user client: command, length, payload. */
static int server_seeds(const char *folder)
{
	static const uint8_t messages[] = {
		1, 4,  0,  0, 1,  0, /* VERSION */
		4, 0, /* DEVICE_GET_INFO */
		5, 12, 32, 0, 0,  0,  0, 0, 0, 0, 2,  0, 0, 0, /* BAR2 */
		9, 16, 0,  0, 0,  0,  0, 0, 0, 0, 0,  0, 0, 0,
		8, 0,  0,  0, 10, 18, 4, 0, 0, 0, 0,  0, 0, 0,
		7, 0,  0,  0, 2,  0,  0, 0, 6, 0, 13, 0, /* DEVICE_RESET */
	};
	/* VERSION; faults 1 and 4 are armed, STATUS is read, the function reset. */
	static const char faults[] =
		"\1\4\0\0\1\0"
		"\12\21\14\2\0\0\0\0\0\0\7\0\0\0\1\0\0\0\1"
		"\11\20\20\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0"
		"\12\22\170\0\0\0\0\0\0\0\7\0\0\0\2\0\0\0\0\200"
		"\12\21\14\2\0\0\0\0\0\0\7\0\0\0\1\0\0\0\4"
		"\11\20\0\2\0\0\0\0\0\0\7\0\0\0\100\0\0\0";
	int ret = file_write(seed_path(folder, "server", "0"), messages,
			     sizeof(messages));

	if (ret)
		return ret;
	return file_write(seed_path(folder, "server", "1"), faults,
			  sizeof(faults) - 1);
}

static int fault_seeds(const char *folder)
{
	static const char script[] =
		"hang: hang engine until queue on spmm queue 1 after 2\n"
		"g: gone 250 now armed # a comment\n"
		"w: dma_write 0x1000 always\n"
		"c: corrupt phase on admin times 3\n"
		"i: interrupt 7\n"
		"r: ignore on reset_context\n";

	return file_write(seed_path(folder, "fault", "0"), script,
			  strlen(script));
}

static int stats_seed(const char *folder)
{
	struct stats_page page = {
		.magic = STATS_PAGE_MAGIC,
		.version = STATS_PAGE_VERSION,
		.slots_offset = offsetof(struct stats_page, slots),
		.slot_size = sizeof(struct stats_slot),
		.slot_count = 2,
		.uri = "sim:",
	};

	page.slots[1].number = 1;
	return file_write(seed_path(folder, "stats", "0"), &page,
			  offsetof(struct stats_page, slots[2]));
}

static int npy_seeds(const char *folder)
{
	static double elements[6];
	struct npy_array array = { .rank = 2,
				   .shape = { 2, 3 },
				   .data = elements };

	for (int type = 0; type < NPY_TYPES; type++) {
		char name[8];
		int ret;

		snprintf(name, sizeof(name), "%d", type);
		array.type = (enum npy_type)type;
		ret = npy_write(seed_path(folder, "npy", name), &array);
		if (ret)
			return ret;
	}
	return 0;
}

/* One of each kind of pixel: a byte, a palette, alpha, 16 bits. */
static int png_seeds(const char *folder)
{
	static const png_uint_32 formats[] = { PNG_FORMAT_GRAY,
					       PNG_FORMAT_RGB_COLORMAP,
					       PNG_FORMAT_RGBA,
					       PNG_FORMAT_LINEAR_RGB };
	/* room for 5 × 3 pixels of any of them; a palette has its colours beside */
	static uint16_t pixels[5 * 3 * 4];
	static uint8_t colours[256 * 3];

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		png_image image = { .version = PNG_IMAGE_VERSION,
				    .width = 5,
				    .height = 3,
				    .format = formats[i],
				    .colormap_entries = 4 };
		char name[8];

		snprintf(name, sizeof(name), "%zu", i);
		if (!png_image_write_to_file(&image,
					     seed_path(folder, "png", name), 0,
					     pixels, 0, colours))
			return -EIO;
	}
	return 0;
}

static int safetensors_seeds(const char *folder)
{
	static const double elements[4];
	const struct safetensors_tensor tensors[] = {
		{ "a.values", SAFETENSORS_I8, 1, { 3 }, elements, 3 },
		{ "a.scale", SAFETENSORS_F32, 2, { 1, 2 }, elements, 8 },
		{ "a.crow_indices", SAFETENSORS_I64, 1, { 2 }, elements, 16 },
	};
	const struct safetensors_text text = { "graph", "{}" };

	return safetensors_save(seed_path(folder, "safetensors", "0"), tensors,
				3, &text, 1);
}

#define STREAM_ROWS 6
#define STREAM_COLUMNS 64

/* A matrix that keeps one position of each `every` ones, or of each group of 4. */
static int stream_seed(const char *path, uint32_t every, bool grouped)
{
	static const struct mapping mapping = { 1, 1, 32 };
	static int64_t row_start[STREAM_ROWS + 1];
	static int32_t column[STREAM_ROWS * STREAM_COLUMNS];
	static int8_t value[STREAM_ROWS * STREAM_COLUMNS];
	const uint32_t claim[] = { htole32(STREAM_ROWS),
				   htole32(STREAM_COLUMNS) };
	struct model_csr csr = { STREAM_ROWS, STREAM_COLUMNS, row_start, column,
				 value };
	struct stream stream;
	int64_t count = 0;
	FILE *file;
	int ret;

	for (uint32_t i = 0; i < STREAM_ROWS * STREAM_COLUMNS; i++) {
		row_start[i / STREAM_COLUMNS] =
			i % STREAM_COLUMNS ? row_start[i / STREAM_COLUMNS] :
					     count;
		if (grouped ? i % 4 != i / 4 % 3 : i * i % 31 % every != 0)
			continue;
		value[count] = (int8_t)i;
		column[count++] = (int32_t)(i % STREAM_COLUMNS);
	}
	row_start[STREAM_ROWS] = count;
	ret = stream_pack(&csr, &default_geometry, &mapping, &stream);
	if (ret)
		return ret;
	file = fopen(path, "wb");
	if (!file || fwrite(claim, sizeof(claim), 1, file) != 1 ||
	    fwrite(stream.bytes, stream.length, 1, file) != 1)
		ret = -EIO;
	if (file && fclose(file))
		ret = -EIO;
	stream_free(&stream);
	return ret;
}

static int stream_seeds(const char *folder)
{
	for (uint32_t every = 1; every <= 20; every++) {
		char name[8];
		int ret;

		snprintf(name, sizeof(name), "%u", every);
		ret = stream_seed(seed_path(folder, "stream", name), every,
				  every == 20);
		if (ret)
			return ret;
	}
	return 0;
}

/* As fuzz_compact.c reads them: a claim and the arrays of a layer. */
static int compact_arrays(struct coder *coder, struct model_spmm *spmm,
			  const struct positions_shape *shape)
{
	static struct opinion entries[TABLE_OPINIONS];
	static struct matrix_model matrix;
	static struct rows_model rows;
	static struct odds odds;
	int8_t *table = sample_codes(256);
	int ret;

	odds_create(&odds);
	rows_reset(&rows);
	opinions_reset(entries, TABLE_OPINIONS, CODER_HALF, 0);
	ret = matrix_model_create(&matrix, &odds);
	if (!ret)
		ret = rows_code(&rows, &odds, coder, spmm->weights.rows,
				&spmm->weight_scale, &spmm->bias);
	if (!ret)
		ret = matrix_code(&matrix, coder, shape, spmm->weight_scale,
				  &spmm->weights);
	if (!ret)
		ret = table_code(entries, &odds, coder, 1, &table);
	matrix_model_release(&matrix);
	free(table);
	return ret ? ret : coder_finish(coder);
}

static int compact_seed(const char *path, uint32_t taps, uint32_t phases)
{
	const struct positions_shape shape = { .taps = taps, .phases = phases };
	struct model_csr csr = sample_csr(8 * phases, 12 * taps, 30);
	struct model_spmm spmm = {
		.weights = csr,
		.weight_scale = sample_scales(csr.rows),
		.bias = sample_biases(csr.rows),
	};
	const uint32_t claim[] = { csr.rows, csr.columns, taps, phases };
	struct bit_writer file = { .bytes = NULL };
	struct coder coder;
	int ret;

	coder_encode(&coder);
	ret = compact_arrays(&coder, &spmm, &shape);
	for (size_t i = 0; i < sizeof(claim) / sizeof(claim[0]); i++)
		bits_put(&file, claim[i], 32);
	for (size_t i = 0; i < coder.out.length; i++)
		bits_put(&file, coder.out.bytes[i], 8);
	if (!ret)
		ret = file_write(path, file.bytes, file.length);
	free(file.bytes);
	coder_release(&coder);
	free(csr.row_start);
	free(csr.column);
	free(csr.value);
	free(spmm.weight_scale);
	free(spmm.bias);
	return ret;
}

static int compact_seeds(const char *folder)
{
	int ret = compact_seed(seed_path(folder, "compact", "0"), 1, 1);

	if (!ret)
		ret = compact_seed(seed_path(folder, "compact", "1"), 9, 1);
	return ret ? ret :
		     compact_seed(seed_path(folder, "compact", "2"), 4, 4);
}

static int model_seed(const char *folder)
{
	struct model *model = sample_model();
	const struct model_sizes sizes = { 1, 6, 6, 0 };
	struct model_packing *packing;
	int ret = model_file_write(model, seed_path(folder, "model", "0"));

	if (!ret)
		ret = model_file_write_compact(model,
					       seed_path(folder, "model", "2"));
	if (!ret)
		ret = plan_packing_create(model, &default_geometry, &sizes,
					  &packing);
	if (!ret) {
		ret = model_file_write_packed(model, packing,
					      seed_path(folder, "model", "1"));
		model_packing_destroy(packing);
	}
	model_destroy(model);
	return ret;
}

int main(int argc, char **argv)
{
	char folder[PATH_MAX];

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (npy_seeds(argv[1]) || png_seeds(argv[1]) ||
	    safetensors_seeds(argv[1]) || stream_seeds(argv[1]) ||
	    compact_seeds(argv[1]) || model_seed(argv[1]) ||
	    server_seeds(argv[1]) || fault_seeds(argv[1]) ||
	    checkpoint_seeds(argv[1]) || stats_seed(argv[1])) {
		fprintf(stderr, "%s\n", accel_last_error());
		return 1;
	}
	snprintf(folder, sizeof(folder), "%s/onnx", argv[1]);
	onnx_seeds(folder);
	return 0;
}
