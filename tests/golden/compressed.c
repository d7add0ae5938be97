/* SPDX-License-Identifier: MIT */
#include "compressed.h"

#include <compress/calibration_data.h>
#include <compress/compress.h>
#include <compress/onnx_import.h>
#include <core/deadline.h>
#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_data(const struct compressed *compressed,
		     const char *calibration, struct quantize_range pixels,
		     struct calibration_data *data)
{
	const struct calibration_source source = { .range = pixels };

	if (calibration)
		return calibration_data_read(data, compressed->graph,
					     calibration, &source);
	return calibration_data_sample(data, compressed->graph,
				       COMPRESSED_LATENTS, 0);
}

static int write_model(const struct compressed *compressed,
		       const char *calibration, struct quantize_range pixels,
		       const char *path)
{
	const struct compress_options options = { .sparsity = COMPRESS_KEEP,
						  .input_range = pixels,
						  .output_range = pixels };
	struct calibration_data data;
	struct model *model = NULL;
	int ret = read_data(compressed, calibration, pixels, &data);

	if (ret)
		return ret;
	ret = compress_model(compressed->graph, &options, &data, &model);
	calibration_data_release(&data);
	if (!ret)
		ret = model_file_write(model, path);
	model_destroy(model);
	return ret;
}

static int load_model(struct compressed *compressed, const char *path)
{
	struct stat status;
	int ret = accel_model_load(path, &compressed->model);

	if (ret)
		return ret;
	compressed->info.size = sizeof(compressed->info);
	if (stat(path, &status))
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	compressed->file_bytes = (uint64_t)status.st_size;
	return accel_model_get_info(compressed->model, &compressed->info);
}

int compressed_create(struct compressed *compressed, const char *onnx,
		      const char *calibration, struct quantize_range pixels)
{
	char path[] = "/tmp/accel-model-XXXXXX";
	uint64_t start = monotonic_ns();
	int file = mkstemp(path);
	int ret;

	*compressed = (struct compressed){ .graph = NULL };
	if (file < 0)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	close(file);
	ret = onnx_import(onnx, &compressed->graph);
	if (!ret)
		ret = write_model(compressed, calibration, pixels, path);
	compressed->seconds = (double)(monotonic_ns() - start) / 1e9;
	if (!ret)
		ret = load_model(compressed, path);
	unlink(path);
	if (ret)
		compressed_destroy(compressed);
	return ret;
}

void compressed_destroy(struct compressed *compressed)
{
	accel_model_free(compressed->model);
	graph_destroy(compressed->graph);
	*compressed = (struct compressed){ .graph = NULL };
}
