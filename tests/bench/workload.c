/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include <compress/lower.h>
#include <compress/onnx_import.h>
#include <core/error.h>
#include <runtime/object.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZES(...)                                                     \
	{                                                              \
		.size = sizeof(struct accel_plan_options), __VA_ARGS__ \
	}
#define PICTURE SIZES(.batch = 1, .height = 128, .width = 128)
#define BATCH SIZES(.batch = 256)

const struct workload workloads[] = {
	{ "esrgan_slim_x2", PICTURE },
	{ "esrgan_slim_x2_sp80", PICTURE },
	{ "esrgan_slim_x2_sp90", PICTURE },
	{ "esrgan_slim_x4", PICTURE },
	{ "esrgan_medium_x4", PICTURE },
	{ "esrgan_medium_x4_sp80", PICTURE },
	{ "fashion_dcgan", BATCH },
	{ "fashion_dcgan_sp80", BATCH },
	{ "fashion_vae_dec", BATCH },
	{ "fashion_vae_dec_sp90", BATCH },
	{ "fashion_vae_enc", BATCH },
	{ "fashion_mlp", BATCH },
	{ "fashion_mlp_sp90", BATCH },
	{ "sketchrnn_bird", SIZES(.batch = 32, .steps = 64) },
};
const size_t workload_count = sizeof(workloads) / sizeof(workloads[0]);

const struct pruning prunings[] = {
	{ "as given", 0, 0 }, { "50 %", 0.5, 0 },  { "75 %", 0.75, 0 },
	{ "90 %", 0.9, 0 },   { "95 %", 0.95, 0 }, { "2:4", 0, 2 },
	{ "1:4", 0, 1 },
};
const size_t pruning_count = sizeof(prunings) / sizeof(prunings[0]);

char *workload_path(const char *name)
{
	static const char *const folders[][2] = {
		{ "ACCEL_SHARED_DIR", "/models" },
		{ "ACCEL_TEST_MODELS", "" },
	};

	for (int i = 0; i < 2; i++) {
		const char *folder = getenv(folders[i][0]);
		char *path;

		if (!folder || asprintf(&path, "%s%s/%s.onnx", folder,
					folders[i][1], name) < 0)
			continue;
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return NULL;
}

static void scores_set(const struct model_csr *csr, const float *scale,
		       float *scores)
{
	for (uint32_t row = 0; row < csr->rows; row++)
		for (int64_t i = csr->row_start[row];
		     i < csr->row_start[row + 1]; i++)
			scores[i] = fabsf((float)csr->value[i] * scale[row]);
}

/* Keeps the largest of each group; of equal ones the first. */
static void groups_select(const struct model_csr *csr, const float *scores,
			  uint32_t of_4, uint8_t *keep)
{
	for (uint32_t row = 0; row < csr->rows; row++) {
		int64_t first = csr->row_start[row];
		int64_t end = csr->row_start[row + 1];

		for (int64_t i = first; i < end; i++) {
			int32_t group = csr->column[i] / 4;
			uint32_t better = 0;

			for (int64_t j = i > first + 3 ? i - 3 : first;
			     j < end && csr->column[j] / 4 <= group; j++)
				better += csr->column[j] / 4 == group &&
					  (scores[j] > scores[i] ||
					   (scores[j] == scores[i] && j < i));
			keep[i] = better < of_4;
		}
	}
}

static void kept_only(struct model_csr *csr, const uint8_t *keep)
{
	int64_t first = 0, kept = 0;

	for (uint32_t row = 0; row < csr->rows; row++) {
		int64_t end = csr->row_start[row + 1];

		for (int64_t i = first; i < end; i++) {
			if (!keep[i])
				continue;
			csr->column[kept] = csr->column[i];
			csr->value[kept++] = csr->value[i];
		}
		first = end;
		csr->row_start[row + 1] = kept;
	}
}

/* @positions: of the dense matrix, those that a phase does not have left out. */
static int matrix_prune(struct model_csr *csr, const float *scale,
			uint64_t positions, const struct pruning *pruning)
{
	size_t count = (size_t)model_csr_nonzeros(csr);
	size_t wanted = positions -
			(size_t)llround(pruning->sparsity * (double)positions);
	float *scores = malloc((count + 1) * sizeof(*scores));
	uint8_t *keep = malloc(count + 1);
	int ret = 0;

	if (!scores || !keep) {
		ret = accel_error(-ENOMEM, "out of memory");
		goto out;
	}
	scores_set(csr, scale, scores);
	if (pruning->of_4)
		groups_select(csr, scores, pruning->of_4, keep);
	else
		ret = prune_select(scores, count,
				   wanted < count ? wanted : count, keep);
	if (!ret)
		kept_only(csr, keep);
out:
	free(scores);
	free(keep);
	return ret;
}

static int layer_prune(struct model_layer *layer, const struct pruning *pruning)
{
	struct model_recurrent *recurrent = &layer->recurrent;
	struct model_csr *input = &recurrent->input_weights;
	struct model_csr *hidden = &recurrent->hidden_weights;
	int ret;

	if (layer->op == MODEL_SPMM)
		return matrix_prune(&layer->spmm.weights,
				    layer->spmm.weight_scale,
				    layer->spmm.dense_macs_per_column, pruning);
	if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
		return 0;
	ret = matrix_prune(input, recurrent->input_scale,
			   (uint64_t)input->rows * input->columns, pruning);
	if (ret)
		return ret;
	return matrix_prune(hidden, recurrent->hidden_scale,
			    (uint64_t)hidden->rows * hidden->columns, pruning);
}

static int64_t nonzeros(const struct model *model)
{
	int64_t sum = 0;

	for (uint32_t l = 0; l < model->layer_count; l++) {
		const struct model_layer *layer = &model->layers[l];

		if (layer->op == MODEL_SPMM)
			sum += model_csr_nonzeros(&layer->spmm.weights);
		else if (layer->op == MODEL_LSTM || layer->op == MODEL_GRU)
			sum += model_csr_nonzeros(
				       &layer->recurrent.input_weights) +
			       model_csr_nonzeros(
				       &layer->recurrent.hidden_weights);
	}
	return sum;
}

static int import(const char *path, struct model **model)
{
	struct lower_options options = { 0 };
	struct quantize_range *ranges;
	struct graph *graph;
	int ret = onnx_import(path, &graph);

	if (ret)
		return ret;
	ranges = calloc((size_t)graph->tensor_count + 1, sizeof(*ranges));
	for (int i = 0; ranges && i < graph->tensor_count; i++)
		ranges[i] = (struct quantize_range){ -1, 1 };
	options.ranges = ranges;
	ret = ranges ? graph_lower(graph, &options, model) :
		       accel_error(-ENOMEM, "out of memory");
	free(ranges);
	graph_destroy(graph);
	return ret;
}

static int wrap(struct model *model, struct accel_model **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out) {
		model_destroy(model);
		return accel_error(-ENOMEM, "out of memory");
	}
	(*out)->model = model;
	atomic_init(&(*out)->references, 1);
	return 0;
}

int workload_load(const char *path, const struct pruning *pruning,
		  struct accel_model **out)
{
	struct model *model;
	int64_t before;
	int ret = import(path, &model);

	*out = NULL;
	if (ret || (!pruning->sparsity && !pruning->of_4))
		return ret ? ret : wrap(model, out);
	before = nonzeros(model);
	for (uint32_t l = 0; l < model->layer_count && !ret; l++)
		ret = layer_prune(&model->layers[l], pruning);
	if (ret || nonzeros(model) == before) {
		model_destroy(model);
		return ret;
	}
	return wrap(model, out);
}
