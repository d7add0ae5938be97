/* SPDX-License-Identifier: MIT */
/*
 * The client of the vfio-user protocol. A register read is a message and its answer; a
 * write is a message that wants none, so that a doorbell is one system call. The device
 * reaches host memory through files that the server maps.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <core/checked.h>
#include <core/error.h>
#include <core/integer.h>
#include <spmm/registers.h>
#include <transport/vfio_user.h>
#include <transport/vfio_user_message.h>

/* A server answers at once, whatever its device does. */
#define ANSWER_MS 5000

#define BUS_FIRST 0x100000000ull
#define BUS_GAP 0x10000ull /* unmapped, between two regions */
#define BUS_ALIGNMENT 0x200000ull

/* What has been mapped, to be mapped again after a lost connection. */
struct dma_region {
	struct vfio_user_dma_map map;
	int file;
	struct dma_region *next;
};

struct vfio_user {
	struct transport base;
	struct sockaddr_un address;

	/* Over all that follows, from a question to its answer. A leaf. */
	pthread_mutex_t lock;
	int socket;
	bool dead; /* the connection is lost, or the server has gone mad */
	uint16_t next_id;
	struct message message;
	struct dma_region *regions;
	uint64_t next_address;
	int interrupts[SPMM_MSIX_VECTORS]; /* −1 until asked for */
	uint8_t *window; /* BAR2, mapped; or NULL */
	uint64_t window_bytes;
};

static struct vfio_user *to_user(struct transport *transport)
{
	return (struct vfio_user *)transport;
}

/* A command; its answer lands in user->message. */
struct command {
	uint16_t number;
	bool answered;
	struct message_parts parts;
};

/* Who notices first hears the same as all who come after. */
static int lost(struct vfio_user *user, int ret)
{
	user->dead = true;
	if (ret == -ENOTCONN || ret == -EPIPE || ret == -ECONNRESET)
		ret = -ENODEV;
	return accel_error_prefix(ret, "vfio-user:%s", user->address.sun_path);
}

/*
 * The server asks for memory by message only where it has no file: never, of this client.
 */
static int question_refuse(struct vfio_user *user)
{
	struct vfio_user_header header = user->message.header;
	const struct message_parts none = { .descriptor = -1 };

	header.flags = VFIO_USER_TYPE_REPLY | VFIO_USER_ERROR;
	header.error = EFAULT;
	return message_send(user->socket, &header, &none);
}

static int message_wait(struct vfio_user *user)
{
	struct pollfd poller = { .fd = user->socket, .events = POLLIN };
	int ready;

	message_close(&user->message);
	do
		ready = poll(&poller, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return accel_error(-errno, "poll: %s", strerror(errno));
	if (!ready)
		return accel_error(-ETIMEDOUT,
				   "the server has not answered for %d s",
				   ANSWER_MS / 1000);
	return message_receive(user->socket, &user->message);
}

static int answer_wait(struct vfio_user *user, uint16_t id)
{
	const struct vfio_user_header *header = &user->message.header;

	for (;;) {
		int ret = message_wait(user);
		uint32_t type = header->flags & VFIO_USER_TYPE_MASK;

		if (!ret && type == VFIO_USER_TYPE_COMMAND)
			ret = question_refuse(user);
		else if (!ret && type == VFIO_USER_TYPE_REPLY &&
			 header->id == id)
			return 0;
		if (ret)
			return ret;
	}
}

/* The lock is held. −errno of the server's answer, or of a connection that is lost. */
static int execute(struct vfio_user *user, const struct command *command)
{
	struct vfio_user_header header = {
		.id = user->next_id++,
		.command = command->number,
		.flags = command->answered ? 0 : VFIO_USER_NO_REPLY,
	};
	int ret;

	if (user->dead)
		return accel_error(
			-ENODEV,
			"vfio-user:%s: the connection is lost; reset "
			"the device to connect again",
			user->address.sun_path);
	ret = message_send(user->socket, &header, &command->parts);
	if (ret)
		return lost(user, accel_error(ret, "%s", strerror(-ret)));
	if (!command->answered)
		return 0;
	ret = answer_wait(user, header.id);
	if (ret)
		return lost(user, ret);
	if (!(user->message.header.flags & VFIO_USER_ERROR))
		return 0;
	ret = (int)user->message.header.error;
	return accel_error(ret > 0 && ret < 4096 ? -ret : -EIO,
			   "vfio-user:%s: the server refuses command %u: %s",
			   user->address.sun_path, command->number,
			   strerror(ret));
}

/* The answer's bytes behind its header; −EPROTO if there are fewer. */
static int answer_take(struct vfio_user *user, void *to, size_t length)
{
	if (user->message.length < length)
		return lost(user, accel_error(-EPROTO,
					      "an answer of %zu bytes, not %zu",
					      user->message.length, length));
	memcpy(to, user->message.payload, length);
	return 0;
}

static int region_read(struct vfio_user *user, uint32_t region, uint64_t offset,
		       void *to, uint32_t length)
{
	const struct vfio_user_region_access access = { offset, region,
							length };
	const struct command command = {
		.number = VFIO_USER_REGION_READ,
		.answered = true,
		.parts = { .first = &access,
			   .first_length = sizeof(access),
			   .descriptor = -1 },
	};
	struct {
		struct vfio_user_region_access access;
		uint64_t value;
	} answer;
	int ret;

	pthread_mutex_lock(&user->lock);
	ret = execute(user, &command);
	if (!ret)
		ret = answer_take(user, &answer, sizeof(access) + length);
	pthread_mutex_unlock(&user->lock);
	/* As a bus does it when nobody is there. */
	if (ret)
		memset(to, 0xff, length);
	else
		memcpy(to, &answer.value, length);
	return ret;
}

/* Nobody waits: what goes wrong shows in the next read. */
static void region_write(struct vfio_user *user, uint32_t region,
			 uint64_t offset, const void *from, uint32_t length)
{
	const struct vfio_user_region_access access = { offset, region,
							length };
	const struct command command = {
		.number = VFIO_USER_REGION_WRITE,
		.parts = { .first = &access,
			   .first_length = sizeof(access),
			   .second = from,
			   .second_length = length,
			   .descriptor = -1 },
	};

	pthread_mutex_lock(&user->lock);
	execute(user, &command);
	pthread_mutex_unlock(&user->lock);
}

static uint32_t user_read32(struct transport *transport, uint32_t offset)
{
	uint32_t value;

	region_read(to_user(transport), SPMM_BAR_REGISTERS, offset, &value,
		    sizeof(value));
	return value;
}

static uint64_t user_read64(struct transport *transport, uint32_t offset)
{
	uint64_t value;

	region_read(to_user(transport), SPMM_BAR_REGISTERS, offset, &value,
		    sizeof(value));
	return value;
}

static void user_write32(struct transport *transport, uint32_t offset,
			 uint32_t value)
{
	region_write(to_user(transport), SPMM_BAR_REGISTERS, offset, &value,
		     sizeof(value));
}

static void user_write64(struct transport *transport, uint32_t offset,
			 uint64_t value)
{
	region_write(to_user(transport), SPMM_BAR_REGISTERS, offset, &value,
		     sizeof(value));
}

static int user_map_bar(struct transport *transport, unsigned int bar,
			uint64_t offset, size_t length, void **out)
{
	struct vfio_user *user = to_user(transport);

	if (bar != SPMM_BAR_MEMORY || !user->window)
		return accel_error(-ENOTSUP,
				   "vfio-user: BAR%u cannot be mapped", bar);
	if (!length || !checked_range(offset, length, user->window_bytes))
		return accel_error(-EINVAL,
				   "vfio-user: the range is outside the window "
				   "of %llu bytes",
				   (unsigned long long)user->window_bytes);
	*out = user->window + offset;
	return 0;
}

static int region_map(struct vfio_user *user, const struct dma_region *region)
{
	const struct command command = {
		.number = VFIO_USER_DMA_MAP,
		.answered = true,
		.parts = { .first = &region->map,
			   .first_length = sizeof(region->map),
			   .descriptor = region->file },
	};

	return execute(user, &command);
}

static int region_unmap(struct vfio_user *user, const struct dma_region *region)
{
	const struct vfio_user_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.address = region->map.address,
		.size = region->map.size,
	};
	const struct command command = {
		.number = VFIO_USER_DMA_UNMAP,
		.answered = true,
		.parts = { .first = &unmap,
			   .first_length = sizeof(unmap),
			   .descriptor = -1 },
	};

	return execute(user, &command);
}

static void region_free(struct dma_region *region)
{
	close(region->file);
	free(region);
}

/* The lock is held. */
static int region_add(struct vfio_user *user, struct dma_region *region)
{
	uint64_t end;
	int ret;

	if (!checked_add_u64(user->next_address, region->map.size + BUS_GAP,
			     &end))
		return accel_error(-ENOSPC, "vfio-user: no bus address left");
	region->map.address = user->next_address;
	ret = region_map(user, region);
	if (ret)
		return ret;
	user->next_address = align_up(end, BUS_ALIGNMENT);
	region->next = user->regions;
	user->regions = region;
	return 0;
}

static int user_map_dma(struct transport *transport,
			const struct transport_memory *memory,
			uint64_t *bus_address)
{
	struct vfio_user *user = to_user(transport);
	struct dma_region *region = calloc(1, sizeof(*region));
	int ret;

	if (!region)
		return accel_error(-ENOMEM, "vfio-user: no memory");
	region->file = fcntl(memory->file, F_DUPFD_CLOEXEC, 0);
	if (region->file < 0) {
		free(region);
		return accel_error(-EINVAL,
				   "vfio-user: memory for DMA must come from a "
				   "file that can be shared");
	}
	region->map = (struct vfio_user_dma_map){
		.argsz = sizeof(region->map),
		.flags = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITABLE,
		.offset = memory->offset,
		.size = memory->length,
	};
	pthread_mutex_lock(&user->lock);
	ret = region_add(user, region);
	pthread_mutex_unlock(&user->lock);
	if (ret)
		region_free(region);
	else
		*bus_address = region->map.address;
	return ret;
}

static int user_unmap_dma(struct transport *transport, uint64_t bus_address,
			  size_t length)
{
	struct vfio_user *user = to_user(transport);
	struct dma_region **link, *region;
	int ret;

	pthread_mutex_lock(&user->lock);
	link = &user->regions;
	while (*link && ((*link)->map.address != bus_address ||
			 (*link)->map.size != length))
		link = &(*link)->next;
	region = *link;
	if (!region) {
		pthread_mutex_unlock(&user->lock);
		return accel_error(-ENOENT,
				   "vfio-user: bus address %#llx is not what "
				   "map_dma returned for so many bytes",
				   (unsigned long long)bus_address);
	}
	*link = region->next;
	/* A server that is gone has no access left, either. */
	ret = user->dead ? 0 : region_unmap(user, region);
	pthread_mutex_unlock(&user->lock);
	region_free(region);
	return ret;
}

/* The lock is held. */
static int interrupt_set(struct vfio_user *user, unsigned int vector)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.start = vector,
		.count = 1,
	};
	const struct command command = {
		.number = VFIO_USER_DEVICE_SET_IRQS,
		.answered = true,
		.parts = { .first = &set,
			   .first_length = sizeof(set),
			   .descriptor = user->interrupts[vector] },
	};

	return execute(user, &command);
}

static int interrupt_open(struct vfio_user *user, unsigned int vector)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret;

	if (fd < 0)
		return accel_error(-errno, "eventfd: %s", strerror(errno));
	user->interrupts[vector] = fd;
	ret = interrupt_set(user, vector);
	if (!ret)
		return fd;
	user->interrupts[vector] = -1;
	close(fd);
	return ret;
}

static int user_interrupt_fd(struct transport *transport, unsigned int vector)
{
	struct vfio_user *user = to_user(transport);
	int fd;

	if (vector >= SPMM_MSIX_VECTORS)
		return accel_error(-EINVAL, "vfio-user: no vector %u", vector);
	pthread_mutex_lock(&user->lock);
	fd = user->interrupts[vector];
	if (fd < 0)
		fd = interrupt_open(user, vector);
	pthread_mutex_unlock(&user->lock);
	return fd;
}

static int version_agree(struct vfio_user *user)
{
	static const char capabilities[] =
		"{\"capabilities\":{\"max_msg_fds\":1,"
		"\"max_data_xfer_size\":1048576}}";
	const struct vfio_user_version ours = { VFIO_USER_MAJOR,
						VFIO_USER_MINOR };
	const struct command command = {
		.number = VFIO_USER_VERSION,
		.answered = true,
		.parts = { .first = &ours,
			   .first_length = sizeof(ours),
			   .second = capabilities,
			   .second_length = sizeof(capabilities),
			   .descriptor = -1 },
	};
	struct vfio_user_version theirs;
	int ret = execute(user, &command);

	if (!ret)
		ret = answer_take(user, &theirs, sizeof(theirs));
	if (!ret && theirs.major != VFIO_USER_MAJOR)
		ret = lost(user, accel_error(-EPROTO,
					     "it speaks version %u of the "
					     "protocol, we %u",
					     theirs.major, VFIO_USER_MAJOR));
	return ret;
}

/* The window on device memory, if the server lets us map it. */
static int window_map(struct vfio_user *user)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = SPMM_BAR_MEMORY };
	const struct command command = {
		.number = VFIO_USER_DEVICE_GET_REGION_INFO,
		.answered = true,
		.parts = { .first = &info,
			   .first_length = sizeof(info),
			   .descriptor = -1 },
	};
	void *window;
	int ret = execute(user, &command);

	if (!ret)
		ret = answer_take(user, &info, sizeof(info));
	if (ret || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP) ||
	    !user->message.descriptor_count)
		return ret;
	window = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      user->message.descriptors[0], (off_t)info.offset);
	if (window == MAP_FAILED)
		return accel_error(-errno,
				   "vfio-user: the window cannot be mapped: %s",
				   strerror(errno));
	user->window = window;
	user->window_bytes = info.size;
	return 0;
}

static void window_unmap(struct vfio_user *user)
{
	if (user->window)
		munmap(user->window, user->window_bytes);
	user->window = NULL;
}

static int socket_connect(struct vfio_user *user)
{
	const struct timeval second = { .tv_sec = 1 };

	user->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (user->socket < 0)
		return accel_error(-errno, "socket: %s", strerror(errno));
	setsockopt(user->socket, SOL_SOCKET, SO_RCVTIMEO, &second,
		   sizeof(second));
	setsockopt(user->socket, SOL_SOCKET, SO_SNDTIMEO, &second,
		   sizeof(second));
	if (!connect(user->socket, (const struct sockaddr *)&user->address,
		     sizeof(user->address)))
		return 0;
	return accel_error(-errno,
			   "vfio-user:%s: %s; is spmm-sim --socket running?",
			   user->address.sun_path, strerror(errno));
}

/* Memory space on, and the device may become master of the bus. */
static void bus_master(struct vfio_user *user)
{
	uint16_t value = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	region_write(user, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &value,
		     sizeof(value));
}

/* The lock is held. */
static int connection_open(struct vfio_user *user)
{
	int ret = socket_connect(user);

	if (ret)
		return ret;
	user->dead = false;
	ret = version_agree(user);
	if (!ret)
		ret = window_map(user);
	for (struct dma_region *region = user->regions; region && !ret;
	     region = region->next)
		ret = region_map(user, region);
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS && !ret; i++)
		if (user->interrupts[i] >= 0)
			ret = interrupt_set(user, i);
	return ret;
}

static void connection_close(struct vfio_user *user)
{
	window_unmap(user);
	if (user->socket >= 0)
		close(user->socket);
	user->socket = -1;
	user->dead = true;
}

static int device_reset(struct vfio_user *user)
{
	const struct command command = {
		.number = VFIO_USER_DEVICE_RESET,
		.answered = true,
		.parts = { .descriptor = -1 },
	};

	return execute(user, &command);
}

/* A server that has come back finds a client that comes back. */
static int user_reset(struct transport *transport)
{
	struct vfio_user *user = to_user(transport);
	int ret;

	pthread_mutex_lock(&user->lock);
	if (!user->dead)
		ret = device_reset(user);
	else
		ret = -ENODEV;
	if (ret) {
		connection_close(user);
		ret = connection_open(user);
	}
	pthread_mutex_unlock(&user->lock);
	if (!ret)
		bus_master(user);
	/* A server that does not listen is a device that is gone. */
	return ret == -ECONNREFUSED || ret == -ENOENT ? -ENODEV : ret;
}

static void user_close(struct transport *transport)
{
	struct vfio_user *user = to_user(transport);

	connection_close(user);
	message_close(&user->message);
	while (user->regions) {
		struct dma_region *region = user->regions;

		user->regions = region->next;
		region_free(region);
	}
	for (unsigned int i = 0; i < SPMM_MSIX_VECTORS; i++)
		if (user->interrupts[i] >= 0)
			close(user->interrupts[i]);
	pthread_mutex_destroy(&user->lock);
	free(user->message.payload);
	free(user);
}

static const struct transport_operations user_operations = {
	.scheme = "vfio-user",
	.shares_memory = true,
	.close = user_close,
	.read32 = user_read32,
	.read64 = user_read64,
	.write32 = user_write32,
	.write64 = user_write64,
	.map_bar = user_map_bar,
	.map_dma = user_map_dma,
	.unmap_dma = user_unmap_dma,
	.interrupt_fd = user_interrupt_fd,
	.reset = user_reset,
};

static int user_allocate(const char *path, struct vfio_user **out)
{
	struct vfio_user *user = calloc(1, sizeof(*user));

	*out = user;
	if (!user)
		return accel_error(-ENOMEM, "vfio-user: no memory");
	user->base.operations = &user_operations;
	user->next_address = BUS_FIRST;
	user->socket = -1;
	memset(user->interrupts, 0xff, sizeof(user->interrupts));
	pthread_mutex_init(&user->lock, NULL);
	user->address.sun_family = AF_UNIX;
	user->message.payload = malloc(MESSAGE_PAYLOAD_MAX);
	if (!user->message.payload)
		return accel_error(-ENOMEM, "vfio-user: no memory");
	if (strlen(path) >= sizeof(user->address.sun_path))
		return accel_error(-ENAMETOOLONG,
				   "vfio-user:%s: a socket's path has at most "
				   "%zu bytes",
				   path, sizeof(user->address.sun_path) - 1);
	strcpy(user->address.sun_path, path);
	return 0;
}

int transport_vfio_user_open(const char *path, struct transport **out)
{
	struct vfio_user *user;
	int ret = user_allocate(path, &user);

	*out = NULL;
	if (!ret)
		ret = connection_open(user);
	if (ret) {
		if (user)
			user_close(&user->base);
		return ret;
	}
	bus_master(user);
	*out = &user->base;
	return 0;
}
