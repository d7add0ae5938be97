/* SPDX-License-Identifier: MIT */
#include <train/task.h>

#include <compress/simplify.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Purposes of random numbers; those of the kinds of tasks begin after them. */
#define PURPOSE_NOISE 1

static const struct task_operations *const kinds[] = {
	&classifier_operations,
	&autoencoder_operations,
	&recurrent_autoencoder_operations,
	&adversarial_operations,
	NULL,
};

/* ---- reading a description ---- */

static int read_sample(const json_t *json, struct graph_shape *sample)
{
	if (!json_array_size(json) || json_array_size(json) > 3)
		return accel_error(
			-EINVAL,
			"the description's \"input\" is no list of one to three dimensions");
	*sample = (struct graph_shape){ .rank = (int)json_array_size(json) };
	for (int i = 0; i < sample->rank; i++) {
		json_int_t dim =
			json_integer_value(json_array_get(json, (size_t)i));

		if (dim < 1 || dim > INT32_MAX)
			return accel_error(
				-EINVAL,
				"the description's \"input\" holds no dimensions");
		sample->dims[i] = dim;
	}
	return 0;
}

static int read_range(const json_t *json, struct quantize_range *range)
{
	double low, high;

	if (!json)
		return 0;
	if (json_unpack((json_t *)json, "[F, F!]", &low, &high) ||
	    !(low < high))
		return accel_error(
			-EINVAL,
			"the description's \"range\" is no [low, high]");
	*range = (struct quantize_range){ (float)low, (float)high };
	return 0;
}

int task_want(const json_t *description, struct dataset_want *want)
{
	int ret;

	*want = (struct dataset_want){ .range = { 0, 0 } };
	ret = read_sample(json_object_get(description, "input"), &want->sample);
	if (!ret)
		ret = read_range(json_object_get(description, "range"),
				 &want->range);
	return ret;
}

double task_number(const struct task *task, const char *key, double usual)
{
	const json_t *json = json_object_get(task->description, key);

	return json_is_number(json) ? json_number_value(json) : usual;
}

static int find_kind(struct task *task)
{
	const char *name =
		json_string_value(json_object_get(task->description, "task"));

	for (int i = 0; name && kinds[i]; i++)
		if (!strcmp(kinds[i]->name, name)) {
			task->operations = kinds[i];
			return 0;
		}
	return accel_error(-EINVAL, "the description's \"task\" is %s",
			   name ? "none that is known" : "missing");
}

static bool is_listed(const char *key, const char *const *list)
{
	while (*list && strcmp(*list, key))
		list++;
	return *list != NULL;
}

/* A word that is misspelt would else be silently without effect. */
static int check_keys(const struct task *task)
{
	static const char *const common[] = { "task",	  "input", "range",
					      "training", "about", NULL };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)task->description, key, value) if (
		!is_listed(key, common) &&
		!is_listed(
			key,
			task->operations
				->keys)) return accel_error(-EINVAL,
							    "the description's \"%s\" means nothing to the task %s",
							    key,
							    task->operations
								    ->name);
	return 0;
}

/* ---- life ---- */

static int prepare(struct task *task)
{
	size_t batch = (size_t)task->settings.batch;
	int ret = dataset_order_create(&task->order, task->dataset->train.count,
				       task->seed);

	if (ret)
		return ret;
	task->indices = calloc(batch, sizeof(*task->indices));
	return task->indices ? 0 :
			       accel_error(-ENOMEM, "no memory for a batch");
}

int task_create(struct task *task, const json_t *description,
		const struct dataset *dataset, uint64_t seed, int workers)
{
	struct dataset_want want;
	int ret;

	*task = (struct task){
		.description = description,
		.dataset = dataset,
		.seed = seed,
		.workers = workers,
	};
	ret = task_want(description, &want);
	task->sample = want.sample;
	if (!ret)
		ret = find_kind(task);
	if (!ret)
		ret = check_keys(task);
	if (!ret)
		ret = task_settings_read(&task->settings,
					 json_object_get(description,
							 "training"));
	if (!ret)
		ret = prepare(task);
	return ret ? ret : task->operations->build(task);
}

void task_release(struct task *task)
{
	if (task->operations && task->operations->release)
		task->operations->release(task);
	for (int i = 0; i < task->learner_count; i++)
		learner_release(&task->learners[i]);
	feed_release(&task->feed);
	dataset_order_release(&task->order);
	free(task->indices);
	*task = (struct task){ .operations = NULL };
}

int64_t task_shard_samples(const struct task *task)
{
	return task->settings.batch / task->settings.shards;
}

int task_add_learner(struct task *task, struct graph *graph, int shards,
		     int64_t shard_samples, const char *prefix, batch_loss loss)
{
	struct learner *learner = &task->learners[task->learner_count++];
	const struct learner_options options = {
		.optimizer = task->settings.optimizer,
		.shards = shards,
		.workers = task->workers < shards ? task->workers : shards,
		.prefix = prefix,
		.loss = loss,
		.context = task,
	};
	struct graph_shape inputs[GRAPH_MAX_RANK];
	int ret;

	feed_shapes(graph, shard_samples, inputs);
	if (task->learner_count == 1) {
		ret = feed_create(&task->feed, inputs, graph->input_count,
				  shards);
		if (ret) {
			learner->graph = graph;
			return ret;
		}
	}
	return learner_create(learner, graph, inputs, &options);
}

/* ---- a step ---- */

void task_generator(const struct task *task, uint64_t purpose, uint64_t step,
		    struct sample_generator *generator)
{
	sample_seed(generator, task->seed);
	sample_seed(generator, sample_bits(generator) + purpose);
	sample_seed(generator, sample_bits(generator) + step);
}

void task_fill_plain(const struct task *task, const struct dataset_part *part,
		     const size_t *indices, size_t count, float *const *inputs)
{
	(void)task;
	for (size_t i = 0; i < count; i++)
		dataset_sample(part, indices[i], inputs[0] + i * part->size);
}

/* Samples go where the task wants them; a last input, if the graph has one more
 * than the data fill, takes noise. */
static void fill_batch(struct task *task, uint64_t step)
{
	size_t samples = (size_t)task_shard_samples(task);
	struct feed *feed = &task->feed;
	struct sample_generator generator;
	int last = feed->inputs - 1;

	task_generator(task, PURPOSE_NOISE, step, &generator);
	for (int s = 0; s < feed->shards; s++) {
		if (last > 0)
			sample_normals(&generator, feed_shard(feed, s)[last],
				       feed->size[last]);
		task->operations->fill(task, &task->dataset->train,
				       task->indices + (size_t)s * samples,
				       samples, feed_shard(feed, s));
	}
}

static int step_single(struct task *task, uint64_t step, float rate,
		       double *loss)
{
	struct learner *learner = &task->learners[0];
	int ret;

	fill_batch(task, step);
	ret = learner_gradient(learner,
			       (const float *const *)task->feed.pointers, loss);
	if (ret)
		return ret;
	if (!isfinite(*loss) || !learner_update(learner, rate))
		return -ERANGE;
	return 0;
}

int task_step(struct task *task, uint64_t step, float rate, double *loss)
{
	dataset_order_batch(&task->order, step, (size_t)task->settings.batch,
			    task->indices);
	if (task->operations->step)
		return task->operations->step(task, step, rate, loss);
	return step_single(task, step, rate, loss);
}

/* ---- results ---- */

static void store_results(struct task *task)
{
	for (int i = 0; i < task->learner_count; i++)
		learner_store(&task->learners[i],
			      learner_result(&task->learners[i]));
}

static void store_present(struct task *task)
{
	for (int i = 0; i < task->learner_count; i++)
		learner_store(&task->learners[i], task->learners[i].values);
}

int task_measure(struct task *task, size_t samples,
		 struct task_quality *quality)
{
	size_t count = task->dataset->test.count;
	int ret;

	store_results(task);
	ret = task_settle(task);
	if (!ret)
		ret = task->operations->measure(
			task, samples && samples < count ? samples : count,
			quality);
	task_unsettle(task);
	store_present(task);
	return ret;
}

bool task_has_part(const struct task *task, const char *name, size_t length)
{
	for (const char *const *p = task->operations->parts; *p; p++)
		if (strlen(*p) == length && !strncmp(*p, name, length))
			return true;
	return false;
}

int task_part(struct task *task, const char *name, struct graph **graph)
{
	const char *const *part = task->operations->parts;
	int ret;

	while (name && *part && strcmp(*part, name))
		part++;
	if (!*part)
		return accel_error(-EINVAL, "%s: no such network", name);
	store_results(task);
	ret = task_settle(task);
	if (!ret)
		ret = task->operations->part(task, *part, graph);
	task_unsettle(task);
	store_present(task);
	/* what normalization has become goes into the layers beside it */
	return ret ? ret : graph_simplify(*graph);
}
