/* SPDX-License-Identifier: MIT */
/*
 * The form of a checkpoint file: a header, then sections with tag, length and CRC.
 * A section's fields are visited by one function for both directions: with a section
 * that is written it stores them, with one that is read it fetches them.
 */
#ifndef SIM_SECTION_H
#define SIM_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct atomic_file;

#define SECTION_BYTES_MAX (1u << 20)

/* Four characters, as they stand in the file. */
#define SECTION_TAG(a, b, c, d)                                     \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

/**
 * struct section - one section, whole in memory
 * @tag: SECTION_TAG()
 * @reading: else it is written
 * @failed: a field beyond the end, or one that cannot have its value; what is
 *	read after that is zero
 * @at: cursor
 * @length: of @bytes: those read, or those that there is room for
 */
struct section {
	uint32_t tag;
	bool reading;
	bool failed;
	size_t at;
	size_t length;
	uint8_t bytes[SECTION_BYTES_MAX];
};

void section_bytes(struct section *section, void *bytes, size_t length);
void section_u64(struct section *section, uint64_t *value);
void section_u32(struct section *section, uint32_t *value);
void section_u16(struct section *section, uint16_t *value);
void section_bool(struct section *section, bool *value);

/* A field is stored only when it is read, so that other threads may use it meanwhile. */
void section_atomic_u64(struct section *section, _Atomic uint64_t *value);
void section_atomic_u32(struct section *section, _Atomic uint32_t *value);

/**
 * struct section_file - a checkpoint file that is being written or read
 * @out: written, or NULL
 * @in: read, or NULL
 * @crc: of all sections so far: each goes on from the one before, so that none can
 *	be missing
 * @section: the current one
 */
struct section_file {
	struct atomic_file *out;
	FILE *in;
	uint32_t crc;
	struct section section;
};

/* The header. Reading: −EINVAL if it is no checkpoint, or of another version. */
int section_file_begin(struct section_file *file);

/* Empties the current section to be filled. */
struct section *section_start(struct section_file *file, uint32_t tag);

/* Writes the current section. */
int section_finish(struct section_file *file);

/* Reads the next section; −EINVAL with a text if it is damaged. */
int section_next(struct section_file *file);

/* Was all of the current section read, and nothing beyond? Else −EINVAL. */
int section_end(const struct section_file *file);

/* The same, and it must have that tag. */
int section_expect(struct section_file *file, uint32_t tag);

#endif
