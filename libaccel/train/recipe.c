/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <formats/file.h>
#include <train/recipe.h>

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)1 << 20)

enum field_kind { FIELD_DOUBLE, FIELD_FLOAT, FIELD_INTEGER, FIELD_NAME };

/**
 * struct field - one key of an object; a table ends with a NULL key
 * @key: as the user writes it
 * @kind: of the member
 * @offset: of the member
 * @names: of FIELD_NAME: what the numbers 0, 1, … are called; ends with NULL
 * @low: smallest value
 * @high: largest value
 */
struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	const char *const *names;
	double low;
	double high;
};

static const char *const start_names[] = { "auto", "dense", "oneshot", NULL };
static const char *const criterion_names[] = { "magnitude", "lamp", "movement",
					       "gn", NULL };
static const char *const scope_names[] = { "layer", "global", NULL };
static const char *const penalty_names[] = { "none", "l1", "group", NULL };
static const char *const loss_names[] = { "l2", "l1", "kl", "feature", NULL };
static const char *const method_names[] = { "adam", "sgd", NULL };
static const char *const shape_names[] = { "cosine", "linear", "constant",
					   "step", NULL };

#define NAMED(type, key, member, names)                              \
	{                                                            \
		key, FIELD_NAME, offsetof(type, member), names, 0, 0 \
	}
#define NUMBER(type, kind, key, member, low, high)                 \
	{                                                          \
		key, kind, offsetof(type, member), NULL, low, high \
	}
#define END                                       \
	{                                         \
		NULL, FIELD_DOUBLE, 0, NULL, 0, 0 \
	}

static const struct field top_fields[] = {
	NAMED(struct recipe, "start", start, start_names),
	NUMBER(struct recipe, FIELD_INTEGER, "batch", batch, 0, 65536),
	NUMBER(struct recipe, FIELD_INTEGER, "shards", shards, 1, 64),
	NUMBER(struct recipe, FIELD_INTEGER, "patch", patch, 1, 4096),
	NUMBER(struct recipe, FIELD_INTEGER, "validation", validation, 0,
	       1 << 20),
	END,
};

static const struct field pruning_fields[] = {
	NAMED(struct recipe, "criterion", pruning.criterion, criterion_names),
	NAMED(struct recipe, "scope", pruning.scope, scope_names),
	NUMBER(struct recipe, FIELD_DOUBLE, "initial", pruning.initial, 0, 1),
	NUMBER(struct recipe, FIELD_DOUBLE, "begin", pruning.begin, 0, 1),
	NUMBER(struct recipe, FIELD_DOUBLE, "end", pruning.end, 0, 1),
	NUMBER(struct recipe, FIELD_INTEGER, "interval", pruning.interval, 1,
	       1e9),
	NUMBER(struct recipe, FIELD_INTEGER, "rewind", pruning.rewind, 0, 100),
	END,
};

static const struct field penalty_fields[] = {
	NAMED(struct recipe, "kind", penalty, penalty_names),
	NUMBER(struct recipe, FIELD_DOUBLE, "weight", penalty_weight, 0, 1e6),
	END,
};

static const struct field optimizer_fields[] = {
	NAMED(struct recipe, "method", optimizer.method, method_names),
	NUMBER(struct recipe, FIELD_FLOAT, "beta1", optimizer.beta1, -1, 1),
	NUMBER(struct recipe, FIELD_FLOAT, "beta2", optimizer.beta2, 0, 1),
	NUMBER(struct recipe, FIELD_FLOAT, "epsilon", optimizer.epsilon, 0, 1),
	NUMBER(struct recipe, FIELD_FLOAT, "weight_decay",
	       optimizer.weight_decay, 0, 1e6),
	NUMBER(struct recipe, FIELD_FLOAT, "clip", optimizer.clip, 0, 1e9),
	NUMBER(struct recipe, FIELD_FLOAT, "average", optimizer.average, 0, 1),
	END,
};

static const struct field rate_fields[] = {
	NAMED(struct recipe, "shape", shape, shape_names),
	NUMBER(struct recipe, FIELD_DOUBLE, "peak", rate, 0, 1e6),
	NUMBER(struct recipe, FIELD_DOUBLE, "final", final_rate, 0, 1),
	NUMBER(struct recipe, FIELD_DOUBLE, "warmup", warmup, 0, 1),
	END,
};

static const struct field quantization_fields[] = {
	NUMBER(struct recipe, FIELD_DOUBLE, "begin", quantize, 0, 1),
	NUMBER(struct recipe, FIELD_DOUBLE, "rate", quantize_rate, 0, 1e3),
	NUMBER(struct recipe, FIELD_INTEGER, "interval", ranges_interval, 1,
	       1e9),
	END,
};

/** struct group - an object within the recipe; a table ends with a NULL key */
struct group {
	const char *key;
	const struct field *fields;
};

static const struct group groups[] = {
	{ "pruning", pruning_fields },		 { "penalty", penalty_fields },
	{ "optimizer", optimizer_fields },	 { "rate", rate_fields },
	{ "quantization", quantization_fields }, { NULL, NULL },
};

static const struct field loss_fields[] = {
	NAMED(struct recipe_loss, "kind", kind, loss_names),
	NUMBER(struct recipe_loss, FIELD_DOUBLE, "weight", weight, 0, 1e6),
	NUMBER(struct recipe_loss, FIELD_DOUBLE, "temperature", temperature,
	       1e-3, 1e3),
	NUMBER(struct recipe_loss, FIELD_DOUBLE, "smoothing", smoothing, 0, 1),
	NUMBER(struct recipe_loss, FIELD_INTEGER, "teacher", teacher, 0,
	       RECIPE_TEACHERS_MAX),
	NUMBER(struct recipe_loss, FIELD_DOUBLE, "fade", fade, 0, 1),
	END,
};

void recipe_init(struct recipe *recipe)
{
	*recipe = (struct recipe){
		.losses = {
			{ .kind = RECIPE_LOSS_L2, .weight = 1,
			  .temperature = 1 },
			{ .kind = RECIPE_LOSS_FEATURE, .weight = 0.05,
			  .temperature = 1, .fade = 0.6 },
		},
		.loss_count = 2,
		.pruning = { .criterion = RECIPE_GAUSS_NEWTON,
			     .scope = PRUNE_GLOBAL, .end = 0.5,
			     .interval = 25 },
		.optimizer = { .clip = 1 },
		.warmup = 0.04,
		.quantize = 0.85,
		.quantize_rate = 1,
		.ranges_interval = 50,
		.shards = 2,
		.patch = 24,
	};
}

void recipe_settle(struct recipe *recipe, bool images)
{
	if (!recipe->batch)
		recipe->batch = (images ? 8 : 32) * recipe->shards;
	if (!recipe->validation)
		recipe->validation = images ? 64 : 256;
	if (recipe->start == RECIPE_START_AUTO)
		recipe->start = images ? RECIPE_START_ONESHOT :
					 RECIPE_START_DENSE;
}

void recipe_release(struct recipe *recipe)
{
	for (int i = 0; i < recipe->teacher_count; i++)
		free(recipe->teachers[i]);
	recipe->teacher_count = 0;
}

/* ---- reading ---- */

static int bad_name(const struct field *field, const json_t *value)
{
	char list[128] = "";

	for (const char *const *name = field->names; *name; name++) {
		strcat(list, name == field->names ? "" : ", ");
		strcat(list, *name);
	}
	return accel_error(-EINVAL, "\"%s\" is %s%s%s; it takes one of: %s",
			   field->key, json_is_string(value) ? "\"" : "no text",
			   json_is_string(value) ? json_string_value(value) :
						   "",
			   json_is_string(value) ? "\"" : "", list);
}

static int read_name(const struct field *field, const json_t *value,
		     unsigned int *member)
{
	const char *text = json_string_value(value);

	for (unsigned int i = 0; text && field->names[i]; i++)
		if (!strcmp(text, field->names[i])) {
			*member = i;
			return 0;
		}
	return bad_name(field, value);
}

static int read_field(const struct field *field, const json_t *value,
		      void *object)
{
	void *member = (char *)object + field->offset;
	double number = json_number_value(value);

	/* every enumeration of a recipe has the size of unsigned int */
	if (field->kind == FIELD_NAME)
		return read_name(field, value, member);
	if (!json_is_number(value) ||
	    (field->kind == FIELD_INTEGER && !json_is_integer(value)) ||
	    !(number >= field->low && number <= field->high))
		return accel_error(-EINVAL,
				   "\"%s\" takes a%s number from %g to %g",
				   field->key,
				   field->kind == FIELD_INTEGER ? " whole" : "",
				   field->low, field->high);
	if (field->kind == FIELD_FLOAT)
		*(float *)member = (float)number;
	else if (field->kind == FIELD_INTEGER)
		*(int64_t *)member = json_integer_value(value);
	else
		*(double *)member = number;
	return 0;
}

static int read_member(const struct field *fields, const char *key,
		       const json_t *value, void *object)
{
	for (const struct field *field = fields; field->key; field++)
		if (!strcmp(field->key, key))
			return read_field(field, value, object);
	return accel_error(-EINVAL, "it has no key \"%s\"", key);
}

static int read_object(const struct field *fields, json_t *json, void *object,
		       const char *name)
{
	const char *key;
	json_t *value;
	int ret = 0;

	if (!json_is_object(json))
		return accel_error(-EINVAL, "\"%s\" is no object", name);
	json_object_foreach(json, key, value)
	{
		ret = read_member(fields, key, value, object);
		if (ret)
			return accel_error_prefix(ret, "\"%s\"", name);
	}
	return 0;
}

static int read_losses(struct recipe *recipe, json_t *json)
{
	size_t count = json_array_size(json);
	int ret = 0;

	if (!json_is_array(json) || !count || count > RECIPE_LOSSES_MAX)
		return accel_error(-EINVAL,
				   "\"losses\" takes a list of 1 to %d objects",
				   RECIPE_LOSSES_MAX);
	recipe->loss_count = (int)count;
	for (size_t i = 0; i < count && !ret; i++) {
		recipe->losses[i] =
			(struct recipe_loss){ .weight = 1, .temperature = 1 };
		ret = read_object(loss_fields, json_array_get(json, i),
				  &recipe->losses[i], "losses");
	}
	return ret;
}

static int read_teachers(struct recipe *recipe, json_t *json)
{
	size_t count = json_array_size(json);

	if (!json_is_array(json) || count > RECIPE_TEACHERS_MAX)
		return accel_error(
			-EINVAL,
			"\"teachers\" takes a list of %d files at most",
			RECIPE_TEACHERS_MAX);
	recipe_release(recipe);
	for (size_t i = 0; i < count; i++) {
		const char *path = json_string_value(json_array_get(json, i));

		if (!path)
			return accel_error(-EINVAL,
					   "\"teachers\" takes names of files");
		recipe->teachers[i] = strdup(path);
		if (!recipe->teachers[i])
			return accel_error(-ENOMEM, "no memory for a recipe");
		recipe->teacher_count++;
	}
	return 0;
}

static int read_key(struct recipe *recipe, const char *key, json_t *value)
{
	if (!strcmp(key, "losses"))
		return read_losses(recipe, value);
	if (!strcmp(key, "teachers"))
		return read_teachers(recipe, value);
	for (const struct group *group = groups; group->key; group++)
		if (!strcmp(group->key, key))
			return read_object(group->fields, value, recipe, key);
	return read_member(top_fields, key, value, recipe);
}

/* What single numbers cannot say. */
static int check(const struct recipe *recipe)
{
	if (recipe->pruning.begin > recipe->pruning.end)
		return accel_error(-EINVAL,
				   "\"pruning\" begins at %g and ends at %g",
				   recipe->pruning.begin, recipe->pruning.end);
	if (recipe->batch % recipe->shards)
		return accel_error(
			-EINVAL,
			"a \"batch\" of %lld cannot be cut into %lld \"shards\"",
			(long long)recipe->batch, (long long)recipe->shards);
	for (int i = 0; i < recipe->loss_count; i++)
		if (recipe->losses[i].teacher > recipe->teacher_count)
			return accel_error(
				-EINVAL,
				"a loss asks for teacher %lld, and there are %d; the first is 0",
				(long long)recipe->losses[i].teacher,
				recipe->teacher_count + 1);
	return 0;
}

int recipe_parse(struct recipe *recipe, const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	const char *key;
	json_t *value;
	int ret = 0;

	if (!json)
		return accel_error(-EINVAL, "line %d: %s", error.line,
				   error.text);
	if (!json_is_object(json))
		ret = accel_error(-EINVAL, "a recipe is a JSON object");
	json_object_foreach(json, key, value)
	{
		ret = read_key(recipe, key, value);
		if (ret)
			break;
	}
	json_decref(json);
	return ret ? ret : check(recipe);
}

int recipe_read(struct recipe *recipe, const char *path)
{
	void *data;
	size_t size;
	char *text;
	int ret = file_read(path, FILE_LIMIT, &data, &size);

	if (ret)
		return ret;
	text = strndup(data, size);
	free(data);
	ret = text ? recipe_parse(recipe, text) :
		     accel_error(-ENOMEM, "no memory for a recipe");
	free(text);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

/* ---- writing ---- */

static json_t *write_field(const struct field *field, const void *object)
{
	const void *member = (const char *)object + field->offset;

	switch (field->kind) {
	case FIELD_NAME:
		return json_string(field->names[*(const unsigned int *)member]);
	case FIELD_INTEGER:
		return json_integer(*(const int64_t *)member);
	case FIELD_FLOAT:
		return json_real((double)*(const float *)member);
	default:
		return json_real(*(const double *)member);
	}
}

static json_t *write_object(const struct field *fields, const void *object)
{
	json_t *json = json_object();

	for (const struct field *field = fields; field->key; field++)
		json_object_set_new(json, field->key,
				    write_field(field, object));
	return json;
}

char *recipe_format(const struct recipe *recipe)
{
	json_t *json = write_object(top_fields, recipe);
	json_t *losses = json_array(), *teachers = json_array();
	char *text;

	for (const struct group *group = groups; group->key; group++)
		json_object_set_new(json, group->key,
				    write_object(group->fields, recipe));
	for (int i = 0; i < recipe->loss_count; i++)
		json_array_append_new(losses, write_object(loss_fields,
							   &recipe->losses[i]));
	for (int i = 0; i < recipe->teacher_count; i++)
		json_array_append_new(teachers,
				      json_string(recipe->teachers[i]));
	json_object_set_new(json, "losses", losses);
	json_object_set_new(json, "teachers", teachers);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}
