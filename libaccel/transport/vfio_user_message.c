/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <core/error.h>
#include <transport/vfio_user_message.h>

/* Room for the descriptors of one message. */
union control {
	char bytes[CMSG_SPACE(MESSAGE_DESCRIPTORS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static void descriptors_take(struct msghdr *from, struct message *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(from);

	for (; control; control = CMSG_NXTHDR(from, control)) {
		size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		const int *fds = (const int *)CMSG_DATA(control);

		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (message->descriptor_count < MESSAGE_DESCRIPTORS_MAX)
				message->descriptors[message->descriptor_count++] =
					fds[i];
			else
				close(fds[i]);
		}
	}
}

/* The first piece of a message, in which its descriptors come. */
static ssize_t header_receive(int socket, struct message *message)
{
	struct iovec piece = { &message->header, sizeof(message->header) };
	union control control;
	struct msghdr from = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t count;

	do
		count = recvmsg(socket, &from, MSG_CMSG_CLOEXEC);
	while (count < 0 && errno == EINTR);
	if (count <= 0)
		return count;
	descriptors_take(&from, message);
	if (from.msg_flags & MSG_CTRUNC) {
		errno = EPROTO;
		return -1;
	}
	return count;
}

/* SO_RCVTIMEO bounds each call: a peer that stops in a message is no peer. */
static int rest_receive(int socket, void *to, size_t length)
{
	uint8_t *at = to;

	while (length) {
		ssize_t count = recv(socket, at, length, 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return accel_error(
				-EPROTO,
				"the peer stopped in the middle of a message");
		at += count;
		length -= (size_t)count;
	}
	return 0;
}

int message_receive(int socket, struct message *message)
{
	struct vfio_user_header *header = &message->header;
	ssize_t count;
	int ret;

	message->descriptor_count = 0;
	count = header_receive(socket, message);
	if (!count || (count < 0 && errno == ECONNRESET))
		return accel_error(-ENOTCONN, "the peer has left");
	if (count < 0)
		return accel_error(-EPROTO, "no message from the peer: %s",
				   strerror(errno));
	ret = rest_receive(socket, (uint8_t *)header + count,
			   sizeof(*header) - (size_t)count);
	if (ret)
		return ret;
	if (header->size < sizeof(*header) ||
	    header->size - sizeof(*header) > MESSAGE_PAYLOAD_MAX)
		return accel_error(
			-EPROTO, "a message of %u bytes; at most %u are taken",
			header->size, MESSAGE_PAYLOAD_MAX);
	message->length = header->size - sizeof(*header);
	return rest_receive(socket, message->payload, message->length);
}

void message_close(struct message *message)
{
	for (unsigned int i = 0; i < message->descriptor_count; i++)
		if (message->descriptors[i] >= 0)
			close(message->descriptors[i]);
	message->descriptor_count = 0;
}

static void descriptor_attach(struct msghdr *to, union control *control, int fd)
{
	struct cmsghdr *head;

	to->msg_control = control->bytes;
	to->msg_controllen = CMSG_SPACE(sizeof(fd));
	memset(control->bytes, 0, to->msg_controllen);
	head = CMSG_FIRSTHDR(to);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
}

/* Leaves out what has been sent. */
static void pieces_skip(struct msghdr *to, size_t sent)
{
	while (to->msg_iovlen && sent >= to->msg_iov->iov_len) {
		sent -= to->msg_iov->iov_len;
		to->msg_iov++;
		to->msg_iovlen--;
	}
	if (!to->msg_iovlen)
		return;
	to->msg_iov->iov_base = (uint8_t *)to->msg_iov->iov_base + sent;
	to->msg_iov->iov_len -= sent;
}

int message_send(int socket, struct vfio_user_header *header,
		 const struct message_parts *parts)
{
	struct iovec pieces[] = {
		{ header, sizeof(*header) },
		{ (void *)parts->first, parts->first_length },
		{ (void *)parts->second, parts->second_length },
	};
	struct msghdr to = { .msg_iov = pieces, .msg_iovlen = 3 };
	union control control;

	header->size = (uint32_t)(sizeof(*header) + parts->first_length +
				  parts->second_length);
	if (parts->descriptor >= 0)
		descriptor_attach(&to, &control, parts->descriptor);
	while (to.msg_iovlen) {
		ssize_t count = sendmsg(socket, &to, MSG_NOSIGNAL);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		to.msg_control = NULL;
		to.msg_controllen = 0;
		pieces_skip(&to, (size_t)count);
	}
	return 0;
}
