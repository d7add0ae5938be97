/* SPDX-License-Identifier: MIT */
/* libaccel: runs compressed models on an spmm accelerator. */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <accel/buffer.h>
#include <accel/device.h>
#include <accel/error.h>
#include <accel/model.h>
#include <accel/plan.h>
#include <accel/pool.h>
#include <accel/queue.h>
#include <accel/run.h>
#include <accel/types.h>
#include <accel/uring.h>

#endif
