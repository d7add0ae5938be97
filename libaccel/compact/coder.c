/* SPDX-License-Identifier: MIT */
#include <compact/coder.h>

#include <errno.h>
#include <stdlib.h>

/* More than what is 99.5 % zeros needs. */
#define WORK_PER_BYTE 256

/* Of the interval, and so ahead of the decoder. */
#define WINDOW 4

void coder_encode(struct coder *coder)
{
	*coder = (struct coder){ .high = UINT32_MAX };
}

void coder_decode(struct coder *coder, const uint8_t *bytes, size_t length)
{
	*coder = (struct coder){
		.decodes = true,
		.bytes = bytes,
		.length = length,
		.high = UINT32_MAX,
	};
	for (int i = 0; i < WINDOW; i++)
		coder_read_byte(coder);
}

void coder_release(struct coder *coder)
{
	free(coder->out.bytes);
}

bool coder_fail(struct coder *coder, int error)
{
	if (!coder->error)
		coder->error = error;
	return false;
}

void coder_write_byte(struct coder *coder)
{
	bits_put(&coder->out, coder->high >> 24, 8);
}

/* The encoder leaves out all but one byte of the last number; the others are zeros. */
void coder_read_byte(struct coder *coder)
{
	uint32_t byte = 0;

	if (coder->position < coder->length)
		byte = coder->bytes[coder->position];
	else if (coder->position >= coder->length + WINDOW - 1)
		coder_fail(coder, -EBADMSG);
	coder->position++;
	coder->word = coder->word << 8 | byte;
}

bool coder_claim(struct coder *coder, uint64_t work)
{
	if (work > UINT64_MAX / 2 - coder->work)
		return coder_fail(coder, -E2BIG);
	coder->work += work;
	if (coder->decodes && coder->work / WORK_PER_BYTE > coder->length)
		return coder_fail(coder, -EBADMSG);
	return !coder->error;
}

static int encoder_finish(struct coder *coder)
{
	/* Its highest byte and then zeros are in the interval. */
	coder_write_byte(coder);
	while (coder->out.length < coder->work / WORK_PER_BYTE &&
	       !coder->out.failed)
		bits_put(&coder->out, 0, 8);
	return coder->out.failed ? -ENOMEM : coder->error;
}

int coder_finish(struct coder *coder)
{
	size_t at = coder->position - (WINDOW - 1);

	if (!coder->decodes)
		return encoder_finish(coder);
	for (; !coder->error && at < coder->length; at++)
		if (coder->bytes[at])
			coder_fail(coder, -EBADMSG);
	return coder->error;
}
