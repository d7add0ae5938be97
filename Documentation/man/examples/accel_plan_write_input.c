/* SPDX-License-Identifier: MIT */
/* Gives a generator its latents, runs it through a queue, and fetches the picture. */
#include <accel/accel.h>
#include <stdio.h>

/* One run through a queue, without accel_run(). */
static int run(struct accel_queue *queue, struct accel_plan *plan)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN };
	struct accel_completion done = { .status = -1 };

	operation.run.plan = plan;
	if (accel_queue_submit(queue, &operation, 1) != 1 ||
	    accel_queue_wait(queue, &done, 1, 1, 60 * ACCEL_SECOND) != 1)
		return -1;
	return done.status;
}

int main(int argc, char **argv)
{
	float z[32] = { 0 }, image[28 * 28];
	struct accel_input in = { .data = z, .count = 32 };
	struct accel_output out = { .data = image, .count = 28 * 28 };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;
	struct accel_queue *queue;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_plan_write_input(plan, 0, &in) || run(queue, plan) ||
	    accel_plan_read_output(plan, 0, &out))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("the pixel in the middle: %.3f\n", image[14 * 28 + 14]);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
