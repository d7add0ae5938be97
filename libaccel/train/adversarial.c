/* SPDX-License-Identifier: MIT */
/*
 * A generator against a discriminator (Goodfellow et al., 2014, with the loss that does
 * not saturate). Each comes from a description, or from an ONNX file to be trained on:
 * so a pruned generator finds its way back, its zeros in place.
 */
#include <train/task.h>

#include <compress/executor.h>
#include <compress/graph_shape.h>
#include <compress/onnx_import.h>
#include <core/error.h>
#include <train/graph_join.h>
#include <train/loss.h>
#include <train/sliced_distance.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PURPOSE_LATENTS 2
#define PURPOSE_TEST 3
#define TEST_MAX 1000
#define LATENT_MAX 4096

enum { GENERATOR, DISCRIMINATOR };

/**
 * struct adversarial - private part of the task
 * @latent: elements of what the generator makes pictures of
 * @picture: elements of a picture
 * @image: tensor of the joint graph: what the generator made
 * @score: tensor of the joint graph: what the discriminator says of that
 * @feed: the discriminator's: shards of true pictures, then as many of made ones
 * @smoothing: of the label of true pictures (Salimans et al., 2016)
 * @balance: the discriminator's rate by the generator's
 */
struct adversarial {
	int64_t latent;
	size_t picture;
	int image;
	int score;
	struct feed feed;
	float smoothing;
	float balance;
};

/* Scores against one label for all. */
static double label_loss(const struct task *task, struct tape *tape, int tensor,
			 float label)
{
	size_t count = (size_t)task_shard_samples(task);
	const float *scores = tape_values(tape, tensor);
	float *gradient = tape_seed(tape, tensor);
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += loss_binary(&scores[i], &label, 1,
				   1.0 / (double)task->settings.batch,
				   &gradient[i]);
	return sum;
}

/* What is made here is what the discriminator learns from next. */
static double generator_loss(void *context, int shard, struct tape *tape)
{
	const struct task *task = context;
	const struct adversarial *adversarial = task->private;
	int made = (int)task->settings.shards + shard;

	memcpy(feed_shard(&adversarial->feed, made)[0],
	       tape_values(tape, adversarial->image),
	       (size_t)task_shard_samples(task) * adversarial->picture *
		       sizeof(float));
	return label_loss(task, tape, adversarial->score, 1);
}

static double discriminator_loss(void *context, int shard, struct tape *tape)
{
	const struct task *task = context;
	const struct adversarial *adversarial = task->private;
	const struct graph *graph = task->learners[DISCRIMINATOR].graph;
	bool is_true = shard < task->settings.shards;

	return label_loss(task, tape, graph->outputs[0],
			  is_true ? 1 - adversarial->smoothing : 0);
}

/* ---- the two networks ---- */

static int from_layers(const struct task *task, const char *name,
		       const char *input, const struct graph_shape *sample,
		       struct graph **graph)
{
	struct network network;
	int tensor, ret;

	ret = network_begin(&network, name, task->seed);
	tensor = ret ? ret : network_add_input(&network, input, sample, false);
	if (tensor >= 0)
		tensor = network_add_layers(&network, name, tensor,
					    json_object_get(task->description,
							    name));
	ret = tensor < 0 ? tensor : graph_add_output(network.graph, tensor);
	if (!ret) {
		*graph = network.graph;
		network.graph = NULL;
	}
	network_release(&network);
	return ret;
}

static int from_file(const char *path, const char *name, struct graph **graph)
{
	int ret = onnx_import(path, graph);

	if (ret)
		return ret;
	if ((*graph)->input_count != 1 || (*graph)->output_count != 1)
		ret = accel_error(-EINVAL, "%s: takes one input to one output",
				  path);
	if (!ret)
		ret = graph_prefix_constants(*graph, name);
	if (ret) {
		graph_destroy(*graph);
		*graph = NULL;
	}
	return ret;
}

/* A description's member is a list of layers, or the name of a file. */
static int make_graph(const struct task *task, const char *name,
		      const char *input, const struct graph_shape *sample,
		      struct graph **graph)
{
	const json_t *json = json_object_get(task->description, name);

	*graph = NULL;
	return json_is_string(json) ?
		       from_file(json_string_value(json), name, graph) :
		       from_layers(task, name, input, sample, graph);
}

/* Shapes of a graph's input and output for one sample; elements of each. */
static int measure_graph(const struct graph *graph, size_t *input,
			 size_t *output)
{
	struct graph_shape shape;
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count, sizeof(*shapes));
	int ret;

	if (!shapes)
		return accel_error(-ENOMEM, "no memory");
	feed_shapes(graph, 1, &shape);
	ret = graph_infer_shapes(graph, &shape, shapes);
	if (!ret) {
		*input = (size_t)graph_shape_count(&shape);
		*output = (size_t)graph_shape_count(&shapes[graph->outputs[0]]);
	}
	free(shapes);
	return ret;
}

static int check_graphs(struct task *task, const struct graph *generator,
			const struct graph *discriminator)
{
	struct adversarial *adversarial = task->private;
	size_t latent, made, judged, scores;
	int ret = measure_graph(generator, &latent, &made);

	if (!ret)
		ret = measure_graph(discriminator, &judged, &scores);
	if (ret)
		return ret;
	if (made != judged || made != task->dataset->train.size || scores != 1)
		return accel_error(
			-EINVAL,
			"the generator makes %zu numbers, the discriminator takes %zu to %zu, and a sample has %zu",
			made, judged, scores, task->dataset->train.size);
	adversarial->latent = (int64_t)latent;
	adversarial->picture = made;
	return 0;
}

/* ---- learners ---- */

/* The discriminator's weights in the joint graph are those that it learns. */
static void share_weights(struct task *task)
{
	struct learner *learner = &task->learners[GENERATOR];
	const struct graph *judge = task->learners[DISCRIMINATOR].graph;

	for (int t = 0; t < judge->tensor_count; t++) {
		const struct graph_tensor *tensor = &judge->tensors[t];
		int other = tensor->data ? graph_find_tensor(learner->graph,
							     tensor->name) :
					   -1;

		if (other >= 0)
			batch_replace_constant(learner->batch, other,
					       tensor->data);
	}
}

static int add_generator(struct task *task, struct graph *generator,
			 const struct graph *discriminator)
{
	struct adversarial *adversarial = task->private;
	int ret;

	adversarial->image = generator->outputs[0];
	adversarial->score = graph_append(generator, adversarial->image,
					  discriminator, "judge");
	ret = adversarial->score < 0 ?
		      adversarial->score :
		      graph_add_output(generator, adversarial->score);
	if (ret) {
		graph_destroy(generator);
		return ret;
	}
	return task_add_learner(task, generator, (int)task->settings.shards,
				task_shard_samples(task), "generator.",
				generator_loss);
}

static int add_discriminator(struct task *task, struct graph *discriminator)
{
	struct adversarial *adversarial = task->private;
	int shards = 2 * (int)task->settings.shards;
	struct graph_shape shape;
	int ret;

	feed_shapes(discriminator, task_shard_samples(task), &shape);
	ret = task_add_learner(task, discriminator, shards,
			       task_shard_samples(task), "discriminator.",
			       discriminator_loss);
	if (!ret)
		ret = feed_create(&adversarial->feed, &shape, 1, shards);
	if (!ret)
		share_weights(task);
	return ret;
}

static int make_graphs(struct task *task, struct graph *graphs[2])
{
	struct graph_shape latent = { .rank = 1 };
	double size = task_number(task, "latent", 100);
	int ret;

	if (!(size >= 1 && size <= LATENT_MAX))
		return accel_error(-EINVAL,
				   "the description's \"latent\" takes 1 to %d",
				   LATENT_MAX);
	latent.dims[0] = (int64_t)size;
	ret = make_graph(task, "generator", "latent", &latent,
			 &graphs[GENERATOR]);
	if (!ret)
		ret = make_graph(task, "discriminator", "image", &task->sample,
				 &graphs[DISCRIMINATOR]);
	return ret ? ret :
		     check_graphs(task, graphs[GENERATOR],
				  graphs[DISCRIMINATOR]);
}

static int build(struct task *task)
{
	struct adversarial *adversarial = calloc(1, sizeof(*adversarial));
	struct graph *graphs[2] = { NULL, NULL };
	int ret;

	if (!adversarial)
		return accel_error(-ENOMEM, "no memory");
	task->private = adversarial;
	adversarial->smoothing = (float)task_number(task, "smoothing", 0.1);
	adversarial->balance = (float)task_number(task, "balance", 1);
	ret = make_graphs(task, graphs);
	if (ret) {
		graph_destroy(graphs[GENERATOR]);
		graph_destroy(graphs[DISCRIMINATOR]);
		return ret;
	}
	ret = add_generator(task, graphs[GENERATOR], graphs[DISCRIMINATOR]);
	if (ret) {
		graph_destroy(graphs[DISCRIMINATOR]);
		return ret;
	}
	ret = add_discriminator(task, graphs[DISCRIMINATOR]);
	if (!ret &&
	    json_is_true(json_object_get(task->description, "keep_zeros")))
		ret = learner_keep_zeros(&task->learners[GENERATOR]);
	return ret;
}

static void release(struct task *task)
{
	struct adversarial *adversarial = task->private;

	if (adversarial)
		feed_release(&adversarial->feed);
	free(adversarial);
}

/* ---- a step ---- */

static void fill_step(struct task *task, uint64_t step)
{
	const struct adversarial *adversarial = task->private;
	size_t samples = (size_t)task_shard_samples(task);
	struct sample_generator generator;

	task_generator(task, PURPOSE_LATENTS, step, &generator);
	for (int s = 0; s < task->feed.shards; s++) {
		sample_normals(&generator, feed_shard(&task->feed, s)[0],
			       task->feed.size[0]);
		task->operations->fill(task, &task->dataset->train,
				       task->indices + (size_t)s * samples,
				       samples,
				       feed_shard(&adversarial->feed, s));
	}
}

/* Both learn from the same pictures, each from the other as it was before. */
static int step(struct task *task, uint64_t number, float rate, double *loss)
{
	const struct adversarial *adversarial = task->private;
	struct learner *generator = &task->learners[GENERATOR];
	struct learner *discriminator = &task->learners[DISCRIMINATOR];
	double judged;
	int ret;

	fill_step(task, number);
	ret = learner_gradient(generator,
			       (const float *const *)task->feed.pointers, loss);
	if (!ret)
		ret = learner_gradient(
			discriminator,
			(const float *const *)adversarial->feed.pointers,
			&judged);
	if (ret)
		return ret;
	if (!isfinite(*loss) || !isfinite(judged))
		return -ERANGE;
	if (!learner_update(discriminator, rate * adversarial->balance) ||
	    !learner_update(generator, rate))
		return -ERANGE;
	return 0;
}

/* ---- quality: how far pictures made are from those of the test, as sets ---- */

static int make_pictures(const struct task *task, size_t count, float *pictures)
{
	const struct adversarial *adversarial = task->private;
	const struct graph *graph = task->graphs[GENERATOR];
	struct sample_generator generator;
	struct executor *executor = NULL;
	struct graph_shape shape;
	float *latents =
		calloc(count * (size_t)adversarial->latent, sizeof(*latents));
	const float *input = latents;
	int ret;

	if (!latents)
		return accel_error(-ENOMEM, "no memory for the test");
	task_generator(task, PURPOSE_TEST, 0, &generator);
	sample_normals(&generator, latents,
		       count * (size_t)adversarial->latent);
	feed_shapes(graph, (int64_t)count, &shape);
	ret = executor_create(&executor, graph, &shape, NULL);
	if (!ret)
		ret = executor_run(executor, &input);
	if (!ret)
		memcpy(pictures, executor_values(executor, adversarial->image),
		       count * adversarial->picture * sizeof(*pictures));
	executor_destroy(executor);
	free(latents);
	return ret;
}

static int measure(const struct task *task, size_t samples,
		   struct task_quality *quality)
{
	const struct adversarial *adversarial = task->private;
	size_t count = samples < TEST_MAX ? samples : TEST_MAX;
	size_t size = count * adversarial->picture;
	float *made = calloc(2 * size, sizeof(*made));
	float *wanted = made + size;
	int ret;

	if (!made)
		return accel_error(-ENOMEM, "no memory for the test");
	for (size_t i = 0; i < count; i++)
		dataset_sample(&task->dataset->test,
			       i * task->dataset->test.count / count,
			       wanted + i * adversarial->picture);
	*quality = (struct task_quality){ .name = "SWD" };
	ret = make_pictures(task, count, made);
	if (!ret)
		ret = sliced_distance(made, wanted, count, adversarial->picture,
				      &quality->value);
	free(made);
	return ret;
}

static const char *const keys[] = { "generator", "discriminator", "latent",
				    "smoothing", "balance",	  "keep_zeros",
				    NULL };
static const char *const parts[] = { "generator", "discriminator", NULL };

static int part(const struct task *task, const char *name,
		struct graph **result)
{
	const struct adversarial *adversarial = task->private;
	const struct graph *graph = task->graphs[GENERATOR];

	if (name == parts[DISCRIMINATOR]) {
		graph = task->graphs[DISCRIMINATOR];
		return network_part(graph, graph->inputs, 1, graph->outputs, 1,
				    name, result);
	}
	return network_part(graph, graph->inputs, 1, &adversarial->image, 1,
			    name, result);
}

const struct task_operations adversarial_operations = {
	.name = "adversarial",
	.keys = keys,
	.loss_swings = true,
	.noise_learner = GENERATOR,
	.parts = parts,
	.build = build,
	.fill = task_fill_plain,
	.step = step,
	.measure = measure,
	.part = part,
	.release = release,
};
