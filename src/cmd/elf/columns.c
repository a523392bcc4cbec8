/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/elf/columns.h"

#include <elf.h>

#include "model/image.h"
#include "model/needs.h"
#include "model/object.h"

#define ROW const struct elf_row *row = opaque

static struct value get_pid(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_i(row->pid);
}

static struct value get_start(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->start);
}

static struct value get_end(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->end);
}

static struct value get_size(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->size);
}

static struct value get_figure(const void *opaque, const struct column *column)
{
	ROW;
	return row->absent ? value_absent(row->absent) : value_u(row->tally.bytes[column->arg]);
}

static struct value get_in_core(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->of_core ? value_u(row->tally.bytes[4]) : value_none();
}

static struct value get_relocated(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	if (row->absent)
		return value_absent(row->absent);
	return row->relocated_absent ? value_absent(row->relocated_absent) :
				       value_u(row->relocated);
}

static struct value get_perm(const void *opaque, const struct column *column)
{
	static const char texts[8][4] = { "---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx" };
	ROW;

	(void)column;
	return value_word(row->perm & IMAGE_PERM_UNKNOWN ? "???" : texts[row->perm & 7]);
}

static struct value get_relro(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->image->object ? value_u(row->relro) : value_absent(row->image->reason);
}

static struct value get_count(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->count);
}

static struct value get_with_data(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->absent ? value_absent(row->absent) : value_u(row->with_data);
}

static struct value get_word(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_word(row->word);
}

static struct value get_name(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->reason ? value_absent(row->reason) : value_text(row->name);
}

static struct value get_object(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_text(row->object);
}

static struct value get_path(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_text(row->image->path);
}

static struct value get_deleted(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->image->deleted);
}

static struct value get_flags(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->image->flags);
}

static struct value get_build_id(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	if (row->build_id.len)
		return value_text(row->build_id);
	return row->image->object ? value_absent("none: the file has no build-id") :
				    value_absent(row->image->reason);
}

static struct value get_bias(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	if (!row->image->object)
		return value_absent(row->image->reason);
	return row->image->loaded ? value_u(row->image->bias) : value_none();
}

/* A text of the file: NULL where it was not parsed, empty where it has none. */
static struct value text_of(const struct elf_row *row, const struct bytes *text)
{
	if (!row->image->object)
		return value_absent(row->image->reason);
	return text->len ? value_text(*text) : value_none();
}

static struct value get_soname(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return text_of(row, row->image->object ? &row->image->object->soname : NULL);
}

static struct value get_interp(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return text_of(row, row->image->object ? &row->image->object->interp : NULL);
}

static struct value get_type(const void *opaque, const struct column *column)
{
	static const char *const names[] = { "none", "rel", "exec", "dyn", "core" };
	ROW;
	uint16_t type;

	(void)column;
	if (!row->image->object)
		return value_absent(row->image->reason);
	type = row->image->object->type;
	return value_word(type < ARRAY_SIZE(names) ? names[type] : "other");
}

static struct value get_machine(const void *opaque, const struct column *column)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_X86_64, "x86-64" },   { EM_386, "i386" },
		{ EM_AARCH64, "aarch64" }, { EM_ARM, "arm" },
		{ EM_RISCV, "riscv" },	   { EM_PPC64, "ppc64" },
		{ EM_PPC, "ppc" },	   { EM_S390, "s390" },
		{ EM_MIPS, "mips" },	   { EM_LOONGARCH, "loongarch" },
	};
	ROW;

	(void)column;
	if (!row->image->object)
		return value_absent(row->image->reason);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].machine == row->image->object->machine)
			return value_word(names[i].name);
	return value_word("other");
}

static const char *elf_section_type(uint32_t type)
{
	static const char *const names[] = {
		"NULL",	      "PROGBITS",      "SYMTAB", "STRTAB",	 "RELA",
		"HASH",	      "DYNAMIC",       "NOTE",	 "NOBITS",	 "REL",
		"SHLIB",      "DYNSYM",	       NULL,	 NULL,		 "INIT_ARRAY",
		"FINI_ARRAY", "PREINIT_ARRAY", "GROUP",	 "SYMTAB_SHNDX", "RELR",
	};
	static const struct {
		uint32_t type;
		const char *name;
	} more[] = {
		{ SHT_GNU_HASH, "GNU_HASH" },
		{ SHT_GNU_verdef, "VERDEF" },
		{ SHT_GNU_verneed, "VERNEED" },
		{ SHT_GNU_versym, "VERSYM" },
	};

	if (type < ARRAY_SIZE(names))
		return names[type];
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (more[i].type == type)
			return more[i].name;
	return NULL;
}

static struct value get_section_type(const void *opaque, const struct column *column)
{
	const char *name;
	ROW;

	(void)column;
	if (!row->section)
		return value_none();
	name = elf_section_type(row->section->type);
	return value_word(name ? name : "other");
}

static struct value get_section(const void *opaque, const struct column *column)
{
	ROW;
	const struct object *object = row->image->object;

	(void)column;
	return object_section_name(object,
				   row->section ? (int)(row->section - object->sections) : -1);
}

static struct value get_symbol_type(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_word(object_symbol_type(row->symbol));
}

static struct value get_bind(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_word(row->symbol->bind == STB_LOCAL ? "local" :
			  row->symbol->bind == STB_WEAK	 ? "weak" :
							   "global");
}

/* clang-format off */
#define PID { "pid", "PID", "process", VALUE_NUMBER, 0, get_pid }
#define PLACE \
	{ "start", "START", "where it begins", VALUE_ADDR, 0, get_start }, \
	{ "end", "END", "behind its last byte", VALUE_ADDR, 0, get_end }
#define FIGURES \
	{ "size", "SIZE", "address space it takes", VALUE_BYTES, 0, get_size }, \
	{ "rss", "RSS", "of it in memory", VALUE_BYTES, NEED_PAGES, get_figure, 0 }, \
	{ "private", "PRIVATE", "in memory, and mapped by nobody else", VALUE_BYTES, NEED_PAGES, get_figure, 1 }, \
	{ "dirty", "DIRTY", "in memory, and no longer the file's: copied by a write", VALUE_BYTES, NEED_PAGES, get_figure, 2 }, \
	{ "swap", "SWAP", "in swap", VALUE_BYTES, NEED_PAGES, get_figure, 3 }, \
	{ "in_core", "IN-CORE", "of it in the core", VALUE_BYTES, NEED_PAGES, get_in_core, .sparse = true }
#define RELOCATED \
	{ "relocated", "RELOCATED", "dirty, on pages that the dynamic linker writes to", VALUE_BYTES, NEED_PAGES | NEED_RELOCS, get_relocated }
#define PERM { "perm", "PERM", "rights now", VALUE_WORD, 0, get_perm }
#define RELRO { "relro", "RELRO", "made read-only after relocation", VALUE_BOOL, 0, get_relro }
#define OBJECT { "object", "OBJECT", "the file; marked where it is deleted", VALUE_TEXT, 0, get_object }

static const struct column objects[] = {
	PID, PLACE, FIGURES, RELOCATED,
	{ "flags", "FLAGS", "what is worth knowing about it", VALUE_BITS, 0, get_flags, .codes = object_flag_names },
	{ "type", "TYPE", "exec: fixed address, dyn: position-independent", VALUE_WORD, 0, get_type },
	{ "machine", "MACHINE", "processor it is for", VALUE_WORD, 0, get_machine },
	{ "bias", "BIAS", "address in memory minus address in the file", VALUE_ADDR, 0, get_bias },
	{ "build_id", "BUILD-ID", "identity of the build", VALUE_TEXT, 0, get_build_id },
	{ "soname", "SONAME", "name it has for the dynamic linker", VALUE_TEXT, 0, get_soname },
	{ "interp", "INTERP", "dynamic linker it asks for", VALUE_TEXT, 0, get_interp },
	{ "deleted", "DELETED", "the kernel marks its name as deleted", VALUE_BOOL, 0, get_deleted },
	{ "path", "PATH", "the file, as the kernel prints it, without (deleted)", VALUE_TEXT, 0, get_path },
	OBJECT,
};

static const struct column segments[] = {
	PID, PLACE, FIGURES, RELOCATED, PERM, RELRO,
	{ "segment", "SEGMENT", "kind of memory: text, rodata, data, bss, hole; copied: not the file's, the program copied its code there", VALUE_WORD, 0, get_word },
	OBJECT,
};

static const struct column sections[] = {
	PID, PLACE, FIGURES, RELOCATED, PERM, RELRO,
	{ "type", "TYPE", "type of the section, as readelf(1) has it", VALUE_WORD, 0, get_section_type, .sparse = true },
	{ "section", "SECTION", "the section; (padding): what lies between sections", VALUE_TEXT, 0, get_name },
	OBJECT,
};

static const struct column sums[] = {
	FIGURES, RELOCATED,
	{ "objects", "OBJECTS", "how many objects have such a section", VALUE_COUNT, 0, get_count },
	{ "section", "SECTION", "the sections' name; (padding): what lies between sections", VALUE_TEXT, 0, get_name },
};

static const struct column symbols[] = {
	PID, PLACE, FIGURES,
	{ "type", "TYPE", "func, object, ifunc or label", VALUE_WORD, 0, get_symbol_type },
	{ "bind", "BIND", "global, weak or local", VALUE_WORD, 0, get_bind },
	{ "with_data", "WITHDATA", "a function on a dirty page that holds data too", VALUE_BOOL, NEED_PAGES, get_with_data },
	{ "aliases", "ALIASES", "other symbols at the same address", VALUE_COUNT, 0, get_count },
	{ "section", "SECTION", "section it lies in", VALUE_TEXT, 0, get_section, .sparse = true },
	{ "symbol", "SYMBOL", "name of the symbol", VALUE_TEXT, 0, get_name },
	OBJECT,
};
/* clang-format on */

#define SET(columns)                                          \
	{                                                     \
		columns, ARRAY_SIZE(columns) \
	}

const struct elf_columns elf_columns[ELF_TABLES] = {
	[ELF_OBJECTS] = { SET(objects), "size,rss,private,dirty,swap,flags,object",
			  "all,-pid,-object",
			  "pid,start,end,size,rss,private,dirty,swap,flags,build_id,path",
			  "size,in_core,flags,object" },
	[ELF_SEGMENTS] = { SET(segments), "start,size,rss,private,dirty,swap,perm,segment,object",
			   "all,-pid,-object",
			   "pid,start,end,size,rss,private,dirty,swap,perm,relro,segment,object",
			   "start,size,in_core,perm,segment,object" },
	[ELF_SECTIONS] = { SET(sections), "start,size,rss,private,dirty,swap,perm,section,object",
			   "all,-pid,-object",
			   "pid,start,end,size,rss,private,dirty,swap,perm,relro,section,object",
			   "start,size,in_core,perm,section,object" },
	[ELF_SUMS] = { SET(sums), "size,rss,private,dirty,swap,objects,section", "all",
		       "size,rss,private,dirty,swap,relocated,objects,section",
		       "size,in_core,objects,section" },
	[ELF_SYMBOLS] = { SET(symbols), "size,rss,private,dirty,swap,type,symbol,object",
			  "all,-pid,-object",
			  "pid,start,size,rss,private,dirty,swap,type,section,symbol,object",
			  "size,in_core,type,symbol,object" },
};
