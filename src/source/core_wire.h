/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_WIRE_H
#define VMVIEW_SOURCE_CORE_WIRE_H

#include "model/core.h"
#include "source/elf_protocol.h"

struct arena;
struct out;
struct wire;

/* The frames of a core, as elf_wire.h has those of an ELF file: what decoding takes is checked. */
void core_put_head(struct out *out, const struct core *core);
void core_put_mapping(struct out *out, const struct core_mapping *mapping);
void core_put_name(struct out *out, const struct core_name *name);
void core_put_page(struct out *out, const struct core_page *page);
void core_put_thread(struct out *out, const struct core_thread *thread);

/* A core while its frames come. Its lists are on the heap: core_fini(). */
struct core_decoder {
	struct core *core;
	struct arena *arena;
	size_t mapping_cap, name_cap, page_cap, thread_cap;
	size_t bytes;			/* of texts */
};

/* Take a frame of kind ELF_FRAME_CORE_...; what is wrong with it sets wire->bad. */
void core_take(struct core_decoder *decoder, enum elf_frame kind, struct wire *wire);

/* Free the lists that are on the heap; what core_arrange() made is in the arena. */
void core_fini(struct core *core);

#endif
