/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>

#include <core/checked.h>
#include <core/error.h>
#include <sim/inject.h>
#include <sim/server/error_injection.h>
#include <sim/server/session.h>

/* What is said of a device after an access before VERSION. */
static int not_greeted(void)
{
	return accel_error(-EPROTO,
			   "the client's first message must be VERSION");
}

static int reply(struct session *session, const struct message *message,
		 const struct message_parts *parts)
{
	struct vfio_user_header header = {
		.id = message->header.id,
		.command = message->header.command,
		.flags = VFIO_USER_TYPE_REPLY,
	};
	int ret;

	if (message->header.flags & VFIO_USER_NO_REPLY)
		return 0;
	ret = connection_send(session->connection, &header, parts);
	return ret ? accel_error(-EPROTO, "the client does not read: %s",
				 strerror(-ret)) :
		     0;
}

static int reply_bytes(struct session *session, const struct message *message,
		       const void *bytes, size_t length)
{
	const struct message_parts parts = { .first = bytes,
					     .first_length = length,
					     .descriptor = -1 };

	return reply(session, message, &parts);
}

static int reply_error(struct session *session, const struct message *message,
		       int error)
{
	const struct message_parts parts = { .descriptor = -1 };
	struct vfio_user_header header = {
		.id = message->header.id,
		.command = message->header.command,
		.flags = VFIO_USER_TYPE_REPLY | VFIO_USER_ERROR,
		.error = (uint32_t)-error,
	};

	if (message->header.flags & VFIO_USER_NO_REPLY)
		return 0;
	if (connection_send(session->connection, &header, &parts))
		return accel_error(-EPROTO, "the client does not read");
	return 0;
}

/* The client's limit on the data of one message, from its capabilities. */
static uint32_t limit_parse(const struct message *message)
{
	const char *text = (const char *)message->payload +
			   sizeof(struct vfio_user_version);
	size_t length = message->length - sizeof(struct vfio_user_version);
	json_t *root, *capabilities, *value;
	json_int_t limit;

	root = json_loadb(text, strnlen(text, length), 0, NULL);
	capabilities = json_object_get(root, "capabilities");
	value = json_object_get(capabilities, "max_data_xfer_size");
	limit = json_integer_value(value);
	json_decref(root);
	return limit > 0 && limit < MESSAGE_DATA_MAX ? (uint32_t)limit :
						       MESSAGE_DATA_MAX;
}

/* The minor version that is agreed upon is the lower one, the client's too. */
static int version(struct session *session, struct message *message)
{
	static const char capabilities[] =
		"{\"capabilities\":{\"max_msg_fds\":8,"
		"\"max_data_xfer_size\":1048576,\"max_dma_maps\":65535,"
		"\"pgsizes\":4096}}";
	struct vfio_user_version version;
	struct message_parts parts = {
		.first = &version,
		.first_length = sizeof(version),
		.second = capabilities,
		.second_length = sizeof(capabilities),
		.descriptor = -1,
	};

	if (message->length < sizeof(version))
		return accel_error(-EPROTO, "a VERSION of %zu bytes",
				   message->length);
	memcpy(&version, message->payload, sizeof(version));
	if (version.major != VFIO_USER_MAJOR)
		return accel_error(-EPROTO,
				   "the client speaks version %u, we %u",
				   version.major, VFIO_USER_MAJOR);
	if (version.minor > VFIO_USER_MINOR)
		version.minor = VFIO_USER_MINOR;
	connection_limit(session->connection, limit_parse(message));
	session->greeted = true;
	return reply(session, message, &parts);
}

static int dma_map(struct session *session, struct message *message)
{
	struct vfio_user_dma_map request;
	struct host_memory_map map;
	int ret;

	if (message->length < sizeof(request))
		return reply_error(session, message, -EINVAL);
	memcpy(&request, message->payload, sizeof(request));
	map = (struct host_memory_map){
		.address = request.address,
		.length = request.size,
		.offset = request.offset,
		.descriptor = message->descriptor_count &&
					      !session->by_message ?
				      message->descriptors[0] :
				      -1,
		.readable = request.flags & VFIO_USER_DMA_READABLE,
		.writable = request.flags & VFIO_USER_DMA_WRITABLE,
	};
	ret = host_memory_add(session->memory, &map);
	return ret ? reply_error(session, message, ret) :
		     reply_bytes(session, message, NULL, 0);
}

static int dma_unmap(struct session *session, struct message *message)
{
	struct vfio_user_dma_unmap request;
	int ret = 0;

	if (message->length < sizeof(request))
		return reply_error(session, message, -EINVAL);
	memcpy(&request, message->payload, sizeof(request));
	if (request.flags & VFIO_USER_UNMAP_DIRTY)
		ret = -ENOTSUP;
	else if (request.flags & VFIO_USER_UNMAP_ALL)
		host_memory_remove_all(session->memory);
	else
		ret = host_memory_remove(session->memory, request.address,
					 request.size);
	return ret ? reply_error(session, message, ret) :
		     reply_bytes(session, message, &request, sizeof(request));
}

static int get_info(struct session *session, struct message *message)
{
	const struct vfio_device_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};

	/* Older headers have no more than these four fields. */
	return reply_bytes(session, message, &info, 16);
}

static uint64_t region_bytes(const struct session *session, uint32_t region)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return CONFIG_SPACE_BYTES;
	return region < CONFIG_SPACE_BARS ? session->space.bar_bytes[region] :
					    0;
}

/* Device memory can be mapped: an access costs no message. */
static int get_region_info(struct session *session, struct message *message)
{
	struct vfio_region_info info;
	struct message_parts parts = { .first = &info,
				       .first_length = sizeof(info),
				       .descriptor = -1 };

	if (message->length < sizeof(info))
		return reply_error(session, message, -EINVAL);
	memcpy(&info, message->payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_REGIONS)
		return reply_error(session, message, -EINVAL);
	info = (struct vfio_region_info){
		.argsz = sizeof(info),
		.index = info.index,
		.size = region_bytes(session, info.index),
	};
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ |
			     VFIO_REGION_INFO_FLAG_WRITE;
	if (info.index == SPMM_BAR_MEMORY) {
		parts.descriptor = sim_device_memory_file(session->device);
		if (parts.descriptor >= 0)
			info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	}
	return reply(session, message, &parts);
}

static int get_irq_info(struct session *session, struct message *message)
{
	struct vfio_irq_info info;

	if (message->length < sizeof(info))
		return reply_error(session, message, -EINVAL);
	memcpy(&info, message->payload, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_IRQS)
		return reply_error(session, message, -EINVAL);
	info = (struct vfio_irq_info){ .argsz = sizeof(info),
				       .index = info.index };
	if (info.index == VFIO_PCI_MSIX_IRQ_INDEX) {
		info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		info.count = SPMM_MSIX_VECTORS;
	}
	return reply_bytes(session, message, &info, sizeof(info));
}

static int set_irqs(struct session *session, struct message *message)
{
	int ret = interrupts_set(&session->interrupts, message);

	return ret ? reply_error(session, message, ret) :
		     reply_bytes(session, message, NULL, 0);
}

/* The access lies in its region, and its data in the message. */
static bool access_valid(const struct session *session,
			 const struct vfio_user_region_access *access)
{
	return access->count && access->count <= MESSAGE_DATA_MAX &&
	       checked_range(access->offset, access->count,
			     region_bytes(session, access->region));
}

/* Nobody answers for a device that is gone: the root complex makes ones of that. */
static void config_read(struct session *session,
			const struct vfio_user_region_access *access,
			uint8_t *data)
{
	if (sim_device_gone(session->device)) {
		memset(data, 0xff, access->count);
		return;
	}
	error_injection_refresh(&session->space, session->device);
	config_space_read(&session->space, (uint32_t)access->offset, data,
			  access->count);
}

static int region_read(struct session *session, struct message *message)
{
	struct vfio_user_region_access access;
	/* The request has been read: its room is the data's. */
	uint8_t *data = message->payload + sizeof(access);
	const struct message_parts parts = { .first = &access,
					     .first_length = sizeof(access),
					     .second = data,
					     .descriptor = -1 };
	struct message_parts whole = parts;

	if (message->length < sizeof(access))
		return reply_error(session, message, -EINVAL);
	memcpy(&access, message->payload, sizeof(access));
	if (!access_valid(session, &access))
		return reply_error(session, message, -EINVAL);
	if (access.region == VFIO_PCI_CONFIG_REGION_INDEX)
		config_read(session, &access, data);
	else if (!config_space_powered(&session->space))
		memset(data, 0xff, access.count);
	else
		sim_device_bar_read(session->device, access.region,
				    access.offset, data, access.count);
	whole.second_length = access.count;
	return reply(session, message, &whole);
}

/* The device's thread may wait for an answer that this thread would read. */
static void reset_while_held(struct session *session)
{
	connection_hold(session->connection);
	sim_device_reset(session->device);
	connection_resume(session->connection);
}

static void space_reset(struct session *session)
{
	config_space_reset(&session->space, session->window);
	error_injection_add(&session->space, session->device);
	atomic_store(&session->bus_master, false);
}

void session_reset(struct session *session)
{
	reset_while_held(session);
	space_reset(session);
}

void session_replug(struct session *session)
{
	connection_hold(session->connection);
	sim_device_replug(session->device);
	connection_resume(session->connection);
	space_reset(session);
}

/* The two ways back remain: the reset, and the script's capability. */
static void config_write_gone(struct session *session,
			      const struct vfio_user_region_access *access,
			      const uint8_t *data)
{
	struct config_space nobody = session->space;
	uint32_t offset = (uint32_t)access->offset;

	if (config_space_write(&nobody, offset, data, access->count) ==
	    CONFIG_SPACE_RESET)
		reset_while_held(session);
	error_injection_written(&nobody, session->device, offset,
				access->count);
}

/* BARs and the state of power management outlive a function-level reset in QEMU. */
static void config_write(struct session *session,
			 const struct vfio_user_region_access *access,
			 const uint8_t *data)
{
	uint32_t offset = (uint32_t)access->offset;
	enum config_space_event event = config_space_write(
		&session->space, offset, data, access->count);

	if (event == CONFIG_SPACE_RESET)
		reset_while_held(session);
	error_injection_written(&session->space, session->device, offset,
				access->count);
	atomic_store(&session->bus_master,
		     config_space_bus_master(&session->space));
}

static int region_write(struct session *session, struct message *message)
{
	struct vfio_user_region_access access;
	const uint8_t *data = message->payload + sizeof(access);

	if (message->length < sizeof(access))
		return reply_error(session, message, -EINVAL);
	memcpy(&access, message->payload, sizeof(access));
	if (!access_valid(session, &access) ||
	    message->length - sizeof(access) < access.count)
		return reply_error(session, message, -EINVAL);
	if (access.region == VFIO_PCI_CONFIG_REGION_INDEX &&
	    sim_device_gone(session->device))
		config_write_gone(session, &access, data);
	else if (access.region == VFIO_PCI_CONFIG_REGION_INDEX)
		config_write(session, &access, data);
	else if (config_space_powered(&session->space))
		sim_device_bar_write(session->device, access.region,
				     access.offset, data, access.count);
	return reply_bytes(session, message, &access, sizeof(access));
}

static int device_reset(struct session *session, struct message *message)
{
	session_reset(session);
	return reply_bytes(session, message, NULL, 0);
}

static int refuse(struct session *session, struct message *message)
{
	return reply_error(session, message, -ENOTSUP);
}

typedef int (*handler)(struct session *session, struct message *message);

static handler handler_of(uint16_t command)
{
	static const handler handlers[] = {
		[VFIO_USER_VERSION] = version,
		[VFIO_USER_DMA_MAP] = dma_map,
		[VFIO_USER_DMA_UNMAP] = dma_unmap,
		[VFIO_USER_DEVICE_GET_INFO] = get_info,
		[VFIO_USER_DEVICE_GET_REGION_INFO] = get_region_info,
		[VFIO_USER_DEVICE_GET_IRQ_INFO] = get_irq_info,
		[VFIO_USER_DEVICE_SET_IRQS] = set_irqs,
		[VFIO_USER_REGION_READ] = region_read,
		[VFIO_USER_REGION_WRITE] = region_write,
		[VFIO_USER_DEVICE_RESET] = device_reset,
	};

	if (command < sizeof(handlers) / sizeof(handlers[0]) &&
	    handlers[command])
		return handlers[command];
	return refuse;
}

int session_handle(struct session *session, struct message *message)
{
	uint32_t type = message->header.flags & VFIO_USER_TYPE_MASK;

	if (type == VFIO_USER_TYPE_REPLY) {
		connection_answer(session->connection, message);
		return 0;
	}
	if (type != VFIO_USER_TYPE_COMMAND)
		return accel_error(-EPROTO, "a message of unknown type %u",
				   type);
	if (!session->greeted && message->header.command != VFIO_USER_VERSION)
		return not_greeted();
	return handler_of(message->header.command)(session, message);
}
