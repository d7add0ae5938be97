/* SPDX-License-Identifier: MIT */
#include <train/task_settings.h>

#include <core/error.h>

#include <errno.h>
#include <string.h>

#define BATCH_MAX 65536
#define STEPS_MAX 100000000

/** struct numbers - as JSON has them */
struct numbers {
	json_int_t batch;
	json_int_t shards;
	json_int_t steps;
	json_int_t warmup;
	double rate;
	double final;
	double beta1;
	double beta2;
	double weight_decay;
	double clip;
	double average;
	const char *method;
	const char *shape;
};

static int read_numbers(struct numbers *numbers, const json_t *training)
{
	json_error_t error;

	if (!training)
		return 0;
	if (!json_unpack_ex(
		    (json_t *)training, &error, JSON_STRICT,
		    "{s?I, s?I, s?I, s?I, s?F, s?F, s?F, s?F, s?F, s?F, s?F, s?s, s?s}",
		    "batch", &numbers->batch, "shards", &numbers->shards,
		    "steps", &numbers->steps, "warmup", &numbers->warmup,
		    "rate", &numbers->rate, "final", &numbers->final, "beta1",
		    &numbers->beta1, "beta2", &numbers->beta2, "weight_decay",
		    &numbers->weight_decay, "clip", &numbers->clip, "average",
		    &numbers->average, "optimizer", &numbers->method,
		    "schedule", &numbers->shape))
		return 0;
	return accel_error(-EINVAL, "\"training\": %s", error.text);
}

static int check_integer(const char *key, json_int_t value, json_int_t low,
			 json_int_t high)
{
	if (value >= low && value <= high)
		return 0;
	return accel_error(
		-EINVAL, "\"training\": \"%s\" is %lld; it takes %lld to %lld",
		key, (long long)value, (long long)low, (long long)high);
}

static int check_numbers(const struct numbers *numbers)
{
	int ret = check_integer("batch", numbers->batch, 1, BATCH_MAX);

	if (!ret)
		ret = check_integer("shards", numbers->shards, 1,
				    numbers->batch);
	if (!ret && numbers->batch % numbers->shards)
		ret = accel_error(
			-EINVAL,
			"\"training\": \"shards\" does not divide \"batch\"");
	if (!ret)
		ret = check_integer("steps", numbers->steps, 1, STEPS_MAX);
	if (!ret)
		ret = check_integer("warmup", numbers->warmup, -1, STEPS_MAX);
	if (!ret && !(numbers->rate > 0 && numbers->rate <= 10))
		ret = accel_error(-EINVAL,
				  "\"training\": \"rate\" takes 0 to 10");
	if (!ret && !(numbers->final >= 0 && numbers->final <= 1))
		ret = accel_error(-EINVAL,
				  "\"training\": \"final\" takes 0 to 1");
	return ret;
}

static int find_word(const char *key, const char *word,
		     const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return accel_error(-EINVAL, "\"training\": \"%s\" has no \"%s\"", key,
			   word);
}

static int set_words(struct task_settings *settings,
		     const struct numbers *numbers)
{
	static const char *const methods[] = { "adam", "sgd", NULL };
	static const char *const shapes[] = { "cosine", "linear", "constant",
					      "step", NULL };
	int method = find_word("optimizer", numbers->method, methods);
	int shape = find_word("schedule", numbers->shape, shapes);

	if (method < 0 || shape < 0)
		return -EINVAL;
	settings->optimizer.method = (enum optimizer_method)method;
	settings->rate.shape = (enum schedule_shape)shape;
	return 0;
}

int task_settings_read(struct task_settings *settings, const json_t *training)
{
	struct numbers numbers = {
		.batch = 64,
		.shards = -1,
		.steps = 2000,
		.warmup = -1,
		.rate = 1e-3,
		.method = "adam",
		.shape = "cosine",
	};
	int ret = read_numbers(&numbers, training);

	if (numbers.shards == -1)
		numbers.shards = numbers.batch % 2 ? 1 : 2;
	if (!ret)
		ret = check_numbers(&numbers);
	if (ret)
		return ret;
	*settings = (struct task_settings){
		.batch = numbers.batch,
		.shards = numbers.shards,
		.steps = numbers.steps,
		.optimizer = { .beta1 = (float)numbers.beta1,
			       .beta2 = (float)numbers.beta2,
			       .weight_decay = (float)numbers.weight_decay,
			       .clip = (float)numbers.clip,
			       .average = (float)numbers.average },
		.rate = { .peak = (float)numbers.rate,
			  .final = (float)numbers.final,
			  .warmup = numbers.warmup < 0 ?
					    TASK_WARMUP_USUAL :
					    (uint64_t)numbers.warmup },
	};
	return set_words(settings, &numbers);
}
