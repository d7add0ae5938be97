/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include "json_print.h"

#include <core/error.h>
#include <model/file_format.h>
#include <model/packing.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Row starts, columns, values, and a scale and a bias for each row. A stream is in the
 * place of the first three.
 */
static uint64_t csr_bytes(const struct model_csr *csr,
			  const struct model_stream *stream)
{
	uint64_t nonzeros = (uint64_t)model_csr_nonzeros(csr);
	uint64_t column = csr->columns > MODEL_FILE_NARROW_COLUMNS ? 4 : 2;
	uint64_t rows = 8 * (uint64_t)csr->rows;

	if (stream)
		return stream->length + rows;
	return rows + 8 + nonzeros * (column + 1) + rows;
}

/* Transposed convolutions have fewer weights than M · K: phases lack taps. */
static void summarize_spmm(const struct model_spmm *spmm,
			   const struct model_stream *streams,
			   struct summary_layer *summary)
{
	uint64_t tables = spmm->table_per_row ? spmm->weights.rows : 1;

	summary->rows = spmm->weights.rows;
	summary->columns = spmm->weights.columns;
	summary->weights = spmm->dense_macs_per_column;
	summary->nonzeros = (uint64_t)model_csr_nonzeros(&spmm->weights);
	summary->bytes = csr_bytes(&spmm->weights, streams);
	if (spmm->table)
		summary->bytes += 256 * tables;
}

static void summarize_recurrent(const struct model_recurrent *recurrent,
				const struct model_stream *streams,
				struct summary_layer *summary)
{
	const struct model_csr *input = &recurrent->input_weights;
	const struct model_csr *hidden = &recurrent->hidden_weights;

	summary->rows = input->rows;
	summary->columns = (uint64_t)input->columns + hidden->columns;
	summary->weights = summary->rows * summary->columns;
	summary->nonzeros = (uint64_t)(model_csr_nonzeros(input) +
				       model_csr_nonzeros(hidden));
	summary->bytes =
		csr_bytes(input, streams) +
		csr_bytes(hidden,
			  streams ? &streams[MODEL_MATRIX_HIDDEN] : NULL);
}

/* The first output that is not left out: a recurrent layer's may be. */
static struct model_extent output_extent(const struct model *model,
					 const struct model_layer *layer)
{
	const struct model_tensor *tensor;

	for (uint32_t i = 0; i < layer->output_count; i++) {
		if (layer->outputs[i] == MODEL_NO_TENSOR)
			continue;
		tensor = &model->tensors[layer->outputs[i]];
		return (struct model_extent){ tensor->channels, tensor->height,
					      tensor->width };
	}
	return (struct model_extent){ 0, 0, 0 };
}

static void summarize_layer(const struct model *model, uint32_t index,
			    struct summary_layer *summary)
{
	const struct model_layer *layer = &model->layers[index];
	const struct model_stream *streams =
		model->packing ? model->packing->layers[index] : NULL;

	*summary = (struct summary_layer){
		.name = layer->name,
		.op = model_op_name(layer->op),
		.output = output_extent(model, layer),
	};
	if (layer->op == MODEL_SPMM)
		summarize_spmm(&layer->spmm, streams, summary);
	else if (layer->op == MODEL_LSTM || layer->op == MODEL_GRU)
		summarize_recurrent(&layer->recurrent, streams, summary);
	else if (layer->op == MODEL_TABLE)
		summary->bytes =
			256 * (layer->table.per_channel ?
				       (uint64_t)summary->output.channels :
				       1);
}

int summary_create(struct summary *summary, const struct model *model,
		   const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	*summary = (struct summary){
		.model = model,
		.path = path,
		.file_bytes = (uint64_t)status.st_size,
		.layers = calloc((size_t)model->layer_count + 1,
				 sizeof(*summary->layers)),
		.total = { .name = "total", .op = "" },
	};
	if (!summary->layers)
		return accel_error(-ENOMEM, "no memory for %u layers",
				   model->layer_count);
	for (uint32_t i = 0; i < model->layer_count; i++) {
		struct summary_layer *layer = &summary->layers[i];

		summarize_layer(model, i, layer);
		summary->total.weights += layer->weights;
		summary->total.nonzeros += layer->nonzeros;
		summary->total.bytes += layer->bytes;
	}
	return 0;
}

void summary_release(struct summary *summary)
{
	free(summary->layers);
}

static double part(uint64_t some, uint64_t all)
{
	return all ? (double)some / (double)all : 0;
}

/* "?" for what the input decides. */
static void print_size(uint32_t size, char *text, size_t length)
{
	if (size)
		snprintf(text, length, "%" PRIu32, size);
	else
		snprintf(text, length, "?");
}

/* Matrices have sizes and non-zeros; layers without weights have dashes there. */
static void print_layer(const struct summary_layer *layer)
{
	char height[16], width[16], shape[64];

	print_size(layer->output.height, height, sizeof(height));
	print_size(layer->output.width, width, sizeof(width));
	snprintf(shape, sizeof(shape), "%" PRIu32 "x%sx%s",
		 layer->output.channels, height, width);
	printf("%-28.28s %-9s %14s", layer->name, layer->op, shape);
	if (layer->rows)
		printf(" %6" PRIu64 " %6" PRIu64 " %9" PRIu64 " %5.1f%%",
		       layer->rows, layer->columns, layer->nonzeros,
		       100 * part(layer->nonzeros, layer->weights));
	else
		printf(" %6s %6s %9s %6s", "-", "-", "-", "-");
	printf(" %9" PRIu64 " %9" PRIu64 "\n", layer->bytes,
	       4 * layer->weights);
}

/* What else than these sizes and this device would have to be packed anew. */
static void print_packing(const struct model_packing *packing)
{
	const struct geometry *geometry = &packing->geometry;
	const struct model_sizes *sizes = &packing->sizes;

	printf("packed for %u clusters of %u lanes of %u MACs, %u banks, %u weights a cycle;\n",
	       geometry->clusters, geometry->lanes, geometry->vector_width,
	       geometry->banks, geometry->decoder_rate);
	printf("window %u, %u accumulators, port %u B; for a batch of %u",
	       geometry->schedule_window, geometry->accumulators,
	       geometry->sram_port_bytes, sizes->batch);
	if (sizes->height || sizes->width)
		printf(", %u x %u images", sizes->height, sizes->width);
	if (sizes->steps)
		printf(", %u steps", sizes->steps);
	printf("\n");
}

void summary_print(const struct summary *summary)
{
	const struct model *model = summary->model;

	printf("%s: %s\n\n", summary->path, model->name);
	printf("%-28s %-9s %14s %6s %6s %9s %6s %9s %9s\n", "layer", "op",
	       "output CxHxW", "M", "K", "non-zeros", "of all", "bytes",
	       "fp32");
	for (uint32_t i = 0; i < model->layer_count; i++)
		print_layer(&summary->layers[i]);
	printf("\n%" PRIu64 " of %" PRIu64 " weights kept (%.1f %% zeros)\n",
	       summary->total.nonzeros, summary->total.weights,
	       100 - 100 * part(summary->total.nonzeros,
				summary->total.weights));
	printf("%" PRIu64 " bytes on disk, %" PRIu64
	       " as fp32: %.1f times smaller\n",
	       summary->file_bytes, model->dense_bytes,
	       part(model->dense_bytes, summary->file_bytes));
	if (model->packing)
		print_packing(model->packing);
}

static json_t *packing_json(const struct model_packing *packing)
{
	const struct geometry *geometry = &packing->geometry;
	const struct model_sizes *sizes = &packing->sizes;

	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"clusters", (json_int_t)geometry->clusters, "lanes",
		(json_int_t)geometry->lanes, "vector_width",
		(json_int_t)geometry->vector_width, "banks",
		(json_int_t)geometry->banks, "accumulators",
		(json_int_t)geometry->accumulators, "decoder_rate",
		(json_int_t)geometry->decoder_rate, "schedule_window",
		(json_int_t)geometry->schedule_window, "sram_port_bytes",
		(json_int_t)geometry->sram_port_bytes, "epilogue_rate",
		(json_int_t)geometry->epilogue_rate, "batch",
		(json_int_t)sizes->batch, "height", (json_int_t)sizes->height,
		"width", (json_int_t)sizes->width, "steps",
		(json_int_t)sizes->steps);
}

static json_t *layer_json(const struct summary_layer *layer)
{
	return json_pack("{s:s, s:s, s:[I,I,I], s:I, s:I, s:I, s:I, s:I, s:I}",
			 "name", layer->name, "op", layer->op, "output",
			 (json_int_t)layer->output.channels,
			 (json_int_t)layer->output.height,
			 (json_int_t)layer->output.width, "m",
			 (json_int_t)layer->rows, "k",
			 (json_int_t)layer->columns, "nnz",
			 (json_int_t)layer->nonzeros, "weights",
			 (json_int_t)layer->weights, "bytes",
			 (json_int_t)layer->bytes, "bytes_fp32",
			 (json_int_t)(4 * layer->weights));
}

/*
 * The provenance is JSON already, of the compressor or of whoever wrote the file: it is
 * parsed, so that a damaged one cannot break what is printed.
 */
int summary_print_json(const struct summary *summary)
{
	const struct model *model = summary->model;
	json_t *provenance =
		json_loads(model->provenance ? model->provenance : "null",
			   JSON_DECODE_ANY, NULL);
	json_t *layers = json_array();

	for (uint32_t i = 0; i < model->layer_count; i++)
		json_array_append_new(layers, layer_json(&summary->layers[i]));
	return json_print(json_pack(
		"{s:s, s:s, s:o?, s:o?, s:o?, s:{s:I, s:I, s:f, s:I, s:I, s:f}}",
		"file", summary->path, "name", model->name, "provenance",
		provenance, "packing",
		model->packing ? packing_json(model->packing) : NULL, "layers",
		layers, "total", "nnz", (json_int_t)summary->total.nonzeros,
		"weights", (json_int_t)summary->total.weights, "sparsity",
		1 - part(summary->total.nonzeros, summary->total.weights),
		"bytes", (json_int_t)summary->file_bytes, "bytes_fp32",
		(json_int_t)model->dense_bytes, "ratio",
		part(model->dense_bytes, summary->file_bytes)));
}

int summary_report(const struct model *model, const char *path, bool json)
{
	struct summary summary;
	int ret = summary_create(&summary, model, path);

	if (ret)
		return ret;
	if (json)
		ret = summary_print_json(&summary);
	else
		summary_print(&summary);
	summary_release(&summary);
	return ret;
}
