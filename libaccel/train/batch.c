/* SPDX-License-Identifier: MIT */
#include <compress/floats.h>
#include <core/error.h>
#include <train/batch.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct shard - what became of one part of the batch
 * @gradient: over all parameters
 * @loss: of it
 * @status: 0 or -errno
 * @error: text, if the status is none; owned
 */
struct shard {
	float *gradient;
	double loss;
	int status;
	char *error;
};

/**
 * struct worker - one thread and its tape
 * @batch: that it works for
 * @tape: its own
 * @thread: valid if @running
 * @index: it takes the shards index, index + workers, …
 * @running: the thread was started
 */
struct worker {
	struct batch *batch;
	struct tape *tape;
	pthread_t thread;
	int index;
	bool running;
};

/**
 * struct batch - shards, and the workers that take them
 * @graph: not owned
 * @parameters: not owned
 * @options: as given
 * @wanted: the tapes': that of the options, and the parameters
 * @shards: one for each
 * @workers: one for each
 * @inputs: of the run
 * @backward: does the run want gradients?
 * @lock: guards all that follows; nothing is called under it
 * @started: @round or @stop has changed
 * @finished: @busy has become 0
 * @round: number of runs that began
 * @busy: workers that have not ended the present one
 * @stop: workers shall end
 */
struct batch {
	const struct graph *graph;
	const struct parameters *parameters;
	struct batch_options options;
	bool *wanted;
	struct shard *shards;
	struct worker *workers;
	const float *const *inputs;
	bool backward;
	pthread_mutex_t lock;
	pthread_cond_t started;
	pthread_cond_t finished;
	unsigned long round;
	int busy;
	bool stop;
};

static void collect_gradient(const struct batch *batch, const struct tape *tape,
			     float *gradient)
{
	for (int p = 0; p < batch->parameters->count; p++) {
		const struct parameter *parameter = &batch->parameters->list[p];

		memcpy(gradient + parameter->first,
		       tape_gradient(tape, parameter->tensor),
		       parameter->count * sizeof(*gradient));
	}
}

static int run_shard(struct batch *batch, struct tape *tape, int index)
{
	struct shard *shard = &batch->shards[index];
	size_t inputs = (size_t)batch->graph->input_count;
	int ret = tape_forward(tape, batch->inputs + (size_t)index * inputs);

	if (ret)
		return ret;
	shard->loss =
		batch->options.loss(batch->options.loss_context, index, tape);
	if (!batch->backward || !isfinite(shard->loss))
		return 0;
	ret = tape_backward(tape);
	if (!ret)
		collect_gradient(batch, tape, shard->gradient);
	return ret;
}

/* The text belongs to this thread; the caller of the batch wants it too. */
static void run_shards(struct worker *worker)
{
	struct batch *batch = worker->batch;

	for (int s = worker->index; s < batch->options.shards;
	     s += batch->options.workers) {
		struct shard *shard = &batch->shards[s];

		shard->status = run_shard(batch, worker->tape, s);
		if (shard->status)
			shard->error = strdup(accel_last_error());
	}
}

/* The n-th processor that this process may use: threads of one could share it. */
static void pin(int n)
{
	cpu_set_t allowed, own;
	int count;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	count = CPU_COUNT(&allowed);
	n = count ? n % count : 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || n--)
			continue;
		CPU_ZERO(&own);
		CPU_SET(cpu, &own);
		pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
		return;
	}
}

/* Return false when there is no more to do. */
static bool wait_for_round(struct batch *batch, unsigned long *round)
{
	bool stop;

	pthread_mutex_lock(&batch->lock);
	while (batch->round == *round && !batch->stop)
		pthread_cond_wait(&batch->started, &batch->lock);
	*round = batch->round;
	stop = batch->stop;
	pthread_mutex_unlock(&batch->lock);
	return !stop;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct batch *batch = worker->batch;
	unsigned long round = 0;

	pin(worker->index);
	while (wait_for_round(batch, &round)) {
		run_shards(worker);
		pthread_mutex_lock(&batch->lock);
		if (--batch->busy == 0)
			pthread_cond_signal(&batch->finished);
		pthread_mutex_unlock(&batch->lock);
	}
	return NULL;
}

/* One worker is the caller itself. */
static int start_workers(struct batch *batch)
{
	int workers = batch->options.workers;

	for (int w = 0; w < workers && workers > 1; w++) {
		struct worker *worker = &batch->workers[w];
		int ret = pthread_create(&worker->thread, NULL, work, worker);

		if (ret)
			return accel_error(-ret, "no thread for worker %d: %s",
					   w, strerror(ret));
		worker->running = true;
	}
	return 0;
}

static int create_shards(struct batch *batch)
{
	size_t shards = (size_t)batch->options.shards;
	int64_t total = (int64_t)batch->parameters->total;

	batch->shards = calloc(shards, sizeof(*batch->shards));
	if (!batch->shards)
		return accel_error(-ENOMEM, "no memory for %zu shards", shards);
	for (size_t s = 0; s < shards; s++) {
		batch->shards[s].gradient = floats_allocate(total);
		if (!batch->shards[s].gradient)
			return accel_error(
				-ENOMEM, "no memory for %zu gradients", shards);
	}
	return 0;
}

static int create_tapes(struct batch *batch, const struct graph_shape *inputs)
{
	struct tape_options options = batch->options.tape;
	size_t workers = (size_t)batch->options.workers;
	size_t tensors = (size_t)batch->graph->tensor_count;
	int ret = 0;

	batch->workers = calloc(workers, sizeof(*batch->workers));
	batch->wanted = calloc(tensors + 1, sizeof(*batch->wanted));
	if (!batch->workers || !batch->wanted)
		return accel_error(-ENOMEM, "no memory for %zu workers",
				   workers);
	for (size_t t = 0; t < tensors; t++)
		batch->wanted[t] = options.wanted && options.wanted[t];
	for (int p = 0; p < batch->parameters->count; p++)
		batch->wanted[batch->parameters->list[p].tensor] = true;
	options.wanted = batch->wanted;
	for (size_t w = 0; w < workers && !ret; w++) {
		batch->workers[w].batch = batch;
		batch->workers[w].index = (int)w;
		ret = tape_create(&batch->workers[w].tape, batch->graph, inputs,
				  &options);
	}
	return ret;
}

static int check_options(const struct batch_options *options)
{
	if (options->shards < 1)
		return accel_error(-EINVAL, "a batch has at least one shard");
	if (options->workers < 1 || options->workers > options->shards)
		return accel_error(-EINVAL,
				   "%d workers for %d shards: 1 to %d can work",
				   options->workers, options->shards,
				   options->shards);
	return 0;
}

int batch_create(struct batch **out, const struct graph *graph,
		 const struct parameters *parameters,
		 const struct graph_shape *inputs,
		 const struct batch_options *options)
{
	struct batch *batch;
	int ret = check_options(options);

	if (ret)
		return ret;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return accel_error(-ENOMEM, "no memory for a batch");
	batch->graph = graph;
	batch->parameters = parameters;
	batch->options = *options;
	pthread_mutex_init(&batch->lock, NULL);
	pthread_cond_init(&batch->started, NULL);
	pthread_cond_init(&batch->finished, NULL);
	ret = create_shards(batch);
	if (!ret)
		ret = create_tapes(batch, inputs);
	if (!ret)
		ret = start_workers(batch);
	if (ret) {
		batch_destroy(batch);
		return ret;
	}
	*out = batch;
	return 0;
}

void batch_replace_constant(struct batch *batch, int tensor,
			    const float *values)
{
	for (int w = 0; w < batch->options.workers; w++)
		tape_replace_constant(batch->workers[w].tape, tensor, values);
}

static void run_workers(struct batch *batch)
{
	pthread_mutex_lock(&batch->lock);
	batch->busy = batch->options.workers;
	batch->round++;
	pthread_cond_broadcast(&batch->started);
	while (batch->busy)
		pthread_cond_wait(&batch->finished, &batch->lock);
	pthread_mutex_unlock(&batch->lock);
}

static void forget_errors(struct batch *batch)
{
	for (int s = 0; s < batch->options.shards; s++) {
		free(batch->shards[s].error);
		batch->shards[s].error = NULL;
		batch->shards[s].status = 0;
	}
}

static int first_error(const struct batch *batch)
{
	for (int s = 0; s < batch->options.shards; s++) {
		const struct shard *shard = &batch->shards[s];

		if (shard->status)
			return accel_error(shard->status, "%s",
					   shard->error ? shard->error :
							  "out of memory");
	}
	return 0;
}

/* In the order of the shards, whoever made them. */
static void add_up(const struct batch *batch, float *restrict gradient,
		   double *loss)
{
	size_t total = batch->parameters->total;

	*loss = 0;
	for (int s = 0; s < batch->options.shards; s++)
		*loss += batch->shards[s].loss;
	if (!gradient)
		return;
	if (!isfinite(*loss)) {
		memset(gradient, 0, total * sizeof(*gradient));
		return;
	}
	memcpy(gradient, batch->shards[0].gradient, total * sizeof(*gradient));
	for (int s = 1; s < batch->options.shards; s++) {
		const float *restrict part = batch->shards[s].gradient;

		for (size_t i = 0; i < total; i++)
			gradient[i] += part[i];
	}
}

int batch_run(struct batch *batch, const float *const *inputs, float *gradient,
	      double *loss)
{
	int ret;

	forget_errors(batch);
	batch->inputs = inputs;
	batch->backward = gradient;
	if (batch->options.workers > 1)
		run_workers(batch);
	else
		run_shards(&batch->workers[0]);
	ret = first_error(batch);
	if (!ret)
		add_up(batch, gradient, loss);
	return ret;
}

static void stop_workers(struct batch *batch)
{
	pthread_mutex_lock(&batch->lock);
	batch->stop = true;
	pthread_cond_broadcast(&batch->started);
	pthread_mutex_unlock(&batch->lock);
	for (int w = 0; batch->workers && w < batch->options.workers; w++)
		if (batch->workers[w].running)
			pthread_join(batch->workers[w].thread, NULL);
}

void batch_destroy(struct batch *batch)
{
	if (!batch)
		return;
	stop_workers(batch);
	for (int w = 0; batch->workers && w < batch->options.workers; w++)
		tape_destroy(batch->workers[w].tape);
	for (int s = 0; batch->shards && s < batch->options.shards; s++) {
		free(batch->shards[s].gradient);
		free(batch->shards[s].error);
	}
	pthread_cond_destroy(&batch->finished);
	pthread_cond_destroy(&batch->started);
	pthread_mutex_destroy(&batch->lock);
	free(batch->workers);
	free(batch->shards);
	free(batch->wanted);
	free(batch);
}
