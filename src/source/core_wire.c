/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_wire.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/wire.h"

enum {
	MAPPING_SIZE = 4 * 8 + 4,
	NAME_SIZE = 3 * 8 + 4,
	PAGE_SIZE_LEAST = 2 * 8 + 1 + 4,
	THREAD_SIZE = 4 + 2 + 8,
	COMM_MAX = 16,
	ARGS_MAX = 80,
};

void core_put_head(struct out *out, const struct core *core)
{
	wire_put_u8(out, core->wide);
	wire_put_u8(out, core->big_endian);
	wire_put_u16(out, core->machine);
	wire_put_u64(out, core->page_size);
	wire_put_u8(out, core->has_process);
	wire_put_u32(out, (uint32_t)core->pid);
	wire_put_u32(out, (uint32_t)core->ppid);
	wire_put_u32(out, core->uid);
	wire_put_u32(out, core->gid);
	wire_put_u8(out, (uint8_t)core->state);
	wire_put_bytes(out, core->comm);
	wire_put_bytes(out, core->args);
	wire_put_u8(out, core->has_code);
	wire_put_u32(out, (uint32_t)core->signal);
	wire_put_u32(out, (uint32_t)core->code);
	wire_put_u8(out, core->has_fault);
	wire_put_u64(out, core->fault);
	wire_put_u64(out, core->phdr);
	wire_put_u64(out, core->entry);
	wire_put_u64(out, core->vdso);
	wire_put_u64(out, core->random);
	wire_put_u8(out, core->cut);
	wire_put_u64(out, core->malformed);
}

void core_put_mapping(struct out *out, const struct core_mapping *mapping)
{
	wire_put_u64(out, mapping->start);
	wire_put_u64(out, mapping->end);
	wire_put_u64(out, mapping->offset);
	wire_put_u64(out, mapping->file_size);
	wire_put_u32(out, mapping->flags);
}

void core_put_name(struct out *out, const struct core_name *name)
{
	wire_put_u64(out, name->start);
	wire_put_u64(out, name->end);
	wire_put_u64(out, name->offset);
	wire_put_bytes(out, name->name);
}

void core_put_page(struct out *out, const struct core_page *page)
{
	wire_put_u64(out, page->start);
	wire_put_u64(out, page->head_hash);
	wire_put_u8(out, (uint8_t)page->head);
	wire_put_bytes(out, page->build_id);
}

void core_put_thread(struct out *out, const struct core_thread *thread)
{
	wire_put_u32(out, (uint32_t)thread->tid);
	wire_put_u16(out, thread->signal);
	wire_put_u64(out, thread->sp);
}

static struct bytes take_text(struct core_decoder *decoder, struct wire *wire, size_t most)
{
	struct bytes text = wire_bytes(wire);

	decoder->bytes += text.len;
	if (text.len > most || decoder->bytes > CORE_NAMES_BYTES_MAX)
		wire->bad = true;
	return wire->bad ? (struct bytes){ "", 0 } : arena_bytes(decoder->arena, text);
}

static void take_process(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;

	core->has_process = wire_u8(wire);
	core->pid = (int32_t)wire_u32(wire);
	core->ppid = (int32_t)wire_u32(wire);
	core->uid = wire_u32(wire);
	core->gid = wire_u32(wire);
	core->state = (char)wire_u8(wire);
	core->comm = take_text(decoder, wire, COMM_MAX);
	core->args = take_text(decoder, wire, ARGS_MAX);
}

static void take_head(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;

	core->wide = wire_u8(wire);
	core->big_endian = wire_u8(wire);
	core->machine = wire_u16(wire);
	core->page_size = wire_u64(wire);
	take_process(decoder, wire);
	core->has_code = wire_u8(wire);
	core->signal = (int32_t)wire_u32(wire);
	core->code = (int32_t)wire_u32(wire);
	core->has_fault = wire_u8(wire);
	core->fault = wire_u64(wire);
	core->phdr = wire_u64(wire);
	core->entry = wire_u64(wire);
	core->vdso = wire_u64(wire);
	core->random = wire_u64(wire);
	core->cut = wire_u8(wire);
	core->malformed = wire_u64(wire);
}

/* Room for count more elements; bad where the limit does not allow as many. */
static void *grow(void *list, size_t *cap, size_t want, size_t most, size_t size, struct wire *wire)
{
	if (want > most)
		wire->bad = true;
	if (wire->bad || want <= *cap)
		return list;
	*cap = want > *cap * 2 ? want : *cap * 2;
	return mem_grow(list, *cap, size);
}

static void take_mappings(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;
	uint32_t count = wire_count(wire, MAPPING_SIZE);

	core->mappings = grow(core->mappings, &decoder->mapping_cap, core->mapping_count + count,
			      CORE_MAPPINGS_MAX, sizeof(core->mappings[0]), wire);
	for (uint32_t i = 0; i < count && !wire->bad; i++) {
		struct core_mapping *mapping = &core->mappings[core->mapping_count++];

		*mapping = (struct core_mapping){ .start = wire_u64(wire) };
		mapping->end = wire_u64(wire);
		mapping->offset = wire_u64(wire);
		mapping->file_size = wire_u64(wire);
		mapping->flags = wire_u32(wire);
	}
}

static void take_names(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;
	uint32_t count = wire_count(wire, NAME_SIZE);

	core->names = grow(core->names, &decoder->name_cap, core->name_count + count,
			   CORE_NAMES_MAX, sizeof(core->names[0]), wire);
	for (uint32_t i = 0; i < count && !wire->bad; i++) {
		struct core_name *name = &core->names[core->name_count++];

		*name = (struct core_name){ .start = wire_u64(wire) };
		name->end = wire_u64(wire);
		name->offset = wire_u64(wire);
		name->name = take_text(decoder, wire, CORE_NAME_MAX);
	}
}

static void take_pages(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;
	uint32_t count = wire_count(wire, PAGE_SIZE_LEAST);

	core->pages = grow(core->pages, &decoder->page_cap, core->page_count + count,
			   CORE_NAMES_MAX, sizeof(core->pages[0]), wire);
	for (uint32_t i = 0; i < count && !wire->bad; i++) {
		struct core_page *page = &core->pages[core->page_count++];

		*page = (struct core_page){ .start = wire_u64(wire) };
		page->head_hash = wire_u64(wire);
		page->head = (enum core_head)wire_u8(wire);
		page->build_id = take_text(decoder, wire, CORE_BUILD_ID_MAX);
		if (page->head != CORE_HEAD_ELF && page->head != CORE_HEAD_OTHER)
			wire->bad = true;
	}
}

static void take_threads(struct core_decoder *decoder, struct wire *wire)
{
	struct core *core = decoder->core;
	uint32_t count = wire_count(wire, THREAD_SIZE);

	core->threads = grow(core->threads, &decoder->thread_cap, core->thread_count + count,
			     CORE_THREADS_MAX, sizeof(core->threads[0]), wire);
	for (uint32_t i = 0; i < count && !wire->bad; i++) {
		struct core_thread *thread = &core->threads[core->thread_count++];

		thread->tid = (int32_t)wire_u32(wire);
		thread->signal = wire_u16(wire);
		thread->sp = wire_u64(wire);
	}
}

void core_take(struct core_decoder *decoder, enum elf_frame kind, struct wire *wire)
{
	static void (*const takes[ELF_FRAME_COUNT])(struct core_decoder *, struct wire *) = {
		[ELF_FRAME_CORE_HEAD] = take_head,	   [ELF_FRAME_CORE_NAMES] = take_names,
		[ELF_FRAME_CORE_MAPPINGS] = take_mappings, [ELF_FRAME_CORE_PAGES] = take_pages,
		[ELF_FRAME_CORE_THREADS] = take_threads,
	};

	if (!decoder->core || !takes[kind])
		wire->bad = true;
	else
		takes[kind](decoder, wire);
}

void core_fini(struct core *core)
{
	free(core->mappings);
	free(core->names);
	free(core->pages);
	free(core->threads);
	core->mappings = NULL;
	core->names = NULL;
	core->pages = NULL;
	core->threads = NULL;
	core->mapping_count = core->name_count = core->page_count = core->thread_count = 0;
}
