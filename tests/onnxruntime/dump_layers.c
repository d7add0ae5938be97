/* SPDX-License-Identifier: MIT */
/*
 * dump_layers MODEL.safetensors FOLDER BATCH HEIGHT WIDTH
 *
 * Run a model on random inputs with the golden arithmetic and write, for
 * layers.mjs: every tensor's values (.bin, [channel][row][column][batch]), every
 * layer as an ONNX model of its own, the whole model as ONNX, and manifest.json.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <accel/error.h>
#include <backend/cpu.h>
#include <compress/export_onnx.h>
#include <compress/sample.h>
#include <model/file.h>

struct dump {
	const struct model *model;
	const char *folder;
	struct model_extent *extents;
	uint32_t batch;
	int status;
};

static int write_values(const struct dump *dump, int32_t tensor,
			const void *values, size_t size)
{
	char path[4096];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/tensor%d.bin", dump->folder, tensor);
	file = fopen(path, "wb");
	if (!file)
		return -errno;
	if (fwrite(values, 1, size, file) != size)
		ret = -EIO;
	return fclose(file) ? -EIO : ret;
}

static int layer_done(void *context, uint32_t layer, int32_t tensor,
		      const void *values, size_t size)
{
	struct dump *dump = context;

	(void)layer;
	return write_values(dump, tensor, values, size);
}

static size_t port_count(const struct dump *dump, uint32_t input)
{
	const struct model_extent *extent =
		&dump->extents[dump->model->inputs[input].tensor];

	return (size_t)extent->channels * extent->height * extent->width *
	       dump->batch;
}

/* Images take all codes, latents and strokes N(0, 1), states are small. */
static void fill(const struct dump *dump, uint32_t input, void *values,
		 struct sample_generator *generator)
{
	const struct model_port *port = &dump->model->inputs[input];
	const struct model_tensor *tensor = &dump->model->tensors[port->tensor];

	for (size_t i = 0; i < port_count(dump, input); i++) {
		float normal = (float)sample_normal(generator);

		if (tensor->type == MODEL_FLOAT32)
			((float *)values)[i] = normal / 4;
		else if (port->layout == MODEL_LAYOUT_NCHW)
			((int8_t *)values)[i] =
				(int8_t)((int)sample_below(generator, 256) -
					 128);
		else
			((int8_t *)values)[i] =
				golden_quantize(normal, tensor->quantization);
	}
}

static void set_extents(struct dump *dump, struct model_extent *ports,
			uint32_t height, uint32_t width)
{
	for (uint32_t i = 0; i < dump->model->input_count; i++) {
		const struct model_tensor *tensor =
			&dump->model->tensors[dump->model->inputs[i].tensor];

		ports[i] = (struct model_extent){ tensor->channels,
						  tensor->height,
						  tensor->width };
		if (!ports[i].height)
			ports[i].height = height;
		if (!ports[i].width)
			ports[i].width = width;
	}
}

static int run(struct dump *dump)
{
	const struct model *model = dump->model;
	struct cpu_observer observer = { .layer_done = layer_done,
					 .context = dump };
	struct sample_generator generator;
	void **inputs = calloc(model->input_count, sizeof(*inputs));
	void **outputs = calloc(model->output_count, sizeof(*outputs));
	int ret = inputs && outputs ? 0 : -ENOMEM;

	sample_seed(&generator, 7);
	for (uint32_t i = 0; !ret && i < model->input_count; i++) {
		int32_t tensor = model->inputs[i].tensor;
		size_t size;

		ret = cpu_tensor_size(&model->tensors[tensor],
				      &dump->extents[tensor], dump->batch,
				      &size);
		inputs[i] = ret ? NULL : malloc(size);
		if (!inputs[i])
			break;
		fill(dump, i, inputs[i], &generator);
		ret = write_values(dump, tensor, inputs[i], size);
	}
	if (!ret)
		ret = cpu_model_run(model, dump->extents, dump->batch,
				    (const void *const *)inputs, outputs,
				    &observer);
	for (uint32_t i = 0; inputs && i < model->input_count; i++)
		free(inputs[i]);
	free(inputs);
	free(outputs);
	return ret;
}

static json_t *tensor_json(const struct dump *dump, uint32_t index)
{
	const struct model_tensor *tensor = &dump->model->tensors[index];
	const struct model_extent *extent = &dump->extents[index];

	return json_pack("{s:s, s:b, s:f, s:i, s:i, s:i, s:i}", "name",
			 tensor->name, "float", tensor->type == MODEL_FLOAT32,
			 "scale", (double)tensor->quantization.scale, "zero",
			 tensor->quantization.zero, "channels",
			 extent->channels, "height", extent->height, "width",
			 extent->width);
}

static json_t *indices(const int32_t *tensors, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		if (tensors[i] != MODEL_NO_TENSOR)
			json_array_append_new(list, json_integer(tensors[i]));
	return list;
}

static json_t *ports_json(const struct model_port *ports, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{s:i, s:b}", "tensor", ports[i].tensor,
					"batch_first",
					ports[i].layout == MODEL_LAYOUT_NTF));
	return list;
}

/* One layer is exact if it has nothing but an integer kernel. */
static json_t *layer_json(const struct dump *dump, uint32_t index)
{
	static const char *const names[] = {
		[MODEL_SPMM] = "spmm",	     [MODEL_ADD] = "add",
		[MODEL_MULTIPLY] = "mul",    [MODEL_TABLE] = "table",
		[MODEL_POOL_MAX] = "max",    [MODEL_POOL_AVERAGE] = "average",
		[MODEL_CONCAT] = "concat",   [MODEL_SLICE] = "slice",
		[MODEL_RESHAPE] = "reshape", [MODEL_PERMUTE] = "permute",
		[MODEL_LSTM] = "lstm",	     [MODEL_GRU] = "gru",
	};
	const struct model_layer *layer = &dump->model->layers[index];
	json_t *inputs = indices(layer->inputs, layer->input_count);
	bool exact = layer->op == MODEL_SPMM && !layer->spmm.table &&
		     layer->spmm.residual == MODEL_NO_TENSOR;

	if (layer->op == MODEL_SPMM && layer->spmm.residual != MODEL_NO_TENSOR)
		json_array_append_new(inputs,
				      json_integer(layer->spmm.residual));
	return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o}", "name", layer->name,
			 "op", names[layer->op], "exact", exact, "ties",
			 layer->op == MODEL_POOL_AVERAGE &&
				 !layer->pool.count_padding,
			 "inputs", inputs, "outputs",
			 indices(layer->outputs, layer->output_count));
}

static int write_manifest(const struct dump *dump)
{
	const struct model *model = dump->model;
	json_t *tensors = json_array(), *layers = json_array(), *all;
	char path[4096];
	int ret;

	for (uint32_t i = 0; i < model->tensor_count; i++)
		json_array_append_new(tensors, tensor_json(dump, i));
	for (uint32_t i = 0; i < model->layer_count; i++)
		json_array_append_new(layers, layer_json(dump, i));
	all = json_pack("{s:i, s:o, s:o, s:o, s:o}", "batch", dump->batch,
			"tensors", tensors, "layers", layers, "inputs",
			ports_json(model->inputs, model->input_count),
			"outputs",
			ports_json(model->outputs, model->output_count));
	snprintf(path, sizeof(path), "%s/manifest.json", dump->folder);
	ret = json_dump_file(all, path, JSON_REAL_PRECISION(17));
	json_decref(all);
	return ret ? -EIO : 0;
}

static int write_onnx(const struct dump *dump)
{
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/model.onnx", dump->folder);
	ret = export_onnx(dump->model, path);
	for (uint32_t i = 0; !ret && i < dump->model->layer_count; i++) {
		snprintf(path, sizeof(path), "%s/layer%u.onnx", dump->folder,
			 i);
		ret = export_onnx_layer(dump->model, i, path);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct model_extent *ports = NULL;
	struct model *model = NULL;
	struct dump dump = { 0 };
	int ret;

	if (argc != 6)
		return 2;
	ret = model_file_read(argv[1], &model);
	if (ret)
		goto out;
	dump.model = model;
	dump.folder = argv[2];
	dump.batch = (uint32_t)atoi(argv[3]);
	dump.extents = calloc(model->tensor_count, sizeof(*dump.extents));
	ports = calloc(model->input_count, sizeof(*ports));
	if (mkdir(dump.folder, 0777) && errno != EEXIST)
		ret = -errno;
	set_extents(&dump, ports, (uint32_t)atoi(argv[4]),
		    (uint32_t)atoi(argv[5]));
	if (!ret)
		ret = model_infer_extents(model, ports, dump.extents);
	if (!ret)
		ret = run(&dump);
	if (!ret)
		ret = write_manifest(&dump);
	if (!ret)
		ret = write_onnx(&dump);
	free(dump.extents);
	free(ports);
out:
	if (ret)
		fprintf(stderr, "%s: %s\n", argv[1], accel_last_error());
	model_destroy(model);
	return ret ? 1 : 0;
}
