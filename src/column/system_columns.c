/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/system_columns.h"

#include "model/meminfo.h"

#define CLASS(name) (1u << FRAME_##name)

/* Classes that people want to see as one. */
enum {
	FILES = CLASS(FILE_MAPPED) | CLASS(FILE_UNMAPPED),
	HUGE = CLASS(HUGETLB) | CLASS(HUGETLB_FREE),
	ANON = CLASS(ANON) | CLASS(LAZY_FREE) | CLASS(KSM),
	SHM = CLASS(SHM) | CLASS(SECRET),
	KERNEL = CLASS(KERNEL) | CLASS(KERNEL_LARGE) | CLASS(KERNEL_MAPPED) |
		 CLASS(KERNEL_MOVABLE) | CLASS(RESERVED) | CLASS(ZERO),
};

static uint64_t sum_of(const uint64_t frames[FRAME_CLASSES], unsigned mask)
{
	uint64_t sum = 0;

	for (unsigned class = 0; class < FRAME_CLASSES; class ++)
		if (mask >> class & 1)
			sum += frames[class];
	return sum;
}

static struct value get_class_name(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;

	(void)column;
	return value_word(row->class == FRAME_CLASSES ? "total" : frame_classes[row->class].name);
}

static uint64_t class_frames(const struct system_class_row *row)
{
	return row->class == FRAME_CLASSES ? row->sums->total : row->sums->class[row->class];
}

static struct value get_class_frames(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(class_frames(opaque));
}

static struct value get_class_bytes(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;

	(void)column;
	return value_u(class_frames(row) * row->page_size);
}

static struct value class_absent(const struct system_class_row *row, const char *reason)
{
	return row->reasons ? value_absent(reason) : value_none();
}

static const char nothing_there[] = "none: no memory in use";

static struct value get_class_share(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;

	(void)column;
	if (!row->memory || row->class == FRAME_HOLE || row->class == FRAME_CLASSES)
		return class_absent(row, "none: no memory");
	return value_d((double)class_frames(row) / (double)row->memory);
}

/* Whether the kernel can move or drop frames of the class; of a hole there is nothing to move. */
static struct value get_class_movable(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;
	enum frame_mobility mobility;

	(void)column;
	if (row->class == FRAME_CLASSES)
		return value_none();
	mobility = frame_classes[row->class].mobility;
	if (mobility == MOBILITY_NONE || mobility == MOBILITY_FREE)
		return class_absent(row, nothing_there);
	return value_u(mobility == MOBILITY_MOVABLE || mobility == MOBILITY_RECLAIMABLE);
}

static struct value get_class_mobility(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;

	(void)column;
	if (row->class == FRAME_CLASSES || frame_classes[row->class].mobility == MOBILITY_NONE)
		return class_absent(row, nothing_there);
	return value_word(frame_mobility_names[frame_classes[row->class].mobility]);
}

static struct value get_class_can(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;
	const uint64_t *frames = row->class == FRAME_CLASSES ? row->sums->mobility :
							       row->sums->mobility_of[row->class];

	return value_u(frames[column->arg] * row->page_size);
}

static struct value get_class_state(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;
	uint64_t frames = 0;

	if (row->class < FRAME_KSM ||
	    (row->class > FRAME_FILE_UNMAPPED && row->class != FRAME_CLASSES))
		return class_absent(row, "none: told of memory of processes and files alone");
	for (unsigned class = FRAME_KSM; class <= FRAME_FILE_UNMAPPED; class ++)
		if (row->class == FRAME_CLASSES || class == row->class)
			frames += row->sums->state[class][column->arg];
	return value_u(frames * row->page_size);
}

static struct value get_class_what(const void *opaque, const struct column *column)
{
	const struct system_class_row *row = opaque;

	(void)column;
	return row->class == FRAME_CLASSES ? value_none() :
					     value_word(frame_classes[row->class].help);
}

const char system_class_narrow[] = "class,bytes,share,dirty,writeback,unevictable,large,mobility";
const char system_class_default[] =
	"class,bytes,share,dirty,writeback,unevictable,large,mobility,what";
const char system_class_json[] =
	"class,frames,bytes,share,movable,mobility,dirty,writeback,unevictable,large,active,"
	"swap_cache,reclaimable,can_move,unmovable,what";

static const struct column class_columns[] = {
	/* clang-format off */
	{ "class", "CLASS", "what the frames are used for", VALUE_WORD, 0, get_class_name },
	{ "frames", "FRAMES", "number of frames", VALUE_COUNT, 0, get_class_frames },
	{ "bytes", "SIZE", "their size", VALUE_BYTES, 0, get_class_bytes },
	{ "share", "SHARE", "of all memory", VALUE_RATIO, 0, get_class_share },
	{ "movable", "MOVABLE", "as a rule frames of the class can be moved or dropped", VALUE_BOOL, 0, get_class_movable },
	{ "mobility", "MOBILITY", "as a rule: free, reclaimable, movable, unmovable, conditional", VALUE_WORD, 0, get_class_mobility },
	{ "dirty", "DIRTY", "has to be written before it can be dropped", VALUE_BYTES, 0, get_class_state, STATE_DIRTY },
	{ "writeback", "WRITING", "being written now", VALUE_BYTES, 0, get_class_state, STATE_WRITEBACK },
	{ "unevictable", "LOCKED", "mlocked, or else not to be reclaimed", VALUE_BYTES, 0, get_class_state, STATE_UNEVICTABLE },
	{ "large", "LARGE", "in folios of more than one page", VALUE_BYTES, 0, get_class_state, STATE_LARGE },
	{ "active", "ACTIVE", "on the active list", VALUE_BYTES, 0, get_class_state, STATE_ACTIVE },
	{ "swap_cache", "SWAPCACHE", "also in swap", VALUE_BYTES, 0, get_class_state, STATE_SWAP_CACHE },
	{ "reclaimable", "RECLAIM", "frame by frame: can be dropped", VALUE_BYTES, 0, get_class_can, MOBILITY_RECLAIMABLE },
	{ "can_move", "CAN-MOVE", "frame by frame: can be moved, if nobody has pinned it", VALUE_BYTES, 0, get_class_can, MOBILITY_MOVABLE },
	{ "unmovable", "UNMOVABLE", "frame by frame: stays where it is", VALUE_BYTES, 0, get_class_can, MOBILITY_UNMOVABLE },
	{ "what", "WHAT", "the class in words", VALUE_WORD, 0, get_class_what },
	/* clang-format on */
};

const struct column_set system_class_columns = { class_columns, ARRAY_SIZE(class_columns) };

static struct value get_zone_node(const void *opaque, const struct column *column)
{
	const struct system_part_row *row = opaque;

	(void)column;
	return row->node < 0 ? value_absent(row->no_zone) : value_i(row->node);
}

static struct value get_zone_name(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(((const struct system_part_row *)opaque)->name);
}

enum { ZONE_START, ZONE_SPANNED, ZONE_PRESENT, ZONE_MANAGED, ZONE_FREE };

static struct value get_zone(const void *opaque, const struct column *column)
{
	const struct system_part_row *row = opaque;
	const uint64_t frames[] = {
		[ZONE_START] = row->start_pfn, [ZONE_SPANNED] = row->spanned,
		[ZONE_PRESENT] = row->present, [ZONE_MANAGED] = row->managed,
		[ZONE_FREE] = row->free,
	};

	if (row->no_zone)
		return value_absent(row->no_zone);
	return value_u(frames[column->arg] * (column->type == VALUE_BYTES ? row->page_size : 1));
}

static struct value get_zone_classes(const void *opaque, const struct column *column)
{
	const struct system_part_row *row = opaque;

	if (!row->sums)
		return value_absent(row->no_sums);
	return value_u(sum_of(row->sums->class, column->arg) * row->page_size);
}

static struct value get_zone_mobility(const void *opaque, const struct column *column)
{
	const struct system_part_row *row = opaque;

	if (!row->sums)
		return value_absent(row->no_sums);
	return value_u(row->sums->mobility[column->arg] * row->page_size);
}

const char system_zone_default[] = "node,zone,present,free,anon,shm,file,slab,page_tables,kernel,"
				   "movable,reclaimable,unmovable";
const char system_zone_json[] =
	"node,zone,start_pfn,spanned,present,managed,zone_free,classes.free,classes.hwpoison,"
	"classes.offline,classes.slab,classes.page_tables,classes.zero_page,classes.reserved,"
	"classes.hugetlb,classes.kernel_movable,classes.ksm,classes.lazy_free,classes.anonymous,"
	"classes.secret,classes.shm,classes.file_mapped,classes.file_unmapped,"
	"classes.kernel_mapped,classes.kernel_large,classes.kernel,classes.uninitialised,"
	"mobility.free,mobility.reclaimable,mobility.movable,mobility.unmovable,"
	"mobility.conditional,mobility.none";

#define ONE_CLASS(name, word) \
	{ \
		"classes." word, "", "bytes of the class", VALUE_BYTES, 0, get_zone_classes, \
			CLASS(name) \
	}
#define ONE_MOBILITY(name, word) \
	{ \
		"mobility." word, "", "bytes of the mobility", VALUE_BYTES, 0, get_zone_mobility, \
			MOBILITY_##name \
	}

static const struct column zone_columns[] = {
	/* clang-format off */
	{ "node", "NODE", "NUMA node", VALUE_NUMBER, 0, get_zone_node },
	{ "zone", "ZONE", "zone of the node", VALUE_TEXT, 0, get_zone_name },
	{ "start_pfn", "START", "its first frame", VALUE_COUNT, 0, get_zone, ZONE_START },
	{ "spanned", "SPANNED", "with holes", VALUE_BYTES, 0, get_zone, ZONE_SPANNED },
	{ "present", "PRESENT", "without holes", VALUE_BYTES, 0, get_zone, ZONE_PRESENT },
	{ "managed", "MANAGED", "by the buddy allocator", VALUE_BYTES, 0, get_zone, ZONE_MANAGED },
	{ "zone_free", "ZONE-FREE", "free, by zoneinfo", VALUE_BYTES, 0, get_zone, ZONE_FREE },
	{ "free", "FREE", "free", VALUE_BYTES, 0, get_zone_classes, CLASS(FREE) },
	{ "anon", "ANON", "anonymous, lazy_free, ksm", VALUE_BYTES, 0, get_zone_classes, ANON },
	{ "shm", "SHM", "shm, secret", VALUE_BYTES, 0, get_zone_classes, SHM },
	{ "file", "FILE", "page cache", VALUE_BYTES, 0, get_zone_classes, FILES },
	{ "slab", "SLAB", "slab", VALUE_BYTES, 0, get_zone_classes, CLASS(SLAB) },
	{ "page_tables", "PTAB", "page tables", VALUE_BYTES, 0, get_zone_classes, CLASS(PGTABLE) },
	{ "hugetlb", "HUGETLB", "the hugetlb pool", VALUE_BYTES, 0, get_zone_classes, HUGE },
	{ "kernel", "KERNEL", "all other classes of the kernel", VALUE_BYTES, 0, get_zone_classes, KERNEL },
	{ "movable", "MOVABLE", "can be moved", VALUE_BYTES, 0, get_zone_mobility, MOBILITY_MOVABLE },
	{ "reclaimable", "RECLAIM", "can be dropped", VALUE_BYTES, 0, get_zone_mobility, MOBILITY_RECLAIMABLE },
	{ "unmovable", "UNMOV", "stays where it is", VALUE_BYTES, 0, get_zone_mobility, MOBILITY_UNMOVABLE },
	ONE_CLASS(FREE, "free"),
	ONE_CLASS(HWPOISON, "hwpoison"),
	ONE_CLASS(OFFLINE, "offline"),
	ONE_CLASS(SLAB, "slab"),
	ONE_CLASS(PGTABLE, "page_tables"),
	ONE_CLASS(ZERO, "zero_page"),
	ONE_CLASS(RESERVED, "reserved"),
	{ "classes.hugetlb", "", "bytes of the class", VALUE_BYTES, 0, get_zone_classes, HUGE },
	ONE_CLASS(KERNEL_MOVABLE, "kernel_movable"),
	ONE_CLASS(KSM, "ksm"),
	ONE_CLASS(LAZY_FREE, "lazy_free"),
	ONE_CLASS(ANON, "anonymous"),
	ONE_CLASS(SECRET, "secret"),
	ONE_CLASS(SHM, "shm"),
	ONE_CLASS(FILE_MAPPED, "file_mapped"),
	ONE_CLASS(FILE_UNMAPPED, "file_unmapped"),
	ONE_CLASS(KERNEL_MAPPED, "kernel_mapped"),
	ONE_CLASS(KERNEL_LARGE, "kernel_large"),
	ONE_CLASS(KERNEL, "kernel"),
	ONE_CLASS(UNINITIALISED, "uninitialised"),
	ONE_MOBILITY(FREE, "free"),
	ONE_MOBILITY(RECLAIMABLE, "reclaimable"),
	ONE_MOBILITY(MOVABLE, "movable"),
	ONE_MOBILITY(UNMOVABLE, "unmovable"),
	ONE_MOBILITY(CONDITIONAL, "conditional"),
	ONE_MOBILITY(NONE, "none"),
	/* clang-format on */
};

const struct column_set system_zone_columns = { zone_columns, ARRAY_SIZE(zone_columns) };

static struct value get_folio_kind(const void *opaque, const struct column *column)
{
	(void)column;
	return value_word(folio_kind_names[((const struct system_folio_row *)opaque)->kind]);
}

enum { FOLIO_ORDER, FOLIO_SIZE, FOLIO_COUNT, FOLIO_BYTES };

static struct value get_folio(const void *opaque, const struct column *column)
{
	const struct system_folio_row *row = opaque;
	uint64_t size = row->page_size << row->order;
	const uint64_t numbers[] = {
		[FOLIO_ORDER] = row->order,
		[FOLIO_SIZE] = size,
		[FOLIO_COUNT] = row->folios,
		[FOLIO_BYTES] = row->folios * size,
	};

	return value_u(numbers[column->arg]);
}

const char system_folio_default[] = "kind,order,size,folios,bytes";

static const struct column folio_columns[] = {
	/* clang-format off */
	{ "kind", "FOLIOS", "anonymous, shm or file", VALUE_WORD, 0, get_folio_kind },
	{ "order", "ORDER", "a folio is 1 << order pages", VALUE_COUNT, 0, get_folio, FOLIO_ORDER },
	{ "size", "SIZE", "of a folio", VALUE_BYTES, 0, get_folio, FOLIO_SIZE },
	{ "folios", "COUNT", "their number", VALUE_COUNT, 0, get_folio, FOLIO_COUNT },
	{ "bytes", "BYTES", "in all", VALUE_BYTES, 0, get_folio, FOLIO_BYTES },
	/* clang-format on */
};

const struct column_set system_folio_columns = { folio_columns, ARRAY_SIZE(folio_columns) };

static struct value get_line(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(((const struct reconcile_row *)opaque)->key);
}

static struct value get_line_bytes(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	return row->kb ? value_u(row->meminfo) : value_none();
}

static struct value get_line_number(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	return row->kb ? value_none() : value_u(row->meminfo);
}

static struct value get_line_frames(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	return row->counted ? value_u(row->frames) : value_absent(row->why_not);
}

static struct value get_line_difference(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	return row->counted ? value_i(row->difference) : value_none();
}

static struct value get_line_moved(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	return row->kb ? value_i(row->moved) : value_none();
}

static struct value get_line_why(const void *opaque, const struct column *column)
{
	const struct reconcile_row *row = opaque;

	(void)column;
	if (!row->counted)
		return value_word(row->why_not);
	return value_word(row->difference || row->adjusted ? row->note : "");
}

const char system_meminfo_default[] = "line,bytes,frames,difference,moved,why";
const char system_meminfo_json[] = "line,bytes,number,frames,difference,moved,why";

static const struct column meminfo_columns[] = {
	/* clang-format off */
	{ "line", "MEMINFO", "line of /proc/meminfo", VALUE_TEXT, 0, get_line },
	{ "bytes", "BYTES", "its value", VALUE_BYTES, 0, get_line_bytes, .sparse = true },
	{ "number", "NUMBER", "its value, where it is no size", VALUE_COUNT, 0, get_line_number, .sparse = true },
	{ "frames", "FRAMES", "what frames add up to", VALUE_BYTES, 0, get_line_frames },
	{ "difference", "DIFF", "frames less meminfo", VALUE_DELTA, 0, get_line_difference, .sparse = true },
	{ "moved", "MOVED", "what meminfo changed by while the frames were read", VALUE_DELTA, 0, get_line_moved, .sparse = true },
	{ "why", "WHY", "why the two differ, or why frames do not tell", VALUE_WORD, 0, get_line_why },
	/* clang-format on */
};

const struct column_set system_meminfo_columns = { meminfo_columns, ARRAY_SIZE(meminfo_columns) };

enum { POOL_SIZE, POOL_TOTAL, POOL_USED, POOL_FREE, POOL_RESERVED, POOL_SURPLUS };

static struct value get_pool(const void *opaque, const struct column *column)
{
	const struct hugetlb_pool *pool = opaque;
	const uint64_t numbers[] = {
		[POOL_SIZE] = pool->size,
		[POOL_TOTAL] = pool->total,
		[POOL_USED] = pool->total > pool->free ? pool->total - pool->free : 0,
		[POOL_FREE] = pool->free,
		[POOL_RESERVED] = pool->reserved,
		[POOL_SURPLUS] = pool->surplus,
	};

	return value_u(numbers[column->arg]);
}

const char system_pool_default[] = "size,total,used,free,reserved,surplus";

static const struct column pool_columns[] = {
	/* clang-format off */
	{ "size", "HUGETLB", "of a page", VALUE_BYTES, 0, get_pool, POOL_SIZE },
	{ "total", "TOTAL", "pages in the pool", VALUE_COUNT, 0, get_pool, POOL_TOTAL },
	{ "used", "USED", "in use", VALUE_COUNT, 0, get_pool, POOL_USED },
	{ "free", "FREE", "free, promised ones too", VALUE_COUNT, 0, get_pool, POOL_FREE },
	{ "reserved", "RESERVED", "of the free: promised to mappings", VALUE_COUNT, 0, get_pool, POOL_RESERVED },
	{ "surplus", "SURPLUS", "above the size of the pool", VALUE_COUNT, 0, get_pool, POOL_SURPLUS },
	/* clang-format on */
};

const struct column_set system_pool_columns = { pool_columns, ARRAY_SIZE(pool_columns) };

static struct value get_cgroup_path(const void *opaque, const struct column *column)
{
	const struct system_cgroup_row *row = opaque;

	(void)column;
	return row->path.len ? value_text(row->path) : value_absent(row->why);
}

static struct value get_cgroup_inode(const void *opaque, const struct column *column)
{
	const struct system_cgroup_row *row = opaque;

	(void)column;
	return row->inode ? value_u(row->inode) : value_absent("none: charged to no cgroup");
}

static struct value get_cgroup_classes(const void *opaque, const struct column *column)
{
	const struct system_cgroup_row *row = opaque;

	return value_u(sum_of(row->frames, column->arg) * row->page_size);
}

const char system_cgroup_json[] = "inode,cgroup,bytes,anonymous,shm,file_mapped,file_unmapped,"
				  "page_tables,hugetlb,slab,free,kernel";
const char system_cgroup_default[] = "bytes,anonymous,shm,file_mapped,file_unmapped,page_tables,"
				     "kernel,cgroup";

static const struct column cgroup_columns[] = {
	/* clang-format off */
	{ "inode", "INODE", "of the cgroup's directory", VALUE_COUNT, 0, get_cgroup_inode },
	{ "bytes", "SIZE", "charged to it, of what frames tell (slab is not told)", VALUE_BYTES, 0, get_cgroup_classes, (1u << FRAME_CLASSES) - 1 },
	{ "anonymous", "ANON", "anonymous, lazy_free, ksm", VALUE_BYTES, 0, get_cgroup_classes, ANON },
	{ "shm", "SHM", "shm, secret", VALUE_BYTES, 0, get_cgroup_classes, SHM },
	{ "file_mapped", "MAPPED", "page cache that processes map", VALUE_BYTES, 0, get_cgroup_classes, CLASS(FILE_MAPPED) },
	{ "file_unmapped", "CACHED", "page cache that nobody maps", VALUE_BYTES, 0, get_cgroup_classes, CLASS(FILE_UNMAPPED) },
	{ "page_tables", "PTAB", "page tables", VALUE_BYTES, 0, get_cgroup_classes, CLASS(PGTABLE) },
	{ "hugetlb", "HUGETLB", "hugetlb", VALUE_BYTES, 0, get_cgroup_classes, HUGE },
	{ "slab", "SLAB", "slab", VALUE_BYTES, 0, get_cgroup_classes, CLASS(SLAB) },
	{ "free", "FREE", "free", VALUE_BYTES, 0, get_cgroup_classes, CLASS(FREE) },
	{ "kernel", "KERNEL", "all other classes of the kernel", VALUE_BYTES, 0, get_cgroup_classes, KERNEL },
	{ "cgroup", "CGROUP", "its path", VALUE_TEXT, 0, get_cgroup_path },
	/* clang-format on */
};

const struct column_set system_cgroup_columns = { cgroup_columns, ARRAY_SIZE(cgroup_columns) };
