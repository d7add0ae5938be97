// SPDX-License-Identifier: MIT
#include <compress/calibration_patches.h>
#include <compress/choice.h>
#include <compress/dictionary.h>
#include <compress/low_rank.h>
#include <compress/low_rank_budget.h>
#include <compress/low_rank_factor.h>
#include <compress/low_rank_graph.h>
#include <compress/reconstruct.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct job - a layer that is to be split
 * @node: which
 * @weights: its matrix
 * @how: low
 * @transposed: the matrix is the transposed one, with a column for each input
 * @taps: of the kernel
 * @values: singular values, where they are asked for
 * @factors: result
 */
struct job {
	int node;
	int weights;
	struct low_rank how;
	bool transposed;
	int64_t taps;
	double *values;
	struct low_rank_factors factors;
};

/**
 * struct splitting - of a graph
 * @graph: whose layers are split
 * @choices: how
 * @jobs: one for each layer, in the order of the nodes
 * @layers: of the jobs, for the budget
 * @count: length of both
 * @next: the walk is at; see next_job()
 * @tensors: of the graph: those that the walk is to see
 * @spectra: singular values are asked for, not factors
 */
struct splitting {
	struct graph *graph;
	struct compress_choices *choices;
	struct job *jobs;
	struct low_rank_layer *layers;
	int count;
	int next;
	bool *tensors;
	bool spectra;
};

/* ---- a layer ---- */

/* W as it lies, or its transpose, in binary64. */
static double *load_matrix(const struct splitting *splitting, int index)
{
	const struct low_rank_layer *layer = &splitting->layers[index];
	const struct job *job = &splitting->jobs[index];
	const float *weights = splitting->graph->tensors[job->weights].data;
	size_t rows = (size_t)layer->rows, columns = (size_t)layer->columns;
	double *matrix = malloc(rows * columns * sizeof(*matrix));

	for (size_t i = 0; matrix && i < rows * columns; i++)
		matrix[i] =
			(double)weights[job->transposed ? i % columns * rows +
								  i / columns :
							  i];
	return matrix;
}

/*
 * Of a problem's inputs; of a transposed convolution, whose taps all see the same
 * pixels, the sum over the taps. Without the bias.
 */
static double *load_moments(const struct splitting *splitting, int index,
			    const struct layer_problem *problem)
{
	const double *h = layer_problem_hessian(problem);
	size_t columns = (size_t)splitting->layers[index].columns;
	size_t taps = (size_t)(splitting->jobs[index].transposed ?
				       splitting->jobs[index].taps :
				       1);
	double *moments = calloc(columns * columns, sizeof(*moments));

	for (size_t i = 0; moments && i < columns; i++)
		for (size_t j = i; j < columns; j++) {
			for (size_t t = 0; t < taps; t++)
				moments[i * columns + j] +=
					h[(i * taps + t) * problem->columns +
					  j * taps + t];
			moments[j * columns + i] = moments[i * columns + j];
		}
	return moments;
}

static int run_job(struct splitting *splitting, int index,
		   const struct low_rank_matrix *matrix)
{
	struct job *job = &splitting->jobs[index];
	const struct low_rank_layer *layer = &splitting->layers[index];

	if (splitting->spectra) {
		job->values = calloc((size_t)(matrix->rows < matrix->columns ?
						      matrix->rows :
						      matrix->columns),
				     sizeof(*job->values));
		splitting->layers[index].spectrum = job->values;
		return job->values ? low_rank_spectrum(matrix, job->values) :
				     -ENOMEM;
	}
	job->factors.rank = (int)layer->rank;
	job->factors.rest_count = layer->rest_count;
	return job->how.atoms ? dictionary_factor(&job->factors, matrix,
						  (int)job->how.nonzeros) :
				low_rank_factor(&job->factors, matrix);
}

/* @problem: its inputs; NULL: they are not looked at */
static int settle_job(struct splitting *splitting, int index,
		      const struct layer_problem *problem)
{
	const struct low_rank_layer *layer = &splitting->layers[index];
	double *weights = load_matrix(splitting, index);
	double *moments = problem ? load_moments(splitting, index, problem) :
				    NULL;
	const struct low_rank_matrix matrix = {
		.rows = (int)layer->rows,
		.columns = (int)layer->columns,
		.weights = weights,
		.moments = moments,
	};
	const char *name =
		splitting->graph->nodes[splitting->jobs[index].node].name;
	int ret = -ENOMEM;

	if (weights && (moments || !problem))
		ret = run_job(splitting, index, &matrix);
	free(weights);
	free(moments);
	if (ret == -ENOMEM)
		accel_error(ret, "no memory for a low rank");
	return ret ? accel_error_prefix(ret, "%s", name) : 0;
}

/* ---- the walk ---- */

/* What the factors give for a weight of the matrix. */
static float approximation(const struct low_rank_factors *factors, size_t row,
			   size_t column)
{
	size_t rank = (size_t)factors->rank;
	size_t columns = (size_t)factors->columns;
	float sum = factors->rest ? factors->rest[row * columns + column] : 0;

	for (size_t i = 0; i < rank; i++)
		sum += factors->left[row * rank + i] *
		       factors->right[i * columns + column];
	return sum;
}

/* Layers behind this one see what it gives from now on. */
static void store_approximation(const struct job *job,
				struct layer_problem *problem)
{
	size_t taps = job->transposed ? (size_t)job->taps : 1;
	size_t weights = problem->columns - problem->constant;

	for (size_t r = 0; r < problem->rows; r++)
		for (size_t i = 0; i < weights; i++)
			problem->values[r * problem->columns + i] =
				approximation(&job->factors,
					      r * taps + i % taps, i / taps);
}

/* Problems come in the order of the nodes, one for each that is to be seen. */
static int next_job(struct splitting *splitting)
{
	while (!splitting->tensors[splitting->jobs[splitting->next].weights])
		splitting->next++;
	return splitting->next++;
}

static int solve(void *context, struct layer_problem *problem)
{
	struct splitting *splitting = context;
	int index = next_job(splitting);
	int ret = settle_job(splitting, index, problem);

	if (!ret && !splitting->spectra)
		store_approximation(&splitting->jobs[index], problem);
	return ret;
}

static int walk(struct splitting *splitting,
		const struct calibration_data *data, int workers)
{
	const struct layer_solver solver = {
		.solve = solve,
		.tensors = splitting->tensors,
		.context = splitting,
	};
	struct graph *copy = graph_clone(splitting->graph);
	struct prune_mask *mask = prune_mask_create(splitting->graph);
	int ret = -ENOMEM;

	splitting->next = 0;
	if (copy && mask)
		ret = reconstruct_layers(splitting->graph, copy, mask, data,
					 &solver, workers);
	else
		accel_error(ret, "no memory for a low rank");
	prune_mask_destroy(mask);
	graph_destroy(copy);
	return ret;
}

/* Has the layer a part in what is done now? */
static bool takes_part(const struct splitting *splitting, int index)
{
	return splitting->spectra ? splitting->jobs[index].how.global :
				    splitting->layers[index].rank > 0;
}

static int settle_all(struct splitting *splitting,
		      const struct calibration_data *data, int workers)
{
	bool walked = false;
	int ret = 0;

	for (int i = 0; i < splitting->count && !ret; i++) {
		const struct job *job = &splitting->jobs[i];
		bool part = takes_part(splitting, i);
		bool whitened = part && job->how.whitened;

		splitting->tensors[job->weights] = whitened;
		walked |= whitened;
		if (part && !whitened)
			ret = settle_job(splitting, i, NULL);
	}
	if (ret || !walked)
		return ret;
	if (!data || !data->sample_count)
		return accel_error(
			-EINVAL,
			"a whitened low rank needs data: give --calibrate or --latents");
	return walk(splitting, data, workers);
}

/* ---- which layers ---- */

static bool is_candidate(const struct compress_choices *choices, int tensor)
{
	return tensor >= 0 && choices->layers[tensor].method &&
	       !low_rank_is_none(&choices->layers[tensor].low_rank);
}

static bool may_split(const struct graph *graph, const struct graph_node *node)
{
	return graph_op_is_linear(node->op) && !node->structural &&
	       (node->op == GRAPH_GEMM || node->conv.group == 1) &&
	       graph_tensor_use_count(graph, node->inputs[1]) == 1;
}

static int check_weights(const struct graph_tensor *weights, int64_t count)
{
	if (weights->quantization)
		return accel_error(
			-ENOTSUP,
			"%s is quantized already: a low rank is for the network before that",
			weights->name);
	for (int64_t i = 0; i < count; i++)
		if (!isfinite(weights->data[i]))
			return accel_error(-EINVAL, "%s is not finite",
					   weights->name);
	return 0;
}

static int add_job(struct splitting *splitting, int index,
		   struct low_rank_report *report)
{
	const struct graph_node *node = &splitting->graph->nodes[index];
	int weights = node->inputs[1], ret;
	const struct graph_tensor *tensor = &splitting->graph->tensors[weights];
	int64_t all = graph_shape_count(&tensor->shape);
	int64_t first = tensor->shape.dims[0];
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	struct job *job = &splitting->jobs[splitting->count];

	if (all <= 0 || all / first > INT_MAX || first > INT_MAX) {
		report->small++;
		return 0;
	}
	ret = check_weights(tensor, all);
	if (ret)
		return ret;
	*job = (struct job){
		.node = index,
		.weights = weights,
		.how = splitting->choices->layers[weights].low_rank,
		.transposed = transposed,
		.taps = all / first / tensor->shape.dims[1],
	};
	splitting->layers[splitting->count++] = (struct low_rank_layer){
		.how = &job->how,
		.rows = transposed ? all / first : first,
		.columns = transposed ? first : all / first,
	};
	return 0;
}

static int find_jobs(struct splitting *splitting,
		     struct low_rank_report *report)
{
	const struct graph *graph = splitting->graph;
	int ret = 0;

	for (int i = 0; i < graph->node_count && !ret; i++) {
		const struct graph_node *node = &graph->nodes[i];
		bool wanted = false;

		if (graph_op_is_linear(node->op) ||
		    graph_op_is_recurrent(node->op))
			wanted = is_candidate(splitting->choices,
					      node->inputs[1]);
		if (wanted && may_split(graph, node))
			ret = add_job(splitting, i, report);
		else
			report->other += wanted;
	}
	return ret;
}

/* ---- choices of what is new ---- */

static int extend_choices(struct compress_choices *choices,
			  const struct graph *graph)
{
	size_t count = (size_t)graph->tensor_count + 1;
	struct layer_choice *layers =
		reallocarray(choices->layers, count, sizeof(*layers));

	if (!layers)
		return accel_error(-ENOMEM, "no memory for a low rank");
	for (int t = choices->tensor_count; t < graph->tensor_count; t++)
		layers[t] = (struct layer_choice){ .method = NULL };
	choices->layers = layers;
	choices->tensor_count = graph->tensor_count;
	return 0;
}

/* What is sparse is so for good: the largest are those that are there. */
static void keep_nonzeros(const struct graph *graph, int tensor,
			  struct layer_choice *choice)
{
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);
	int64_t zeros = 0;

	for (int64_t i = 0; i < count; i++)
		zeros += graph->tensors[tensor].data[i] == 0;
	choice->method = prune_method_find("magnitude");
	/* one has to stay */
	zeros = zeros < count ? zeros : count - 1;
	choice->sparsity = (double)zeros / (double)count;
}

static int split_job(struct splitting *splitting, struct job *job)
{
	struct layer_choice choice = splitting->choices->layers[job->weights];
	struct graph *graph = splitting->graph;
	struct layer_choice *layers;
	struct low_rank_parts parts;
	int ret = low_rank_graph_split(graph, job->node, &job->factors, &parts);

	low_rank_factors_release(&job->factors);
	if (ret)
		return accel_error_prefix(ret, "a low rank");
	ret = extend_choices(splitting->choices, graph);
	if (ret)
		return ret;
	choice.low_rank = (struct low_rank){ .rank = 0 };
	layers = splitting->choices->layers;
	layers[parts.first] = choice;
	layers[parts.second] = choice;
	if (job->how.atoms)
		keep_nonzeros(graph, parts.first, &layers[parts.first]);
	if (parts.rest < 0)
		return 0;
	layers[parts.rest] = choice;
	keep_nonzeros(graph, parts.rest, &layers[parts.rest]);
	return 0;
}

/* graph_compact() leaves tensors out, and the others in their order. */
static int compact(struct splitting *splitting)
{
	struct graph *graph = splitting->graph;
	struct compress_choices *choices = splitting->choices;
	struct graph *before = graph_clone(graph);
	int ret = before ? graph_compact(graph) :
			   accel_error(-ENOMEM, "no memory for a low rank");
	int from = 0;

	for (int t = 0; !ret && t < graph->tensor_count; t++, from++) {
		while (strcmp(before->tensors[from].name,
			      graph->tensors[t].name))
			from++;
		choices->layers[t] = choices->layers[from];
	}
	if (!ret)
		choices->tensor_count = graph->tensor_count;
	graph_destroy(before);
	return ret;
}

/* ---- all of it ---- */

static int prepare(struct splitting *splitting)
{
	size_t nodes = (size_t)splitting->graph->node_count + 1;
	size_t tensors = (size_t)splitting->graph->tensor_count + 1;

	splitting->jobs = calloc(nodes, sizeof(*splitting->jobs));
	splitting->layers = calloc(nodes, sizeof(*splitting->layers));
	splitting->tensors = calloc(tensors, sizeof(*splitting->tensors));
	return splitting->jobs && splitting->layers && splitting->tensors ?
		       0 :
		       accel_error(-ENOMEM, "no memory for a low rank");
}

static void release(struct splitting *splitting)
{
	for (int i = 0; i < splitting->count; i++) {
		free(splitting->jobs[i].values);
		low_rank_factors_release(&splitting->jobs[i].factors);
	}
	free(splitting->jobs);
	free(splitting->layers);
	free(splitting->tensors);
}

static int choose_ranks(struct splitting *splitting,
			const struct calibration_data *data, int workers)
{
	int ret;

	for (int i = 0; i < splitting->count; i++)
		low_rank_budget_alone(&splitting->layers[i]);
	splitting->spectra = true;
	ret = settle_all(splitting, data, workers);
	splitting->spectra = false;
	if (!ret && low_rank_budget_share(splitting->layers, splitting->count))
		ret = accel_error(-ENOMEM, "no memory for a low rank");
	return ret;
}

/* @data: as many as the walk is to see */
static int split(struct splitting *splitting,
		 const struct calibration_data *data, int workers,
		 struct low_rank_report *report)
{
	int ret = choose_ranks(splitting, data, workers);

	if (!ret)
		ret = settle_all(splitting, data, workers);
	for (int i = 0; i < splitting->count && !ret; i++) {
		bool is_split = splitting->layers[i].rank > 0;

		if (is_split)
			ret = split_job(splitting, &splitting->jobs[i]);
		report->split += is_split;
		report->small += !is_split;
	}
	if (!ret && !report->split)
		ret = accel_error(
			-ENOTSUP,
			"no layer gets smaller by that rank or dictionary: give a lower one");
	return ret ? ret : compact(splitting);
}

int low_rank_split(struct graph *graph, struct compress_choices *choices,
		   const struct calibration_data *data, int workers,
		   struct low_rank_report *report)
{
	const struct calibration_patches squares = { .count = 0 };
	struct splitting splitting = { .graph = graph, .choices = choices };
	struct calibration_data patches;
	bool cut = data && data->sample_count &&
		   calibration_patches_apply(graph, data, &squares);
	int ret = prepare(&splitting);

	*report = (struct low_rank_report){ .split = 0 };
	if (!ret)
		ret = find_jobs(&splitting, report);
	if (!ret && cut)
		ret = calibration_patches_cut(&patches, graph, data, &squares);
	if (!ret) {
		ret = split(&splitting, cut ? &patches : data, workers, report);
		if (cut)
			calibration_data_release(&patches);
	}
	release(&splitting);
	return ret;
}
