/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_wire.h"

#include <assert.h>
#include <errno.h>

#include "base/arena.h"
#include "base/wire.h"
#include "model/object.h"
#include "source/core_wire.h"

enum { SYMBOL_SIZE = 24, RANGE_SIZE = 16 };

/* A section; the names of all are behind the last one, in a piece. */
struct section_record {
	uint64_t flags, addr, offset, size;
	uint32_t type, name_len;
};

/* Records are sent as they lie in memory: no byte of them is left to chance. */
static_assert(sizeof(struct object_segment) == 2 * 4 + 5 * 8, "padding in a record");
static_assert(sizeof(struct section_record) == 2 * 4 + 4 * 8, "padding in a record");

const char *const elf_reasons[ELF_WHY_COUNT] = {
	[ELF_WHY_NONE] = "",
	[ELF_WHY_NO_ELF] = "elf: not an ELF file",
	[ELF_WHY_MALFORMED] = "elf: malformed",
	[ELF_WHY_TOO_MANY] = "elf: unreadable (more headers than any real file has)",
	[ELF_WHY_TOO_BIG] = "elf: unreadable (its tables are too big)",
	[ELF_WHY_READ] = "elf: unreadable (reading it failed)",
	[ELF_WHY_NO_SECTIONS] = "none: the file has no section headers",
	[ELF_WHY_NO_NAMES] = "none: the file has no names of sections",
	[ELF_WHY_NO_SYMBOLS] = "none: the file has no symbols",
	[ELF_WHY_COMPRESSED] = "elf: unreadable (compressed names are not unpacked)",
	[ELF_WHY_CRASHED] = "elf: unreadable (parsing it failed)",
	[ELF_WHY_HANGS] = "elf: unreadable (parsing it did not end)",
	[ELF_WHY_STUCK] = "stuck: its file system does not answer",
	[ELF_WHY_UNCONFINED] = "elf: not parsed (no seccomp to confine it, and too many rights)",
	[ELF_WHY_GIVEN_UP] = "elf: not parsed (too many files failed before)",
	[ELF_WHY_NO_CORE] = "core: the file is no core",
	[ELF_WHY_PACKED_CORE] = "core: it is compressed (try: unzstd, unlz4, unxz, gunzip)",
};

size_t elf_frame_begin(struct out *out, enum elf_frame frame)
{
	size_t begin = out->len;

	wire_put_u32(out, 0);
	wire_put_u8(out, (uint8_t)frame);
	return begin;
}

void elf_frame_end(struct out *out, size_t begin)
{
	uint32_t len = (uint32_t)(out->len - begin - sizeof(len));

	memcpy(out->buf + begin, &len, sizeof(len));
}

void elf_put_cpu(struct out *out, uint32_t ms)
{
	size_t begin = elf_frame_begin(out, ELF_FRAME_CPU);

	wire_put_u32(out, ms);
	elf_frame_end(out, begin);
}

void elf_put_end(struct out *out, enum elf_why why)
{
	size_t begin = elf_frame_begin(out, ELF_FRAME_END);

	wire_put_u8(out, (uint8_t)why);
	elf_frame_end(out, begin);
}

static void put_segments(struct out *out, const struct object *object)
{
	wire_put_u32(out, (uint32_t)object->segment_count);
	out_mem(out, (const char *)object->segments,
		object->segment_count * sizeof(object->segments[0]));
}

static void put_sections(struct out *out, const struct object *object)
{
	wire_put_u32(out, (uint32_t)object->section_count);
	for (size_t i = 0; i < object->section_count; i++) {
		const struct object_section *section = &object->sections[i];
		const struct section_record record = {
			section->flags, section->addr, section->offset,
			section->size,	section->type, (uint32_t)section->name.len
		};

		out_mem(out, (const char *)&record, sizeof(record));
	}
	for (size_t i = 0; i < object->section_count; i++)
		out_mem(out, object->sections[i].name.data, object->sections[i].name.len);
}

void elf_put_head(struct out *out, const struct object *object, enum elf_why sections_why)
{
	wire_put_u8(out, object->wide);
	wire_put_u8(out, object->big_endian);
	wire_put_u16(out, object->type);
	wire_put_u16(out, object->machine);
	wire_put_u64(out, object->entry);
	wire_put_u32(out, object->flags);
	wire_put_u64(out, object->head_hash);
	wire_put_bytes(out, object->build_id);
	wire_put_bytes(out, object->soname);
	wire_put_bytes(out, object->interp);
	wire_put_u8(out, (uint8_t)sections_why);
	put_segments(out, object);
	put_sections(out, object);
}

void elf_put_symbol(struct out *records, struct out *names, const struct object_symbol *symbol)
{
	wire_put_u64(records, symbol->addr);
	wire_put_u64(records, symbol->size);
	wire_put_u32(records, symbol->section);
	wire_put_u16(records, symbol->name_len);
	wire_put_u8(records, symbol->type);
	wire_put_u8(records, symbol->bind);
	out_mem(names, symbol->name, symbol->name_len);
}

void elf_put_range(struct out *out, const struct object_range *range)
{
	wire_put_u64(out, range->start);
	wire_put_u64(out, range->end);
}

static const char *take_reason(struct wire *wire)
{
	uint8_t why = wire_u8(wire);

	if (why >= ELF_WHY_COUNT)
		wire->bad = true;
	return why && why < ELF_WHY_COUNT ? elf_reasons[why] : NULL;
}

/* Text that has to fit a limit, copied. */
static struct bytes take_text(struct elf_decoder *decoder, struct wire *wire, size_t most)
{
	struct bytes text = wire_bytes(wire);

	if (text.len > most)
		wire->bad = true;
	return wire->bad ? (struct bytes){ "", 0 } : arena_bytes(decoder->arena, text);
}

static void take_segments(struct elf_decoder *decoder, struct wire *wire)
{
	struct object *object = decoder->object;
	uint32_t count = wire_count(wire, sizeof(object->segments[0]));

	if (count > OBJECT_SEGMENTS_MAX)
		wire->bad = true;
	if (wire->bad)
		return;
	object->segments = arena_alloc(decoder->arena, count * sizeof(object->segments[0]));
	object->segment_count = count;
	wire_take(wire, object->segments, count * sizeof(object->segments[0]));
}

static void take_sections(struct elf_decoder *decoder, struct wire *wire)
{
	struct object *object = decoder->object;
	uint32_t count = wire_count(wire, sizeof(struct section_record));
	struct wire records = { wire->at, wire->at + count * sizeof(struct section_record), false };
	struct bytes names = { records.end, (size_t)(wire->end - records.end) };
	size_t used = 0;

	if (wire->bad || count > OBJECT_SECTIONS_MAX) {
		wire->bad = true;
		return;
	}
	names = arena_bytes(decoder->arena, names);
	object->sections = arena_alloc(decoder->arena, count * sizeof(object->sections[0]));
	for (uint32_t i = 0; i < count; i++) {
		struct section_record record;

		wire_take(&records, &record, sizeof(record));
		if (record.name_len > OBJECT_NAME_MAX || record.name_len > names.len - used) {
			wire->bad = true;
			return;
		}
		object->sections[object->section_count++] = (struct object_section){
			.name = { names.data + used, record.name_len },
			.type = record.type,
			.flags = record.flags,
			.addr = record.addr,
			.offset = record.offset,
			.size = record.size,
		};
		used += record.name_len;
	}
	wire->at = wire->end;
	wire->bad = used != names.len;
}

static void take_head(struct elf_decoder *decoder, struct wire *wire)
{
	struct object *object = decoder->object;

	if (decoder->headed)
		wire->bad = true;
	decoder->headed = true;
	object->wide = wire_u8(wire);
	object->big_endian = wire_u8(wire);
	object->type = wire_u16(wire);
	object->machine = wire_u16(wire);
	object->entry = wire_u64(wire);
	object->flags = wire_u32(wire);
	if (object->flags >> OBJECT_FLAG_COUNT)
		wire->bad = true;
	object->head_hash = wire_u64(wire);
	object->build_id = take_text(decoder, wire, OBJECT_BUILD_ID_MAX);
	object->soname = take_text(decoder, wire, OBJECT_NAME_MAX);
	object->interp = take_text(decoder, wire, OBJECT_NAME_MAX);
	object->sections_reason = take_reason(wire);
	take_segments(decoder, wire);
	take_sections(decoder, wire);
}

/* Room for count more elements; false where the limit does not allow as many. */
static bool grow(void **list, size_t *cap, size_t want, size_t most, size_t size)
{
	if (want > most)
		return false;
	if (want > *cap) {
		*cap = want > *cap * 2 ? want : *cap * 2;
		*list = mem_grow(*list, *cap, size);
	}
	return true;
}

static void take_symbols(struct elf_decoder *decoder, struct wire *wire)
{
	struct object *object = decoder->object;
	uint32_t count = wire_count(wire, SYMBOL_SIZE);
	struct wire records = { wire->at, wire->at + (size_t)count * SYMBOL_SIZE, false };
	struct bytes names = { records.end, (size_t)(wire->end - records.end) };
	size_t used = 0;

	if (wire->bad || names.len > OBJECT_NAMES_MAX - decoder->names ||
	    !grow((void **)&object->symbols, &decoder->symbol_cap, object->symbol_count + count,
		  OBJECT_SYMBOLS_MAX, sizeof(object->symbols[0]))) {
		wire->bad = true;
		return;
	}
	decoder->names += names.len;
	names = arena_bytes(decoder->arena, names);
	for (uint32_t i = 0; i < count; i++) {
		struct object_symbol *symbol = &object->symbols[object->symbol_count + i];

		symbol->addr = wire_u64(&records);
		symbol->size = wire_u64(&records);
		symbol->section = wire_u32(&records);
		symbol->name_len = wire_u16(&records);
		symbol->type = wire_u8(&records);
		symbol->bind = wire_u8(&records);
		symbol->name = names.data + used;
		used += symbol->name_len;
		if (used > names.len || symbol->name_len > OBJECT_NAME_MAX) {
			wire->bad = true;
			return;
		}
	}
	object->symbol_count += count;
	wire->at = wire->end;
	wire->bad = used != names.len;
}

static void take_relocs(struct elf_decoder *decoder, struct wire *wire)
{
	struct object *object = decoder->object;
	uint32_t count = wire_count(wire, RANGE_SIZE);
	uint64_t last = object->reloc_count ? object->relocs[object->reloc_count - 1].end : 0;

	if (!grow((void **)&object->relocs, &decoder->reloc_cap, object->reloc_count + count,
		  OBJECT_RELOC_RUNS_MAX, sizeof(object->relocs[0])))
		wire->bad = true;
	for (uint32_t i = 0; i < count && !wire->bad; i++) {
		struct object_range *range = &object->relocs[object->reloc_count++];

		range->start = wire_u64(wire);
		range->end = wire_u64(wire);
		if (range->start < last || range->end <= range->start)
			wire->bad = true;
		last = range->end;
	}
}

static void take_symbols_end(struct elf_decoder *decoder, struct wire *wire)
{
	unsigned facts;

	decoder->object->symbols_reason = take_reason(wire);
	facts = wire_u8(wire);
	decoder->object->symbols_cut = facts & ELF_SYMBOLS_CUT;
	decoder->object->symbols_dynamic = facts & ELF_SYMBOLS_DYNAMIC;
}

static void take_relocs_end(struct elf_decoder *decoder, struct wire *wire)
{
	decoder->object->relocs_reason = take_reason(wire);
}

static void take_cpu(struct elf_decoder *decoder, struct wire *wire)
{
	decoder->cpu_ms = wire_u32(wire);
}

static void take_end(struct elf_decoder *decoder, struct wire *wire)
{
	decoder->ended = true;
	decoder->why = (enum elf_why)wire_u8(wire);
	if (decoder->why >= ELF_WHY_COUNT || (decoder->why == ELF_WHY_NONE && !decoder->headed))
		wire->bad = true;
}

int elf_decode(struct elf_decoder *decoder, struct bytes frame)
{
	static void (*const takes[ELF_FRAME_COUNT])(struct elf_decoder *, struct wire *) = {
		[ELF_FRAME_CPU] = take_cpu,	    [ELF_FRAME_HEAD] = take_head,
		[ELF_FRAME_SYMBOLS] = take_symbols, [ELF_FRAME_SYMBOLS_END] = take_symbols_end,
		[ELF_FRAME_RELOCS] = take_relocs,   [ELF_FRAME_RELOCS_END] = take_relocs_end,
		[ELF_FRAME_END] = take_end,
	};
	struct wire wire = wire_of(frame);
	uint8_t kind = wire_u8(&wire);

	if (wire.bad || kind >= ELF_FRAME_COUNT || decoder->ended ||
	    (kind > ELF_FRAME_HEAD && kind != ELF_FRAME_END && !decoder->headed))
		return -EPROTO;
	if (takes[kind])
		takes[kind](decoder, &wire);
	else if (decoder->core)
		core_take(decoder->core, (enum elf_frame)kind, &wire);
	else
		return -EPROTO;
	return wire_is_done(&wire) ? 0 : -EPROTO;
}
