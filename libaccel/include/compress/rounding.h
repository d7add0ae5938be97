/* SPDX-License-Identifier: MIT */
/*
 * From weights to whole codes such that the layer's result loses least. By gptq, what
 * rounding one weight takes from it, those behind it give back (Frantar et al., 2023); by
 * adaround, it is learned for all weights at once whether they go up or down (Nagel et
 * al., 2020). The zeros stay where they are.
 */
#ifndef COMPRESS_ROUNDING_H
#define COMPRESS_ROUNDING_H

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>
#include <compress/weight_format.h>

struct compress_progress;

/** enum rounding_method - how a weight between two codes is rounded */
enum rounding_method {
	ROUNDING_NEAREST,
	ROUNDING_GPTQ,
	ROUNDING_ADAROUND,
};

/* nearest, gptq or adaround; −EINVAL with a text for anything else. */
int rounding_parse(const char *text, enum rounding_method *method);

const char *rounding_name(enum rounding_method method);

/**
 * rounding_by_data() - round all layers in the order of execution
 * @graph: its weights become multiples of scales, which their tensors record, and which
 *	lowering heeds; biases take part
 * @method: gptq or adaround
 * @mask: of @graph; is not changed
 * @formats: for each tensor of @graph
 * @data: cut to patches where the network takes any size
 * @workers: threads; the result does not depend on them
 * @progress: or NULL
 *
 * Layers without a grid (weight_grid.h) are left to the nearest code.
 *
 * Return: 0, −EINVAL with a text for values that are not finite, or −ENOMEM.
 */
int rounding_by_data(struct graph *graph, enum rounding_method method,
		     struct prune_mask *mask,
		     const struct weight_format *formats,
		     const struct calibration_data *data, int workers,
		     const struct compress_progress *progress);

struct rounding;

/*
 * One graph's layers made ready for a solver of theirs, by which reconstruct.h's walks do
 * what rounding_by_data() does. @graph gets records of scales; it, @mask and @formats stay
 * the caller's. 0 or −ENOMEM.
 */
int rounding_open(struct rounding **out, struct graph *graph,
		  enum rounding_method method, const struct prune_mask *mask,
		  const struct weight_format *formats,
		  const struct compress_progress *progress);

const struct layer_solver *rounding_solver(const struct rounding *rounding);

/* NULL is allowed. */
void rounding_close(struct rounding *rounding);

/* The same to the nearest codes, of the weights as they are. 0 or −ENOMEM. */
int rounding_nearest(struct graph *graph, const struct prune_mask *mask,
		     const struct weight_format *formats);

#endif
