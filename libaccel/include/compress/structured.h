/* SPDX-License-Identifier: MIT */
/*
 * Whole neurons and channels go, and the network gets narrower: fewer rows to store and to
 * work off, with what hangs on them. A channel is worth the saliency of the weights that
 * read it (compress/saliency.h), by the weights that go with it, and so is a hidden unit,
 * which the recurrence reads as well; the cheapest go first, under one threshold (Li et
 * al., 2017; Molchanov et al., 2019).
 */
#ifndef COMPRESS_STRUCTURED_H
#define COMPRESS_STRUCTURED_H

#include <compress/prune_method.h>

/*
 * A score of prune_method: 0 for all weights of channels that go, so many that one more
 * would be too many for the budget; of those that stay some single ones then go, too, so
 * that it is met exactly. −ENOTSUP for a part of each layer, for a pattern, and for a
 * network that can spare no channel.
 */
int structured_score(const struct prune_method_context *context,
		     float **scores);

/*
 * The same, of scores that saliency_gauss_newton() gave for the whole network already; they
 * are changed.
 */
int structured_choose(const struct prune_method_context *context,
		      float **scores);

/**
 * structured_shrink() - take out what pruning has left without readers
 * @graph: pruned; gets narrower
 * @data: inputs that fit
 * @mask: of @graph, cut like it
 *
 * Return: 0, −EINVAL or −ENOMEM.
 */
int structured_shrink(struct graph *graph, const struct calibration_data *data,
		      struct prune_mask *mask);

/**
 * structured_whole() - the recurrent layers that keep all their hidden units
 * @graph: before pruning
 * @data: inputs that fit
 * @tell: the layer's name, and the rest of a sentence that says why; called for each
 * @context: handed to it
 *
 * Return: 0, −EINVAL or −ENOMEM.
 */
int structured_whole(const struct graph *graph,
		     const struct calibration_data *data,
		     void (*tell)(void *context, const char *layer,
				  const char *reason),
		     void *context);

#endif
