// SPDX-License-Identifier: MIT
/* Why it is so: what each layer got, what else there was, and all that was tried. */
#include <compress/automatic_search.h>
#include <core/error.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- choices ---- */

/* Of all methods that were measured, the one that loses least at a part. */
static double least_loss(const struct automatic_search *search, int layer,
			 double kept, const char **method)
{
	double least = NAN;

	for (int i = 0; i < search->layer_method_count; i++) {
		int m = search->layer_methods[i];
		double loss = automatic_loss(search, layer, m, kept);

		if (loss >= least)
			continue;
		least = loss;
		*method = search->methods[m].method->name;
	}
	return least;
}

/* The measured parts on both sides of the one that was chosen. */
static void find_alternatives(const struct automatic_search *search, int layer,
			      double kept, struct automatic_choice *choice)
{
	choice->last_kept = 1;
	for (int i = 0; i < AUTOMATIC_KEPT_COUNT; i++) {
		if (automatic_kept[i] > kept * 1.02)
			choice->last_kept = automatic_kept[i];
		if (automatic_kept[i] < kept * 0.98 && !choice->next_kept)
			choice->next_kept = automatic_kept[i];
	}
	choice->last_loss = choice->last_kept < 1 ?
				    least_loss(search, layer, choice->last_kept,
					       &choice->last_method) :
				    0;
	choice->next_loss = choice->next_kept > 0 ?
				    least_loss(search, layer, choice->next_kept,
					       &choice->next_method) :
				    NAN;
}

static int64_t count_kept(const struct graph *graph,
			  const struct prune_mask *mask, int tensor)
{
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);
	int64_t kept = 0;

	for (int64_t i = 0; i < count; i++)
		kept += mask->keep[tensor][i];
	return kept;
}

static int format_bits(const struct automatic_search *search, int format)
{
	return (int)ceil(weight_format_bits(&search->formats[format]));
}

static void explain_layer(const struct automatic_search *search, int index,
			  struct automatic_choice *choice)
{
	const struct sensitivity_layer *layer =
		&search->sensitivity.layers[index];
	int method = search->chosen[index].method;
	int format = search->chosen[index].format;
	const struct graph *graph = search->result->graph;
	double kept;

	*choice = (struct automatic_choice){
		.name = graph->nodes[layer->node].name,
		.tensor = graph->tensors[layer->tensor].name,
		.method = search->methods[method].method->name,
		.bits = format_bits(search, format),
		.weights = layer->weights,
		.nonzeros =
			count_kept(graph, search->result->mask, layer->tensor),
		.cycles = NAN,
	};
	kept = (double)choice->nonzeros / (double)layer->weights;
	choice->loss = kept < 1 ? automatic_loss(search, index, method, kept) :
				  0;
	choice->loss += automatic_format_loss(search, index, format, kept);
	find_alternatives(search, index, kept, choice);
}

/** struct timing - the best model's layers */
struct timing {
	const struct automatic_search *search;
	struct automatic_choice *choices;
};

static void note_cycles(void *context, const char *name, uint64_t cycles)
{
	const struct timing *timing = context;

	for (int l = 0; l < timing->search->sensitivity.count; l++)
		if (!strcmp(timing->choices[l].name, name))
			timing->choices[l].cycles = (double)cycles;
}

static int time_choices(struct automatic_search *search)
{
	const struct automatic_probe *probe = search->options->probe;
	struct automatic_result *result = search->result;
	struct timing timing = { search, result->choices };
	uint64_t cycles;
	int ret = probe->time(probe->context, result->model, &cycles,
			      note_cycles, &timing);

	result->best.measured.cycles = cycles;
	return ret;
}

/* ---- provenance ---- */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *alternative_json(double kept, const char *method, double loss)
{
	if (!(kept > 0))
		return json_null();
	return json_pack("{s:f, s:s?, s:o}", "kept", kept, "method", method,
			 "loss", number(loss));
}

static json_t *choice_json(const struct automatic_choice *choice)
{
	return json_pack(
		"{s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o}", "node",
		choice->name, "weight", choice->tensor, "method",
		choice->method, "bits", choice->bits, "weights",
		(json_int_t)choice->weights, "nonzeros",
		(json_int_t)choice->nonzeros, "loss", number(choice->loss),
		"cycles", number(choice->cycles), "less_sparse",
		alternative_json(choice->last_kept, choice->last_method,
				 choice->last_loss),
		"sparser",
		alternative_json(choice->next_kept, choice->next_method,
				 choice->next_loss));
}

const char *automatic_scope_name(const struct automatic_trial *trial)
{
	if (trial->by_cost)
		return "cycles";
	return trial->scope == PRUNE_GLOBAL ? "global" : "layer";
}

static json_t *trial_json(const struct automatic_trial *trial)
{
	return json_pack(
		"{s:s, s:s, s:s?, s:s?, s:f, s:f, s:o, s:I, s:I, s:I, s:b}",
		"strategy", trial->strategy, "scope",
		automatic_scope_name(trial), "search", trial->search, "solver",
		trial->solver, "width", trial->width, "kept", trial->kept,
		"quality", number(trial->measured.quality), "bytes",
		(json_int_t)trial->measured.bytes, "cycles",
		(json_int_t)trial->measured.cycles, "nonzeros",
		(json_int_t)trial->measured.nonzeros, "meets", trial->meets);
}

static const char *const quantities[] = { "psnr", "fid", "ratio", "sparsity",
					  "cycles" };

static json_t *search_json(const struct automatic_search *search)
{
	const struct automatic_result *result = search->result;
	const struct automatic_target *target = &search->options->target;
	json_t *layers = json_array(), *trials = json_array();

	for (int l = 0; l < result->choice_count; l++)
		json_array_append_new(layers, choice_json(&result->choices[l]));
	for (int i = 0; i < result->trial_count; i++)
		json_array_append_new(trials, trial_json(&result->trials[i]));
	return json_pack("{s:s, s:f, s:b, s:s, s:o, s:o, s:o}", "target",
			 quantities[target->quantity], "bound", target->bound,
			 "of_dense", target->of_dense, "search",
			 search->options->search->name, "best",
			 trial_json(&result->best), "layers", layers, "trials",
			 trials);
}

/* The model's provenance with @automatic, which is taken, in it; NULL without memory. */
static char *extend_provenance(const struct model *model, json_t *automatic)
{
	json_t *root = json_loads(model->provenance ? model->provenance : "{}",
				  0, NULL);
	char *text = NULL;

	if (root && !json_object_set_new(root, "automatic", automatic))
		text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(root);
	return text;
}

static json_t *layer_json(const struct automatic_search *search, int index,
			  const struct graph *graph,
			  const struct prune_mask *mask,
			  struct automatic_pick pick)
{
	const struct sensitivity_layer *layer =
		&search->sensitivity.layers[index];
	const struct graph_tensor *tensor =
		&search->graph->tensors[layer->tensor];

	return json_pack("{s:s, s:s, s:i, s:I}", "weight", tensor->name,
			 "method", search->methods[pick.method].method->name,
			 "bits", format_bits(search, pick.format), "nonzeros",
			 (json_int_t)count_kept(graph, mask, layer->tensor));
}

int automatic_describe(const struct automatic_search *search,
		       const char *strategy, const struct graph *graph,
		       const struct prune_mask *mask,
		       const struct automatic_pick *chosen, struct model *model)
{
	const struct automatic_target *target = &search->options->target;
	json_t *layers = json_array();
	char *text;

	for (int l = 0; l < search->sensitivity.count; l++)
		json_array_append_new(layers, layer_json(search, l, graph, mask,
							 chosen[l]));
	text = extend_provenance(
		model,
		json_pack("{s:s, s:f, s:b, s:s, s:f, s:o}", "target",
			  quantities[target->quantity], "bound", target->bound,
			  "of_dense", target->of_dense, "strategy", strategy,
			  "width", search->width, "layers", layers));
	if (!text)
		return accel_error(-ENOMEM, "no memory to tell what was done");
	free(model->provenance);
	model->provenance = text;
	return 0;
}

int automatic_report(struct automatic_search *search)
{
	struct automatic_result *result = search->result;
	int ret;

	result->choices = calloc((size_t)search->sensitivity.count + 1,
				 sizeof(*result->choices));
	if (!result->choices)
		return accel_error(-ENOMEM, "no memory to tell what was done");
	result->choice_count = search->sensitivity.count;
	for (int l = 0; l < result->choice_count; l++)
		explain_layer(search, l, &result->choices[l]);
	ret = time_choices(search);
	if (ret)
		return ret;
	result->report = extend_provenance(result->model, search_json(search));
	return result->report ?
		       0 :
		       accel_error(-ENOMEM, "no memory to tell what was done");
}
