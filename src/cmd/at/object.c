/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts of at about the file that an address is in: section and symbol. */
#include <elf.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/at/columns.h"
#include "cmd/at/view.h"
#include "engine/context.h"
#include "model/absence.h"
#include "model/image.h"
#include "model/object.h"

#define NAMED const struct named *named = &((const struct at_view *)row)->named

const char *at_object_absent(const struct at_view *view)
{
	const struct named *named = &view->named;

	/* memory that belongs to no file has no section: that is no gap in what is known */
	if (!named->image)
		return !view->mapped || !named->reason || absence_is(named->reason, ABSENT_NONE) ?
			       "" :
			       named->reason;
	return NULL;
}

static struct value get_build_id(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	NAMED;

	(void)column;
	if (!named->image->build_id.len)
		return value_absent("none: the file has no build-id");
	return value_text(arena_hex(&view->ctx->arena, named->image->build_id));
}

static struct value get_soname(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->image->object->soname.len ? value_text(named->image->object->soname) :
						  value_none();
}

static struct value get_address(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->image->loaded ? value_u(named->addr) : value_none();
}

static struct value get_section(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->section;
}

static struct value get_name(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;
	NAMED;

	(void)column;
	if (!named->symbol)
		return value_absent(named->symbol_reason);
	out_init_memory(&out);
	encode_text(&out, object_symbol_name(named->symbol));
	if (named->offset)
		out_printf(&out, "+0x%llx", (unsigned long long)named->offset);
	return value_text(out_take(&out, &view->ctx->arena));
}

static struct value get_symbol(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->symbol ? value_text(object_symbol_name(named->symbol)) :
			       value_absent(named->symbol_reason);
}

static struct value get_offset(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->symbol ? value_u(named->offset) : value_none();
}

static struct value get_size(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->symbol && named->symbol->size ? value_u(named->symbol->size) : value_none();
}

static struct value get_type(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->symbol ? value_word(object_symbol_type(named->symbol)) : value_none();
}

static struct value get_table(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->symbol ? value_word(naming_table(named->image)) : value_none();
}

static struct value get_copied(const void *row, const struct column *column)
{
	NAMED;
	(void)column;
	return named->copied ? value_u(1) : value_none();
}

const struct column at_object_columns[AT_OBJECT_COLUMNS] = {
	/* clang-format off */
	{ "name", "symbol", "the function or variable that the address is in, and how far", VALUE_TEXT, 0, get_name },
	{ "symbol", "symbol", "the function or variable that the address is in", VALUE_TEXT, 0, get_symbol },
	{ "symbol_offset", "offset", "how far the address is behind the beginning of the symbol", VALUE_ADDR, 0, get_offset },
	{ "symbol_size", "symbol size", "bytes of the function or variable", VALUE_BYTES, 0, get_size },
	{ "symbol_type", "symbol type", "func, object, ifunc or label", VALUE_WORD, 0, get_type },
	{ "symbol_table", "found in", "the table that the name is from; .dynsym has no more than what the file exports", VALUE_WORD, 0, get_table },
	{ "section", "section", "part of the file that the linker made of one kind of code or data", VALUE_TEXT, 0, get_section },
	{ "address", "in the file", "the address as readelf(1) and objdump(1) have it", VALUE_ADDR, 0, get_address },
	{ "copied", "copied", "the memory there is not the file's: the program copied this part of it (text to huge pages)", VALUE_BOOL, 0, get_copied, .sparse = true },
	{ "soname", "soname", "the name that the dynamic linker knows the file by", VALUE_TEXT, 0, get_soname },
	{ "build_id", "build-id", "identity of the build: finds the debug file, whatever the name", VALUE_TEXT, 0, get_build_id },
	/* clang-format on */
};
