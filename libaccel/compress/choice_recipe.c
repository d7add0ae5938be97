// SPDX-License-Identifier: MIT
#include <compress/choice_recipe.h>
#include <core/error.h>

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <string.h>

/**
 * struct recipe - a file that is being read
 * @path: for messages
 * @graph: whose layers it names
 * @choices: result
 */
struct recipe {
	const char *path;
	const struct graph *graph;
	struct compress_choices *choices;
};

/* ---- what an object says of a layer ---- */

static int read_method(const struct recipe *recipe, const char *where,
		       const json_t *value, struct layer_choice *choice)
{
	const struct prune_method *method;

	if (!json_is_string(value))
		return accel_error(-EINVAL, "%s: %s: \"method\" is not a name",
				   recipe->path, where);
	method = prune_method_find(json_string_value(value));
	if (!method)
		return accel_error(
			-EINVAL,
			"%s: %s: there is no method \"%s\"; it takes %s",
			recipe->path, where, json_string_value(value),
			prune_method_names());
	choice->method = method;
	return 0;
}

static int read_sparsity(const struct recipe *recipe, const char *where,
			 const json_t *value, struct layer_choice *choice)
{
	double sparsity = json_number_value(value);

	if (!json_is_number(value) || !(sparsity >= 0 && sparsity < 1))
		return accel_error(
			-EINVAL,
			"%s: %s: \"sparsity\" has to be a number of at least 0 and below 1",
			recipe->path, where);
	choice->sparsity = sparsity;
	return 0;
}

static int read_format(const struct recipe *recipe, const char *where,
		       const json_t *value, struct layer_choice *choice)
{
	int ret;

	if (!json_is_string(value))
		return accel_error(-EINVAL,
				   "%s: %s: \"quantize\" is not a name",
				   recipe->path, where);
	ret = weight_format_parse(json_string_value(value), &choice->format);
	return ret ? accel_error_prefix(ret, "%s: %s", recipe->path, where) : 0;
}

static int read_low_rank(const struct recipe *recipe, const char *where,
			 const char *key, const json_t *value,
			 struct layer_choice *choice)
{
	int ret;

	if (!json_is_string(value))
		return accel_error(-EINVAL, "%s: %s: \"%s\" is not a text",
				   recipe->path, where, key);
	ret = strcmp(key, "dictionary") ?
		      low_rank_parse(json_string_value(value),
				     &choice->low_rank) :
		      low_rank_parse_dictionary(json_string_value(value),
						&choice->low_rank);
	return ret ? accel_error_prefix(ret, "%s: %s", recipe->path, where) : 0;
}

/* @other: the one key more that the object may have. */
static int read_choice(const struct recipe *recipe, const char *where,
		       json_t *object, const char *other,
		       struct layer_choice *choice)
{
	const char *key;
	json_t *value;
	int ret = 0;

	if (!json_is_object(object))
		return accel_error(-EINVAL, "%s: %s is not an object {…}",
				   recipe->path, where);
	if (json_object_get(object, "low_rank") &&
	    json_object_get(object, "dictionary"))
		return accel_error(
			-EINVAL,
			"%s: %s: \"low_rank\" and \"dictionary\" exclude each other",
			recipe->path, where);
	json_object_foreach(object, key, value)
	{
		if (!strcmp(key, "method"))
			ret = read_method(recipe, where, value, choice);
		else if (!strcmp(key, "sparsity"))
			ret = read_sparsity(recipe, where, value, choice);
		else if (!strcmp(key, "quantize"))
			ret = read_format(recipe, where, value, choice);
		else if (!strcmp(key, "low_rank") || !strcmp(key, "dictionary"))
			ret = read_low_rank(recipe, where, key, value, choice);
		else if (strcmp(key, other))
			ret = accel_error(
				-EINVAL,
				"%s: %s: unknown key \"%s\"; it takes method, sparsity, quantize, low_rank, dictionary and %s",
				recipe->path, where, key, other);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- layers ---- */

static bool node_matches(const struct graph_node *node, int tensor,
			 const char *pattern)
{
	for (int i = 0; i < node->input_count; i++)
		if (node->inputs[i] == tensor)
			return !fnmatch(pattern, node->name, 0);
	return false;
}

static bool layer_matches(const struct graph *graph, int tensor,
			  const char *pattern)
{
	if (!fnmatch(pattern, graph->tensors[tensor].name, 0))
		return true;
	for (int n = 0; n < graph->node_count; n++)
		if (node_matches(&graph->nodes[n], tensor, pattern))
			return true;
	return false;
}

static int apply_match(const struct recipe *recipe, const char *where,
		       const char *pattern, json_t *object)
{
	int matched = 0, ret = 0;

	for (int t = 0; t < recipe->choices->tensor_count && !ret; t++) {
		if (!recipe->choices->layers[t].method ||
		    !layer_matches(recipe->graph, t, pattern))
			continue;
		ret = read_choice(recipe, where, object, "match",
				  &recipe->choices->layers[t]);
		matched++;
	}
	if (!ret && !matched)
		ret = accel_error(
			-EINVAL,
			"%s: %s: no layer of %s is named \"%s\"; accel inspect lists them",
			recipe->path, where, recipe->graph->name, pattern);
	return ret;
}

/* Of two that differ, the last one would win, and nobody would see why. */
static int check_contradictions(const struct recipe *recipe, json_t *layers,
				size_t index)
{
	json_t *own = json_array_get(layers, index);
	const char *pattern = json_string_value(json_object_get(own, "match"));

	for (size_t i = 0; i < index; i++) {
		json_t *earlier = json_array_get(layers, i);

		if (strcmp(json_string_value(json_object_get(earlier, "match")),
			   pattern) ||
		    json_equal(own, earlier))
			continue;
		return accel_error(
			-EINVAL,
			"%s: layers %zu and %zu both match \"%s\" and contradict each other",
			recipe->path, i + 1, index + 1, pattern);
	}
	return 0;
}

static int read_layer(const struct recipe *recipe, json_t *layers, size_t index)
{
	json_t *object = json_array_get(layers, index);
	struct layer_choice ignored;
	const char *pattern;
	char where[32];
	int ret;

	snprintf(where, sizeof(where), "layer %zu", index + 1);
	ret = read_choice(recipe, where, object, "match", &ignored);
	if (ret)
		return ret;
	pattern = json_string_value(json_object_get(object, "match"));
	if (!pattern)
		return accel_error(-EINVAL,
				   "%s: %s: which one? It has no \"match\"",
				   recipe->path, where);
	ret = check_contradictions(recipe, layers, index);
	return ret ? ret : apply_match(recipe, where, pattern, object);
}

static int read_layers(const struct recipe *recipe, json_t *root)
{
	json_t *layers = json_object_get(root, "layers");
	int ret = 0;

	if (layers && !json_is_array(layers))
		return accel_error(-EINVAL, "%s: \"layers\" is not a list […]",
				   recipe->path);
	for (size_t i = 0; i < json_array_size(layers) && !ret; i++)
		ret = read_layer(recipe, layers, i);
	return ret;
}

/* ---- the file ---- */

static int read_root(struct recipe *recipe, json_t *root,
		     const struct layer_choice *otherwise)
{
	struct layer_choice choice = *otherwise;
	int ret = read_choice(recipe, "the recipe", root, "layers", &choice);

	if (ret)
		return ret;
	recipe->choices = choices_create(recipe->graph, &choice);
	if (!recipe->choices)
		return accel_error(-ENOMEM, "no memory for %s", recipe->path);
	return read_layers(recipe, root);
}

static json_t *load_root(const char *path, int *ret)
{
	json_error_t error;
	json_t *root;

	errno = 0;
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (root)
		return root;
	if (json_error_code(&error) == json_error_cannot_open_file)
		*ret = accel_error(errno ? -errno : -EIO, "%s: %s", path,
				   strerror(errno ? errno : EIO));
	else
		*ret = accel_error(-EINVAL, "%s: line %d: %s", path, error.line,
				   error.text);
	return NULL;
}

int choice_recipe_read(struct compress_choices **choices, const char *path,
		       const struct graph *graph,
		       const struct layer_choice *otherwise)
{
	struct recipe recipe = { .path = path, .graph = graph };
	int ret = 0;
	json_t *root = load_root(path, &ret);

	if (!root)
		return ret;
	ret = read_root(&recipe, root, otherwise);
	json_decref(root);
	if (ret)
		choices_destroy(recipe.choices);
	else
		*choices = recipe.choices;
	return ret;
}
