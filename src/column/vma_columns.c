/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/vma_columns.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "model/core.h"
#include "model/needs.h"
#include "model/vm_flags.h"

const char vma_columns_default[] = "address,size,rss,pss,uss,dirty,swap,huge,perm,kind,name";
const char vma_columns_csv[] =
	"pid,start,end,size,rss,pss,uss,dirty,swap,huge,perm,kind,deleted,path";
const char vma_columns_core_csv[] = "pid,start,end,size,in_core,perm,kind,deleted,path";
const char vma_columns_core[] = "address,size,in_core,perm,kind,name";
const char tally_columns_core[] = "kind,mappings,size,in_core";
const char tally_columns_default[] = "kind,mappings,size,rss,pss,uss,dirty,swap,huge";

static const char not_in_kernel[] = "unsupported: not in this kernel's smaps";

static struct number get_start(const void *row, const struct column *column)
{
	(void)column;
	return (struct number){ .u = ((const struct vma *)row)->start };
}

static struct number get_end(const void *row, const struct column *column)
{
	(void)column;
	return (struct number){ .u = ((const struct vma *)row)->end };
}

static struct number get_size(const void *row, const struct column *column)
{
	(void)column;
	return (struct number){ .u = vma_size(row) };
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct vma *)row)->pid);
}

static const char *get_perm(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->kind == KIND_HOLE ? "" : vma_perm_word(vma);
}

static struct number get_offset(const void *row, const struct column *column)
{
	(void)column;
	return (struct number){ .u = ((const struct vma *)row)->offset };
}

static struct value get_dev(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	if (vma->core)
		return value_absent(core_lacks);
	return value_u((uint64_t)vma->dev_major << 32 | vma->dev_minor);
}

static struct value get_inode(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->core ? value_absent(core_lacks) : value_u(vma->inode);
}

static struct bytes get_path(const void *row, const struct column *column)
{
	(void)column;
	return ((const struct vma *)row)->path;
}

static struct bytes get_name(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->name.len ? vma->name : vma->path;
}

static struct value get_path_len(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->path_len > vma->path.len ? value_u(vma->path_len) : value_none();
}

static struct value get_deleted(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct vma *)row)->deleted);
}

static struct value get_changed(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->changed ? value_u(1) : value_none();
}

static const char *get_kind(const void *row, const struct column *column)
{
	(void)column;
	return kind_names[((const struct vma *)row)->kind];
}

static struct value get_tid(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->tid ? value_i(vma->tid) : value_none();
}

static struct value get_vm_flags(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	if (!vma->vm_flags.data || (!vma->vm_flags.len && vma->absent))
		return value_absent(vma->absent ? vma->absent : not_in_kernel);
	return value_text(vma->vm_flags);
}

static struct value get_guess(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	if (vma->guess)
		return value_word(vma->guess);
	return vma->guess_reason ? value_absent(vma->guess_reason) : value_none();
}

static struct value get_section(const void *row, const struct column *column)
{
	const struct vma_object *object = ((const struct vma *)row)->object;

	(void)column;
	return object ? object->section : value_none();
}

static struct value get_build_id(const void *row, const struct column *column)
{
	const struct vma_object *object = ((const struct vma *)row)->object;

	(void)column;
	if (!object)
		return value_none();
	return object->build_id ? value_word(object->build_id) :
				  value_absent(object->build_id_reason);
}

static struct value get_in_core(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->core ? value_u(vma->core->in_core) : value_none();
}

static struct value get_holes(const void *row, const struct column *column)
{
	const struct vma *vma = row;

	(void)column;
	return vma->core && vma->core->holes ? value_u(vma->core->holes) : value_none();
}

static struct number get_field(const void *row, const struct column *column)
{
	const struct vma *vma = row;
	const char *absent;

	if (vma_has(vma, column->arg))
		return (struct number){ .u = vma->field[column->arg] };
	absent = vma_absent(vma, 1ULL << column->arg);
	return (struct number){ .reason = absent ? absent : not_in_kernel };
}

static struct number get_sum(const void *row, const struct column *column)
{
	const struct vma *vma = row;
	const char *absent;
	uint64_t sum;

	if (vma_sum(vma, (enum vma_sum)column->arg, &sum))
		return (struct number){ .u = sum };
	absent = vma_sum_absent(vma, (enum vma_sum)column->arg);
	return (struct number){ .reason = absent ? absent : not_in_kernel };
}

/* Whether a page is dirty is in the page table, which is not shown (analysis/page_figures.h). */
static const struct code_name estimate_names[64] = {
	[SMAPS_PSS_DIRTY] = { "pss_dirty", "the dirty part of pss" },
	[SMAPS_SHARED_CLEAN] = { "shared_clean", "may be dirty" },
	[SMAPS_SHARED_DIRTY] = { "shared_dirty", "may be clean" },
	[SMAPS_PRIVATE_CLEAN] = { "private_clean", "may be dirty" },
	[SMAPS_PRIVATE_DIRTY] = { "private_dirty", "may be clean" },
	[SMAPS_LAZY_FREE] = { "lazy_free", "may have been written to since" },
	[VMA_SUMS_BIT + SUM_DIRTY] = { "dirty", "made of these" },
	[VMA_SUMS_BIT + SUM_CLEAN] = { "clean", "made of these" },
};

static struct value get_estimates(const void *row, const struct column *column)
{
	uint64_t estimated = vma_estimates(row);

	(void)column;
	return estimated ? value_u(estimated) : value_none();
}

static struct value get_tally_name(const void *row, const struct column *column)
{
	(void)column;
	return value_word(((const struct vma_tally *)row)->name);
}

static struct value get_tally_mappings(const void *row, const struct column *column)
{
	const struct vma_tally *tally = row;

	(void)column;
	return tally->unknown ? value_absent(tally->unknown) : value_u(tally->mappings);
}

static struct value get_tally_in_core(const void *row, const struct column *column)
{
	const struct vma_tally *tally = row;

	(void)column;
	return tally->of_core ? value_u(tally->in_core) : value_none();
}

static struct value get_tally_size(const void *row, const struct column *column)
{
	const struct vma_tally *tally = row;

	(void)column;
	if (tally->unknown || tally->no_size)
		return value_absent(tally->unknown ? tally->unknown : tally->no_size);
	return value_u(tally->sum.end);
}

/* A column's bytes of struct vma: JSON that was made of the same bytes is not made again. */
#define VMA_BYTES(first, last)                 \
	.from = offsetof(struct vma, first), \
	.to = offsetof(struct vma, last) + sizeof(((struct vma *)0)->last)

static const struct column vma_facts[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid, VMA_BYTES(pid, pid) },
	{ "address", "ADDRESS", "where the mapping begins; the same as start", VALUE_ADDR, 0, column_number, .number = get_start },
	{ "start", "START", "where the mapping begins", VALUE_ADDR, 0, column_number, .number = get_start },
	{ "end", "END", "behind its last byte", VALUE_ADDR, 0, column_number, .number = get_end },
	{ "size", "SIZE", "address space of the mapping", VALUE_BYTES, 0, column_number, .number = get_size },
	{ "in_core", "IN-CORE", "bytes of the mapping that a core has, without holes", VALUE_BYTES, 0, get_in_core, .sparse = true, VMA_BYTES(core, core) },
	{ "holes", "HOLES", "bytes of the mapping in holes of a sparse core: zeros, or never touched", VALUE_BYTES, 0, get_holes, .sparse = true, VMA_BYTES(core, core) },
	{ "perm", "PERM", "rights: read, write, execute; private or shared", VALUE_WORD, 0, column_literal, .literal = get_perm, VMA_BYTES(core, perm) },
	{ "offset", "OFFSET", "where it begins in the file", VALUE_ADDR, 0, column_number, .number = get_offset },
	{ "dev", "DEV", "device of the file, major:minor in hex", VALUE_DEV, 0, get_dev, VMA_BYTES(core, dev_minor) },
	{ "inode", "INODE", "inode of the file", VALUE_COUNT, 0, get_inode, VMA_BYTES(core, inode) },
	{ "deleted", "DELETED", "the name ends in (deleted): the file was unlinked or replaced", VALUE_BOOL, 0, get_deleted, VMA_BYTES(deleted, deleted) },
	{ "changed", "CHANGED", "the mapping changed while it was read", VALUE_BOOL, 0, get_changed, .sparse = true, VMA_BYTES(changed, changed) },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, NEED_KIND, column_literal, .literal = get_kind, VMA_BYTES(kind, kind) },
	{ "tid", "TID", "thread whose stack it is", VALUE_NUMBER, NEED_KIND, get_tid, .sparse = true, VMA_BYTES(tid, tid) },
	{ "vm_flags", "VMFLAGS", "flags of the mapping, the kernel's codes", VALUE_CODES, NEED_SMAPS, get_vm_flags },
	{ "flags", "FLAGS", "flags of the mapping, in words", VALUE_MEANINGS, NEED_SMAPS, get_vm_flags, .codes = vm_flag_names },
	{ "estimates", "ESTIMATES", "figures that are estimates, from pages", VALUE_BITS, NEED_SMAPS, get_estimates, .codes = estimate_names, .sparse = true, VMA_BYTES(have, estimated) },
	/* clang-format on */
};

static const struct column vma_last[] = {
	/* clang-format off */
	{ "path", "PATH", "file or pseudo name, as the kernel prints it; without the (deleted) that deleted stands for", VALUE_TEXT, 0, column_text, .text = get_path },
	{ "path_len", "PATHLEN", "length of a path that was cut", VALUE_COUNT, 0, get_path_len, .sparse = true },
	{ "section", "SECTION", "section of the program file that has the most of the mapping", VALUE_TEXT, NEED_SECTION, get_section },
	{ "build_id", "BUILD-ID", "identity of the program file's build", VALUE_WORD, NEED_SECTION, get_build_id },
	{ "guess", "GUESS", "what memory without a name may be: a guess, by where it lies", VALUE_WORD, NEED_GUESS | NEED_KIND, get_guess },
	{ "name", "NAME", "the path, for people: marks deleted files, thread stacks", VALUE_TEXT, NEED_KIND, column_text, .text = get_name },
	/* clang-format on */
};

static const struct column tally_facts[] = {
	/* clang-format off */
	{ "kind", "KIND", "what the mappings are for", VALUE_WORD, NEED_KIND, get_tally_name },
	{ "mappings", "MAPPINGS", "number of mappings", VALUE_COUNT, 0, get_tally_mappings },
	{ "size", "SIZE", "address space of the mappings", VALUE_BYTES, 0, get_tally_size },
	{ "estimates", "ESTIMATES", "figures that are estimates, from pages", VALUE_BITS, NEED_SMAPS, get_estimates, .codes = estimate_names, .sparse = true },
	{ "in_core", "IN-CORE", "bytes of the mappings that a core has", VALUE_BYTES, 0, get_tally_in_core, .sparse = true },
	/* clang-format on */
};

static const struct {
	const char *heading, *help;
} sum_texts[SUM_COUNT] = {
	[SUM_USS] = { "USS", "private, hugetlb aside: freed when the process ends" },
	[SUM_HUGETLB] = { "HUGETLB", "pages of the hugetlb pool; not in rss, pss and uss" },
	[SUM_SHARED] = { "SHARED", "shared_clean + shared_dirty" },
	[SUM_PRIVATE] = { "PRIVATE", "private_clean + private_dirty" },
	[SUM_DIRTY] = { "DIRTY", "shared_dirty + private_dirty" },
	[SUM_CLEAN] = { "CLEAN", "shared_clean + private_clean" },
	[SUM_HUGE] = { "HUGE", "mapped by a PMD, of any type, plus hugetlb" },
};

static const char *upper(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *at = copy; *at; at++)
		*at = *at == '_' ? '-' : (char)toupper((unsigned char)*at);
	return copy;
}

/* Fields that are one state for a mapping, and have no sum. */
#define NO_SUM \
	(1ULL << SMAPS_SIZE | 1ULL << SMAPS_KERNEL_PAGE_SIZE | 1ULL << SMAPS_MMU_PAGE_SIZE | \
	 1ULL << SMAPS_THP_ELIGIBLE | 1ULL << SMAPS_PROTECTION_KEY)

/* A later kernel's field may be called as something that is already there: then "smaps_path". */
static const char *field_name(struct arena *arena, const struct smaps_key *key)
{
	static const struct column_set taken[] = {
		{ vma_facts, ARRAY_SIZE(vma_facts) },
		{ vma_last, ARRAY_SIZE(vma_last) },
		{ tally_facts, ARRAY_SIZE(tally_facts) },
	};
	bool is_taken = strcmp(key->json, "missing") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		is_taken |= column_find(&taken[i], bytes_of(key->json)) != NULL;
	for (unsigned sum = 0; sum < SUM_COUNT; sum++)
		is_taken |= strcmp(key->json, vma_sum_names[sum]) == 0;
	return is_taken ? arena_printf(arena, "smaps_%s", key->json) : key->json;
}

static struct column field_column(struct arena *arena, const struct smaps_keys *keys, size_t slot)
{
	const struct smaps_key *key = &keys->key[slot];
	const char *name = slot < SMAPS_KNOWN ? key->json : field_name(arena, key);

	return (struct column){
		.name = name,
		.heading = upper(arena, name),
		.help = key->help,
		.type = key->kb ? VALUE_BYTES : VALUE_COUNT,
		.needs = NEED_SMAPS,
		.get = column_number,
		.number = get_field,
		.steady = true,
		.arg = (unsigned)slot,
	};
}

static size_t add_metrics(struct arena *arena, const struct smaps_keys *keys,
			  struct column *columns, bool sums_only)
{
	size_t n = 0;

	for (size_t slot = 0; slot < keys->count; slot++) {
		if (slot == SMAPS_SIZE || (sums_only && NO_SUM >> slot & 1))
			continue;
		columns[n++] = field_column(arena, keys, slot);
	}
	for (unsigned sum = 0; sum < SUM_COUNT; sum++)
		columns[n++] = (struct column){
			.name = vma_sum_names[sum],
			.heading = sum_texts[sum].heading,
			.help = sum_texts[sum].help,
			.type = VALUE_BYTES,
			.needs = NEED_SMAPS,
			.get = column_number,
			.number = get_sum,
			.steady = true,
			.arg = sum,
		};
	return n;
}

/* Where the last field ends that a column is made of. */
static size_t field_end(const struct column *column)
{
	uint64_t slots = column->number == get_field ? 1ULL << column->arg :
						       vma_sum_slots((enum vma_sum)column->arg);

	return offsetof(struct vma, field) +
	       (64 - (size_t)__builtin_clzll(slots)) * sizeof(uint64_t);
}

void vma_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set)
{
	size_t most = ARRAY_SIZE(vma_facts) + ARRAY_SIZE(vma_last) + SMAPS_SLOTS + SUM_COUNT, n;
	struct column *columns = arena_alloc(arena, most * sizeof(*columns)), *metrics;

	memcpy(columns, vma_facts, sizeof(vma_facts));
	n = ARRAY_SIZE(vma_facts);
	metrics = columns + n;
	n += add_metrics(arena, keys, columns + n, false);
	for (struct column *at = metrics; at < columns + n; at++) {
		at->from = offsetof(struct vma, have);
		at->to = (uint16_t)field_end(at);
	}
	memcpy(columns + n, vma_last, sizeof(vma_last));
	*set = (struct column_set){ columns, n + ARRAY_SIZE(vma_last) };
}

static struct value get_tally_text(const void *row, const struct column *column)
{
	(void)column;
	return value_text(bytes_of(((const struct vma_tally *)row)->name));
}

void name_columns_make(struct arena *arena, const struct column_set *tally, struct column_set *set)
{
	struct column *columns = arena_alloc(arena, tally->count * sizeof(*columns));

	/* the first is kind */
	memcpy(columns, tally->columns, tally->count * sizeof(*columns));
	columns[0] = (struct column){ .name = "name",
				      .heading = "NAME",
				      .help = "name that the program gave the mappings",
				      .type = VALUE_TEXT,
				      .get = get_tally_text };
	*set = (struct column_set){ columns, tally->count };
}

void tally_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set)
{
	size_t most = ARRAY_SIZE(tally_facts) + SMAPS_SLOTS + SUM_COUNT;
	struct column *columns = arena_alloc(arena, most * sizeof(*columns));

	memcpy(columns, tally_facts, sizeof(tally_facts));
	*set = (struct column_set){
		columns,
		ARRAY_SIZE(tally_facts) +
			add_metrics(arena, keys, columns + ARRAY_SIZE(tally_facts), true),
	};
}

bool tally_column_is_of_mappings(const char *name)
{
	return strcmp(name, "kind") == 0 || strcmp(name, "mappings") == 0 ||
	       strcmp(name, "estimates") == 0 || strcmp(name, "in_core") == 0;
}

/* Not in every kernel: shown when asked for or met. */
#define RARE \
	(1ULL << SMAPS_PSS_ANON | 1ULL << SMAPS_PSS_FILE | 1ULL << SMAPS_PSS_SHMEM | \
	 1ULL << SMAPS_SHMEM_HUGE_PAGES | 1ULL << SMAPS_FILE_HUGE_PAGES | \
	 1ULL << SMAPS_PROTECTION_KEY)

const char *vma_columns_json(struct arena *arena, const struct column_set *set,
			     const struct smaps_keys *keys)
{
	struct out out;

	out_init_memory(&out);
	for (size_t i = 0; i < set->count; i++) {
		const struct column *column = &set->columns[i];
		bool field = column->number == get_field;

		/* parsing files, and guesses, are for those who ask for them */
		if (column->needs & (NEED_SECTION | NEED_GUESS))
			continue;
		if (strcmp(column->name, "address") == 0 || strcmp(column->name, "flags") == 0 ||
		    strcmp(column->name, "name") == 0 || strcmp(column->name, "pid") == 0)
			continue;
		if (field && RARE >> column->arg & 1 && !(keys->seen >> column->arg & 1))
			continue;
		if (out.len)
			out_char(&out, ',');
		out_str(&out, column->name);
	}
	return out_take(&out, arena).data;
}

uint64_t vma_columns_slots(const struct selection *selection)
{
	uint64_t slots = 0;

	for (size_t i = 0; i < selection->count; i++) {
		const struct column *column = selection->columns[i];

		if (column->number == get_field)
			slots |= 1ULL << column->arg;
		else if (column->number == get_sum)
			slots |= vma_sum_slots((enum vma_sum)column->arg);
	}
	return slots;
}

void vma_tally_init(struct vma_tally *tally, const char *name)
{
	memset(tally, 0, sizeof(*tally));
	tally->name = name;
	tally->sum.have = ~NO_SUM;
}

static void forget(struct vma *sum, unsigned slot)
{
	sum->overflow |= sum->have & 1ULL << slot;
	sum->have &= ~(1ULL << slot);
}

/* What wrapped when the fields were added is not known. */
static void forget_overflows(struct vma *sum, const struct vma *vma)
{
	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++)
		if (sum->field[slot] < vma->field[slot])
			forget(sum, slot);
}

static void add_size(struct vma_tally *tally, uint64_t size)
{
	if (__builtin_add_overflow(tally->sum.end, size, &tally->sum.end))
		tally->no_size = value_overflow;
}

void vma_tally_add(struct vma_tally *tally, const struct vma *vma)
{
	uint64_t bits = 0;

	vma_tally_settle(tally);
	tally->mappings++;
	add_size(tally, vma_size(vma));
	tally->sum.overflow |= vma->overflow & tally->sum.have;
	tally->sum.have &= vma->have;
	tally->sum.estimated |= vma->estimated;
	if (vma->core) {
		tally->of_core = true;
		tally->in_core += vma->core->in_core;
	}
	if (vma->absent)
		tally->sum.absent = vma->absent;
	if (vma->lost)
		tally->sum.why_lost = vma->why_lost;
	tally->sum.lost |= vma->lost;
	if (!vma->have)
		return;
	/* all slots, known or not: a straight loop is five times as fast as one over the known */
	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++) {
		bits |= tally->sum.field[slot] | vma->field[slot];
		tally->sum.field[slot] += vma->field[slot];
	}
	if (bits >> 63)
		forget_overflows(&tally->sum, vma);
}

void vma_tally_repeat(struct vma_tally *tally, const struct vma *vma)
{
	if (!tally->repeats++)
		memcpy(tally->repeated, vma->field, sizeof(tally->repeated));
	tally->mappings++;
	add_size(tally, vma_size(vma));
}

void vma_tally_settle(struct vma_tally *tally)
{
	uint64_t *sum = tally->sum.field, part;

	for (uint64_t left = tally->repeats ? tally->sum.have : 0; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (__builtin_mul_overflow(tally->repeated[slot], tally->repeats, &part) ||
		    __builtin_add_overflow(sum[slot], part, &sum[slot]))
			forget(&tally->sum, slot);
	}
	tally->repeats = 0;
}

void vma_tally_merge(struct vma_tally *tally, const struct vma_tally *other)
{
	if (!other->mappings)
		return;
	vma_tally_add(tally, &other->sum);
	tally->of_core |= other->of_core;
	tally->no_size = other->no_size ? other->no_size : tally->no_size;
	tally->in_core += other->in_core;
	tally->mappings += other->mappings - 1;
}

void vma_tally_set_unknown(struct vma_tally *tally, const char *reason)
{
	tally->unknown = tally->sum.absent = reason;
	tally->sum.have = 0;
}
