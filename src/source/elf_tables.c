/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "source/elf_file.h"
#include "source/elf_wire.h"

enum {
	SYMBOLS_A_FRAME = 16384,
	RANGES_A_FRAME = 65536,
	SPAN_MAX = 1 << 22,	/* pages that the segments of one object may span: 16 GiB */
};

/* A symbol table being read. */
struct symtab {
	GElf_Shdr header;
	Elf_Data *data, *strings;
	Elf_Data *indexes;	/* SHT_SYMTAB_SHNDX, for more than 65,279 sections */
	size_t count;
	struct out records, names;
	size_t in_frame, name_bytes;
	unsigned facts;		/* enum elf_symbols_fact */
};

static void send_end(struct elf_file *file, enum elf_frame frame, enum elf_why why,
		     const unsigned *facts)
{
	size_t begin = elf_frame_begin(&file->out, frame);

	wire_put_u8(&file->out, (uint8_t)why);
	if (facts)
		wire_put_u8(&file->out, (uint8_t)*facts);
	elf_frame_end(&file->out, begin);
	elf_file_send(file);
}

static void send_symbols(struct elf_file *file, struct symtab *symtab)
{
	size_t begin;

	if (!symtab->in_frame)
		return;
	begin = elf_frame_begin(&file->out, ELF_FRAME_SYMBOLS);
	wire_put_u32(&file->out, (uint32_t)symtab->in_frame);
	out_mem(&file->out, symtab->records.buf, symtab->records.len);
	out_mem(&file->out, symtab->names.buf, symtab->names.len);
	elf_frame_end(&file->out, begin);
	elf_file_send(file);
	symtab->records.len = symtab->names.len = symtab->in_frame = 0;
}

/* Marks for disassemblers: $a $d $t $x, also with more behind a dot. */
static bool is_mark(const struct elf_file *file, struct bytes name)
{
	unsigned machine = file->object.machine;

	return (machine == EM_ARM || machine == EM_AARCH64 || machine == EM_RISCV) &&
	       name.len >= 2 && name.data[0] == '$' && (name.len == 2 || name.data[2] == '.');
}

/* Without the "@@VERSION" that linkers write behind the name of the default one of several. */
static struct bytes plain_name(struct bytes name)
{
	const char *at = name.len ? memmem(name.data, name.len, "@@", 2) : NULL;

	if (at && at > name.data)
		name.len = (size_t)(at - name.data);
	return name;
}

/* Symbols that stand for a place in memory. */
static bool is_place(const struct elf_file *file, const GElf_Sym *symbol, struct bytes name)
{
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_NOTYPE:
	case STT_OBJECT:
	case STT_FUNC:
	case STT_COMMON:
	case STT_GNU_IFUNC:
		break;
	default:
		return false;
	}
	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       symbol->st_shndx != SHN_COMMON && name.len && !is_mark(file, name);
}

/* False where the limit of all names is reached. */
static bool take_symbol(struct elf_file *file, struct symtab *symtab, size_t index)
{
	struct bytes name;
	GElf_Sym symbol;
	Elf32_Word section = 0;

	if (!file->library->gelf_getsymshndx(symtab->data, symtab->indexes, (int)index, &symbol,
					     &section))
		return true;
	name = plain_name(elf_file_string(symtab->strings, symbol.st_name));
	if (!is_place(file, &symbol, name))
		return true;
	if (name.len > OBJECT_NAMES_MAX - symtab->name_bytes)
		return false;
	symtab->name_bytes += name.len;
	elf_put_symbol(&symtab->records, &symtab->names,
		       &(struct object_symbol){
			       .addr = symbol.st_value,
			       .size = symbol.st_size,
			       .name = name.data,
			       .name_len = (uint16_t)name.len,
			       .section = symbol.st_shndx == SHN_XINDEX ? section : symbol.st_shndx,
			       .type = GELF_ST_TYPE(symbol.st_info),
			       .bind = GELF_ST_BIND(symbol.st_info),
		       });
	if (++symtab->in_frame == SYMBOLS_A_FRAME || symtab->names.len > ELF_FRAME_MAX / 4)
		send_symbols(file, symtab);
	return !file->stopped;
}

/* The section of this type, by index from *index on; false where there is none. */
static bool find_section(const struct elf_file *file, uint32_t type, size_t *index,
			 GElf_Shdr *header)
{
	for (size_t i = *index; i < file->object.section_count; i++) {
		if (file->object.sections[i].type != type || !elf_file_section(file, i, header))
			continue;
		*index = i;
		return true;
	}
	return false;
}

/* The table of section indexes that belongs to the symbol table with this index. */
static Elf_Data *find_indexes(const struct elf_file *file, size_t symtab)
{
	GElf_Shdr header;

	for (size_t i = 0; find_section(file, SHT_SYMTAB_SHNDX, &i, &header); i++)
		if (header.sh_link == symtab)
			return elf_file_data(file, header.sh_offset, header.sh_size, ELF_TABLE_MAX,
					     ELF_T_WORD);
	return NULL;
}

static enum elf_why open_symtab(const struct elf_file *file, struct symtab *symtab)
{
	size_t index = 0, entry = file->library->gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
	GElf_Shdr strings;
	uint64_t size;

	if (!find_section(file, SHT_SYMTAB, &index, &symtab->header)) {
		if (!find_section(file, SHT_DYNSYM, &index, &symtab->header))
			return ELF_WHY_NO_SYMBOLS;
		symtab->facts |= ELF_SYMBOLS_DYNAMIC;
	}
	if (!elf_file_section(file, symtab->header.sh_link, &strings))
		return ELF_WHY_MALFORMED;
	if ((symtab->header.sh_flags | strings.sh_flags) & SHF_COMPRESSED)
		return ELF_WHY_COMPRESSED;
	size = symtab->header.sh_size - symtab->header.sh_size % entry;
	if (size / entry > OBJECT_SYMBOLS_MAX) {
		size = OBJECT_SYMBOLS_MAX * entry;
		symtab->facts |= ELF_SYMBOLS_CUT;
	}
	symtab->count = size / entry;
	symtab->data =
		elf_file_data(file, symtab->header.sh_offset, size, ELF_TABLE_MAX, ELF_T_SYM);
	symtab->strings = elf_file_data(file, strings.sh_offset, strings.sh_size, ELF_STRINGS_MAX,
					ELF_T_BYTE);
	symtab->indexes = find_indexes(file, index);
	if (!symtab->count)
		return ELF_WHY_NO_SYMBOLS;
	return symtab->data && symtab->strings ? ELF_WHY_NONE : ELF_WHY_MALFORMED;
}

void elf_file_symbols(struct elf_file *file)
{
	struct symtab symtab = { .facts = 0 };
	enum elf_why why = open_symtab(file, &symtab);

	if (why == ELF_WHY_NONE) {
		out_init_memory(&symtab.records);
		out_init_memory(&symtab.names);
		for (size_t i = 0; i < symtab.count; i++) {
			if (take_symbol(file, &symtab, i))
				continue;
			symtab.facts |= ELF_SYMBOLS_CUT;
			break;
		}
		send_symbols(file, &symtab);
		out_fini(&symtab.records);
		out_fini(&symtab.names);
	}
	send_end(file, ELF_FRAME_SYMBOLS_END, why, &symtab.facts);
}

/* The pages of an object that relocations point into: a bit a page. */
struct pages {
	uint64_t start, count;	/* first page's address, pages */
	uint32_t page_size;
	uint8_t *bits;
};

/* The range of all loadable segments. */
static bool make_pages(const struct elf_file *file, struct pages *pages)
{
	uint64_t low = UINT64_MAX, high = 0, mask = ~(uint64_t)(file->request.page_size - 1);

	for (size_t i = 0; i < file->object.segment_count; i++) {
		const struct object_segment *segment = &file->object.segments[i];
		uint64_t end = segment->addr + segment->mem_size;

		if (segment->type != PT_LOAD || end <= segment->addr)
			continue;
		low = segment->addr < low ? segment->addr : low;
		high = end > high ? end : high;
	}
	if (low >= high)
		return false;
	pages->page_size = file->request.page_size;
	pages->start = low & mask;
	pages->count = (high - 1 - pages->start) / pages->page_size + 1;
	if (pages->count > SPAN_MAX)
		return false;
	pages->bits = mem_zalloc(pages->count / 8 + 1);
	return true;
}

/* A relocated place takes up to size bytes, which may reach into the next page. */
static void mark(struct pages *pages, uint64_t addr, unsigned size)
{
	for (unsigned at = 0; at < size; at += size - 1) {
		uint64_t page = (addr + at - pages->start) / pages->page_size;

		if (addr + at >= pages->start && page < pages->count)
			pages->bits[page / 8] |= (uint8_t)(1 << page % 8);
	}
}

static void mark_rel(const struct elf_file *file, struct pages *pages, Elf_Data *data, bool rela)
{
	unsigned size = file->object.wide ? 8 : 4;
	uint64_t offset, info;
	GElf_Rela with;
	GElf_Rel without;

	for (int i = 0;; i++) {
		if (rela ? !file->library->gelf_getrela(data, i, &with) :
			   !file->library->gelf_getrel(data, i, &without))
			return;
		offset = rela ? with.r_offset : without.r_offset;
		info = rela ? with.r_info : without.r_info;
		if (GELF_R_TYPE(info))	/* 0 is R_*_NONE everywhere */
			mark(pages, offset, size);
	}
}

/* Relative relocations in a row: an address, then words whose bits mark the words behind it. */
static void mark_relr(const struct elf_file *file, struct pages *pages, const Elf_Data *data)
{
	unsigned size = file->object.wide ? 8 : 4;
	uint64_t base = 0;

	for (size_t at = 0; at + size <= data->d_size; at += size) {
		const char *from = (const char *)data->d_buf + at;
		uint64_t word = 0;
		uint32_t narrow;

		memcpy(size == 8 ? (void *)&word : (void *)&narrow, from, size);
		if (size == 4)
			word = narrow;
		if (!(word & 1)) {
			mark(pages, word, size);
			base = word + size;
			continue;
		}
		for (unsigned bit = 0; bit + 1 < size * 8; bit++)
			if (word >> (bit + 1) & 1)
				mark(pages, base + (uint64_t)bit * size, size);
		base += (uint64_t)(size * 8 - 1) * size;
	}
}

static enum elf_why mark_section(const struct elf_file *file, struct pages *pages,
				 const struct object_section *section)
{
	Elf_Type type = section->type == SHT_RELA ? ELF_T_RELA :
			section->type == SHT_REL  ? ELF_T_REL :
			file->object.wide	  ? ELF_T_XWORD :
						    ELF_T_WORD;
	Elf_Data *data;

	if (!section->size)
		return ELF_WHY_NONE;
	if (section->size > ELF_TABLE_MAX)
		return ELF_WHY_TOO_BIG;
	data = elf_file_data(file, section->offset, section->size, ELF_TABLE_MAX, type);
	if (!data)
		return ELF_WHY_MALFORMED;
	if (section->type == SHT_RELR)
		mark_relr(file, pages, data);
	else
		mark_rel(file, pages, data, section->type == SHT_RELA);
	return ELF_WHY_NONE;
}

static enum elf_why mark_all(const struct elf_file *file, struct pages *pages)
{
	enum elf_why why = ELF_WHY_NONE;
	uint64_t bytes = 0;

	if (!file->object.section_count)
		return ELF_WHY_NO_SECTIONS;
	for (size_t i = 0; i < file->object.section_count && why == ELF_WHY_NONE; i++) {
		const struct object_section *section = &file->object.sections[i];

		if (!(section->flags & SHF_ALLOC) || section->flags & SHF_COMPRESSED ||
		    (section->type != SHT_RELA && section->type != SHT_REL &&
		     section->type != SHT_RELR))
			continue;
		bytes += section->size;
		why = bytes > ELF_TABLE_MAX ? ELF_WHY_TOO_BIG : mark_section(file, pages, section);
	}
	return why;
}

static void send_ranges(struct elf_file *file, const struct out *ranges)
{
	size_t begin = elf_frame_begin(&file->out, ELF_FRAME_RELOCS);

	wire_put_u32(&file->out, (uint32_t)(ranges->len / sizeof(struct object_range)));
	out_mem(&file->out, ranges->buf, ranges->len);
	elf_frame_end(&file->out, begin);
	elf_file_send(file);
}

static bool is_marked(const struct pages *pages, uint64_t page)
{
	return page < pages->count && pages->bits[page / 8] >> page % 8 & 1;
}

static enum elf_why send_pages(struct elf_file *file, const struct pages *pages)
{
	struct object_range range;
	size_t sent = 0;
	struct out out;

	out_init_memory(&out);
	for (uint64_t page = 0; page < pages->count && sent < OBJECT_RELOC_RUNS_MAX; page++) {
		if (!pages->bits[page / 8])
			page |= 7;
		if (!is_marked(pages, page))
			continue;
		range.start = pages->start + page * pages->page_size;
		while (is_marked(pages, page + 1))
			page++;
		range.end = pages->start + (page + 1) * pages->page_size;
		elf_put_range(&out, &range);
		if (++sent % RANGES_A_FRAME)
			continue;
		send_ranges(file, &out);
		out.len = 0;
	}
	if (out.len)
		send_ranges(file, &out);
	out_fini(&out);
	return sent < OBJECT_RELOC_RUNS_MAX ? ELF_WHY_NONE : ELF_WHY_TOO_BIG;
}

void elf_file_relocs(struct elf_file *file)
{
	struct pages pages = { .bits = NULL };
	enum elf_why why = ELF_WHY_MALFORMED;

	if (make_pages(file, &pages))
		why = mark_all(file, &pages);
	if (why == ELF_WHY_NONE)
		why = send_pages(file, &pages);
	free(pages.bits);
	send_end(file, ELF_FRAME_RELOCS_END, why, NULL);
}
