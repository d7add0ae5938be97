/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <core/error.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** struct target_form - what may be bounded, and from which side */
struct target_form {
	const char *name;
	enum automatic_quantity quantity;
	const char *relation;
	const char *example;
};

static const struct target_form forms[] = {
	{ "psnr", AUTOMATIC_PSNR, ">=", "psnr>=32" },
	{ "fid", AUTOMATIC_FID, "<=", "fid<=0.1" },
	{ "ratio", AUTOMATIC_RATIO, ">=", "ratio>=20" },
	{ "sparsity", AUTOMATIC_SPARSITY, ">=", "sparsity>=0.9" },
	{ "cycles", AUTOMATIC_CYCLES, "<=", "cycles<=20000" },
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static const char *skip_space(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static const struct target_form *find_form(const char *text, size_t length)
{
	for (size_t i = 0; i < FORM_COUNT; i++)
		if (strlen(forms[i].name) == length &&
		    !strncmp(forms[i].name, text, length))
			return &forms[i];
	return NULL;
}

/* A part of something: only where there is something that it can be of. */
static bool takes_percent(const struct target_form *form)
{
	return form->quantity == AUTOMATIC_CYCLES ||
	       form->quantity == AUTOMATIC_SPARSITY;
}

static bool parse_number(const char *text, const struct target_form *form,
			 struct automatic_target *target)
{
	char *end;

	target->quantity = form->quantity;
	target->bound = strtod(text, &end);
	target->of_dense = false;
	if (end == text || !isfinite(target->bound))
		return false;
	end += strspn(end, " ");
	if (*end == '%' && takes_percent(form)) {
		target->bound /= 100;
		target->of_dense = form->quantity == AUTOMATIC_CYCLES;
		end++;
	}
	return !*skip_space(end);
}

/* What nothing can be, or everything is. */
static int check_bound(const char *text, const struct automatic_target *target)
{
	if (target->quantity == AUTOMATIC_SPARSITY &&
	    !(target->bound > 0 && target->bound < 1))
		return accel_error(
			-EINVAL,
			"%s: a sparsity lies between 0 and 1, or 0%% and 100%%",
			text);
	if (target->of_dense && !(target->bound < 1))
		return accel_error(
			-EINVAL,
			"%s: the dense model has that many cycles itself; ask for less than 100%%",
			text);
	if (!(target->bound > 0))
		return accel_error(-EINVAL, "%s: its bound has to be above 0",
				   text);
	return 0;
}

int target_parse(const char *text, struct automatic_target *target)
{
	const char *name = skip_space(text);
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz");
	const struct target_form *form = find_form(name, length);
	const char *relation = skip_space(name + length);

	if (!form)
		return accel_error(-EINVAL, "%s: no such target; it takes %s",
				   text, TARGET_FORMS);
	if (strncmp(relation, form->relation, 2))
		return accel_error(-EINVAL,
				   "%s: %s is bounded by %s, as in '%s'", text,
				   form->name, form->relation, form->example);
	if (!parse_number(skip_space(relation + 2), form, target))
		return accel_error(-EINVAL,
				   "%s: no number after %s, as in '%s'", text,
				   form->relation, form->example);
	return check_bound(text, target);
}
