/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/distill_loss.h>
#include <train/loss.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor that never changes has no scale of its own; its errors count as they are. */
#define VARIANCE_MIN 1e-12

static int no_memory(void)
{
	return accel_error(-ENOMEM, "no memory for a training's loss");
}

static size_t count_of(const struct graph_shape *shape)
{
	return (size_t)graph_shape_count(shape);
}

static struct executor *executor_of(const struct distill_loss *loss, int shard,
				    int teacher)
{
	return loss->executors[shard * loss->teacher_count + teacher];
}

/* ---- do the networks fit each other? ---- */

static bool same_shape(const struct graph_shape *a, const struct graph_shape *b)
{
	return a->rank == b->rank &&
	       !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(*a->dims));
}

static void print_shape(const struct graph_shape *shape, char *text)
{
	*text = '\0';
	for (int i = 0; i < shape->rank; i++)
		text += sprintf(text, "%s%lld", i ? "×" : "",
				(long long)shape->dims[i]);
}

static int check_output(const struct distill_loss *loss, int teacher,
			int output, const struct graph_shape *shapes)
{
	const struct graph *graph = loss->teachers[teacher];
	const struct graph_shape *own = &shapes[loss->student->outputs[output]];
	const struct graph_shape *other = executor_shape(
		executor_of(loss, 0, teacher), graph->outputs[output]);
	char a[GRAPH_MAX_RANK * 24], b[GRAPH_MAX_RANK * 24];

	if (same_shape(own, other))
		return 0;
	print_shape(own, a);
	print_shape(other, b);
	return accel_error(
		-EINVAL,
		"the student's output %s is %s, and the teacher's %s is %s; they have to be alike",
		loss->student->tensors[loss->student->outputs[output]].name, a,
		graph->tensors[graph->outputs[output]].name, b);
}

static int check_counts(const struct graph *student,
			const struct graph *teacher)
{
	if (student->input_count == teacher->input_count &&
	    student->output_count == teacher->output_count)
		return 0;
	return accel_error(
		-EINVAL,
		"the student has %d inputs and %d outputs, the teacher %d and %d; they have to be alike",
		student->input_count, student->output_count,
		teacher->input_count, teacher->output_count);
}

static int check_outputs(const struct distill_loss *loss,
			 const struct graph_shape *shapes)
{
	int ret = 0;

	for (int t = 0; t < loss->teacher_count && !ret; t++)
		for (int o = 0; o < loss->student->output_count && !ret; o++)
			ret = check_output(loss, t, o, shapes);
	return ret;
}

/* ---- the teachers ---- */

static bool has_features(const struct recipe *recipe)
{
	for (int i = 0; i < recipe->loss_count; i++)
		if (recipe->losses[i].kind == RECIPE_LOSS_FEATURE &&
		    recipe->losses[i].weight > 0)
			return true;
	return false;
}

static int create_executors(struct distill_loss *loss,
			    const struct graph_shape *inputs)
{
	size_t count =
		(size_t)loss->recipe->shards * (size_t)loss->teacher_count;
	int ret = 0;

	loss->executors = calloc(count, sizeof(struct executor *));
	if (!loss->executors)
		return no_memory();
	for (size_t i = 0; i < count && !ret; i++) {
		int teacher = (int)(i % (size_t)loss->teacher_count);
		const struct executor_options options = {
			.keep = !teacher && has_features(loss->recipe),
		};

		ret = check_counts(loss->student, loss->teachers[teacher]);
		if (!ret)
			ret = executor_create(&loss->executors[i],
					      loss->teachers[teacher], inputs,
					      &options);
	}
	return ret ? accel_error_prefix(ret, "the teacher") : 0;
}

static int create_inputs(struct distill_loss *loss,
			 const struct graph_shape *shapes)
{
	int inputs = loss->student->input_count;
	int count = (int)loss->recipe->shards * inputs;

	loss->inputs = calloc((size_t)count + 1, sizeof(float *));
	for (int i = 0; loss->inputs && i < count; i++) {
		loss->inputs[i] =
			malloc(count_of(&shapes[i % inputs]) * sizeof(float));
		if (!loss->inputs[i])
			return no_memory();
	}
	return loss->inputs ? 0 : no_memory();
}

static int run_teacher(const struct distill_loss *loss, int shard, int teacher)
{
	return executor_run(executor_of(loss, shard, teacher),
			    (const float *const *)loss->inputs +
				    shard * loss->student->input_count);
}

/* ---- scales ---- */

static double inverse_variance(const float *values, size_t count)
{
	double sum = 0, squares = 0, mean, variance;

	for (size_t i = 0; i < count; i++)
		sum += (double)values[i];
	mean = sum / (double)count;
	for (size_t i = 0; i < count; i++)
		squares +=
			((double)values[i] - mean) * ((double)values[i] - mean);
	variance = squares / (double)count;
	return variance > VARIANCE_MIN ? 1 / variance : 1;
}

/* What the output's own operator promises, what the user says of pictures, or what is
 * seen. */
static double find_peak(const struct graph *teacher, int tensor,
			struct quantize_range range, const float *values,
			size_t count)
{
	const struct graph_tensor *output = &teacher->tensors[tensor];
	float low = values[0], high = values[0];

	if (range.low < range.high && output->shape.rank == 4)
		return (double)range.high - (double)range.low;
	if (output->producer >= 0 &&
	    teacher->nodes[output->producer].op == GRAPH_SIGMOID)
		return 1;
	if (output->producer >= 0 &&
	    teacher->nodes[output->producer].op == GRAPH_TANH)
		return 2;
	for (size_t i = 0; i < count; i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	return high > low ? (double)high - (double)low : 1;
}

static int measure_outputs(struct distill_loss *loss,
			   struct quantize_range range)
{
	const struct executor *executor = executor_of(loss, 0, 0);
	const struct graph *teacher = loss->teachers[0];

	loss->outputs =
		calloc((size_t)teacher->output_count, sizeof(*loss->outputs));
	if (!loss->outputs)
		return no_memory();
	for (int o = 0; o < teacher->output_count; o++) {
		int tensor = teacher->outputs[o];
		const float *values = executor_values(executor, tensor);
		size_t count = count_of(executor_shape(executor, tensor));

		loss->outputs[o].scale = inverse_variance(values, count);
		loss->outputs[o].peak =
			find_peak(teacher, tensor, range, values, count);
	}
	return 0;
}

static bool is_output(const struct graph *graph, int tensor)
{
	for (int o = 0; o < graph->output_count; o++)
		if (graph->outputs[o] == tensor)
			return true;
	return false;
}

/* A student of another shape shares those that have the same name and size. */
static void find_features(struct distill_loss *loss,
			  const struct graph_shape *shapes)
{
	const struct executor *executor = executor_of(loss, 0, 0);
	const struct graph *teacher = loss->teachers[0];

	for (int n = 0; n < loss->student->node_count; n++) {
		const struct graph_node *node = &loss->student->nodes[n];
		int own = node->output_count ? node->outputs[0] : -1;
		int other;

		if (!graph_op_is_activation(node->op) || own < 0 ||
		    is_output(loss->student, own))
			continue;
		other = graph_find_tensor(teacher,
					  loss->student->tensors[own].name);
		if (other < 0 || graph_tensor_is_constant(teacher, other) ||
		    !same_shape(&shapes[own], executor_shape(executor, other)))
			continue;
		loss->features[loss->feature_count++] =
			(struct distill_feature){
				.student = own,
				.teacher = other,
				.scale = inverse_variance(
					executor_values(executor, other),
					count_of(&shapes[own])),
			};
	}
}

static int create_features(struct distill_loss *loss,
			   const struct graph_shape *shapes)
{
	if (!has_features(loss->recipe))
		return 0;
	loss->features = calloc((size_t)loss->student->node_count + 1,
				sizeof(*loss->features));
	if (!loss->features)
		return no_memory();
	find_features(loss, shapes);
	return 0;
}

/* Teachers, and from a first run of them what is large and what is small. */
static int open_networks(struct distill_loss *loss,
			 const struct distill_data *data,
			 const struct graph_shape *inputs,
			 struct graph_shape *shapes,
			 struct quantize_range range)
{
	int64_t shard = loss->recipe->batch / loss->recipe->shards;
	int ret = graph_infer_shapes(loss->student, inputs, shapes);

	if (!ret)
		ret = create_executors(loss, inputs);
	if (!ret)
		ret = check_outputs(loss, shapes);
	if (!ret)
		ret = create_inputs(loss, inputs);
	if (ret)
		return ret;
	distill_data_fill(data, DISTILL_TRAINING, 0, shard, loss->inputs);
	ret = run_teacher(loss, 0, 0);
	if (!ret)
		ret = measure_outputs(loss, range);
	return ret ? ret : create_features(loss, shapes);
}

int distill_loss_create(struct distill_loss *loss, const struct recipe *recipe,
			const struct graph *student,
			const struct graph *const *teachers,
			const struct distill_data *data,
			struct quantize_range output_range)
{
	size_t count = (size_t)student->input_count + 1;
	struct graph_shape *inputs = calloc(count, sizeof(*inputs));
	struct graph_shape *shapes =
		calloc((size_t)student->tensor_count + 1, sizeof(*shapes));
	int ret;

	*loss = (struct distill_loss){
		.recipe = recipe,
		.student = student,
		.teachers = teachers,
		.teacher_count = recipe->teacher_count + 1,
	};
	for (int i = 0; inputs && i < student->input_count; i++)
		inputs[i] = distill_data_shape(data, i,
					       recipe->batch / recipe->shards);
	ret = inputs && shapes ?
		      open_networks(loss, data, inputs, shapes, output_range) :
		      no_memory();
	free(inputs);
	free(shapes);
	if (ret)
		distill_loss_release(loss);
	return ret;
}

void distill_loss_release(struct distill_loss *loss)
{
	int shards = loss->recipe ? (int)loss->recipe->shards : 0;

	for (int i = 0; loss->executors && i < shards * loss->teacher_count;
	     i++)
		executor_destroy(loss->executors[i]);
	for (int i = 0; loss->inputs && i < shards * loss->student->input_count;
	     i++)
		free(loss->inputs[i]);
	free(loss->executors);
	free(loss->inputs);
	free(loss->features);
	free(loss->outputs);
	*loss = (struct distill_loss){ 0 };
}

/* ---- the loss ---- */

void distill_loss_mark(const struct distill_loss *loss, bool *seeded)
{
	for (int o = 0; o < loss->student->output_count; o++)
		seeded[loss->student->outputs[o]] = true;
	for (int f = 0; f < loss->feature_count; f++)
		seeded[loss->features[f].student] = true;
}

/* Which part of what is asked of the outputs to the last comes from a teacher? */
static double teacher_share(const struct distill_loss *loss, int teacher)
{
	double own = 0, all = 0;

	for (int i = 0; i < loss->recipe->loss_count; i++) {
		const struct recipe_loss *term = &loss->recipe->losses[i];

		if (term->kind == RECIPE_LOSS_FEATURE || term->fade > 0)
			continue;
		all += term->weight;
		own += term->teacher == teacher ? term->weight : 0;
	}
	return all > 0 ? own / all : !teacher;
}

/* Squared error against one teacher. */
static double measure(const struct distill_loss *loss, int shard, int teacher,
		      struct tape *tape)
{
	const struct graph *graph = loss->student;
	double sum = 0;

	for (int o = 0; o < graph->output_count; o++) {
		int tensor = graph->outputs[o];
		size_t count = count_of(tape_shape(tape, tensor));
		double peak = loss->outputs[o].peak;

		sum += loss_squared(
			tape_values(tape, tensor),
			executor_values(executor_of(loss, shard, teacher),
					loss->teachers[teacher]->outputs[o]),
			count,
			1 / ((double)count * (double)loss->recipe->shards *
			     peak * peak * graph->output_count),
			NULL);
	}
	return sum;
}

/* Scores of a target, of which a part is spread over all classes. */
static const float *smooth(const float *target, size_t rows, size_t classes,
			   const struct recipe_loss *term, float *scratch)
{
	float temperature = (float)term->temperature;
	float smoothing = (float)term->smoothing;

	for (size_t r = 0; r < rows; r++) {
		const float *row = target + r * classes;
		float *out = scratch + r * classes;
		float top = row[0], sum = 0;

		for (size_t i = 0; i < classes; i++)
			top = row[i] > top ? row[i] : top;
		for (size_t i = 0; i < classes; i++)
			sum += out[i] = expf((row[i] - top) / temperature);
		for (size_t i = 0; i < classes; i++)
			out[i] = temperature *
				 logf((1 - smoothing) * out[i] / sum +
				      smoothing / (float)classes);
	}
	return scratch;
}

static double divergence(const float *prediction, const float *target,
			 const struct graph_shape *shape, double scale,
			 const struct recipe_loss *term, float *gradient)
{
	size_t classes = (size_t)shape->dims[shape->rank - 1];
	size_t count = count_of(shape);
	size_t rows = count / classes;
	float *scratch = NULL;
	double result;

	if (term->smoothing > 0) {
		scratch = malloc(count * sizeof(*scratch));
		if (!scratch)
			return NAN;
		target = smooth(target, rows, classes, term, scratch);
	}
	/* @scale is per element; this loss is per row */
	result = loss_divergence(prediction, target, rows, classes,
				 (float)term->temperature,
				 scale * (double)classes, gradient);
	free(scratch);
	return result;
}

static double output_term(const struct distill_loss *loss,
			  const struct recipe_loss *term, double weight,
			  int shard, int output, struct tape *tape)
{
	int tensor = loss->student->outputs[output];
	const struct graph_shape *shape = tape_shape(tape, tensor);
	const float *values = tape_values(tape, tensor);
	const float *target =
		executor_values(executor_of(loss, shard, (int)term->teacher),
				loss->teachers[term->teacher]->outputs[output]);
	size_t count = count_of(shape);
	double scale = weight / ((double)count * (double)loss->recipe->shards *
				 loss->student->output_count);
	double inverse = loss->outputs[output].scale;
	float *gradient = tape_seed(tape, tensor);

	if (term->kind == RECIPE_LOSS_KL)
		return divergence(values, target, shape, scale, term, gradient);
	if (term->kind == RECIPE_LOSS_L1)
		return loss_absolute(values, target, count,
				     scale * sqrt(inverse), gradient);
	return loss_squared(values, target, count, scale * inverse, gradient);
}

static double feature_term(const struct distill_loss *loss, double weight,
			   int shard, int index, struct tape *tape)
{
	const struct distill_feature *feature = &loss->features[index];
	size_t count = count_of(tape_shape(tape, feature->student));

	return loss_squared(
		tape_values(tape, feature->student),
		executor_values(executor_of(loss, shard, 0), feature->teacher),
		count,
		weight * feature->scale /
			((double)count * (double)loss->recipe->shards *
			 loss->feature_count),
		tape_seed(tape, feature->student));
}

static double term_weight(const struct distill_loss *loss,
			  const struct recipe_loss *term)
{
	if (term->fade > 0)
		return term->weight * fmax(0, 1 - loss->progress / term->fade);
	return term->weight;
}

static double run_term(const struct distill_loss *loss,
		       const struct recipe_loss *term, int shard,
		       struct tape *tape)
{
	double weight = term_weight(loss, term);
	double sum = 0;

	if (weight <= 0)
		return 0;
	if (term->kind == RECIPE_LOSS_FEATURE) {
		for (int f = 0; f < loss->feature_count; f++)
			sum += feature_term(loss, weight, shard, f, tape);
		return sum;
	}
	for (int o = 0; o < loss->student->output_count; o++)
		sum += output_term(loss, term, weight, shard, o, tape);
	return sum;
}

static double measure_all(const struct distill_loss *loss, int shard,
			  struct tape *tape)
{
	double sum = 0;

	for (int t = 0; t < loss->teacher_count; t++) {
		double share = teacher_share(loss, t);

		if (share <= 0)
			continue;
		if (run_teacher(loss, shard, t))
			return NAN;
		sum += share * measure(loss, shard, t, tape);
	}
	return sum;
}

double distill_loss_run(void *context, int shard, struct tape *tape)
{
	const struct distill_loss *loss = context;
	double sum = 0;

	if (loss->measures)
		return measure_all(loss, shard, tape);
	for (int t = 0; t < loss->teacher_count; t++)
		if (run_teacher(loss, shard, t))
			return NAN;
	for (int i = 0; i < loss->recipe->loss_count; i++)
		sum += run_term(loss, &loss->recipe->losses[i], shard, tape);
	return sum;
}
