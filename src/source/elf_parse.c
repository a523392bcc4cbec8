/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_parse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "model/core.h"
#include "source/core_parse.h"
#include "source/elf_file.h"
#include "source/elf_wire.h"

void elf_file_send(struct elf_file *file)
{
	if (!file->stopped)
		file->stopped = file->emit(file->ctx, file->out.buf, file->out.len);
	file->out.len = 0;
}

Elf_Data *elf_file_data(const struct elf_file *file, uint64_t offset, uint64_t size, uint64_t most,
			Elf_Type type)
{
	if (!size || size > most || offset > INT64_MAX)
		return NULL;
	return file->library->elf_getdata_rawchunk(file->elf, (int64_t)offset, size, type);
}

bool elf_file_section(const struct elf_file *file, size_t index, GElf_Shdr *header)
{
	Elf_Scn *scn = file->library->elf_getscn(file->elf, index);

	return scn && file->library->gelf_getshdr(scn, header);
}

struct bytes elf_file_string(const Elf_Data *strings, uint64_t offset)
{
	const char *text;
	size_t room;

	if (!strings || offset >= strings->d_size)
		return (struct bytes){ "", 0 };
	text = (const char *)strings->d_buf + offset;
	room = strings->d_size - offset;
	return (struct bytes){ text,
			       strnlen(text, room < OBJECT_NAME_MAX ? room : OBJECT_NAME_MAX) };
}

/* A string of the file itself; it has to end within OBJECT_NAME_MAX bytes. */
static struct bytes read_string(struct elf_file *file, uint64_t offset)
{
	static const size_t sizes[] = { 64, OBJECT_NAME_MAX + 1 };	/* most are short */
	char text[OBJECT_NAME_MAX + 1];

	for (size_t i = 0; i < 2 && offset <= INT64_MAX; i++) {
		ssize_t len = pread(file->fd, text, sizes[i], (off_t)offset);

		if (len > 0 && memchr(text, '\0', (size_t)len))
			return arena_bytes(&file->arena, bytes_of(text));
	}
	return (struct bytes){ "", 0 };
}

/* Of ELF header and program headers, as core_page.c has it of their copy in a core. */
static void hash_head(struct elf_file *file)
{
	char head[sizeof(Elf64_Ehdr)], headers[CORE_HEADERS_MAX * sizeof(Elf64_Phdr)];
	size_t size = file->library->gelf_fsize(file->elf, ELF_T_EHDR, 1, EV_CURRENT);
	size_t len = file->object.segment_count * file->header.e_phentsize;
	uint64_t hash;

	if (size > sizeof(head) || len > sizeof(headers) || file->header.e_phoff > INT64_MAX ||
	    pread(file->fd, head, size, 0) != (ssize_t)size ||
	    pread(file->fd, headers, len, (off_t)file->header.e_phoff) != (ssize_t)len)
		return;
	hash = hash_bytes(HASH_BEGIN, (struct bytes){ head, size });
	file->object.head_hash = hash_bytes(hash, (struct bytes){ headers, len });
}

/* Where the byte at addr lies in the file. */
static bool file_offset(const struct object *object, uint64_t addr, uint64_t *offset)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];

		if (segment->type != PT_LOAD ||
		    !object_range_has(segment->addr, segment->file_size, addr))
			continue;
		*offset = segment->offset + (addr - segment->addr);
		return true;
	}
	return false;
}

static enum elf_why parse_segments(struct elf_file *file)
{
	struct object *object = &file->object;
	size_t count;

	if (file->library->elf_getphdrnum(file->elf, &count))
		return ELF_WHY_MALFORMED;
	if (count > OBJECT_SEGMENTS_MAX)
		return ELF_WHY_TOO_MANY;
	object->segments = arena_alloc(&file->arena, count * sizeof(object->segments[0]));
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!file->library->gelf_getphdr(file->elf, (int)i, &header))
			return ELF_WHY_MALFORMED;
		object->segments[object->segment_count++] = (struct object_segment){
			.type = header.p_type,
			.flags = header.p_flags,
			.offset = header.p_offset,
			.file_size = header.p_filesz,
			.addr = header.p_vaddr,
			.mem_size = header.p_memsz,
			.align = header.p_align,
		};
	}
	return ELF_WHY_NONE;
}

/* The string table of section names; NULL where names can not be had, and why. */
static Elf_Data *section_names(const struct elf_file *file, enum elf_why *why)
{
	GElf_Shdr header;
	Elf_Data *names;
	size_t index;

	*why = ELF_WHY_NO_NAMES;
	if (file->library->elf_getshdrstrndx(file->elf, &index) ||
	    !elf_file_section(file, index, &header) || header.sh_type != SHT_STRTAB)
		return NULL;
	if (header.sh_flags & SHF_COMPRESSED) {
		*why = ELF_WHY_COMPRESSED;
		return NULL;
	}
	names = elf_file_data(file, header.sh_offset, header.sh_size, ELF_TABLE_MAX, ELF_T_BYTE);
	if (names)
		*why = ELF_WHY_NONE;
	return names;
}

/* Sections can be missing or wrong in a program that runs: segments are what the kernel reads. */
static enum elf_why parse_sections(struct elf_file *file)
{
	struct object *object = &file->object;
	size_t count, bytes = 0;
	enum elf_why why;
	Elf_Data *names;

	if (file->library->elf_getshdrnum(file->elf, &count))
		return ELF_WHY_MALFORMED;
	if (count > OBJECT_SECTIONS_MAX)
		return ELF_WHY_TOO_MANY;
	if (!count)
		return ELF_WHY_NO_SECTIONS;
	names = section_names(file, &why);
	object->sections = arena_alloc(&file->arena, count * sizeof(object->sections[0]));
	for (size_t i = 0; i < count; i++) {
		struct bytes name;
		GElf_Shdr header;

		if (!elf_file_section(file, i, &header))
			return ELF_WHY_MALFORMED;
		name = elf_file_string(names, header.sh_name);
		/* each is short, but all may be the same long one */
		bytes += name.len;
		if (bytes > ELF_FRAME_MAX / 4)
			return ELF_WHY_TOO_BIG;
		object->sections[object->section_count++] = (struct object_section){
			.name = name,
			.type = header.sh_type,
			.flags = header.sh_flags,
			.addr = header.sh_addr,
			.offset = header.sh_offset,
			.size = header.sh_size,
		};
	}
	return why;
}

static void parse_notes(struct elf_file *file, uint64_t offset, uint64_t size, uint64_t align)
{
	Elf_Data *data = elf_file_data(file, offset, size, ELF_NOTES_MAX - file->notes,
				       align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	file->notes += data ? data->d_size : 0;
	while (data && !file->object.build_id.len &&
	       (at = file->library->gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name, "GNU", sizeof("GNU")) != 0 || !note.n_descsz ||
		    note.n_descsz > OBJECT_BUILD_ID_MAX)
			continue;
		file->object.build_id =
			arena_bytes(&file->arena, (struct bytes){ bytes + desc, note.n_descsz });
	}
}

/* By segments; files with debug information alone have segments but no bytes for them. */
static void parse_build_id(struct elf_file *file)
{
	const struct object *object = &file->object;

	for (size_t i = 0; i < object->segment_count && !object->build_id.len; i++)
		if (object->segments[i].type == PT_NOTE)
			parse_notes(file, object->segments[i].offset, object->segments[i].file_size,
				    object->segments[i].align);
	for (size_t i = 0; i < object->section_count && !object->build_id.len; i++)
		if (object->sections[i].type == SHT_NOTE)
			parse_notes(file, object->sections[i].offset, object->sections[i].size, 4);
}

struct dynamic {
	uint64_t strings, soname, flags, flags_1;
	bool named, textrel, bind_now;
};

static void take_dynamic(struct dynamic *dynamic, const GElf_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_STRTAB:
		dynamic->strings = entry->d_un.d_ptr;
		break;
	case DT_SONAME:
		dynamic->soname = entry->d_un.d_val;
		dynamic->named = true;
		break;
	case DT_TEXTREL:
		dynamic->textrel = true;
		break;
	case DT_BIND_NOW:
		dynamic->bind_now = true;
		break;
	case DT_FLAGS:
		dynamic->flags = entry->d_un.d_val;
		break;
	case DT_FLAGS_1:
		dynamic->flags_1 = entry->d_un.d_val;
		break;
	default:
		break;
	}
}

static void parse_dynamic(struct elf_file *file, const struct object_segment *segment, bool *pie)
{
	Elf_Data *data =
		elf_file_data(file, segment->offset, segment->file_size, ELF_NOTES_MAX, ELF_T_DYN);
	struct object *object = &file->object;
	struct dynamic dynamic = { 0 };
	uint64_t offset;
	GElf_Dyn entry;

	for (int i = 0;
	     data && file->library->gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		take_dynamic(&dynamic, &entry);
	if (dynamic.textrel || dynamic.flags & DF_TEXTREL)
		object->flags |= OBJECT_FLAG(TEXTREL);
	if (dynamic.bind_now || dynamic.flags & DF_BIND_NOW || dynamic.flags_1 & DF_1_NOW)
		object->flags |= OBJECT_FLAG(BIND_NOW);
	*pie = dynamic.flags_1 & DF_1_PIE;
	if (dynamic.named && file_offset(object, dynamic.strings, &offset) &&
	    offset + dynamic.soname >= offset)
		object->soname = read_string(file, offset + dynamic.soname);
}

/* What the program headers say without the file's bytes. */
static void parse_flags(struct object *object, bool pie)
{
	bool stack = false, relro = false, dynamic = false, interp = false;

	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];

		stack |= segment->type == PT_GNU_STACK;
		relro |= segment->type == PT_GNU_RELRO;
		dynamic |= segment->type == PT_DYNAMIC;
		interp |= segment->type == PT_INTERP;
		if (segment->type == PT_GNU_STACK && segment->flags & PF_X)
			object->flags |= OBJECT_FLAG(EXEC_STACK);
		if (segment->type == PT_LOAD && (segment->flags & (PF_W | PF_X)) == (PF_W | PF_X))
			object->flags |= OBJECT_FLAG(WX_SEGMENT);
	}
	/* without the header the kernel and ld.so take it as asked for, where that was the default */
	if (!stack && (object->machine == EM_X86_64 || object->machine == EM_386))
		object->flags |= OBJECT_FLAG(EXEC_STACK);
	if (!relro)
		object->flags |= OBJECT_FLAG(NO_RELRO);
	if (object->type == ET_EXEC)
		object->flags |= OBJECT_FLAG(NOT_PIE);
	if (!interp && (object->type == ET_EXEC || !dynamic || pie))
		object->flags |= OBJECT_FLAG(STATIC);
}

static const struct object_segment *first_segment(const struct object *object, uint32_t type)
{
	for (size_t i = 0; i < object->segment_count; i++)
		if (object->segments[i].type == type)
			return &object->segments[i];
	return NULL;
}

static enum elf_why parse_head(struct elf_file *file)
{
	struct object *object = &file->object;
	const struct object_segment *segment;
	enum elf_why why, sections_why;
	bool pie = false;
	size_t begin;

	object->wide = file->library->gelf_getclass(file->elf) == ELFCLASS64;
	object->big_endian = file->header.e_ident[EI_DATA] == ELFDATA2MSB;
	object->type = file->header.e_type;
	object->machine = file->header.e_machine;
	object->entry = file->header.e_entry;
	why = parse_segments(file);
	if (why)
		return why;
	if (file->request.want & ELF_WANT_HASH)
		hash_head(file);
	sections_why = parse_sections(file);
	if (sections_why && sections_why != ELF_WHY_COMPRESSED && sections_why != ELF_WHY_NO_NAMES)
		object->section_count = 0;
	parse_build_id(file);
	segment = first_segment(object, PT_DYNAMIC);
	if (segment)
		parse_dynamic(file, segment, &pie);
	parse_flags(object, pie);
	segment = first_segment(object, PT_INTERP);
	if (segment)
		object->interp = read_string(file, segment->offset);
	begin = elf_frame_begin(&file->out, ELF_FRAME_HEAD);
	elf_put_head(&file->out, object, sections_why);
	elf_frame_end(&file->out, begin);
	elf_file_send(file);
	return ELF_WHY_NONE;
}

static enum elf_why parse(struct elf_file *file)
{
	enum elf_why why;

	file->library->elf_version(EV_CURRENT);
	file->elf = file->library->elf_begin(file->fd, ELF_C_READ, NULL);
	if (!file->elf || file->library->elf_kind(file->elf) != ELF_K_ELF)
		return ELF_WHY_NO_ELF;
	if (!file->library->gelf_getehdr(file->elf, &file->header))
		return ELF_WHY_MALFORMED;
	why = parse_head(file);
	if (why == ELF_WHY_NONE && file->request.want & ELF_WANT_SYMBOLS)
		elf_file_symbols(file);
	if (why == ELF_WHY_NONE && file->request.want & ELF_WANT_RELOCS)
		elf_file_relocs(file);
	return why;
}

int elf_parse(const struct elf_library *library, int fd, const struct elf_request *request,
	      elf_emit emit, void *ctx)
{
	struct elf_file file = {
		.library = library, .fd = fd, .request = *request, .emit = emit, .ctx = ctx
	};
	enum elf_why why;

	arena_init(&file.arena);
	out_init_memory(&file.out);
	if (request->want & ELF_WANT_CORE)
		why = core_parse(fd, emit, ctx);
	else
		why = parse(&file);
	file.out.len = 0;
	elf_put_end(&file.out, why);
	elf_file_send(&file);
	library->elf_end(file.elf);
	out_fini(&file.out);
	arena_fini(&file.arena);
	return file.stopped;
}
