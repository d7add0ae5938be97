/* SPDX-License-Identifier: MIT */
/*
 * Any messages of a vfio-user client: command, length and payload, one after another. The
 * server answers or drops the client, and the device can be reset afterwards. It has a
 * fault script, which the client can arm.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sim/inject.h>
#include <sim/server/error_injection.h>
#include <sim/server/session.h>

#define WINDOW (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session session;
static struct message message;
static int ends[2];

/* By message it would be asked of a client that is not there. */
static int no_read(void *opaque, uint64_t address, void *to, size_t length)
{
	size_t done;

	(void)opaque;
	return host_memory_read(session.memory, address, to, length, &done) ==
			       HOST_MEMORY_MAPPED ?
		       0 :
		       -14;
}

static int no_write(void *opaque, uint64_t address, const void *from,
		    size_t length)
{
	size_t done;

	(void)opaque;
	return host_memory_write(session.memory, address, from, length,
				 &done) == HOST_MEMORY_MAPPED ?
		       0 :
		       -14;
}

static void no_interrupt(void *opaque, unsigned int vector)
{
	(void)opaque;
	interrupts_raise(&session.interrupts, vector);
}

static struct inject_script *faults(void)
{
	static char text[] = "a: gone now\n"
			     "b: gone now until plug\n"
			     "c: gone 1 now\n"
			     "d: fatal now\n"
			     "e: interrupt 3 now times 5\n"
			     "f: hang on admin\n"
			     "g: corrupt phase on admin always\n";
	FILE *file = fmemopen(text, strlen(text), "r");
	struct inject_script *script;

	if (!file || inject_script_read(file, "script", &script))
		abort();
	fclose(file);
	return script;
}

static void setup(void)
{
	const struct sim_host host = { NULL, no_read, no_write, no_interrupt };
	const struct sim_options options = { .faults = faults() };
	struct sim_config config;

	message.payload = malloc(MESSAGE_PAYLOAD_MAX);
	if (!message.payload || sim_config_preset("small", &config) ||
	    sim_device_create(&config, &host, &options, &session.device) ||
	    connection_create(&session.connection) ||
	    host_memory_create(&session.memory) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
		abort();
	session.window = WINDOW;
	interrupts_create(&session.interrupts);
	config_space_reset(&session.space, WINDOW);
	error_injection_add(&session.space, session.device);
	connection_open(session.connection, ends[0]);
}

/* What the server has answered is read, so that it never waits. */
static void drain(void)
{
	uint8_t bytes[4096];

	while (read(ends[1], bytes, sizeof(bytes)) > 0)
		;
}

/* The next message of the input; what is missing of its payload is zero. */
static size_t message_take(const uint8_t *data, size_t size)
{
	size_t length = size > 2 ? data[1] : 0;
	size_t given = size > 2 + length ? length : size > 2 ? size - 2 : 0;

	memset(message.payload, 0, 256);
	memcpy(message.payload, data + 2, given);
	message.header = (struct vfio_user_header){ .command = data[0] & 0x1f };
	if (data[0] & 0x20)
		message.header.flags = VFIO_USER_TYPE_REPLY;
	message.length = length;
	message.descriptor_count = 0;
	return 2 + given;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ret = 0;

	if (!message.payload)
		setup();
	while (size > 2 && !ret) {
		size_t taken = message_take(data, size);

		ret = session_handle(&session, &message);
		drain();
		data += taken;
		size -= taken;
	}
	session_replug(&session);
	host_memory_remove_all(session.memory);
	interrupts_clear(&session.interrupts);
	session.greeted = false;
	return 0;
}
