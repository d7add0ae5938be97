/* SPDX-License-Identifier: MIT */
/*
 * A device whose queues are nothing but memory: a thread of this process reads what was
 * submitted and completes it at once, in order, without looking at what it is. What is
 * left of an operation is the driver.
 */
#ifndef PLAIN_DEVICE_H
#define PLAIN_DEVICE_H

#define PLAIN_URI "plain:"

struct accel_device;
struct transport;

/* Its doorbells can be mapped. Closed like any transport. */
struct transport *plain_transport_create(void);

/* An open device on it, or NULL with a text. */
struct accel_device *plain_device_open(void);

#endif
