/* SPDX-License-Identifier: MIT */
#include "server_peer.h"

#include "unit.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sim/inject.h>
#include <spmm/queue.h>
#include <spmm/registers.h>

#define WAIT_MS 5000
#define ADMIN_ENTRIES 8
#define ADMIN_SQ 0x0
#define ADMIN_CQ 0x1000

static void *serve(void *argument)
{
	struct peer *peer = argument;

	peer->served =
		server_serve(peer->server, peer->server_socket, peer->stop);
	shutdown(peer->server_socket, SHUT_RDWR);
	return NULL;
}

void peer_come(struct peer *peer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	peer->socket = ends[0];
	peer->server_socket = ends[1];
	assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

/* @peer has its faults, and nothing else. */
static void peer_begin(struct peer *peer, bool by_message)
{
	struct server_options options = { .window = 1 << 20,
					  .by_message = by_message,
					  .sim = { .faults = peer->faults } };

	peer->stop = eventfd(0, 0);
	peer->file = memfd_create("peer", 0);
	assert_int_equal(sim_config_preset("small", &options.config), 0);
	assert_int_equal(server_create(&options, &peer->server), 0);
	assert_int_equal(ftruncate(peer->file, PEER_MEMORY_BYTES), 0);
	peer->memory = mmap(NULL, PEER_MEMORY_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED, peer->file, 0);
	assert_ptr_not_equal(peer->memory, MAP_FAILED);
	peer_come(peer);
}

void peer_start(struct peer *peer, bool by_message)
{
	*peer = (struct peer){ 0 };
	peer_begin(peer, by_message);
}

void peer_start_faults(struct peer *peer, const char *script)
{
	FILE *file = fmemopen((void *)script, strlen(script), "r");

	*peer = (struct peer){ 0 };
	assert_non_null(file);
	assert_int_equal(inject_script_read(file, "script", &peer->faults), 0);
	fclose(file);
	peer_begin(peer, false);
}

void peer_leave(struct peer *peer)
{
	shutdown(peer->socket, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->socket);
	close(peer->server_socket);
}

void peer_stop(struct peer *peer)
{
	server_destroy(peer->server);
	inject_script_free(peer->faults);
	munmap(peer->memory, PEER_MEMORY_BYTES);
	close(peer->file);
	close(peer->stop);
}

void peer_send_raw(struct peer *peer, const void *bytes, size_t length)
{
	/* The server may have hung up: that is for the test to see. */
	if (send(peer->socket, bytes, length, MSG_NOSIGNAL) < 0)
		(void)errno;
}

static void message_send(struct peer *peer,
			 const struct vfio_user_header *header,
			 const struct peer_message *message)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec pieces[] = { { (void *)header, sizeof(*header) },
				  { (void *)message->payload,
				    message->length } };
	struct msghdr to = { .msg_iov = pieces, .msg_iovlen = 2 };
	struct cmsghdr *head;

	if (message->descriptor >= 0) {
		to.msg_control = control;
		to.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&to);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &message->descriptor, sizeof(int));
	}
	assert_int_equal(sendmsg(peer->socket, &to, MSG_NOSIGNAL),
			 sizeof(*header) + message->length);
}

/* false: the server has hung up, or says nothing. */
static bool bytes_receive(struct peer *peer, void *to, size_t length, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	uint8_t *at = to;

	while (length) {
		struct pollfd poller = { peer->socket, POLLIN, 0 };
		struct iovec piece = { at, length };
		struct msghdr from = { .msg_iov = &piece,
				       .msg_iovlen = 1,
				       .msg_control = control,
				       .msg_controllen = sizeof(control) };
		ssize_t count;

		if (poll(&poller, 1, WAIT_MS) != 1)
			return false;
		count = recvmsg(peer->socket, &from, 0);
		if (count <= 0)
			return false;
		if (from.msg_controllen && CMSG_FIRSTHDR(&from))
			memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&from)),
			       sizeof(*fd));
		at += count;
		length -= (size_t)count;
	}
	return true;
}

/* The server reads or writes the memory of the client by message. */
static void question_answer(struct peer *peer,
			    const struct vfio_user_header *header,
			    const uint8_t *payload)
{
	struct vfio_user_dma_access access;
	uint64_t offset;
	uint8_t reply[4096 + sizeof(access)];
	struct peer_message message = { .payload = reply,
					.length = sizeof(access),
					.descriptor = -1 };
	struct vfio_user_header head = {
		.id = header->id,
		.command = header->command,
		.flags = VFIO_USER_TYPE_REPLY,
	};

	memcpy(&access, payload, sizeof(access));
	memcpy(reply, &access, sizeof(access));
	offset = access.address - PEER_BUS_ADDRESS;
	peer->asked++;
	assert_true(access.count <= 4096);
	if (peer->refuse || offset > PEER_MEMORY_BYTES - access.count) {
		head.flags |= VFIO_USER_ERROR;
		head.error = EFAULT;
		message.length = 0;
	} else if (header->command == VFIO_USER_DMA_READ) {
		memcpy(reply + sizeof(access), peer->memory + offset,
		       access.count);
		message.length += access.count;
	} else {
		memcpy(peer->memory + offset, payload + sizeof(access),
		       access.count);
	}
	head.size = (uint32_t)(sizeof(head) + message.length);
	message_send(peer, &head, &message);
}

/* One message: a question of the server's, or a reply. −ENOTCONN: it has hung up. */
static int message_take(struct peer *peer, struct vfio_user_header *header,
			uint8_t *payload, size_t room, int *fd)
{
	size_t length;

	if (!bytes_receive(peer, header, sizeof(*header), fd))
		return -ENOTCONN;
	length = header->size - sizeof(*header);
	assert_true(length <= room);
	if (!bytes_receive(peer, payload, length, fd))
		return -ENOTCONN;
	if ((header->flags & VFIO_USER_TYPE_MASK) == VFIO_USER_TYPE_COMMAND)
		question_answer(peer, header, payload);
	return 0;
}

int peer_request(struct peer *peer, struct peer_message *message)
{
	struct vfio_user_header header = {
		.id = peer->next_id++,
		.command = message->command,
		.size = (uint32_t)(sizeof(header) + message->length),
	};
	struct vfio_user_header answer;

	message_send(peer, &header, message);
	do {
		message->reply_descriptor = -1;
		if (message_take(peer, &answer, message->reply,
				 sizeof(message->reply),
				 &message->reply_descriptor))
			return -ENOTCONN;
	} while ((answer.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_TYPE_REPLY);
	assert_int_equal(answer.id, header.id);
	assert_int_equal(answer.command, header.command);
	message->reply_length = answer.size - sizeof(answer);
	return answer.flags & VFIO_USER_ERROR ? -(int)answer.error : 0;
}

bool peer_wait(struct peer *peer, int descriptor)
{
	for (;;) {
		struct pollfd polls[] = { { descriptor, POLLIN, 0 },
					  { peer->socket, POLLIN, 0 } };
		struct vfio_user_header header;
		uint8_t payload[8192];
		uint64_t count;
		int fd;

		if (poll(polls, 2, WAIT_MS) <= 0)
			return false;
		if (polls[0].revents)
			return read(descriptor, &count, sizeof(count)) ==
			       sizeof(count);
		if (message_take(peer, &header, payload, sizeof(payload), &fd))
			return false;
	}
}

int peer_hello(struct peer *peer)
{
	static const char hello[] =
		"\0\0\1\0{\"capabilities\":{\"max_data_xfer_size\":4096}}";
	struct peer_message message = { .command = VFIO_USER_VERSION,
					.payload = hello,
					.length = sizeof(hello),
					.descriptor = -1 };

	return peer_request(peer, &message);
}

int peer_map(struct peer *peer, uint64_t address, uint64_t length,
	     uint64_t offset, int file)
{
	const struct vfio_user_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITABLE,
		.offset = offset,
		.address = address,
		.size = length,
	};
	struct peer_message message = { .command = VFIO_USER_DMA_MAP,
					.payload = &map,
					.length = sizeof(map),
					.descriptor = file };

	return peer_request(peer, &message);
}

int peer_unmap(struct peer *peer, uint64_t address, uint64_t length)
{
	const struct vfio_user_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.address = address,
		.size = length,
	};
	struct peer_message message = { .command = VFIO_USER_DMA_UNMAP,
					.payload = &unmap,
					.length = sizeof(unmap),
					.descriptor = -1 };

	return peer_request(peer, &message);
}

int peer_read(struct peer *peer, uint32_t region, uint64_t offset, void *to,
	      uint32_t count)
{
	const struct vfio_user_region_access access = { offset, region, count };
	struct peer_message message = { .command = VFIO_USER_REGION_READ,
					.payload = &access,
					.length = sizeof(access),
					.descriptor = -1 };
	int ret = peer_request(peer, &message);

	if (ret)
		return ret;
	assert_int_equal(message.reply_length, sizeof(access) + count);
	memcpy(to, message.reply + sizeof(access), count);
	return 0;
}

int peer_write(struct peer *peer, uint32_t region, uint64_t offset,
	       const void *from, uint32_t count)
{
	struct {
		struct vfio_user_region_access access;
		uint8_t data[4096];
	} payload = { .access = { offset, region, count } };
	struct peer_message message = { .command = VFIO_USER_REGION_WRITE,
					.payload = &payload,
					.length =
						sizeof(payload.access) + count,
					.descriptor = -1 };

	memcpy(payload.data, from, count);
	return peer_request(peer, &message);
}

int peer_interrupt(struct peer *peer, uint32_t vector)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.start = vector,
		.count = 1,
	};
	struct peer_message message = { .command = VFIO_USER_DEVICE_SET_IRQS,
					.payload = &set,
					.length = sizeof(set),
					.descriptor = eventfd(0, 0) };

	assert_int_equal(peer_request(peer, &message), 0);
	return message.descriptor;
}

uint32_t peer_read32(struct peer *peer, uint32_t offset)
{
	uint32_t value;

	assert_int_equal(peer_read(peer, SPMM_BAR_REGISTERS, offset, &value,
				   sizeof(value)),
			 0);
	return value;
}

void peer_write32(struct peer *peer, uint32_t offset, uint32_t value)
{
	assert_int_equal(peer_write(peer, SPMM_BAR_REGISTERS, offset, &value,
				    sizeof(value)),
			 0);
}

void peer_write64(struct peer *peer, uint32_t offset, uint64_t value)
{
	assert_int_equal(peer_write(peer, SPMM_BAR_REGISTERS, offset, &value,
				    sizeof(value)),
			 0);
}

void peer_enable(struct peer *peer)
{
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	time_t end = time(NULL) + 10;

	assert_int_equal(peer_write(peer, VFIO_PCI_CONFIG_REGION_INDEX,
				    PCI_COMMAND, &command, sizeof(command)),
			 0);
	memset(peer->memory, 0, PEER_MEMORY_BYTES);
	peer_write32(peer, SPMM_REG_ADMIN_QUEUE_SIZE,
		     (ADMIN_ENTRIES - 1) | (ADMIN_ENTRIES - 1) << 16);
	peer_write64(peer, SPMM_REG_ADMIN_SQ_ADDRESS,
		     PEER_BUS_ADDRESS + ADMIN_SQ);
	peer_write64(peer, SPMM_REG_ADMIN_CQ_ADDRESS,
		     PEER_BUS_ADDRESS + ADMIN_CQ);
	peer_write32(peer, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	while (peer_read32(peer, SPMM_REG_STATUS) != SPMM_STATUS_READY)
		assert_true(time(NULL) < end);
}

int peer_create_context(struct peer *peer, uint16_t context, int interrupt)
{
	const struct spmm_admin_sqe command = {
		.opcode = SPMM_ADMIN_CREATE_CONTEXT,
		.id = 77,
		.context = context,
	};
	const struct spmm_cqe *cqe =
		(const struct spmm_cqe *)(peer->memory + ADMIN_CQ);

	memcpy(peer->memory + ADMIN_SQ, &command, sizeof(command));
	peer_write32(peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	if (!peer_wait(peer, interrupt))
		return -ETIMEDOUT;
	assert_int_equal(cqe->id, 77);
	assert_int_equal(cqe->status & SPMM_CQE_PHASE, 1);
	return cqe->status >> 1;
}
