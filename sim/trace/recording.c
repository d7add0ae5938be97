/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <core/error.h>
#include <sim/trace/names.h>
#include <sim/trace/recording.h>
#include <sim/trace/timeline.h>
#include <sim/trace/waves.h>

struct recording {
	struct engine_observer observer;
	/* Over all that follows. A leaf: no call of the device is made under it. */
	pthread_mutex_t lock;
	struct trace_names names;
	struct timeline *timeline; /* NULL: none, or ended */
	struct waves *waves; /* likewise */
};

/*
 * What the device's thread tells. A host may end the recording meanwhile: what comes
 * later finds no file.
 */

static void observe_command(void *owner, const struct engine_command *command)
{
	struct recording *recording = owner;

	pthread_mutex_lock(&recording->lock);
	if (recording->timeline)
		timeline_command(recording->timeline, command);
	pthread_mutex_unlock(&recording->lock);
}

static void observe_span(void *owner, const struct engine_span *span)
{
	struct recording *recording = owner;

	pthread_mutex_lock(&recording->lock);
	if (recording->timeline)
		timeline_span(recording->timeline, span);
	pthread_mutex_unlock(&recording->lock);
}

static void observe_change(void *owner, enum engine_signal signal,
			   uint32_t unit, uint64_t now, uint64_t value)
{
	struct recording *recording = owner;

	pthread_mutex_lock(&recording->lock);
	if (recording->timeline)
		timeline_change(recording->timeline, signal, unit, now, value);
	if (recording->waves)
		waves_change(recording->waves, signal, unit, now, value);
	pthread_mutex_unlock(&recording->lock);
}

static struct trace_shape shape_of(const struct sim_config *config)
{
	return (struct trace_shape){
		.clock_hz = config->clock_hz,
		.clusters = config->clusters,
		.channels = config->dram_channels,
		.engines = config->dma_engines,
	};
}

/* What has been opened when an error occurs is closed by recording_destroy(). */
static int files_open(struct recording *recording,
		      const struct sim_config *config,
		      const struct recording_options *options)
{
	uint64_t limit = options->limit ? options->limit : RECORDING_LIMIT;
	struct trace_shape shape = shape_of(config);
	int ret = 0;

	if (options->timeline)
		ret = timeline_create(options->timeline, &shape,
				      &recording->names, limit,
				      &recording->timeline);
	if (!ret && options->waves)
		ret = waves_create(options->waves, &shape, limit,
				   &recording->waves);
	return ret;
}

int recording_create(const struct sim_config *config,
		     const struct recording_options *options,
		     struct recording **out)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int ret;

	*out = NULL;
	if (!recording)
		return accel_error(-ENOMEM, "no memory to record a device");
	/* all of them, also with one file: components do not look for each */
	recording->observer = (struct engine_observer){
		.command = observe_command,
		.span = observe_span,
		.change = observe_change,
		.owner = recording,
	};
	pthread_mutex_init(&recording->lock, NULL);
	ret = files_open(recording, config, options);
	if (ret) {
		recording_destroy(recording);
		return ret;
	}
	*out = recording;
	return 0;
}

const struct engine_observer *
recording_observer(const struct recording *recording)
{
	return &recording->observer;
}

int recording_name(struct recording *recording, uint32_t label,
		   const char *text)
{
	int ret = 0;

	pthread_mutex_lock(&recording->lock);
	if (recording->timeline)
		ret = trace_names_set(&recording->names, label, text);
	pthread_mutex_unlock(&recording->lock);
	return ret ? accel_error(ret, "no memory for the name of %s", text) : 0;
}

int recording_end(struct recording *recording)
{
	int ret = 0, waves = 0;

	/* Both are closed in any case; the text is that of the error returned. */
	pthread_mutex_lock(&recording->lock);
	if (recording->waves)
		waves = waves_close(recording->waves);
	if (recording->timeline)
		ret = timeline_close(recording->timeline);
	recording->waves = NULL;
	recording->timeline = NULL;
	pthread_mutex_unlock(&recording->lock);
	return ret ? ret : waves;
}

void recording_destroy(struct recording *recording)
{
	if (!recording)
		return;
	recording_end(recording);
	trace_names_free(&recording->names);
	pthread_mutex_destroy(&recording->lock);
	free(recording);
}
