/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_notes.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/out.h"
#include "source/core_page.h"
#include "source/core_reader.h"
#include "source/core_wire.h"

enum {
	NOTE_HEADER = 12,
	PRSTATUS_MAX = 4096,
	PRPSINFO_MAX = 256,
	AUXV_MAX = 64 << 10,
	SIGINFO_MAX = 128,
	FILES_MAX = 32 << 20,	/* the kernel's own limit is 4 MiB */
};

/* Where stack pointers are in elf_prstatus: registers begin at 112 (64 bits) or 72. */
static const struct {
	uint16_t machine;
	bool wide;
	uint16_t offset;
} stack_pointers[] = {
	{ EM_X86_64, true, 112 + 19 * 8 }, { EM_AARCH64, true, 112 + 31 * 8 },
	{ EM_RISCV, true, 112 + 2 * 8 },   { EM_PPC64, true, 112 + 1 * 8 },
	{ EM_S390, true, 112 + 17 * 8 },   { EM_LOONGARCH, true, 112 + 3 * 8 },
	{ EM_386, false, 72 + 15 * 4 },	   { EM_ARM, false, 72 + 13 * 4 },
};

static uint64_t stack_pointer(const struct core *core, const char *desc, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(stack_pointers); i++)
		if (stack_pointers[i].machine == core->machine &&
		    stack_pointers[i].wide == core->wide && stack_pointers[i].offset + 8u <= len)
			return core_word(core, desc + stack_pointers[i].offset);
	return 0;
}

static void take_thread(struct core_reader *reader, const char *desc, size_t len)
{
	struct core *core = reader->core;
	struct core_thread thread;

	if (len < (core->wide ? 112 : 72))
		return;
	if (reader->threads++ == CORE_THREADS_MAX)
		core->cut = true;
	if (core->cut)
		return;
	thread = (struct core_thread){
		.signal = core_u16(core, desc + 12),
		.tid = (int32_t)core_u32(core, desc + (core->wide ? 32 : 24)),
		.sp = stack_pointer(core, desc, len),
	};
	core_put_thread(core_record(reader, ELF_FRAME_CORE_THREADS), &thread);
	if (reader->threads > 1)
		return;
	/* the first is the one that died; NT_PRPSINFO and NT_SIGINFO tell better where they are */
	if (!core->has_process)
		core->pid = thread.tid;
	if (!core->has_code)
		core->signal = thread.signal;
}

static struct bytes keep_text(struct core_reader *reader, const char *text, size_t room)
{
	return arena_bytes(&reader->arena, (struct bytes){ text, strnlen(text, room) });
}

/* elf_prpsinfo: 64 bits, 32 bits, and 32 bits whose user ids have 16. */
static void take_process(struct core_reader *reader, const char *desc, size_t len)
{
	static const struct {
		bool wide, narrow_ids;
		uint16_t size, uid, gid, pid, comm, args;
	} layouts[] = {
		{ true, false, 136, 16, 20, 24, 40, 56 },
		{ false, false, 128, 8, 12, 16, 32, 48 },
		{ false, true, 124, 8, 10, 12, 28, 44 },
	};
	struct core *core = reader->core;

	for (size_t i = 0; i < ARRAY_SIZE(layouts) && !core->has_process; i++) {
		if (layouts[i].wide != core->wide || layouts[i].size != len)
			continue;
		core->has_process = true;
		core->state = desc[1];
		core->uid = layouts[i].narrow_ids ? core_u16(core, desc + layouts[i].uid) :
						    core_u32(core, desc + layouts[i].uid);
		core->gid = layouts[i].narrow_ids ? core_u16(core, desc + layouts[i].gid) :
						    core_u32(core, desc + layouts[i].gid);
		core->pid = (int32_t)core_u32(core, desc + layouts[i].pid);
		core->ppid = (int32_t)core_u32(core, desc + layouts[i].pid + 4);
		core->comm = keep_text(reader, desc + layouts[i].comm, 16);
		core->args = keep_text(reader, desc + layouts[i].args, 80);
	}
}

/* Whether the signal is one that tells an address, and the kernel's own. */
static bool has_fault(const struct core *core)
{
	static const int32_t signals[] = { 4, 5, 7, 8, 11 };

	for (size_t i = 0; i < ARRAY_SIZE(signals) && core->code > 0; i++)
		if (signals[i] == core->signal)
			return true;
	return false;
}

static void take_siginfo(struct core_reader *reader, const char *desc, size_t len)
{
	struct core *core = reader->core;

	if (core->has_code || len < 24)
		return;
	core->has_code = true;
	core->signal = (int32_t)core_u32(core, desc);
	core->code = (int32_t)core_u32(core, desc + 8);
	core->has_fault = has_fault(core);
	core->fault = core->has_fault ? core_word(core, desc + (core->wide ? 16 : 12)) : 0;
}

static void take_auxv(struct core_reader *reader, const char *desc, size_t len)
{
	struct core *core = reader->core;
	size_t word = core->wide ? 8 : 4;
	const struct {
		uint64_t type;
		uint64_t *value;
	} wanted[] = {
		{ AT_PAGESZ, &core->page_size }, { AT_PHDR, &core->phdr },
		{ AT_ENTRY, &core->entry },	 { AT_SYSINFO_EHDR, &core->vdso },
		{ AT_RANDOM, &core->random },
	};

	for (size_t at = 0; at + 2 * word <= len; at += 2 * word) {
		uint64_t type = core_word(core, desc + at);

		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (wanted[i].type == type)
				*wanted[i].value = core_word(core, desc + at + word);
		if (type == AT_NULL)
			break;
	}
}

/* count, unit of offsets (gdb: 1), count times start, end and page in the file, and behind them the names. */
static void take_files(struct core_reader *reader, const char *desc, size_t len)
{
	struct core *core = reader->core;
	size_t word = core->wide ? 8 : 4, text;
	uint64_t count, size;

	if (len < 2 * word || reader->names)
		return;
	count = core_word(core, desc);
	size = core_word(core, desc + word);
	if (count > (len - 2 * word) / (3 * word) || !size || size > 1 << 20 || size & (size - 1))
		return;
	text = (size_t)(2 + 3 * count) * word;
	for (; reader->names < count && reader->names < CORE_NAMES_MAX; reader->names++) {
		const char *at = desc + (2 + 3 * reader->names) * word;
		size_t room = len - text, name_len = strnlen(desc + text, room);
		struct core_name name = {
			.start = core_word(core, at),
			.end = core_word(core, at + word),
			.offset = core_word(core, at + 2 * word) * size,
			.name = { desc + text,
				  name_len < CORE_NAME_MAX ? name_len : CORE_NAME_MAX },
		};

		if (name_len == room)
			break;	/* without its end */
		text += name_len + 1;
		core_put_name(core_record(reader, ELF_FRAME_CORE_NAMES), &name);
		if (!name.offset)
			core_look_at_page(reader, name.start);
	}
	core->cut |= reader->names < count;
}

static const struct note_taker {
	uint32_t type;
	size_t most;
	bool whole;	/* what is longer than most is no such note; else its beginning will do */
	void (*take)(struct core_reader *reader, const char *desc, size_t len);
} takers[] = {
	{ NT_PRSTATUS, PRSTATUS_MAX, false, take_thread },
	{ NT_PRPSINFO, PRPSINFO_MAX, true, take_process },
	{ NT_SIGINFO, SIGINFO_MAX, false, take_siginfo },
	{ NT_AUXV, AUXV_MAX, true, take_auxv },
	{ NT_FILE, FILES_MAX, true, take_files },
};

static bool take_note(struct core_reader *reader, uint32_t type, uint64_t offset, size_t len)
{
	bool taken = true;
	char *desc;

	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		size_t size = len < takers[i].most ? len : takers[i].most;

		if (takers[i].type != type || (takers[i].whole && len > size))
			continue;
		desc = malloc(size + 1);
		taken = desc && core_read(reader, desc, size, offset);
		if (taken)
			takers[i].take(reader, desc, size);
		free(desc);
	}
	return taken;
}

bool core_notes(struct core_reader *reader, uint64_t offset, uint64_t size)
{
	const struct core *core = reader->core;
	uint64_t end = offset + size;
	char header[NOTE_HEADER], name[8];

	while (end - offset >= NOTE_HEADER) {
		uint32_t name_len, desc_len;
		uint64_t desc;

		if (!core_read(reader, header, sizeof(header), offset))
			return false;
		name_len = core_u32(core, header);
		desc_len = core_u32(core, header + 4);
		desc = offset + NOTE_HEADER + core_padded(name_len, 4);
		if (desc > end || desc_len > end - desc)
			return true;
		if (name_len == sizeof("CORE") &&
		    (!core_read(reader, name, sizeof("CORE"), offset + NOTE_HEADER) ||
		     (memcmp(name, "CORE", sizeof("CORE")) == 0 &&
		      !take_note(reader, core_u32(core, header + 8), desc, desc_len))))
			return false;
		offset = desc + core_padded(desc_len, 4);
		if (offset > end || reader->stopped)
			break;
	}
	return true;
}
