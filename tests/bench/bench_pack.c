/* SPDX-License-Identifier: MIT */
/*
 * What packing costs and what it reaches: non-zeros per second on one core, bits
 * for each non-zero against the entropy, and the cycles of the lanes' schedule
 * against the edge-colouring bound. Random matrices first, then the layers of
 * the model files given as arguments.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <accel/error.h>
#include <core/deadline.h>
#include <pack/stream.h>
#include <spmm/status.h>

static const struct geometry geometry = {
	.clusters = 16,
	.lanes = 8,
	.vector_width = 32,
	.banks = 16,
	.accumulators = 4,
	.decoder_rate = 8,
	.schedule_window = 16,
	.epilogue_rate = 1,
};

#define REPEAT_NS 300000000ull

static uint64_t seed = 88172645463325252ull;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) * 0x1p-53;
}

static int random_matrix(uint32_t rows, uint32_t columns, double density,
			 struct model_csr *csr)
{
	size_t room = (size_t)rows * columns;
	int64_t count = 0;

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
			if (uniform() >= density)
				continue;
			csr->column[count] = (int32_t)column;
			csr->value[count++] = (int8_t)(uniform() * 256);
		}
		csr->row_start[row + 1] = count;
	}
	return 0;
}

static double entropy_bits(const struct model_csr *csr, uint64_t nonzeros)
{
	double p = (double)nonzeros / csr->rows / csr->columns;

	if (p <= 0 || p >= 1)
		return 8;
	return 8 - log2(p) - (1 - p) * log2(1 - p) / p;
}

/* Seconds of one call, by repetition. */
static double time_pack(const struct model_csr *csr,
			const struct mapping *mapping, struct stream *stream)
{
	uint64_t start = monotonic_ns(), now;
	uint32_t count = 0;

	do {
		stream_free(stream);
		if (stream_pack(csr, &geometry, mapping, stream))
			return 0;
		count++;
		now = monotonic_ns();
	} while (now - start < REPEAT_NS);
	return (double)(now - start) / 1e9 / count;
}

static double time_decode(const struct model_csr *csr,
			  const struct stream *stream)
{
	uint64_t start = monotonic_ns(), now;
	uint32_t count = 0;

	do {
		struct stream_decoded decoded;

		if (stream_decode(stream->bytes, stream->length, csr->rows,
				  csr->columns, &geometry, &decoded, NULL))
			return 0;
		stream_decoded_free(&decoded);
		count++;
		now = monotonic_ns();
	} while (now - start < REPEAT_NS);
	return (double)(now - start) / 1e9 / count;
}

static int report(const char *name, const struct model_csr *csr,
		  const struct mapping *mapping)
{
	struct stream stream = { 0 };
	double pack = time_pack(csr, mapping, &stream);
	double decode = pack > 0 ? time_decode(csr, &stream) : 0;
	double nonzeros = (double)stream.nonzeros, bits, entropy;

	if (pack <= 0 || decode <= 0) {
		fprintf(stderr, "bench_pack: %s: %s\n", name,
			accel_last_error());
		return -1;
	}
	bits = (double)stream.length * 8 / nonzeros;
	entropy = entropy_bits(csr, stream.nonzeros);
	printf("%-24s %6u %6u %8.0f %6.1f %2ux%-2u %6.1f %6.1f %6.2f %+5.1f%% %8.4f %6.4f\n",
	       name, csr->rows, csr->columns, nonzeros,
	       nonzeros / csr->rows / csr->columns * 100, mapping->row_groups,
	       mapping->column_groups, nonzeros / pack / 1e6,
	       nonzeros / decode / 1e6, bits, (bits / entropy - 1) * 100,
	       (double)stream.optimal_cycles / (double)stream.issue_cycles,
	       (double)stream.padding / nonzeros);
	stream_free(&stream);
	return 0;
}

static int bench_random(void)
{
	static const double densities[] = { 0.5, 0.2, 0.1, 0.05 };
	const struct mapping mapping = { .row_groups = 1,
					 .column_groups = 16,
					 .vector_width = 32 };

	for (int i = 0; i < 4; i++) {
		struct model_csr csr;
		char name[32];
		int ret = random_matrix(1024, 1152, densities[i], &csr);

		snprintf(name, sizeof(name), "random %.0f %%",
			 densities[i] * 100);
		if (!ret)
			ret = report(name, &csr, &mapping);
		free(csr.row_start);
		free(csr.column);
		free(csr.value);
		if (ret)
			return ret;
	}
	return 0;
}

int main(void)
{
	printf("%-24s %6s %6s %8s %6s %5s %6s %6s %6s %6s %8s %6s\n", "matrix",
	       "M", "K", "nnz", "%", "map", "Mnnz/s", "decode", "bits", "entr.",
	       "optimum", "fill");
	return bench_random() ? EXIT_FAILURE : EXIT_SUCCESS;
}
