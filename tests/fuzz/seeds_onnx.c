/* SPDX-License-Identifier: MIT */
#include "seeds_onnx.h"

#include "../unit/onnx_builder.h"

#include <accel/error.h>
#include <compress/compress.h>
#include <compress/export_onnx.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct onnx_builder *model(int64_t opset, const char *input)
{
	struct onnx_builder *builder = onnx_builder_create(opset);

	onnx_builder_input(builder, "x", input);
	onnx_builder_output(builder, "y");
	return builder;
}

static struct onnx_builder *image_model(void)
{
	static const float scales[] = { 1, 1, 2, 2 };
	struct onnx_builder *builder = model(13, "N 3 H W");

	onnx_builder_floats(builder, "w", "4 3 3 3", NULL);
	onnx_builder_floats(builder, "v", "4 2 4 4", NULL);
	onnx_builder_floats(builder, "c", "4", scales);
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_integers(builder, "pads", "0 0 1 1 0 0 1 1");
	onnx_builder_node(builder, "Pad", "x pads", "a");
	onnx_builder_node(builder, "Conv", "a w c", "b");
	onnx_builder_node(builder, "BatchNormalization", "b c c c c", "d");
	onnx_builder_node(builder, "LeakyRelu", "d", "e");
	onnx_builder_node(builder, "MaxPool", "e", "f");
	onnx_builder_ints(builder, "kernel_shape", "2 2");
	onnx_builder_ints(builder, "strides", "2 2");
	onnx_builder_node(builder, "ConvTranspose", "f v", "g");
	onnx_builder_ints(builder, "strides", "2 2");
	onnx_builder_ints(builder, "pads", "1 1 1 1");
	onnx_builder_node(builder, "Resize", "g - s", "h");
	onnx_builder_node(builder, "Concat", "h h", "i");
	onnx_builder_int(builder, "axis", 1);
	onnx_builder_node(builder, "DepthToSpace", "i", "j");
	onnx_builder_int(builder, "blocksize", 2);
	onnx_builder_string(builder, "mode", "CRD");
	onnx_builder_node(builder, "Mul", "j j", "k");
	onnx_builder_node(builder, "GlobalAveragePool", "k", "y");
	return builder;
}

static struct onnx_builder *shape_model(void)
{
	struct onnx_builder *builder = model(14, "N 4 H W");

	onnx_builder_integers(builder, "zero", "0");
	onnx_builder_integers(builder, "two", "2");
	onnx_builder_integers(builder, "rest", "-1");
	onnx_builder_floats(builder, "w", "8 6", NULL);
	onnx_builder_node(builder, "Shape", "x", "s");
	onnx_builder_node(builder, "Slice", "s zero two", "n");
	onnx_builder_node(builder, "Gather", "s two", "h");
	onnx_builder_node(builder, "Div", "h two", "half");
	onnx_builder_node(builder, "Concat", "n rest", "t");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Reshape", "x t", "a");
	onnx_builder_node(builder, "Transpose", "a", "b");
	onnx_builder_ints(builder, "perm", "0 2 1");
	onnx_builder_node(builder, "Split", "b", "c d");
	onnx_builder_int(builder, "axis", 2);
	onnx_builder_node(builder, "Sub", "c d", "e");
	onnx_builder_node(builder, "Expand", "zero s", "zeros");
	onnx_builder_node(builder, "Unsqueeze", "e two", "f");
	onnx_builder_node(builder, "Squeeze", "f two", "g");
	onnx_builder_node(builder, "Concat", "g g g g", "i");
	onnx_builder_int(builder, "axis", -1);
	onnx_builder_node(builder, "MatMul", "i w", "j");
	onnx_builder_node(builder, "Clip", "j", "y");
	return builder;
}

static struct onnx_builder *recurrent_model(void)
{
	static const float scale[] = { 0.5f };
	static const int8_t values[8] = { 1, 2, 3 };
	struct onnx_builder *builder = model(21, "T N 2");

	onnx_builder_floats(builder, "w", "1 8 2", NULL);
	onnx_builder_floats(builder, "r", "1 8 2", NULL);
	onnx_builder_floats(builder, "u", "1 6 2", NULL);
	onnx_builder_floats(builder, "scale", "", scale);
	onnx_builder_integers(builder, "one", "1");
	onnx_builder_raw(builder, "zero", ONNX_INT8, "", values, 1);
	onnx_builder_raw(builder, "m", ONNX_INT8, "2 4", values, 8);
	onnx_builder_node(builder, "LSTM", "x w r", "a h c");
	onnx_builder_int(builder, "hidden_size", 2);
	onnx_builder_node(builder, "Squeeze", "a one", "b");
	onnx_builder_node(builder, "GRU", "b u u - - h", "d");
	onnx_builder_int(builder, "hidden_size", 2);
	onnx_builder_node(builder, "Squeeze", "d one", "e");
	onnx_builder_node(builder, "QuantizeLinear", "e scale zero", "f");
	onnx_builder_node(builder, "DequantizeLinear", "f scale zero", "g");
	onnx_builder_node(builder, "DequantizeLinear", "m scale", "n");
	onnx_builder_node(builder, "MatMul", "g n", "k");
	onnx_builder_node(builder, "Tanh", "k", "y");
	return builder;
}

/* An LSTM between quantized tensors, as accel exports it. */
static void write_export(const char *folder)
{
	static const float scale[] = { 0.0078125f };
	static const struct compress_options keep = { .sparsity =
							      COMPRESS_KEEP };
	static const int8_t zero[1] = { 0 };
	struct onnx_builder *builder = model(13, "T N 2");
	struct model *exported;
	struct graph *graph;
	char path[4096];

	onnx_builder_floats(builder, "w", "1 8 2", NULL);
	onnx_builder_floats(builder, "r", "1 8 2", NULL);
	onnx_builder_floats(builder, "s", "", scale);
	onnx_builder_raw(builder, "z", ONNX_INT8, "", zero, 1);
	onnx_builder_integers(builder, "one", "1");
	onnx_builder_node(builder, "QuantizeLinear", "x s z", "a");
	onnx_builder_node(builder, "DequantizeLinear", "a s z", "b");
	onnx_builder_node(builder, "LSTM", "b w r", "c");
	onnx_builder_int(builder, "hidden_size", 2);
	onnx_builder_node(builder, "Squeeze", "c one", "d");
	onnx_builder_node(builder, "QuantizeLinear", "d s z", "e");
	onnx_builder_node(builder, "DequantizeLinear", "e s z", "y");
	graph = onnx_builder_graph(builder);
	snprintf(path, sizeof(path), "%s/export", folder);
	if (compress_model(graph, &keep, NULL, &exported) ||
	    export_onnx(exported, path)) {
		fprintf(stderr, "%s\n", accel_last_error());
		exit(1);
	}
	model_destroy(exported);
	graph_destroy(graph);
}

static void write_model(struct onnx_builder *builder, const char *folder,
			int number)
{
	char path[4096];
	size_t size;
	void *data = onnx_builder_pack(builder, &size);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d", folder, number);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(1);
	}
	free(data);
	onnx_builder_destroy(builder);
}

void onnx_seeds(const char *folder)
{
	mkdir(folder, 0777);
	write_model(image_model(), folder, 0);
	write_model(shape_model(), folder, 1);
	write_model(recurrent_model(), folder, 2);
	write_export(folder);
}
