/* SPDX-License-Identifier: MIT */
/*
 * What packing costs and what it reaches: weights per second on one core, bits for
 * each weight against the entropy, and the cycles of the lanes' schedule against
 * the edge-colouring bound; for random matrices, then for the layers of ONNX
 * models.
 *
 * usage: bench_pack [-v] [MODEL.onnx...]; -v prints every layer. Without files it
 * takes those of ACCEL_SHARED_DIR/models, or else of ACCEL_TEST_MODELS.
 */
#include "../unit/default_geometry.h"

#include <glob.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <accel/error.h>
#include <compress/lower.h>
#include <compress/onnx_import.h>
#include <pack/stream.h>
#include <spmm/status.h>

/* How long each random matrix is packed and decoded again. */
#define REPEAT_NS 200000000ull

/**
 * struct figures - of one matrix or the sum of several
 * @matrices: how many
 * @weights: kept positions
 * @bits: of the streams
 * @entropy: bits at the least
 * @pack_seconds: of one packing each
 * @decode_seconds: likewise
 * @ratio: sum of cycles ÷ bound
 * @worst: largest cycles ÷ bound
 * @padding: issue slots without a weight
 */
struct figures {
	uint32_t matrices;
	double weights;
	double bits;
	double entropy;
	double pack_seconds;
	double decode_seconds;
	double ratio;
	double worst;
	double padding;
};

static bool verbose;
static uint64_t seed = 88172645463325252ull;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) * 0x1p-53;
}

/* Of the processor, so that other work on the machine does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int fail(const char *name)
{
	fprintf(stderr, "bench_pack: %s: %s\n", name, accel_last_error());
	return -1;
}

static void print_head(const char *first)
{
	printf("\n%-24s %8s %7s %7s %6s %7s %8s %8s %7s\n", first, "weights",
	       "Mpack/s", "Mdec/s", "bits", "entropy", "cycles÷", "worst",
	       "fillers");
}

static void print_figures(const char *name, const struct figures *f)
{
	printf("%-24s %8.0f %7.1f %7.1f %6.2f %7.2f %8.4f %8.4f %6.2f%%\n",
	       name, f->weights, f->weights / f->pack_seconds / 1e6,
	       f->weights / f->decode_seconds / 1e6, f->bits / f->weights,
	       f->entropy / f->weights, f->ratio / f->matrices, f->worst,
	       f->padding / f->weights * 100);
}

static void add(struct figures *sum, const struct figures *f)
{
	sum->matrices += f->matrices;
	sum->weights += f->weights;
	sum->bits += f->bits;
	sum->entropy += f->entropy;
	sum->pack_seconds += f->pack_seconds;
	sum->decode_seconds += f->decode_seconds;
	sum->ratio += f->ratio;
	sum->worst = fmax(sum->worst, f->worst);
	sum->padding += f->padding;
}

static double entropy(const struct model_csr *csr, double weights)
{
	double p = weights / csr->rows / csr->columns;

	if (p <= 0 || p >= 1)
		return weights * 8;
	return weights * (8 - log2(p) - (1 - p) * log2(1 - p) / p);
}

/* Pack and decode, again and again until so much time is over. */
static int measure(const char *name, const struct model_csr *csr,
		   const struct mapping *mapping, uint64_t repeat_ns,
		   struct figures *f)
{
	uint64_t begin = cpu_ns(), pack = 0, decode = 0;
	struct stream_decoded decoded;
	struct stream stream;
	uint32_t count = 0;

	do {
		uint64_t start = cpu_ns(), middle;

		if (stream_pack(csr, &default_geometry, mapping, &stream))
			return fail(name);
		middle = cpu_ns();
		pack += middle - start;
		if (stream_decode(stream.bytes, stream.length, csr->rows,
				  csr->columns, &default_geometry, &decoded,
				  NULL))
			return fail(name);
		decode += cpu_ns() - middle;
		stream_decoded_free(&decoded);
		count++;
		*f = (struct figures){
			.matrices = 1,
			.weights = (double)stream.nonzeros,
			.bits = (double)stream.length * 8,
			.entropy = entropy(csr, (double)stream.nonzeros),
			.worst = (double)stream.issue_cycles /
				 fmax(1, (double)stream.optimal_cycles),
			.padding = (double)stream.padding,
		};
		stream_free(&stream);
	} while (cpu_ns() - begin < repeat_ns);
	f->ratio = f->worst;
	f->pack_seconds = (double)pack / 1e9 / count;
	f->decode_seconds = (double)decode / 1e9 / count;
	return 0;
}

/* Keeps each column alike, or just so many of each group of 4. */
struct random_kind {
	const char *name;
	double density;
	uint32_t of_4;
};

static bool keeps(const struct random_kind *kind, uint32_t column,
		  uint32_t *left)
{
	if (!kind->of_4)
		return uniform() < kind->density;
	if (column % 4 == 0)
		*left = kind->of_4;
	if (uniform() * (4 - column % 4) >= *left)
		return false;
	(*left)--;
	return true;
}

static int random_matrix(uint32_t rows, uint32_t columns,
			 const struct random_kind *kind, struct model_csr *csr)
{
	size_t room = (size_t)rows * columns;
	int64_t count = 0;
	uint32_t left = 0;

	*csr = (struct model_csr){
		.rows = rows,
		.columns = columns,
		.row_start = calloc(rows + 1, sizeof(*csr->row_start)),
		.column = malloc(room * sizeof(*csr->column)),
		.value = malloc(room),
	};
	if (!csr->row_start || !csr->column || !csr->value)
		return -1;
	for (uint32_t row = 0; row < rows; row++) {
		for (uint32_t column = 0; column < columns; column++) {
			if (!keeps(kind, column, &left))
				continue;
			csr->column[count] = (int32_t)column;
			csr->value[count++] = (int8_t)(uniform() * 256);
		}
		csr->row_start[row + 1] = count;
	}
	return 0;
}

static int bench_random(void)
{
	static const struct random_kind kinds[] = {
		{ "  50 %", 0.5, 0 }, { "  20 %", 0.2, 0 },
		{ "  10 %", 0.1, 0 }, { "  5 %", 0.05, 0 },
		{ "  2:4", 0, 2 },    { "  1:4", 0, 1 },
	};
	const struct mapping mapping = { .row_groups = 1,
					 .column_groups = 16,
					 .vector_width = 32 };

	print_head("random 1024 x 1152");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct model_csr csr;
		struct figures f;
		int ret = random_matrix(1024, 1152, &kinds[i], &csr);

		if (!ret)
			ret = measure(kinds[i].name, &csr, &mapping, REPEAT_NS,
				      &f);
		if (!ret)
			print_figures(kinds[i].name, &f);
		free(csr.row_start);
		free(csr.column);
		free(csr.value);
		if (ret)
			return ret;
	}
	return 0;
}

/* N is that of an image of 128 × 128 or a batch of 256, near enough. */
static int bench_matrix(const char *name, const struct model_csr *csr,
			uint32_t kernel_width, uint64_t n, struct figures *sum)
{
	const struct mapping_layer layer = {
		.rows = csr->rows,
		.inner = csr->columns,
		.columns = n,
		.nonzeros = (uint64_t)model_csr_nonzeros(csr),
		.kernel_width = kernel_width,
	};
	const struct mapping mapping =
		mapping_choose(&default_geometry, &layer);
	struct figures f;
	int ret = measure(name, csr, &mapping, 0, &f);

	if (ret)
		return ret;
	if (verbose)
		print_figures(name, &f);
	add(sum, &f);
	return 0;
}

static int bench_layer(const struct model_layer *layer, uint64_t n,
		       struct figures *sum)
{
	int ret = 0;

	if (layer->op == MODEL_SPMM)
		return bench_matrix(layer->name, &layer->spmm.weights,
				    layer->spmm.window.kernel_width, n, sum);
	if (layer->op == MODEL_LSTM || layer->op == MODEL_GRU) {
		ret = bench_matrix("  input", &layer->recurrent.input_weights,
				   1, 32, sum);
		if (!ret)
			ret = bench_matrix("  hidden",
					   &layer->recurrent.hidden_weights, 1,
					   32, sum);
	}
	return ret;
}

/* The weights of a model, with ranges that do not matter here. */
static int load(const char *path, struct model **model)
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
	if (ranges)
		ret = graph_lower(graph, &options, model);
	free(ranges);
	graph_destroy(graph);
	return ranges ? ret : -1;
}

static int bench_model(const char *path, struct figures *total)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct figures sum = { 0 };
	struct model *model;
	uint64_t n = 256;
	int ret = load(path, &model);

	if (ret)
		return fail(name);
	for (uint32_t i = 0; i < model->input_count; i++)
		if (model->inputs[i].layout == MODEL_LAYOUT_NCHW)
			n = 128 * 128;
	if (verbose)
		print_head(name);
	for (uint32_t i = 0; i < model->layer_count && !ret; i++)
		ret = bench_layer(&model->layers[i], n, &sum);
	model_destroy(model);
	if (ret)
		return ret;
	print_figures(name, &sum);
	add(total, &sum);
	return 0;
}

/* The files of the first folder that has some. */
static int find_models(glob_t *files)
{
	static const char *const folders[][2] = {
		{ "ACCEL_SHARED_DIR", "models" },
		{ "ACCEL_TEST_MODELS", "." },
	};

	for (int i = 0; i < 2; i++) {
		const char *folder = getenv(folders[i][0]);
		char pattern[PATH_MAX];

		snprintf(pattern, sizeof(pattern), "%s/%s/*.onnx",
			 folder ? folder : ".", folders[i][1]);
		if (!glob(pattern, 0, NULL, files))
			return 0;
	}
	return -1;
}

static int bench_models(char **paths, size_t count)
{
	struct figures total = { 0 };

	print_head("layers of");
	for (size_t i = 0; i < count; i++)
		if (bench_model(paths[i], &total))
			return -1;
	if (total.matrices)
		print_figures("all layers", &total);
	return 0;
}

int main(int argc, char **argv)
{
	glob_t files = { 0 };
	int ret = bench_random();

	argv++;
	argc--;
	if (argc && !strcmp(argv[0], "-v")) {
		verbose = true;
		argv++;
		argc--;
	}
	if (!ret && argc)
		ret = bench_models(argv, (size_t)argc);
	else if (!ret && !find_models(&files))
		ret = bench_models(files.gl_pathv, files.gl_pathc);
	globfree(&files);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
