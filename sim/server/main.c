/* SPDX-License-Identifier: MIT */
/* spmm-sim: the simulated device as a vfio-user server. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <accel/error.h>
#include <sim/inject.h>
#include <sim/server/server.h>
#include <sim/trace/recording.h>

#define WINDOW_DEFAULT "256M"

static const char help[] =
	"usage: spmm-sim --socket PATH [options]\n"
	"\n"
	"Shows the simulated accelerator to one client at a time over the vfio-user\n"
	"protocol: to QEMU (-device vfio-user-pci) or to libaccel (vfio-user:PATH).\n"
	"\n"
	"  --socket PATH    where to listen; removed at the end\n"
	"  --config FILE    the device's configuration, as for sim:FILE\n"
	"  --window BYTES   of BAR2, the window on device memory (" WINDOW_DEFAULT
	")\n"
	"  --dma mapped     use the memory that the client shares (the default)\n"
	"  --dma message    ask the client for every access: it sees bad addresses\n"
	"  --trace FILE     write a time line of the device, for Perfetto or Chrome\n"
	"  --vcd FILE       write waves, for GTKWave and the like\n"
	"  --fault SCRIPT   do wrong what the script says, armed by the client through\n"
	"                   configuration space (Documentation/faults.rst)\n"
	"  --verbose        say who comes and goes\n"
	"  --help           this text\n"
	"\n"
	"SIGINT and SIGTERM end it.\n";

struct arguments {
	const char *socket;
	const char *config;
	const char *window;
	const char *faults;
	struct recording_options recording;
	struct server_options options;
};

static int usage(const char *text, const char *value)
{
	fprintf(stderr, "spmm-sim: %s%s; see spmm-sim --help\n", text, value);
	return -EINVAL;
}

static int way_parse(const char *text, bool *by_message)
{
	*by_message = !strcmp(text, "message");
	if (*by_message || !strcmp(text, "mapped"))
		return 0;
	return usage("--dma takes mapped or message, not ", text);
}

static int argument_parse(struct arguments *arguments, int option)
{
	switch (option) {
	case 's':
		arguments->socket = optarg;
		return 0;
	case 'c':
		arguments->config = optarg;
		return 0;
	case 'w':
		arguments->window = optarg;
		return 0;
	case 'd':
		return way_parse(optarg, &arguments->options.by_message);
	case 't':
		arguments->recording.timeline = optarg;
		return 0;
	case 'x':
		arguments->recording.waves = optarg;
		return 0;
	case 'f':
		arguments->faults = optarg;
		return 0;
	case 'v':
		arguments->options.verbose = true;
		return 0;
	case 'h':
		fputs(help, stdout);
		exit(0);
	}
	fputs("see spmm-sim --help\n", stderr);
	return -EINVAL;
}

static int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
	static const struct option names[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "window", required_argument, NULL, 'w' },
		{ "dma", required_argument, NULL, 'd' },
		{ "trace", required_argument, NULL, 't' },
		{ "vcd", required_argument, NULL, 'x' },
		{ "fault", required_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (argument_parse(arguments, option))
			return -EINVAL;
	if (optind < argc)
		return usage("it takes no argument like ", argv[optind]);
	if (!arguments->socket)
		return usage("where to listen? --socket PATH", "");
	return 0;
}

static int options_complete(struct arguments *arguments)
{
	struct server_options *options = &arguments->options;
	int ret;

	if (arguments->config)
		ret = sim_config_load(arguments->config, &options->config);
	else
		ret = sim_config_preset("default", &options->config);
	if (ret) {
		fprintf(stderr, "spmm-sim: %s\n", accel_last_error());
		return ret;
	}
	if (!sim_config_number(arguments->window, &options->window))
		return usage("--window takes a number, not ",
			     arguments->window);
	if (options->window > options->config.memory_bytes)
		options->window = options->config.memory_bytes;
	return 0;
}

/* Signals become a descriptor, so that every wait sees them. */
static int stop_open(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int serve(const struct arguments *arguments,
		 const struct server_options *options, int stop)
{
	struct server *server = NULL;
	int ret = server_create(options, &server);
	int listener = ret ? ret : server_listen(arguments->socket);

	if (listener >= 0) {
		ret = server_run(server, listener, stop);
		close(listener);
		unlink(arguments->socket);
	} else {
		ret = listener;
	}
	server_destroy(server);
	return ret;
}

/* The record is complete when the device is gone. */
static int serve_recorded(const struct arguments *arguments, int stop)
{
	struct server_options options = arguments->options;
	struct recording *recording;
	int ret = recording_create(&options.config, &arguments->recording,
				   &recording);

	if (ret)
		return ret;
	options.sim.observer = recording_observer(recording);
	ret = serve(arguments, &options, stop);
	if (!ret)
		ret = recording_end(recording);
	recording_destroy(recording);
	return ret;
}

static int run(const struct arguments *arguments)
{
	bool recorded = arguments->recording.timeline ||
			arguments->recording.waves;
	int stop = stop_open();
	int ret;

	if (stop < 0)
		return -errno;
	ret = recorded ? serve_recorded(arguments, stop) :
			 serve(arguments, &arguments->options, stop);
	if (ret)
		fprintf(stderr, "spmm-sim: %s\n", accel_last_error());
	close(stop);
	return ret;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .window = WINDOW_DEFAULT };
	struct inject_script *faults = NULL;
	int ret;

	if (arguments_parse(&arguments, argc, argv) ||
	    options_complete(&arguments))
		return 2;
	if (arguments.faults && inject_script_load(arguments.faults, &faults)) {
		fprintf(stderr, "spmm-sim: %s\n", accel_last_error());
		return 2;
	}
	arguments.options.sim.faults = faults;
	ret = run(&arguments);
	inject_script_free(faults);
	return ret ? 1 : 0;
}
