/* SPDX-License-Identifier: MIT */
/*
 * What this needs of the kernel's interface and Debian 12's headers of Linux 6.1 do not
 * have: numbers and layouts of include/uapi/linux/iommufd.h and vfio.h of Linux 6.12.
 */
#ifndef TRANSPORT_VFIO_UAPI_H
#define TRANSPORT_VFIO_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vfio.h>

/* linux/vfio.h */

struct uapi_vfio_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

struct uapi_vfio_attach_iommufd {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define UAPI_VFIO_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define UAPI_VFIO_ATTACH_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 19)

/* linux/iommufd.h */

struct uapi_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

struct uapi_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 reserved;
	__aligned_u64 allowed_iovas; /* of struct uapi_iova_range */
	__aligned_u64 out_iova_alignment;
};

struct uapi_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

struct uapi_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

struct uapi_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define UAPI_IOAS_MAP_FIXED_IOVA (1u << 0)
#define UAPI_IOAS_MAP_WRITEABLE (1u << 1)
#define UAPI_IOAS_MAP_READABLE (1u << 2)

#define UAPI_IOAS_ALLOC _IO(VFIO_TYPE, 0x81)
#define UAPI_IOAS_IOVA_RANGES _IO(VFIO_TYPE, 0x84)
#define UAPI_IOAS_MAP _IO(VFIO_TYPE, 0x85)
#define UAPI_IOAS_UNMAP _IO(VFIO_TYPE, 0x86)

#endif
