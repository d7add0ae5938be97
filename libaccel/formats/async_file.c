/* SPDX-License-Identifier: MIT */
#include <formats/async_file.h>

#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long reads are waited for that nobody wants any more. */
#define DRAIN_NS 5000000000ull

/* When the kernel is asked again to take what it did not. */
#define RETRY_NS 10000000ull
/* What pread() reads at once, so that its deadline is looked at now and then. */
#define PLAIN_ONCE (4u << 20)

/**
 * struct read - one that is outstanding
 * @buffer: where its next byte goes
 * @offset: where that is in the file
 * @left: bytes; 0: the slot is free
 * @id: of the caller
 */
struct read {
	char *buffer;
	uint64_t offset;
	size_t left;
	uint64_t id;
};

struct async_file {
	int fd;
	uint64_t size;
	bool has_ring;
	struct io_uring ring;
	struct read reads[ASYNC_FILE_DEPTH];
	unsigned int outstanding;
	unsigned int oldest; /* without a ring: the slot to be read next */
};

static int regular_open(const char *path, struct async_file *file)
{
	struct stat status;

	/* Looked at before it is opened: who writes into a pipe would notice. */
	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return -ESPIPE;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return accel_error(-errno, "cannot open: %s", strerror(errno));
	if (fstat(file->fd, &status) || !S_ISREG(status.st_mode)) {
		close(file->fd);
		return -ESPIPE;
	}
	file->size = (uint64_t)status.st_size;
	/* All of it will be read: let the disk begin, in its own order. */
	posix_fadvise(file->fd, 0, 0, POSIX_FADV_WILLNEED);
	return 0;
}

int async_file_open(const char *path, unsigned int flags,
		    struct async_file **out)
{
	struct async_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return accel_error(-ENOMEM, "no memory");
	ret = regular_open(path, file);
	if (ret) {
		free(file);
		return ret;
	}
	/* Containers often forbid io_uring; whatever the reason, pread() does. */
	if (!(flags & ASYNC_FILE_PLAIN))
		file->has_ring =
			!io_uring_queue_init(ASYNC_FILE_DEPTH, &file->ring, 0);
	*out = file;
	return 0;
}

uint64_t async_file_size(const struct async_file *file)
{
	return file->size;
}

bool async_file_has_room(const struct async_file *file)
{
	return file->outstanding < ASYNC_FILE_DEPTH;
}

/* The kernel takes 2 GiB at most, and gives less anyway. */
static unsigned int length_once(const struct read *read)
{
	return read->left < (1u << 30) ? (unsigned int)read->left : 1u << 30;
}

/* What the kernel does not take now it is given again with the next wait. */
static int ring_submit(struct async_file *file)
{
	int ret = io_uring_submit(&file->ring);

	if (ret >= 0 || ret == -EINTR || ret == -EAGAIN || ret == -EBUSY)
		return 0;
	return accel_error(ret, "io_uring: %s", strerror(-ret));
}

/* An entry is always free: there are as many as reads, and each has one at most. */
static void ring_put(struct async_file *file, unsigned int slot)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&file->ring);
	const struct read *read = &file->reads[slot];

	io_uring_prep_read(entry, file->fd, read->buffer, length_once(read),
			   read->offset);
	io_uring_sqe_set_data64(entry, slot);
}

/* The free slot: without a ring, the one behind the newest. */
static unsigned int slot_find(const struct async_file *file)
{
	unsigned int slot =
		(file->oldest + file->outstanding) % ASYNC_FILE_DEPTH;

	while (file->reads[slot].left)
		slot = (slot + 1) % ASYNC_FILE_DEPTH;
	return slot;
}

void async_file_read(struct async_file *file, void *buffer, uint64_t offset,
		     size_t length, uint64_t id)
{
	unsigned int slot = slot_find(file);

	file->reads[slot] = (struct read){ buffer, offset, length, id };
	file->outstanding++;
	if (file->has_ring)
		ring_put(file, slot);
}

void async_file_flush(struct async_file *file)
{
	/* An error comes back when it is waited for. */
	accel_error_hold();
	if (file->has_ring)
		ring_submit(file);
	accel_error_release();
}

/* Count what was read. 1: all of it; 0: there is more to read; −errno. */
static int read_advance(struct read *read, int64_t got)
{
	if (got == -EINTR || got == -EAGAIN)
		return 0;
	if (got < 0)
		return accel_error((int)got, "cannot read: %s",
				   strerror((int)-got));
	if (!got)
		return accel_error(
			-EBADMSG,
			"the file is cut off at byte %llu: it has become shorter",
			(unsigned long long)read->offset);
	read->buffer += got;
	read->offset += (uint64_t)got;
	read->left -= (size_t)got;
	return !read->left;
}

/* What went wrong is over, too. */
static int read_end(struct async_file *file, unsigned int slot, int ret,
		    uint64_t *id)
{
	file->reads[slot].left = 0;
	file->outstanding--;
	*id = file->reads[slot].id;
	return ret < 0 ? ret : 0;
}

static int refuse_late(void)
{
	return accel_error(-ETIMEDOUT, "the file system does not answer");
}

/* A pread() cannot be given up: the deadline is looked at between them. */
static int plain_wait(struct async_file *file, uint64_t deadline, uint64_t *id)
{
	unsigned int slot = file->oldest;
	struct read *read = &file->reads[slot];
	int ret;

	do {
		size_t once = read->left < PLAIN_ONCE ? read->left : PLAIN_ONCE;
		ssize_t got;

		if (deadline_expired(deadline))
			return refuse_late();
		got = pread(file->fd, read->buffer, once, (off_t)read->offset);
		ret = read_advance(read, got < 0 ? -errno : got);
	} while (!ret);
	file->oldest = (slot + 1) % ASYNC_FILE_DEPTH;
	return read_end(file, slot, ret, id);
}

/* The next completion, submitting what is to be submitted. */
static int ring_next(struct async_file *file, uint64_t deadline,
		     unsigned int *slot, int64_t *got)
{
	struct io_uring_cqe *completion = NULL;
	struct __kernel_timespec time;
	uint64_t left;
	int ret = ring_submit(file);

	if (ret)
		return ret;
	left = deadline_remaining(deadline);
	if (io_uring_sq_ready(&file->ring) && left > RETRY_NS)
		left = RETRY_NS;
	time.tv_sec = (long long)(left / 1000000000);
	time.tv_nsec = (long long)(left % 1000000000);
	ret = io_uring_wait_cqe_timeout(&file->ring, &completion, &time);
	if (ret == -ETIME)
		return deadline_expired(deadline) ? refuse_late() : 0;
	if (ret == -EINTR || (!ret && !completion))
		return 0;
	if (ret < 0)
		return accel_error(ret, "io_uring: %s", strerror(-ret));
	*slot = (unsigned int)io_uring_cqe_get_data64(completion);
	*got = completion->res;
	io_uring_cqe_seen(&file->ring, completion);
	return 1;
}

static int ring_wait(struct async_file *file, uint64_t deadline, uint64_t *id)
{
	unsigned int slot = 0;
	int64_t got = 0;

	for (;;) {
		int ret = ring_next(file, deadline, &slot, &got);

		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		ret = read_advance(&file->reads[slot], got);
		if (ret)
			return read_end(file, slot, ret, id);
		ring_put(file, slot);
	}
}

int async_file_wait(struct async_file *file, uint64_t deadline, uint64_t *id)
{
	return file->has_ring ? ring_wait(file, deadline, id) :
				plain_wait(file, deadline, id);
}

int async_file_drain(struct async_file *file)
{
	uint64_t deadline = deadline_after(DRAIN_NS);
	unsigned int slot;
	int64_t got;

	while (file->has_ring && file->outstanding) {
		int ret = ring_next(file, deadline, &slot, &got);

		if (ret < 0)
			return -EBUSY;
		if (!ret)
			continue;
		file->reads[slot].left = 0;
		file->outstanding--;
	}
	memset(file->reads, 0, sizeof(file->reads));
	file->outstanding = 0;
	return 0;
}

int async_file_close(struct async_file *file)
{
	int ret;

	if (!file)
		return 0;
	accel_error_hold();
	ret = async_file_drain(file);
	accel_error_release();
	/* Nothing of a read that does not end may go: the kernel still has it. */
	if (ret)
		return ret;
	if (file->has_ring)
		io_uring_queue_exit(&file->ring);
	close(file->fd);
	free(file);
	return 0;
}
